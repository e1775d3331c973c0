package dcql_test

import (
	"crypto/x509"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/dcql"
)

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
