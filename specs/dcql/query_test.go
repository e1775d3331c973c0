package dcql_test

import (
	"crypto/x509"
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

var person = map[string]any{
	"name":          "Arthur Dent",
	"address":       map[string]any{"locality": "Milliways"},
	"nationalities": []any{"British", "Betelgeusian"},
	"degrees":       []any{map[string]any{"type": "BSc", "level": 6.0}, map[string]any{"type": "MSc"}, map[string]any{"level": 7.0}},
	"mixed":         []any{map[string]any{"a": "b"}, "text"},
	"empty":         []any{},
	"adult":         true,
	"nothing":       nil,
}

func TestPath(t *testing.T) {
	cases := []struct {
		name string
		path dcql.Path
		want []dcql.Selected
		err  error
	}{
		{"member", dcql.Path{"name"}, []dcql.Selected{{Path: dcql.Path{"name"}, Value: "Arthur Dent"}}, nil},
		{"nested", dcql.Path{"address", "locality"}, []dcql.Selected{{Path: dcql.Path{"address", "locality"}, Value: "Milliways"}}, nil},
		{"index", dcql.Path{"nationalities", 1}, []dcql.Selected{{Path: dcql.Path{"nationalities", 1}, Value: "Betelgeusian"}}, nil},
		{"all, of those that have it", dcql.Path{"degrees", nil, "type"}, []dcql.Selected{
			{Path: dcql.Path{"degrees", 0, "type"}, Value: "BSc"}, {Path: dcql.Path{"degrees", 1, "type"}, Value: "MSc"}}, nil},
		{"null value", dcql.Path{"nothing"}, []dcql.Selected{{Path: dcql.Path{"nothing"}}}, nil},
		{"missing", dcql.Path{"nope"}, nil, dcql.ErrNotFound},
		{"index beyond", dcql.Path{"nationalities", 2}, nil, dcql.ErrNotFound},
		{"null on an empty array", dcql.Path{"empty", nil}, nil, dcql.ErrNotFound},
		{"null on an object", dcql.Path{"address", nil}, nil, dcql.ErrNotFound},
		{"name on an array", dcql.Path{"degrees", "type"}, nil, dcql.ErrNotFound},
		{"name on a string", dcql.Path{"name", "first"}, nil, dcql.ErrNotFound},
		{"one of the elements is no object", dcql.Path{"mixed", nil, "a"}, nil, dcql.ErrNotFound},
		{"no components", dcql.Path{}, nil, dcql.ErrPath},
		{"boolean component", dcql.Path{"degrees", true}, nil, dcql.ErrPath},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.path.Select(person)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("(-got +want)\n%s", diff)
			}
		})
	}
}

func TestPathCovers(t *testing.T) {
	cases := []struct {
		path, other dcql.Path
		want        bool
	}{
		{dcql.Path{"skills", nil, "uri"}, dcql.Path{"skills", 3}, true},
		{dcql.Path{"skills", nil, "uri"}, dcql.Path{"skills", 3, "uri"}, true},
		{dcql.Path{"skills", nil, "uri"}, dcql.Path{"skills", 3, "label"}, false},
		{dcql.Path{"skills", nil}, dcql.Path{"skills", "uri"}, false},
		{dcql.Path{"address"}, dcql.Path{"address", "locality"}, true},
		{dcql.Path{"address"}, dcql.Path{"name"}, false},
	}
	for _, c := range cases {
		if got := c.path.Covers(c.other); got != c.want {
			t.Errorf("%v covers %v: got %v, want %v", c.path, c.other, got, c.want)
		}
	}
}

