package vcdm_test

import (
	"path"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/vcdm"
)

// badgeCodes says what is wrong with each public example whose name holds -err-.
var badgeCodes = map[string]vcdm.Code{
	"simple-err-context.json": vcdm.CodeContext,
	"simple-err-credential-subject-achievement-result-description-type.json": vcdm.CodeType,
	"simple-err-credential-subject-identifier-type.json":                     vcdm.CodeType,
	"simple-err-credential-subject-profile-type.json":                        vcdm.CodeType,
	"simple-err-credential-subject-result-type.json":                         vcdm.CodeType,
	"simple-err-credential-subject-type.json":                                vcdm.CodeType,
	"simple-err-evidence-type.json":                                          vcdm.CodeType,
	"simple-err-expired.json":                                                vcdm.CodeExpired,
	"simple-err-issued.json":                                                 vcdm.CodeNotYetValid,
	"simple-err-issuer-otheridentifier-type.json":                            vcdm.CodeType,
	"simple-err-issuer-parentorg-type.json":                                  vcdm.CodeType,
	"simple-err-issuer-type.json":                                            vcdm.CodeType,
	"simple-err-issuer.json":                                                 vcdm.CodeIssuer,
	"simple-err-type.json":                                                   vcdm.CodeType,
}

// TestOpenBadgeExamples reads the examples of the public validator: the good ones
// are free of problems, each bad one has the problem of its name.
func TestOpenBadgeExamples(t *testing.T) {
	folder := testkit.Vectors(t, "openbadges-3_0")
	seen := 0
	for _, name := range folder.Glob(t, "*.json") {
		base := path.Base(name)
		if base == "simple_v1.json" { // VCDM 1.1; its JWT form is TestReadJWT's
			continue
		}
		t.Run(base, func(t *testing.T) {
			var d map[string]any
			folder.JSON(t, name, &d)
			got := codes(vcdm.Validate(d, noon, nil))
			want, bad := badgeCodes[base]
			if bad {
				seen++
				if !got[want] {
					t.Errorf("got %v, want %s", got, want)
				}
				return
			}
			if strings.Contains(base, "-err-") {
				t.Fatalf("no code noted; got %v", got)
			}
			if list, _ := d["@context"].([]any); len(list) > 0 && list[0] == vcdm.ContextV1 {
				// Some examples kept the shape of VCDM 1.1, which is no 2.0 document.
				if !got[vcdm.CodeContext] {
					t.Errorf("VCDM 1.1: got %v", got)
				}
				return
			}
			// The validator's own examples use a validity in the past here and there.
			delete(got, vcdm.CodeExpired)
			if base == "simple-context-version.json" {
				delete(got, vcdm.CodeContextUnknown)
			}
			if len(got) > 0 {
				t.Errorf("got %v", vcdm.Validate(d, noon, nil))
			}
		})
	}
	if seen == 0 {
		t.Fatal("no bad examples found")
	}
}

// TestOpenBadgeRules breaks rules of Open Badges 3.0 that the examples leave whole.
func TestOpenBadgeRules(t *testing.T) {
	subject := func(d map[string]any) map[string]any { return d["credentialSubject"].(map[string]any) }
	achievement := func(d map[string]any) map[string]any { return subject(d)["achievement"].(map[string]any) }
	for name, tt := range map[string]struct {
		change func(map[string]any)
		want   vcdm.Code
	}{
		"control":               {func(map[string]any) {}, ""},
		"no id":                 {func(d map[string]any) { delete(d, "id") }, vcdm.CodeMember},
		"no validFrom":          {func(d map[string]any) { delete(d, "validFrom") }, vcdm.CodeMember},
		"two subjects":          {func(d map[string]any) { d["credentialSubject"] = []any{subject(d), subject(d)} }, vcdm.CodeSubject},
		"nobody":                {func(d map[string]any) { delete(subject(d), "id") }, vcdm.CodeSubject},
		"no achievement":        {func(d map[string]any) { delete(subject(d), "achievement") }, vcdm.CodeMember},
		"no criteria":           {func(d map[string]any) { delete(achievement(d), "criteria") }, vcdm.CodeMember},
		"alignment without url": {func(d map[string]any) { delete(achievement(d)["alignment"].([]any)[0].(map[string]any), "targetUrl") }, vcdm.CodeMember},
		"achievement is text":   {func(d map[string]any) { subject(d)["achievement"] = "x" }, vcdm.CodeMember},
		"without its context": {func(d map[string]any) {
			d["@context"] = []any{vcdm.ContextV2, map[string]any{"OpenBadgeCredential": "urn:a:b"}}
		}, vcdm.CodeContext},
		"endless parents": {func(d map[string]any) {
			p := map[string]any{"id": "urn:a:b", "type": []any{"Profile"}}
			for range 40 {
				p = map[string]any{"id": "urn:a:b", "type": []any{"Profile"}, "parentOrg": p}
			}
			d["issuer"] = p
		}, vcdm.CodeMember},
	} {
		d := badge()
		tt.change(d)
		err := vcdm.Validate(d, noon, nil)
		if tt.want == "" && err != nil || tt.want != "" && !codes(err)[tt.want] {
			t.Errorf("%s: got %v, want code %q", name, err, tt.want)
		}
	}
}

