package registry_test

import (
	"fmt"

	"paspoort.example/paspoort/specs/registry"
)

// A file with a function profile is read before anything is signed, and what is wrong is
// pointed at.
func ExampleParseDocument() {
	file := `{
	  "schema": "urn:paspoort:function:1",
	  "title": {"nl": "Helpende in de wijk"},
	  "summary": {"nl": "U helpt mensen thuis."},
	  "essential": [{"label": {"nl": "Verzorgen"}, "proof_level": 2}],
	  "hours": {"min": 16, "max": 32},
	  "workplace": "onsite",
	  "places": [{"name": "Aakermonde"}],
	  "start": {"every": "month"},
	  "salary": 2400
	}`
	_, err := registry.ParseDocument[registry.FunctionProfile]([]byte(file))
	fmt.Println(err)
	// Output: bad-body: salary: there is no such field here
}
