package registry_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"paspoort.example/paspoort/specs/registry"
)

// The schemas are for those who read the log without this package: they must accept the golden
// logs, know every kind with effect, and refuse what is left out or added.
func TestSchemasDescribeTheGoldenLogs(t *testing.T) {
	for _, tt := range []struct {
		golden, file string
		rules        int // whose leaves are looked at
	}{
		{"rules-1", "leaf.json", 1}, {"rules-1-to-2", "leaf.json", 1}, {"rules-1-to-2", "leaf-2.json", 2}, {"rules-2", "leaf-2.json", 2},
		{"rules-2-to-3", "leaf-2.json", 2}, {"rules-2-to-3", "leaf-3.json", 3}, {"rules-3", "leaf-3.json", 3},
	} {
		t.Run(tt.golden+" "+tt.file, func(t *testing.T) {
			schema := leafSchema(t, tt.file)
			valid := func(raw string) error {
				v, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
				if err != nil {
					t.Fatal(err)
				}
				return schema.Validate(v)
			}
			snap, _ := readGolden(t, tt.golden)
			looked, mark := 0, fmt.Sprintf(`"rules":%d,"signed"`, tt.rules)
			for i, leaf := range snap.Leaves {
				if !strings.Contains(string(leaf), mark) {
					continue
				}
				looked++
				if err := valid(string(leaf)); err != nil {
					t.Errorf("leaf %d: %v", i, err)
				}
				for _, broken := range []string{
					strings.Replace(string(leaf), `"body":{`, `"body":{"extra":1,`, 1),
					strings.Replace(string(leaf), mark, fmt.Sprintf(`"rules":%d,"signed"`, tt.rules+1), 1),
					strings.Replace(string(leaf), `"subject":`, `"object":`, 1),
				} {
					if valid(broken) == nil {
						t.Errorf("leaf %d: the schema accepts %.200s", i, broken)
					}
				}
			}
			if looked == 0 {
				t.Error("no leaf looked at")
			}
		})
	}
}

func leafSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	for url, file := range map[string]string{
		"urn:paspoort:function:1": "function.json", "urn:paspoort:module:1": "module.json", "mem:///" + name: name,
	} {
		raw, err := os.ReadFile("schema/" + file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(url, doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("mem:///" + name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSchemasKnowEveryKind(t *testing.T) {
	for name, rules := range map[string]int{"leaf.json": 1, "leaf-2.json": 2, "leaf-3.json": 3} {
		file, err := os.ReadFile("schema/" + name)
		if err != nil {
			t.Fatal(err)
		}
		active, _ := registry.KindsUnder(rules)
		for _, kind := range active {
			if !bytes.Contains(file, []byte(`"`+string(kind)+`"`)) {
				t.Errorf("kind %s is not in %s", kind, name)
			}
		}
	}
}
