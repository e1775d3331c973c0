package sdjwtvc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
)

// TestClaimPaths reads the public path cases, on a credential with nothing hidden.
func TestClaimPaths(t *testing.T) {
	var v struct {
		Credential map[string]any
		Cases      []struct {
			Path     sdjwtvc.Path
			Selected []any
		}
	}
	testkit.Vectors(t, "sd-jwt-vc").JSON(t, "claim-paths.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases found")
	}
	tree, err := issue(t, testkit.P256(t), jose.Header{Type: sdjwtvc.Type}, v.Credential).Tree()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Cases {
		nodes, open, err := c.Path.Select(tree)
		if err != nil || open {
			t.Errorf("%v: open %v, %v", c.Path, open, err)
			continue
		}
		got := []any{}
		for _, n := range nodes {
			got = append(got, n.Value)
		}
		if diff := cmp.Diff(c.Selected, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.Path, diff)
		}
	}
	for _, p := range []sdjwtvc.Path{{"name", "x"}, {"name", nil}, {"address", 0}, {"degrees", "type"}, {nil}, {0}} {
		if _, _, err := p.Select(tree); !errors.Is(err, sdjwtvc.ErrPath) {
			t.Errorf("%v: got %v, want %v", p, err, sdjwtvc.ErrPath)
		}
	}
}

// TestPathForms: what is no path (4.6.1).
func TestPathForms(t *testing.T) {
	for _, raw := range []string{`[]`, `"name"`, `[-1]`, `[1.5]`, `[true]`, `[{}]`, `[1e300]`, `null`} {
		doc := `{"vct":"a","claims":[{"path":` + raw + `}]}`
		if _, err := sdjwtvc.ParseTypeMetadata([]byte(doc)); !errors.Is(err, sdjwtvc.ErrTypeMetadata) {
			t.Errorf("%s: got %v", raw, err)
		}
	}
}