func TestValues(t *testing.T) {
	cases := map[string]struct {
		claim string
		want  int // matching credentials
	}{
		"string":                  {`{"path":["name"],"values":["Ford","Arthur Dent"]}`, 1},
		"other string":            {`{"path":["name"],"values":["arthur dent"]}`, 0},
		"integer":                 {`{"path":["degrees",0,"level"],"values":[6]}`, 1},
		"integer is no string":    {`{"path":["degrees",0,"level"],"values":["6"]}`, 0},
		"string is no integer":    {`{"path":["name"],"values":[1]}`, 0},
		"boolean":                 {`{"path":["adult"],"values":[true]}`, 1},
		"boolean is no string":    {`{"path":["adult"],"values":["true"]}`, 0},
		"null equals nothing":     {`{"path":["nothing"],"values":["null"]}`, 0},
		"object equals nothing":   {`{"path":["address"],"values":["Milliways"]}`, 0},
		"one element of an array": {`{"path":["nationalities",null],"values":["British"]}`, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			q := parse(t, one(`"meta":{},"claims":[`+c.claim+`]`))
			r := dcql.Evaluate(q, []dcql.Credential{{Format: dcql.FormatSDJWTVC, HolderBound: true, Claims: person}})
			if got := len(r.Matches["a"]); got != c.want {
				t.Errorf("%d matches, want %d", got, c.want)
			}
		})
	}
}

func TestMeta(t *testing.T) {
	ids := "https://www.w3.org/2018/credentials#"
	cases := map[string]struct {
		format, meta string
		types        []string
		want         bool
	}{
		"vct":                      {"dc+sd-jwt", `{"vct_values":["urn:b","urn:a"]}`, []string{"urn:a"}, true},
		"vct that it extends":      {"dc+sd-jwt", `{"vct_values":["urn:base"]}`, []string{"urn:a", "urn:base"}, true},
		"other vct":                {"dc+sd-jwt", `{"vct_values":["urn:b"]}`, []string{"urn:a"}, false},
		"empty meta":               {"dc+sd-jwt", `{}`, []string{"urn:a"}, true},
		"types, one set of two":    {"vc+sd-jwt", `{"type_values":[["` + ids + `VC","X"],["Y"]]}`, []string{"X", ids + "VC"}, true},
		"types, the other set":     {"jwt_vc_json", `{"type_values":[["X","Z"],["Y"]]}`, []string{"Y"}, true},
		"types, half a set":        {"vc+sd-jwt", `{"type_values":[["X","Z"]]}`, []string{"X"}, false},
		"doctype":                  {"mso_mdoc", `{"doctype_value":"org.iso.18013.5.1.mDL"}`, []string{"org.iso.18013.5.1.mDL"}, true},
		"other doctype":            {"mso_mdoc", `{"doctype_value":"org.iso.18013.5.1.mDL"}`, []string{"x"}, false},
		"format that nobody knows": {"ldp_vc", `{}`, nil, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			q := parse(t, `{"credentials":[{"id":"a","format":"`+c.format+`","meta":`+c.meta+`}]}`)
			r := dcql.Evaluate(q, []dcql.Credential{{Format: c.format, Types: c.types, HolderBound: true}})
			if got := len(r.Matches["a"]) == 1; got != c.want {
				t.Errorf("match %v, want %v", got, c.want)
			}
		})
	}
}

func TestTrustedAuthorities(t *testing.T) {
	chain := []*x509.Certificate{{AuthorityKeyId: []byte{0x0c, 0x0a, 0x5d}}, {}}
	cred := dcql.Credential{Format: dcql.FormatSDJWTVC, HolderBound: true, Authorities: map[string][]string{
		dcql.AuthorityKeyIdentifier:    dcql.AuthorityKeyIdentifiers(chain),
		dcql.AuthorityOpenIDFederation: {"https://regio.example"},
	}}
	cases := map[string]struct {
		authorities string
		want        bool
	}{
		"aki":                    {`[{"type":"aki","values":["AAAA","DApd"]}]`, true},
		"other aki":              {`[{"type":"aki","values":["AAAA"]}]`, false},
		"one of two types":       {`[{"type":"etsi_tl","values":["https://lotl.example"]},{"type":"openid_federation","values":["https://regio.example"]}]`, true},
		"value of another type":  {`[{"type":"etsi_tl","values":["https://regio.example"]}]`, false},
		"type that nobody knows": {`[{"type":"x","values":["y"]}]`, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			q := parse(t, one(`"meta":{},"trusted_authorities":`+c.authorities))
			if got := dcql.Evaluate(q, []dcql.Credential{cred}).Satisfiable; got != c.want {
				t.Errorf("satisfiable %v, want %v", got, c.want)
			}
		})
	}
}