// TestReadJWT reads the older JWT forms of Open Badges and their refusals.
func TestReadJWT(t *testing.T) {
	// The public example holds the shape of VCDM 1.1 and an achievement left out,
	// which is refused for that only.
	text := strings.TrimSpace(string(testkit.Vectors(t, "openbadges-3_0").Read(t, "simple.jwt")))
	_, err := vcdm.ReadJWT(text, vcdm.Options{})
	if got := codes(err); len(got) != 1 || !got[vcdm.CodeMember] {
		t.Errorf("public example: got %v", err)
	}

	key := testkit.P256(t)
	mirrors := map[string]any{"iss": "https://opleider.example", "jti": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
		"sub": "did:example:123", "nbf": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Unix()}
	with := func(payload map[string]any, change func(map[string]any)) map[string]any {
		for k, v := range mirrors {
			payload[k] = v
		}
		if change != nil {
			change(payload)
		}
		return payload
	}
	old := func() map[string]any {
		vc := badge()
		vc["@context"] = []any{vcdm.ContextV1, vcdm.ContextOpenBadges}
		vc["issuanceDate"] = vc["validFrom"]
		delete(vc, "validFrom")
		return map[string]any{"vc": vc}
	}
	for _, tt := range []struct {
		name    string
		typ     string
		payload map[string]any
		form    vcdm.Form
		want    vcdm.Code
	}{
		{"vc+jwt", "vc+jwt", badge(), vcdm.FormVCJWT, ""},
		{"open badges", "JWT", with(badge(), nil), vcdm.FormOpenBadges, ""},
		{"open badges without typ", "", with(badge(), nil), vcdm.FormOpenBadges, ""},
		{"VCDM 1.1", "JWT", with(old(), nil), vcdm.FormOpenBadges1, ""},
		{"another typ", "kb+jwt", with(badge(), nil), "", vcdm.CodeMediaType},
		{"vc+jwt with a claim vc", "vc+jwt", with(badge(), func(p map[string]any) { p["vc"] = map[string]any{} }), "", vcdm.CodeClaim},
		{"no iss", "JWT", with(badge(), func(p map[string]any) { delete(p, "iss") }), "", vcdm.CodeClaim},
		{"another sub", "JWT", with(badge(), func(p map[string]any) { p["sub"] = "did:example:9" }), "", vcdm.CodeClaim},
		{"another nbf", "JWT", with(badge(), func(p map[string]any) { p["nbf"] = 1 }), "", vcdm.CodeClaim},
		{"another jti", "JWT", with(badge(), func(p map[string]any) { p["jti"] = "urn:a:b" }), "", vcdm.CodeClaim},
		{"exp without validUntil", "JWT", with(badge(), func(p map[string]any) { p["exp"] = noon.Add(time.Hour).Unix() }), "", vcdm.CodeClaim},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := signed(t, key, jose.Header{Type: tt.typ}, tt.payload)
			i, err := vcdm.ReadJWT(text, vcdm.Options{Now: noon})
			if tt.want != "" {
				if !codes(err)[tt.want] {
					t.Errorf("got %v, want code %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if i.Form != tt.form || i.Issuer != "https://opleider.example" {
				t.Errorf("got %s of %s", i.Form, i.Issuer)
			}
			if err := i.Signed.Verify(&key.PublicKey); err != nil {
				t.Error(err)
			}
		})
	}
}