// TestPrintedTypeMetadata reads the documents of appendix A.2 and of the EUDI
// library, and holds the printed credential to its type.
func TestPrintedTypeMetadata(t *testing.T) {
	folder := testkit.Vectors(t, "sd-jwt-vc")
	if _, err := sdjwtvc.ParseTypeMetadata(folder.Read(t, "eudi-lib-sdjwt-kt/pid_arf_v18.json")); err != nil {
		t.Errorf("PID: %v", err)
	}
	var v struct {
		Payload  map[string]any  `json:"credential_payload"`
		Metadata json.RawMessage `json:"type_metadata"`
	}
	folder.JSON(t, "A.2-type-metadata.json", &v)
	m, err := sdjwtvc.ParseTypeMetadata(v.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.DisplayFor("nl", "de").Name; got != "Betelgeuse-Bildungsnachweis" {
		t.Errorf("display for de: got %q", got)
	}
	if got := m.DisplayFor("nl").Locale; got != "en-US" {
		t.Errorf("display for nl: got %q", got)
	}
	// What it extends is not printed; a document that says nothing stands in for it.
	base := `{"vct":"` + m.Extends + `"}`
	child := strings.Replace(string(v.Metadata), m.ExtendsIntegrity, sdjwtvc.Integrity([]byte(base)), 1)
	vct := m.VCT
	resolved, err := sdjwtvc.ResolveType(t.Context(), types{vct: child, m.Extends: base}, vct, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{vct, m.Extends}, resolved.Chain); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
	sd := func(v any) sdjwt.SD { return sdjwt.SD{Value: v} }
	claims := v.Payload
	address := claims["address"].(map[string]any)
	address["street_address"] = sd(address["street_address"])
	claims["name"], claims["address"] = sd(claims["name"]), sd(address)
	degrees := claims["degrees"].([]any)
	for i, d := range degrees {
		degree := d.(map[string]any)
		degree["date_awarded"] = sd(degree["date_awarded"])
		degrees[i] = sd(degree)
	}
	tok := issue(t, testkit.P256(t), jose.Header{Type: sdjwtvc.Type}, claims)
	c, err := sdjwtvc.Read(tok, sdjwtvc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckType(resolved, true); err != nil {
		t.Errorf("the printed credential: %v", err)
	}
}

// TestTypeMetadataForm breaks the rules on form of 4.2, 4.5 and 4.6.
func TestTypeMetadataForm(t *testing.T) {
	for name, doc := range map[string]string{
		"no vct":                     `{"name":"a"}`,
		"vct is a number":            `{"vct":1}`,
		"vct twice":                  `{"vct":"a","vct":"b"}`,
		"an array":                   `[]`,
		"display without locale":     `{"vct":"a","display":[{"name":"n"}]}`,
		"display without name":       `{"vct":"a","display":[{"locale":"nl"}]}`,
		"logo without uri":           `{"vct":"a","display":[{"locale":"nl","name":"n","rendering":{"simple":{"logo":{}}}}]}`,
		"svg without uri":            `{"vct":"a","display":[{"locale":"nl","name":"n","rendering":{"svg_templates":[{}]}}]}`,
		"svg templates, properties":  `{"vct":"a","display":[{"locale":"nl","name":"n","rendering":{"svg_templates":[{"uri":"u"},{"uri":"u"}]}}]}`,
		"svg properties empty":       `{"vct":"a","display":[{"locale":"nl","name":"n","rendering":{"svg_templates":[{"uri":"u","properties":{}}]}}]}`,
		"svg orientation":            `{"vct":"a","display":[{"locale":"nl","name":"n","rendering":{"svg_templates":[{"uri":"u","properties":{"orientation":"square"}}]}}]}`,
		"claims is an object":        `{"vct":"a","claims":{}}`,
		"claim without path":         `{"vct":"a","claims":[{}]}`,
		"unknown sd":                 `{"vct":"a","claims":[{"path":["a"],"sd":"sometimes"}]}`,
		"mandatory is a string":      `{"vct":"a","claims":[{"path":["a"],"mandatory":"true"}]}`,
		"claim display, no label":    `{"vct":"a","claims":[{"path":["a"],"display":[{"locale":"nl"}]}]}`,
		"svg_id starts with a digit": `{"vct":"a","claims":[{"path":["a"],"svg_id":"1a"}]}`,
		"svg_id with a hyphen":       `{"vct":"a","claims":[{"path":["a"],"svg_id":"a-b"}]}`,
		"svg_id twice":               `{"vct":"a","claims":[{"path":["a"],"svg_id":"x"},{"path":["b"],"svg_id":"x"}]}`,
		"too large":                  `{"vct":"` + strings.Repeat("a", sdjwtvc.MaxTypeMetadata) + `"}`,
	} {
		if _, err := sdjwtvc.ParseTypeMetadata([]byte(doc)); !errors.Is(err, sdjwtvc.ErrTypeMetadata) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	m, err := sdjwtvc.ParseTypeMetadata([]byte(`{"vct":"a","unknown":1,"display":[{"lang":"nl","name":"n"}],"claims":[{"path":["a"],"display":[{"lang":"nl","label":"l"}]}]}`))
	if err != nil {
		t.Fatalf("lang of draft 11, unknown property: %v", err)
	}
	if m.Display[0].Locale != "nl" || m.Claims[0].Display[0].Locale != "nl" {
		t.Error("lang was not read as locale")
	}
}

// TestExtends reads the printed example of 4.6.5.2 by its meaning, and breaks the
// limitations of 4.6.5.1 and the rules of 4.3, 4.4, 5 and 6.3.
func TestExtends(t *testing.T) {
	base := `{"vct":"base","display":[{"locale":"nl","name":"Basis"}],"claims":[
		{"path":["naam"],"display":[{"locale":"nl","label":"Volledige naam"}],"sd":"always","mandatory":true},
		{"path":["adres","plaats"],"display":[{"locale":"nl","label":"Plaats"}],"svg_id":"plaats"}]}`
	child := `{"vct":"kind","extends":"base","claims":[
		{"path":["adres","plaats"],"display":[{"locale":"nl","label":"Woonplaats"}],"sd":"never"},
		{"path":["talen"],"display":[{"locale":"nl","label":"Talen"}]}]}`
	got, err := sdjwtvc.ResolveType(t.Context(), types{"base": base, "kind": child}, "kind", sdjwtvc.Integrity([]byte(child)))
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, c := range got.Claims {
		labels = append(labels, fmt.Sprint(c.Path, c.DisplayFor("nl").Label, c.SD, c.SVGID))
	}
	want := []string{"[naam]Volledige naamalways", "[adres plaats]Woonplaatsneverplaats", "[talen]Talen"}
	if diff := cmp.Diff(want, labels); diff != "" {
		t.Errorf("effective claims (-want +got):\n%s", diff)
	}
	if got.Display[0].Name != "Basis" {
		t.Errorf("display was not inherited: %v", got.Display)
	}

	deep := types{}
	for i := range 12 {
		deep[fmt.Sprint(i)] = fmt.Sprintf(`{"vct":"%d","extends":"%d"}`, i, i+1)
	}
	extending := func(claims string) types {
		return types{"base": base, "kind": `{"vct":"kind","extends":"base","claims":[` + claims + `]}`}
	}
	for _, tt := range []struct {
		name, vct, integrity string
		types                types
		want                 error
	}{
		{"sd always becomes never", "kind", "", extending(`{"path":["naam"],"sd":"never"}`), sdjwtvc.ErrTypeMetadata},
		{"sd always becomes allowed", "kind", "", extending(`{"path":["naam"],"sd":"allowed"}`), sdjwtvc.ErrTypeMetadata},
		{"mandatory becomes optional", "kind", "", extending(`{"path":["naam"],"mandatory":false}`), sdjwtvc.ErrTypeMetadata},
		{"svg_id of the base again", "kind", "", extending(`{"path":["talen"],"svg_id":"plaats"}`), sdjwtvc.ErrTypeMetadata},
		{"another vct in the document", "kind", "", types{"kind": base}, sdjwtvc.ErrTypeMetadata},
		{"extended type not found", "kind", "", types{"kind": child}, sdjwtvc.ErrTypeMetadata},
		{"extends itself", "a", "", types{"a": `{"vct":"a","extends":"a"}`}, sdjwtvc.ErrTypeMetadata},
		{"circle of two", "a", "", types{"a": `{"vct":"a","extends":"b"}`, "b": `{"vct":"b","extends":"a"}`}, sdjwtvc.ErrTypeMetadata},
		{"too deep", "0", "", deep, sdjwtvc.ErrTypeMetadata},
		{"no vct", "", "", deep, sdjwtvc.ErrTypeMetadata},
		{"integrity of another document", "base", sdjwtvc.Integrity([]byte(child)), types{"base": base}, sdjwtvc.ErrIntegrity},
		{"integrity of another base", "kind", "", types{"base": base, "kind": `{"vct":"kind","extends":"base","extends#integrity":"` + sdjwtvc.Integrity([]byte("x")) + `"}`}, sdjwtvc.ErrIntegrity},
	} {
		if _, err := sdjwtvc.ResolveType(t.Context(), tt.types, tt.vct, tt.integrity); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestIntegrity reads integrity metadata by the rules of W3C SRI.
func TestIntegrity(t *testing.T) {
	doc := []byte("alert('Hello, world.');")
	const sum256 = "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
	const sum384 = "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO"
	for name, m := range map[string]string{
		"sha-256": sum256, "sha-384": sum384, "with options": sum256 + "?ct=a", "two": "sha256-AAAA " + sum256,
		"unknown beside known": "md5-AAAA " + sum256, "own": sdjwtvc.Integrity(doc),
		"strongest counts": "sha256-AAAA " + sum384,
	} {
		if err := sdjwtvc.VerifyIntegrity(m, doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, m := range map[string]string{
		"another": "sha256-AAAA", "weak one right, strong one wrong": sum256 + " sha384-AAAA", "unknown only": "md5-AAAA", "empty": "",
		"hexadecimal": "sha256-ab39cb72c44ec7818008fd9d9b450228", "no base64": "sha256-!!!", "no value": "sha256",
	} {
		if err := sdjwtvc.VerifyIntegrity(m, doc); !errors.Is(err, sdjwtvc.ErrIntegrity) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestCheckType breaks the rules of 4.6 on a credential.
func TestCheckType(t *testing.T) {
	key := testkit.P256(t)
	sd := func(v any) sdjwt.SD { return sdjwt.SD{Value: v} }
	none := func([]any, any) bool { return false }
	for _, tt := range []struct {
		name   string
		meta   string // claim metadata
		claims map[string]any
		keep   func([]any, any) bool // nil: the holder's view, with everything
		want   error
	}{
		{"mandatory and there", `{"path":["naam"],"mandatory":true}`, map[string]any{"naam": "a"}, nil, nil},
		{"mandatory and missing", `{"path":["naam"],"mandatory":true}`, map[string]any{}, nil, sdjwtvc.ErrClaimMetadata},
		{"mandatory and missing, for a verifier", `{"path":["naam"],"mandatory":true}`, map[string]any{}, none, sdjwtvc.ErrClaimMetadata},
		{"mandatory and hidden", `{"path":["naam"],"mandatory":true}`, map[string]any{"naam": sd("a")}, none, nil},
		{"mandatory inside what is hidden", `{"path":["adres","plaats"],"mandatory":true}`, map[string]any{"adres": sd(map[string]any{"plaats": "a"})}, none, nil},
		{"mandatory in hidden elements", `{"path":["lijst",null,"a"],"mandatory":true}`, map[string]any{"lijst": []any{sd(map[string]any{"a": 1})}}, none, nil},
		{"mandatory element is hidden", `{"path":["lijst",0],"mandatory":true}`, map[string]any{"lijst": []any{sd(1)}}, none, nil},
		{"always and is", `{"path":["naam"],"sd":"always"}`, map[string]any{"naam": sd("a")}, nil, nil},
		{"always and is not", `{"path":["naam"],"sd":"always"}`, map[string]any{"naam": "a"}, nil, sdjwtvc.ErrClaimMetadata},
		{"always, only its parent is", `{"path":["adres","plaats"],"sd":"always"}`, map[string]any{"adres": sd(map[string]any{"plaats": "a"})}, nil, sdjwtvc.ErrClaimMetadata},
		{"never and is not", `{"path":["naam"],"sd":"never"}`, map[string]any{"naam": "a"}, nil, nil},
		{"never and is", `{"path":["naam"],"sd":"never"}`, map[string]any{"naam": sd("a")}, nil, sdjwtvc.ErrClaimMetadata},
		{"never, a hidden element", `{"path":["lijst",null],"sd":"never"}`, map[string]any{"lijst": []any{sd(1)}}, none, sdjwtvc.ErrClaimMetadata},
		{"positions count what is hidden", `{"path":["lijst",1],"sd":"never"}`, map[string]any{"lijst": []any{sd(1), 2}}, none, nil},
		{"allowed", `{"path":["naam"],"sd":"allowed"}`, map[string]any{"naam": sd("a")}, nil, nil},
		{"path does not fit", `{"path":["naam","voor"]}`, map[string]any{"naam": "a"}, nil, sdjwtvc.ErrPath},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tok := issue(t, key, jose.Header{Type: sdjwtvc.Type}, base(tt.claims))
			if tt.keep != nil {
				var err error
				if tok, err = tok.Select(tt.keep); err != nil {
					t.Fatal(err)
				}
			}
			c, err := sdjwtvc.Read(tok, sdjwtvc.Options{})
			if err != nil {
				t.Fatal(err)
			}
			m, err := sdjwtvc.ResolveType(t.Context(), types{c.VCT: `{"vct":"` + c.VCT + `","claims":[` + tt.meta + `]}`}, c.VCT, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := c.CheckType(m, tt.keep == nil); !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
