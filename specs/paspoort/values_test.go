package paspoort

import (
	"encoding/json"
	"testing"
)

// TestEveryCodeHasWords walks the schemas: each value of an enumeration that a
// person may see has words in both languages.
func TestEveryCodeHasWords(t *testing.T) {
	names := map[string]bool{"framework": true, "register": true} // NLQF and the like are names already
	found := 0
	for _, ty := range Types() {
		raw, err := ClaimsSchema(ty)
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			Properties map[string]any
			Defs       map[string]any `json:"$defs"`
		}
		if err := json.Unmarshal(raw, &schema); err != nil {
			t.Fatal(err)
		}
		var walk func(claim string, v any)
		walk = func(claim string, v any) {
			m, ok := v.(map[string]any)
			if !ok {
				return
			}
			if list, ok := m["enum"].([]any); ok && !names[claim] {
				for _, code := range list {
					found++
					words, ok := ValueText(claim, code.(string))
					if !ok || words.NL == "" || words.EN == "" {
						t.Errorf("%s: %s %v has no words", ty, claim, code)
					}
				}
			}
			if ref, ok := m["$ref"].(string); ok {
				walk(claim, schema.Defs[ref[len("#/$defs/"):]])
			}
			walk(claim, m["items"])
			properties, _ := m["properties"].(map[string]any)
			for name, p := range properties {
				walk(name, p)
			}
		}
		for name, p := range schema.Properties {
			walk(name, p)
		}
	}
	if found == 0 {
		t.Fatal("no enumerations found")
	}
}
