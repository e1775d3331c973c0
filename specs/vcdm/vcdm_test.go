package vcdm_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/vcdm"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// document is a credential that is fine.
func document() map[string]any {
	return map[string]any{
		"@context":          []any{vcdm.ContextV2},
		"id":                "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
		"type":              []any{"VerifiableCredential"},
		"issuer":            "https://opleider.example",
		"validFrom":         "2026-03-01T00:00:00Z",
		"credentialSubject": map[string]any{"id": "did:example:123", "naam": "Fatima"},
	}
}

// badge is a credential of Open Badges 3.0 that is fine.
func badge() map[string]any {
	d := document()
	d["@context"] = []any{vcdm.ContextV2, vcdm.ContextOpenBadges}
	d["type"] = []any{"VerifiableCredential", "OpenBadgeCredential"}
	d["credentialSubject"] = map[string]any{
		"type": []any{"AchievementSubject"}, "id": "did:example:123",
		"achievement": map[string]any{
			"id": "urn:uuid:1", "type": []any{"Achievement"}, "name": "MIG-lassen", "description": "Een module.",
			"criteria":  map[string]any{"narrative": "Proefstuk"},
			"alignment": []any{map[string]any{"type": []any{"Alignment"}, "targetName": "lassen", "targetUrl": "http://data.europa.eu/esco/skill/1"}},
		},
	}
	return d
}

// codes are the codes of an error, each once.
func codes(err error) map[vcdm.Code]bool {
	var p vcdm.Problems
	errors.As(err, &p)
	out := map[vcdm.Code]bool{}
	for _, q := range p {
		out[q.Code] = true
	}
	return out
}

