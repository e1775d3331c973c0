package openidfed

import (
	"fmt"
	"maps"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Metadata is what an entity says about itself under each Entity Type (5). Values are
// those of ijson: maps, slices, strings, float64 and bool, and null nowhere on top.
type Metadata map[string]map[string]any

// Object turns a value that encodes as a JSON object into metadata of one Entity Type.
func Object(v any) (map[string]any, error) {
	raw, err := ijson.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	var out map[string]any
	if err := ijson.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return out, nil
}

// Keys are the keys that an Entity Type has by value in `jwks` (5.2.1): those of
// [VCIssuer] sign credentials. DIIP v5 prints the set of a vc_issuer as a bare array;
// that is read too, there and nowhere else.
func (m Metadata) Keys(entityType string) (jose.KeySet, error) {
	v := m[entityType]["jwks"]
	if list, bare := v.([]any); bare && entityType == VCIssuer && len(list) <= maxEntries {
		v = map[string]any{"keys": list}
	}
	set, err := keySetOf(v, false)
	if err != nil {
		return jose.KeySet{}, fmt.Errorf("%w: jwks of %s %s", ErrMetadata, entityType, err.Error())
	}
	return set, nil
}

// DisplayName is the name for people: "The Wallet MUST use the value of the display_name
// property in the federation_entity" (DIIP v5, Appendix B).
func (m Metadata) DisplayName() string { return m.Text(FederationEntity, "display_name") }

// Text is a parameter that is a string; "" for anything else.
func (m Metadata) Text(entityType, name string) string {
	s, _ := m[entityType][name].(string)
	return s
}

func (m Metadata) clone() Metadata {
	out := make(Metadata, len(m))
	for t, params := range m {
		out[t] = maps.Clone(params)
		if out[t] == nil {
			out[t] = map[string]any{}
		}
	}
	return out
}

// override lays the metadata of a Subordinate Statement over that of the subject: it
// "applies only to those Entity Types that are present in the subject's Entity
// Configuration" and takes precedence (3.1.1).
func (m Metadata) override(by Metadata) Metadata {
	out := m.clone()
	for t, params := range by {
		if _, present := out[t]; !present {
			continue
		}
		maps.Copy(out[t], params)
	}
	return out
}

// metadata reads the claim of that name: objects of objects, "not using null" (5).
func (c *claims) metadata() Metadata {
	raw := c.object("metadata")
	if raw == nil {
		return nil
	}
	out := make(Metadata, len(raw))
	for t, v := range raw {
		params, ok := v.(map[string]any)
		if !ok {
			c.fail("metadata", "has an entity type that is no object")
			return nil
		}
		for _, value := range params {
			if value == nil {
				c.fail("metadata", "holds null")
			}
		}
		if _, keys := params["jwks"]; keys && t == FederationEntity { // 5.2.1
			c.fail("metadata", "has jwks under federation_entity")
		}
		out[t] = params
	}
	return out
}