func TestHolderBindingIsAskedByDefault(t *testing.T) {
	loose := dcql.Credential{Format: dcql.FormatSDJWTVC}
	if dcql.Evaluate(parse(t, one(`"meta":{}`)), []dcql.Credential{loose}).Satisfiable {
		t.Error("a credential without holder binding satisfied the default")
	}
	q := parse(t, one(`"meta":{},"require_cryptographic_holder_binding":false`))
	if !dcql.Evaluate(q, []dcql.Credential{loose}).Satisfiable {
		t.Error("holder binding was demanded though the query says false")
	}
	if q.RequiresHolderBinding() {
		t.Error("the query as a whole says that holder binding is required")
	}
}

const skillsQuery = `{"credentials":[
	{"id":"opleiding","format":"dc+sd-jwt","multiple":true,"meta":{"vct_values":["urn:paspoort:opleiding:1"]},
	 "claims":[{"path":["skills",null,"uri"],"values":["urn:skill:lassen","urn:skill:slijpen"]}]},
	{"id":"werkervaring","format":"dc+sd-jwt","multiple":true,"meta":{"vct_values":["urn:paspoort:werkervaring:1"]},
	 "claims":[{"path":["skills",null,"uri"],"values":["urn:skill:lassen","urn:skill:slijpen"]}]}],
	"credential_sets":[{"options":[["opleiding"]],"required":false},{"options":[["werkervaring"]],"required":false}]}`

func skilled(vct string, uris ...string) dcql.Credential {
	var skills []any
	for _, uri := range uris {
		skills = append(skills, map[string]any{"uri": uri, "label": "x"})
	}
	return dcql.Credential{Format: dcql.FormatSDJWTVC, Types: []string{vct}, HolderBound: true, Claims: map[string]any{"skills": skills}}
}

// TestSkills is the query by which Paspoort asks for skills: only matching elements of the array are disclosed, of every
// credential that has one, and what nobody has does not keep the rest from being shown.
func TestSkills(t *testing.T) {
	q := parse(t, skillsQuery)
	if err := q.Validate(); err != nil {
		t.Fatal(err)
	}
	held := []dcql.Credential{
		skilled("urn:paspoort:opleiding:1", "urn:skill:lassen", "urn:skill:meten", "urn:skill:slijpen"),
		skilled("urn:paspoort:opleiding:1", "urn:skill:meten"),
		skilled("urn:paspoort:opleiding:1", "urn:skill:meten", "urn:skill:lassen"),
	}
	r := dcql.Evaluate(q, held)
	want := []dcql.Match{
		{Credential: 0, Requested: []dcql.Path{{"skills", nil, "uri"}}, Disclose: []dcql.Path{{"skills", 0, "uri"}, {"skills", 2, "uri"}}},
		{Credential: 2, Requested: []dcql.Path{{"skills", nil, "uri"}}, Disclose: []dcql.Path{{"skills", 1, "uri"}}},
	}
	if diff := cmp.Diff(r.Matches["opleiding"], want); diff != "" {
		t.Errorf("matches (-got +want)\n%s", diff)
	}
	if diff := cmp.Diff(r.Answerable(), []string{"opleiding"}); diff != "" {
		t.Errorf("answerable (-got +want)\n%s", diff)
	}
}