// TestStructure breaks each rule of structure in a document that is fine.
func TestStructure(t *testing.T) {
	set := func(name string, v any) func(map[string]any) { return func(d map[string]any) { d[name] = v } }
	drop := func(name string) func(map[string]any) { return func(d map[string]any) { delete(d, name) } }
	for _, tt := range []struct {
		name   string
		change func(map[string]any)
		want   vcdm.Code // "" for no problem
	}{
		{"control", func(map[string]any) {}, ""},
		{"issuer as object, subjects as list, plain inline context", func(d map[string]any) {
			d["issuer"] = map[string]any{"id": "did:web:opleider.example"}
			d["credentialSubject"] = []any{d["credentialSubject"]}
			d["@context"] = []any{vcdm.ContextV2, map[string]any{"Module": "urn:example:module", "@vocab": "urn:example:"}}
			d["type"] = []any{"VerifiableCredential", "Module", "Iets"}
		}, ""},
		{"name in languages", set("name", []any{map[string]any{"@value": "Module", "@language": "nl"}}), ""},
		{"no id", drop("id"), ""},
		{"no context", drop("@context"), vcdm.CodeContext},
		{"context as text", set("@context", vcdm.ContextV2), vcdm.CodeContext},
		{"wrong order", set("@context", []any{vcdm.ContextOpenBadges, vcdm.ContextV2}), vcdm.CodeContext},
		{"context of 1.1", set("@context", []any{vcdm.ContextV1}), vcdm.CodeContext},
		{"context is a number", set("@context", []any{vcdm.ContextV2, 1.0}), vcdm.CodeContext},
		{"context not pinned", set("@context", []any{vcdm.ContextV2, "https://example.com/c"}), vcdm.CodeContextUnknown},
		{"inline context that does more", set("@context", []any{vcdm.ContextV2, map[string]any{"@base": "x"}}), vcdm.CodeContextUnknown},
		{"no type", drop("type"), vcdm.CodeType},
		{"type without VerifiableCredential", set("type", []any{"urn:example:module"}), vcdm.CodeType},
		{"type is a number", set("type", []any{"VerifiableCredential", 1.0}), vcdm.CodeType},
		{"type without IRI", set("type", []any{"VerifiableCredential", "Module"}), vcdm.CodeTypeUnknown},
		{"id is no URL", set("id", "3732"), vcdm.CodeID},
		{"id is a list", set("id", []any{"urn:a:b"}), vcdm.CodeID},
		{"name is a number", set("name", 1.0), vcdm.CodeName},
		{"description without text", set("description", map[string]any{"nl": "x"}), vcdm.CodeName},
		{"no issuer", drop("issuer"), vcdm.CodeIssuer},
		{"issuer is no URL", set("issuer", "opleider"), vcdm.CodeIssuer},
		{"issuer without id", set("issuer", map[string]any{"name": "x"}), vcdm.CodeIssuer},
		{"no subject", drop("credentialSubject"), vcdm.CodeSubject},
		{"empty subject", set("credentialSubject", map[string]any{}), vcdm.CodeSubject},
		{"empty list of subjects", set("credentialSubject", []any{}), vcdm.CodeSubject},
		{"subject is text", set("credentialSubject", "did:example:123"), vcdm.CodeSubject},
		{"subject's id is no URL", set("credentialSubject", map[string]any{"id": "x y"}), vcdm.CodeID},
		{"date without zone", set("validFrom", "2026-03-01T00:00:00"), vcdm.CodeDate},
		{"date without time", set("validFrom", "2026-03-01"), vcdm.CodeDate},
		{"date with a comma", set("validFrom", "2026-03-01T00:00:00,5Z"), vcdm.CodeDate},
		{"end before begin", set("validUntil", "2026-02-01T00:00:00Z"), vcdm.CodeDate},
		{"not yet valid", set("validFrom", "2026-03-03T00:00:00Z"), vcdm.CodeNotYetValid},
		{"expired", set("validUntil", "2026-03-02T00:00:00Z"), vcdm.CodeExpired},
		{"status without type", set("credentialStatus", map[string]any{"id": "https://a.example/1"}), vcdm.CodeStatus},
		{"status is text", set("credentialStatus", "https://a.example/1"), vcdm.CodeStatus},
		{"schema without id", set("credentialSchema", map[string]any{"type": "JsonSchema"}), vcdm.CodeSchema},
		{"terms without type", set("termsOfUse", map[string]any{"id": "urn:a:b"}), vcdm.CodeMember},
		{"evidence is text", set("evidence", "gezien"), vcdm.CodeMember},
		{"refresh service without type", set("refreshService", map[string]any{}), vcdm.CodeMember},
		{"related resource without digest", set("relatedResource", map[string]any{"id": "https://a.example/"}), vcdm.CodeRelated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := document()
			tt.change(d)
			want := map[vcdm.Code]bool{}
			if tt.want != "" {
				want[tt.want] = true
			}
			if diff := cmp.Diff(want, codes(vcdm.Validate(d, noon, nil))); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestExpand: terms have the IRIs that DCQL's type_values ask for.
func TestExpand(t *testing.T) {
	contexts := []any{vcdm.ContextV2, vcdm.ContextOpenBadges, map[string]any{"@vocab": "urn:eigen:", "Module": "urn:paspoort:opleiding:1"}}
	iris, unknown := vcdm.Standard().Expand(contexts, []string{"VerifiableCredential", "OpenBadgeCredential", "Module", "Anders", "urn:a:b"})
	want := []string{"https://www.w3.org/2018/credentials#VerifiableCredential", "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential",
		"urn:paspoort:opleiding:1", "urn:eigen:Anders", "urn:a:b"}
	if diff := cmp.Diff(want, iris); diff != "" || unknown != nil {
		t.Errorf("IRIs, unknown %v (-want +got):\n%s", unknown, diff)
	}
	v := vcdm.Standard().With("https://regio.example/c", map[string]string{"Module": "urn:m"})
	if iris, _ := v.Expand([]any{"https://regio.example/c"}, []string{"Module"}); len(iris) != 1 || iris[0] != "urn:m" {
		t.Errorf("added context: got %v", iris)
	}
	if vcdm.Standard().Knows("https://regio.example/c") {
		t.Error("the standard vocabulary changed")
	}
}

// TestReadSDJWT: reading keeps to header and claim rules, and takes a presentation
// that shows a part.
func TestReadSDJWT(t *testing.T) {
	key := testkit.P256(t)
	sd := func(v any) sdjwt.SD { return sdjwt.SD{Value: v} }
	for _, tt := range []struct {
		name   string
		header jose.Header
		extra  map[string]any
		want   vcdm.Code
	}{
		{"control", jose.Header{Type: "vc+sd-jwt"}, nil, ""},
		{"with media type prefix and cty", jose.Header{Type: "application/vc+sd-jwt", ContentType: "vc"}, nil, ""},
		{"with cnf, status and iss", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"iss": "https://opleider.example", "cnf": map[string]any{}, "status": map[string]any{}}, ""},
		{"typ dc+sd-jwt", jose.Header{Type: "dc+sd-jwt"}, nil, vcdm.CodeMediaType},
		{"cty of something else", jose.Header{Type: "vc+sd-jwt", ContentType: "vp"}, nil, vcdm.CodeMediaType},
		{"iss of another", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"iss": "https://ander.example"}, vcdm.CodeClaim},
		{"iss is an object", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"iss": map[string]any{}}, vcdm.CodeClaim},
		{"jti of another", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"jti": "urn:a:b"}, vcdm.CodeClaim},
		{"sub of another", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"sub": "did:example:9"}, vcdm.CodeClaim},
		{"claim vc", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"vc": map[string]any{}}, vcdm.CodeClaim},
		{"type disclosable", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"type": sd([]any{"VerifiableCredential"})}, vcdm.CodeSelective},
		{"a type disclosable", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"type": []any{"VerifiableCredential", sd("urn:a:b")}}, ""},
		{"issuer disclosable", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"issuer": sd("https://opleider.example")}, vcdm.CodeSelective},
		{"status disclosable", jose.Header{Type: "vc+sd-jwt"}, map[string]any{"status": sd(map[string]any{})}, vcdm.CodeSelective},
	} {
		t.Run(tt.name, func(t *testing.T) {
			claims := document()
			maps.Copy(claims, tt.extra)
			tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Header: tt.header, Claims: claims})
			if err != nil {
				t.Fatal(err)
			}
			c, err := vcdm.Read(tok, vcdm.Options{Now: noon})
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if c.Issuer != "https://opleider.example" || !c.HasType("https://www.w3.org/2018/credentials#VerifiableCredential") {
					t.Errorf("got %+v", c)
				}
				return
			}
			if got := codes(err); !got[tt.want] {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}

	d := badge()
	achievement := d["credentialSubject"].(map[string]any)["achievement"].(map[string]any)
	achievement["name"], achievement["criteria"] = sd("MIG-lassen"), sd(achievement["criteria"])
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Header: jose.Header{Type: "vc+sd-jwt"}, Claims: d})
	if err != nil {
		t.Fatal(err)
	}
	if tok, err = tok.Select(func([]any, any) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if _, err := vcdm.Read(tok, vcdm.Options{Now: noon}); err != nil {
		t.Errorf("a badge of which a part is shown: %v", err)
	}
}

