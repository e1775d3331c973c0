package registry_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"paspoort.example/paspoort/specs/registry"
)

// The schema is for those who read the log without this package: it must accept the golden
// log, know every kind with effect, and refuse what is left out or added.
func TestSchemaDescribesTheGoldenLog(t *testing.T) {
	file, err := os.ReadFile("schema/leaf.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("leaf.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("leaf.json")
	if err != nil {
		t.Fatal(err)
	}
	_, snap := goldenSnapshot(t)
	valid := func(raw string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	for i, leaf := range snap.Leaves {
		if err := valid(string(leaf)); err != nil {
			t.Errorf("leaf %d: %v", i, err)
		}
		for _, broken := range []string{
			strings.Replace(string(leaf), `"body":{`, `"body":{"extra":1,`, 1),
			strings.Replace(string(leaf), `"rules":1`, `"rules":2`, 1),
			strings.Replace(string(leaf), `"subject":`, `"object":`, 1),
		} {
			if valid(broken) == nil {
				t.Errorf("leaf %d: the schema accepts %.200s", i, broken)
			}
		}
	}
	active, _ := registry.KindsUnder(1)
	for _, kind := range active {
		if !bytes.Contains(file, []byte(`"`+string(kind)+`"`)) {
			t.Errorf("kind %s is not in the schema", kind)
		}
	}
}