func TestAnswerable(t *testing.T) {
	q := parse(t, skillsQuery)
	if r := dcql.Evaluate(q, nil); !r.Satisfiable || r.Answerable() != nil {
		t.Errorf("only optional sets and nothing held: satisfiable %v, answerable %v; want true and none", r.Satisfiable, r.Answerable())
	}
	q = parse(t, one(`"meta":{}`))
	if r := dcql.Evaluate(q, nil); r.Satisfiable || r.Answerable() != nil {
		t.Errorf("nothing held: satisfiable %v, answerable %v; want false and none", r.Satisfiable, r.Answerable())
	}
}

func TestCheckShape(t *testing.T) {
	q := parse(t, `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}},{"id":"b","format":"dc+sd-jwt","meta":{},"multiple":true}]}`)
	cases := map[string]struct {
		counts map[string]int
		err    error
	}{
		"one each":         {map[string]int{"a": 1, "b": 1}, nil},
		"several":          {map[string]int{"b": 3}, nil},
		"two where one":    {map[string]int{"a": 2}, dcql.ErrAnswer},
		"an empty array":   {map[string]int{"b": 0}, dcql.ErrAnswer},
		"what nobody asks": {map[string]int{"c": 1}, dcql.ErrAnswer},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := q.CheckShape(c.counts); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
	}
}

func TestCheckPresentation(t *testing.T) {
	q := parse(t, skillsQuery)
	unbound := skilled("urn:paspoort:opleiding:1", "urn:skill:lassen")
	unbound.HolderBound = false
	other := skilled("urn:paspoort:opleiding:1", "urn:skill:lassen")
	other.Format = dcql.FormatVCSDJWT
	cases := map[string]struct {
		id        string
		presented dcql.Credential
		err       error
	}{
		"what was asked":     {"opleiding", skilled("urn:paspoort:opleiding:1", "urn:skill:lassen"), nil},
		"more than asked":    {"opleiding", skilled("urn:paspoort:opleiding:1", "urn:skill:meten", "urn:skill:lassen"), nil},
		"other value":        {"opleiding", skilled("urn:paspoort:opleiding:1", "urn:skill:meten"), dcql.ErrMismatch},
		"nothing disclosed":  {"opleiding", skilled("urn:paspoort:opleiding:1"), dcql.ErrMismatch},
		"other type":         {"opleiding", skilled("urn:paspoort:werkervaring:1", "urn:skill:lassen"), dcql.ErrMismatch},
		"other format":       {"opleiding", other, dcql.ErrMismatch},
		"no holder binding":  {"opleiding", unbound, dcql.ErrMismatch},
		"under another name": {"diploma", skilled("urn:paspoort:opleiding:1", "urn:skill:lassen"), dcql.ErrAnswer},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := q.CheckPresentation(c.id, &c.presented); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
	}
}

func TestCheckSets(t *testing.T) {
	plain := parse(t, `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}},{"id":"b","format":"dc+sd-jwt","meta":{}}]}`)
	sets := parse(t, `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}},{"id":"b","format":"dc+sd-jwt","meta":{}},{"id":"c","format":"dc+sd-jwt","meta":{}}],
		"credential_sets":[{"options":[["a"],["b","c"]]},{"options":[["c"]],"required":false}]}`)
	cases := map[string]struct {
		query *dcql.Query
		held  map[string]int
		err   error
	}{
		"all of them":            {plain, map[string]int{"a": 1, "b": 1}, nil},
		"one is missing":         {plain, map[string]int{"a": 1}, dcql.ErrAnswer},
		"first option":           {sets, map[string]int{"a": 1}, nil},
		"second option":          {sets, map[string]int{"b": 1, "c": 1}, nil},
		"half the second option": {sets, map[string]int{"b": 1}, dcql.ErrAnswer},
		"only what is optional":  {sets, map[string]int{"c": 1}, dcql.ErrAnswer},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := c.query.CheckSets(c.held); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
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