// TestW3CInputs reads the inputs of the VC-JOSE-COSE test suite with their keys.
func TestW3CInputs(t *testing.T) {
	folder := testkit.Vectors(t, "vc-jose-cose")
	keys := map[string]jose.Key{}
	for _, name := range folder.Glob(t, "vm-*.json") {
		var v struct {
			JWK json.RawMessage `json:"publicKeyJwk"`
		}
		folder.JSON(t, name, &v)
		if k, err := jose.ParseKey(v.JWK); err == nil { // P-521 is none of ours
			keys[k.KeyID] = k
		}
	}
	for _, tt := range []struct {
		file string
		want vcdm.Code // "" for good
		alg  bool      // refused for its algorithm
	}{
		{"credential-jose-minimal.txt", "", false},
		{"credential-issuer-match-signed.txt", "", false},
		{"credential-sdjwt-selective.txt", "", false},
		{"credential-jose-bad-media-type.txt", vcdm.CodeMediaType, false},
		{"credential-sdjwt-bad-media-type.txt", vcdm.CodeMediaType, false},
		{"credential-jose-unknown-extensions.txt", "", true},
	} {
		t.Run(tt.file, func(t *testing.T) {
			text := strings.TrimSpace(string(folder.Read(t, tt.file)))
			o := vcdm.Options{Now: noon, UnknownTerms: true}
			var err error
			if strings.Contains(text, "~") {
				var tok *sdjwt.SDJWT
				if tok, err = sdjwt.Parse(text); err != nil {
					t.Fatal(err)
				}
				if err := tok.VerifyIssuer(keys[tok.Header().KeyID].Public); err != nil {
					t.Fatalf("signature: %v", err)
				}
				_, err = vcdm.Read(tok, o)
			} else {
				var i *vcdm.Import
				if i, err = vcdm.ReadJWT(text, o); err == nil {
					err := i.Signed.Verify(keys[i.Signed.Header.KeyID].Public)
					if tt.alg != errors.Is(err, jose.ErrAlgorithm) || !tt.alg && err != nil {
						t.Errorf("signature: %v", err)
					}
				}
			}
			if tt.want == "" && err != nil || tt.want != "" && !codes(err)[tt.want] {
				t.Errorf("got %v, want code %q", err, tt.want)
			}
		})
	}
	for _, name := range []string{"credential-minimal.json", "credential-full.json", "credential-selective.json", "credential-nested-selective.json", "credential-unknown-extensions.json"} {
		var d map[string]any
		folder.JSON(t, name, &d)
		got := codes(vcdm.Validate(d, time.Time{}, nil))
		delete(got, vcdm.CodeContextUnknown)
		delete(got, vcdm.CodeTypeUnknown)
		if len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}
