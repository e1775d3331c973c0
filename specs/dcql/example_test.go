package dcql_test

import (
	"fmt"

	"paspoort.example/paspoort/specs/dcql"
)

// A wallet finds what it can show: of a list of skills only the one that was asked.
func Example() {
	q, err := dcql.ParseQuery([]byte(`{"credentials": [{"id": "opleiding", "format": "dc+sd-jwt", "multiple": true,
		"meta": {"vct_values": ["urn:paspoort:opleiding:1"]},
		"claims": [{"path": ["skills", null, "uri"], "values": ["urn:skill:lassen"]}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	result := dcql.Evaluate(q, []dcql.Credential{{
		Format: dcql.FormatSDJWTVC, Types: []string{"urn:paspoort:opleiding:1"}, HolderBound: true,
		Claims: map[string]any{"skills": []any{
			map[string]any{"uri": "urn:skill:meten"}, map[string]any{"uri": "urn:skill:lassen"},
		}},
	}})
	fmt.Println(result.Answerable(), result.Matches["opleiding"][0].Disclose)
	// Output: [opleiding] [[skills 1 uri]]
}

func ExamplePath_Select() {
	claims := map[string]any{"nationalities": []any{"British", "Betelgeusian"}}
	selected, err := dcql.Path{"nationalities", 1}.Select(claims)
	fmt.Println(selected[0].Value, err)
	// Output: Betelgeusian <nil>
}
