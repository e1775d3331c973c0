package sdjwt_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/sdjwt"
)

// A testcase is one of the public YAML test cases, in which the tag !sd marks
// what is selectively disclosable.
type testcase struct {
	UserClaims yaml.Node `yaml:"user_claims"`
	Disclosed  any       `yaml:"holder_disclosed_claims"`
	Expect     any       `yaml:"expect_verified_user_claims"`
	Decoys     bool      `yaml:"add_decoy_claims"`
}

// TestYAMLCases issues, presents and verifies what the cases describe.
func TestYAMLCases(t *testing.T) {
	folder := testkit.Vectors(t, "sd-jwt")
	names := append(folder.Glob(t, "python-testcases/*.yml"), folder.Glob(t, "spec-examples/*.yml")...)
	key := testkit.P256(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			var c testcase
			if err := yaml.Unmarshal(folder.Read(t, name), &c); err != nil {
				t.Fatal(err)
			}
			decoys := 0
			if c.Decoys {
				decoys = 3
			}
			claims := fromYAML(t, &c.UserClaims, true).(map[string]any)
			tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Claims: claims, Decoys: decoys})
			if err != nil {
				t.Fatal(err)
			}
			whole, err := tok.Claims()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(normal(t, fromYAML(t, &c.UserClaims, false)), any(whole)); diff != "" {
				t.Errorf("all claims (-want +got):\n%s", diff)
			}
			shown, err := tok.Select(func(path []any, _ any) bool { return asked(c.Disclosed, path) })
			if err != nil {
				t.Fatal(err)
			}
			_, got, err := open(shown.String(), &key.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			if c.Expect == nil {
				return
			}
			if diff := cmp.Diff(normal(t, c.Expect), any(got)); diff != "" {
				t.Errorf("presented (-want +got):\n%s", diff)
			}
		})
	}
}

// fromYAML is a node as JSON-like values, its !sd tags as SD marks or left out.
func fromYAML(t *testing.T, n *yaml.Node, marks bool) any {
	t.Helper()
	concealed := n.Tag == "!sd"
	plain := *n
	if concealed {
		plain.Tag = ""
		plain.Style &^= yaml.TaggedStyle
	}
	var v any
	switch plain.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(plain.Content); i += 2 {
			k, e := plain.Content[i], fromYAML(t, plain.Content[i+1], marks)
			if k.Tag == "!sd" && marks {
				e = sdjwt.SD{Value: e}
			}
			m[k.Value] = e
		}
		v = m
	case yaml.SequenceNode:
		a := []any{}
		for _, e := range plain.Content {
			a = append(a, fromYAML(t, e, marks))
		}
		v = a
	default:
		if err := plain.Decode(&v); err != nil {
			t.Fatal(err)
		}
	}
	if concealed && marks {
		return sdjwt.SD{Value: v}
	}
	return v
}
