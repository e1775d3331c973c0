package dcql_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/dcql"
)

func parse(t testing.TB, raw string) *dcql.Query {
	t.Helper()
	q, err := dcql.ParseQuery([]byte(raw))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return q
}

// one wraps members of a credential query.
func one(members string) string {
	return `{"credentials":[{"id":"a","format":"dc+sd-jwt",` + members + `}]}`
}

func TestParseRefuses(t *testing.T) {
	cases := map[string]string{
		"not json":                        `{`,
		"trailing bytes":                  one(`"meta":{}`) + `x`,
		"duplicate member":                one(`"meta":{},"meta":{}`),
		"array":                           `[]`,
		"no credentials":                  `{}`,
		"credentials null":                `{"credentials":null}`,
		"empty credentials":               `{"credentials":[]}`,
		"credential is a string":          `{"credentials":["a"]}`,
		"no id":                           `{"credentials":[{"format":"dc+sd-jwt","meta":{}}]}`,
		"empty id":                        `{"credentials":[{"id":"","format":"dc+sd-jwt","meta":{}}]}`,
		"id with a dot":                   `{"credentials":[{"id":"a.b","format":"dc+sd-jwt","meta":{}}]}`,
		"id too long":                     `{"credentials":[{"id":"` + strings.Repeat("a", 200) + `","format":"dc+sd-jwt","meta":{}}]}`,
		"no format":                       `{"credentials":[{"id":"a","meta":{}}]}`,
		"no meta":                         `{"credentials":[{"id":"a","format":"dc+sd-jwt"}]}`,
		"meta null":                       one(`"meta":null`),
		"empty vct_values":                one(`"meta":{"vct_values":[]}`),
		"vct_values of numbers":           one(`"meta":{"vct_values":[1]}`),
		"multiple as text":                one(`"meta":{},"multiple":"true"`),
		"holder binding as number":        one(`"meta":{},"require_cryptographic_holder_binding":0`),
		"empty claims":                    one(`"meta":{},"claims":[]`),
		"claims null":                     one(`"meta":{},"claims":null`),
		"claim without path":              one(`"meta":{},"claims":[{}]`),
		"empty path":                      one(`"meta":{},"claims":[{"path":[]}]`),
		"negative index":                  one(`"meta":{},"claims":[{"path":["a",-1]}]`),
		"fraction as index":               one(`"meta":{},"claims":[{"path":["a",1.5]}]`),
		"boolean in path":                 one(`"meta":{},"claims":[{"path":[true]}]`),
		"path too long":                   one(`"meta":{},"claims":[{"path":["a"` + strings.Repeat(`,"a"`, 40) + `]}]`),
		"empty values":                    one(`"meta":{},"claims":[{"path":["a"],"values":[]}]`),
		"fraction as value":               one(`"meta":{},"claims":[{"path":["a"],"values":[1.5]}]`),
		"huge number as value":            one(`"meta":{},"claims":[{"path":["a"],"values":[1e300]}]`),
		"null as value":                   one(`"meta":{},"claims":[{"path":["a"],"values":[null]}]`),
		"object as value":                 one(`"meta":{},"claims":[{"path":["a"],"values":[{}]}]`),
		"claim id with a space":           one(`"meta":{},"claims":[{"id":"a b","path":["a"]}]`),
		"claim id twice":                  one(`"meta":{},"claims":[{"id":"a","path":["a"]},{"id":"a","path":["b"]}]`),
		"claim_sets without claims":       one(`"meta":{},"claim_sets":[["a"]]`),
		"claim_sets without claim ids":    one(`"meta":{},"claims":[{"path":["a"]}],"claim_sets":[["a"]]`),
		"claim_sets with unknown id":      one(`"meta":{},"claims":[{"id":"a","path":["a"]}],"claim_sets":[["b"]]`),
		"empty claim_sets":                one(`"meta":{},"claims":[{"id":"a","path":["a"]}],"claim_sets":[]`),
		"empty claim set":                 one(`"meta":{},"claims":[{"id":"a","path":["a"]}],"claim_sets":[[]]`),
		"empty trusted_authorities":       one(`"meta":{},"trusted_authorities":[]`),
		"authority without type":          one(`"meta":{},"trusted_authorities":[{"values":["a"]}]`),
		"authority without values":        one(`"meta":{},"trusted_authorities":[{"type":"aki"}]`),
		"aki with padding":                one(`"meta":{},"trusted_authorities":[{"type":"aki","values":["AA=="]}]`),
		"empty credential_sets":           `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}],"credential_sets":[]}`,
		"credential set without options":  `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}],"credential_sets":[{}]}`,
		"credential set with empty list":  `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}],"credential_sets":[{"options":[[]]}]}`,
		"credential set with unknown id":  `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}],"credential_sets":[{"options":[["b"]]}]}`,
		"credential set required as text": `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}],"credential_sets":[{"options":[["a"]],"required":"no"}]}`,
		"mdoc path with one component":    `{"credentials":[{"id":"a","format":"mso_mdoc","meta":{},"claims":[{"path":["ns"]}]}]}`,
		"mdoc path with an index":         `{"credentials":[{"id":"a","format":"mso_mdoc","meta":{},"claims":[{"path":["ns",0]}]}]}`,
		"too large":                       one(`"meta":{},"x":"` + strings.Repeat("x", dcql.MaxQuerySize) + `"`),
		"too deep":                        one(`"meta":{},"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100)),
	}
	for name, raw := range cases {
		t.Run(name, func(t *testing.T) {
			if q, err := dcql.ParseQuery([]byte(raw)); !errors.Is(err, dcql.ErrQuery) || q != nil {
				t.Errorf("got %v, %v, want %v", q, err, dcql.ErrQuery)
			}
		})
	}
}

func TestUnknownPropertiesAreIgnored(t *testing.T) {
	q := parse(t, `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"later":1},"later":{}}],"later":[]}`)
	if q.Credential("a") == nil {
		t.Error("credential query is gone")
	}
}

func TestValidateRefuses(t *testing.T) {
	q := parse(t, one(`"meta":{},"claims":[{"path":["a",null]},{"path":["a",null]}]`))
	if err := q.Validate(); !errors.Is(err, dcql.ErrQuery) {
		t.Errorf("got %v, want %v", err, dcql.ErrQuery)
	}
	q = &dcql.Query{Credentials: []dcql.CredentialQuery{{ID: "a", Format: dcql.FormatSDJWTVC, Meta: dcql.Meta{DoctypeValue: "x"}}}}
	if err := q.Validate(); !errors.Is(err, dcql.ErrQuery) {
		t.Errorf("meta of another format: got %v, want %v", err, dcql.ErrQuery)
	}
	if err := (&dcql.Query{}).Validate(); !errors.Is(err, dcql.ErrQuery) {
		t.Errorf("empty query: got %v, want %v", err, dcql.ErrQuery)
	}
}

// FuzzParseQuery: what parses is valid, and is written so that it parses to the same; evaluating it never fails.
func FuzzParseQuery(f *testing.F) {
	f.Add([]byte(skillsQuery), []byte(`{"skills":[{"uri":"urn:skill:lassen"}]}`))
	f.Add([]byte(one(`"meta":{},"claims":[{"id":"a","path":["x",0,null],"values":[1,true,"a"]}],"claim_sets":[["a"]]`)), []byte(`{"x":[[1]]}`))
	f.Add([]byte(`{"credentials":[{"id":"a","format":"mso_mdoc","meta":{"doctype_value":"d"},"claims":[{"path":["n","e"]}]}]}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, raw, claims []byte) {
		q, err := dcql.ParseQuery(raw)
		if err != nil {
			if q != nil {
				t.Fatal("an error and a query")
			}
			return
		}
		written, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		again, err := dcql.ParseQuery(written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if diff := cmp.Diff(again, q); diff != "" {
			t.Fatal(diff)
		}
		var object map[string]any
		if json.Unmarshal(claims, &object) != nil {
			return
		}
		cred := dcql.Credential{Format: q.Credentials[0].Format, Types: q.Credentials[0].Meta.VCTValues, HolderBound: true, Claims: object}
		r := dcql.Evaluate(q, []dcql.Credential{cred})
		if len(r.Matches[q.Credentials[0].ID]) == 1 && len(q.Credentials[0].TrustedAuthorities) == 0 {
			if err := q.CheckPresentation(q.Credentials[0].ID, &cred); err != nil {
				t.Fatalf("the wallet matched what the verifier refuses: %v", err)
			}
		}
	})
}
