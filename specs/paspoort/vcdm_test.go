package paspoort

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/vcdm"
)

// What Render makes is VCDM 2.0, Open Badges where it says so, and has the vct
// as the IRI of its type: all that DCQL's type_values can name.
func TestRenderedIsVCDM(t *testing.T) {
	for _, ty := range Types() {
		t.Run(string(ty), func(t *testing.T) {
			tok, err := sdjwt.Parse(newWorld(t).issue(t, FormatVCDM, ty).String())
			if err != nil {
				t.Fatal(err)
			}
			c, err := vcdm.Read(tok, vcdm.Options{Now: issuedAt})
			if err != nil {
				t.Fatal(err)
			}
			if !c.HasType(ty.VCT()) {
				t.Errorf("types %v", c.IRIs)
			}
			if badge := c.HasType("https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential"); badge != (achievement[ty] != "") {
				t.Errorf("a badge: %v", badge)
			}
		})
	}
}

// A presentation that discloses nothing is still well-formed, and what Open
// Badges requires but the claims lack is filled in and not read back.
func TestVCDMWithLittle(t *testing.T) {
	for _, ty := range []Type{Opleiding, Werkervaring, Referentie} {
		bare, err := newWorld(t).issue(t, FormatVCDM, ty).Select(func([]any, any) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vcdm.Read(bare, vcdm.Options{Now: issuedAt}); err != nil {
			t.Errorf("%s: %v", ty, err)
		}
	}
	claims := sampleClaims(t, Werkervaring)
	delete(claims, "description")
	delete(claims, "can_do")
	d, err := NewDataset(Werkervaring, claims, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tok := issueCopy(t, FormatVCDM, d, 1)
	if _, err := vcdm.Read(tok, vcdm.Options{Now: issuedAt}); err != nil {
		t.Error(err)
	}
	c, err := Read(processed(t, tok))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"description", "can_do"} {
		if v, ok := c.Claims[name]; ok {
			t.Errorf("%s came back as %v", name, v)
		}
	}
}

// The schema that 1EdTech publishes accepts what Render makes, all disclosed,
// and refuses it when something required is gone. The schema may not be copied,
// and lies beside the test vectors; without it there is nothing to compare with.
func TestRenderedFitsTheOpenBadgesSchema(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(testkit.Root(t), "..", "shared", "ob3", "ob_v3p0_achievementcredential_schema.json"))
	if err != nil {
		testkit.Missing(t, "the Open Badges schema is not here; put it beside the project as ../shared/ob3")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("ob", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("ob")
	if err != nil {
		t.Fatal(err)
	}
	badges := 0
	for _, ty := range Types() {
		if achievement[ty] == "" {
			continue
		}
		badges++
		claims := claimsOf(t, ty, FormatVCDM)
		if err := schema.Validate(claims); err != nil {
			t.Errorf("%s: %v", ty, err)
		}
		delete(claims["credentialSubject"].(map[string]any), "achievement")
		if schema.Validate(claims) == nil {
			t.Errorf("%s: fits without an achievement, so the schema checks nothing", ty)
		}
	}
	if badges == 0 {
		t.Error("no type is a badge")
	}
}
