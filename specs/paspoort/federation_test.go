package paspoort

import (
	"crypto/rand"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/vcdm"
)

// TestFederationJudgesOutsiders: a trust chain vouches for an issuer that no registry knows,
// as of now, for the key and the types that it is about, and never where a registry answered.
func TestFederationJudgesOutsiders(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	good := FederationFacts{
		Anchor: "https://stelsel.example", Name: "Het Stelsel", Path: []string{"https://school.example", "https://stelsel.example"},
		Issuer: "School Voorbeeld", At: now, Until: now.Add(time.Hour), Listed: true, Entitled: true,
	}
	for name, tt := range map[string]struct {
		change                    func(in *Input, f *Facts)
		admitted, withdrawal, day State
		code                      string
	}{
		"good":            {func(*Input, *Facts) {}, OK, OK, OK, "federation_admitted"},
		"unsigned":        {func(_ *Input, f *Facts) { f.Signature.State = Failed }, Unknown, Unknown, Unknown, "signature_not_ok"},
		"chain ended":     {func(in *Input, _ *Facts) { in.Now = good.Until }, Unknown, Unknown, Unknown, "federation_ended"},
		"about the past":  {func(in *Input, _ *Facts) { in.Now = now.AddDate(0, -1, 0) }, Unknown, Unknown, Unknown, "federation_later"},
		"another key":     {func(_ *Input, f *Facts) { f.Federation.Listed = false }, Failed, Unknown, Unknown, "federation_other_key"},
		"another type":    {func(_ *Input, f *Facts) { f.Federation.Entitled = false }, Failed, Unknown, Unknown, "federation_other_types"},
		"a registry says": {func(_ *Input, f *Facts) { f.Admission = &Admission{Erased: true} }, Unknown, Unknown, Unknown, "erased_by_law"},
	} {
		t.Run(name, func(t *testing.T) {
			chain := good
			in := Input{Now: now, Limits: Limits{}.orDefaults(), Registry: &RegistryFacts{Region: "r", Time: now}}
			f := Facts{Signature: Finding{State: OK}, Key: "k", Federation: &chain}
			tt.change(&in, &f)
			s := judgeSigning(in, f, Credential{Type: Opleiding, IssuedAt: now.AddDate(0, 0, -3)}, nil)
			if s.admitted.State != tt.admitted || s.withdrawal.State != tt.withdrawal || s.day.State != tt.day || s.admitted.Code != tt.code {
				t.Errorf("got %s/%s, %s, %s", s.admitted.State, s.admitted.Code, s.withdrawal.State, s.day.State)
			}
			for _, c := range []Check{s.admitted, s.day, s.withdrawal} {
				if c.Sentence == general || c.Sentence.NL == "" {
					t.Errorf("%s/%s has no sentence", c.Name, c.Code)
				}
			}
		})
	}
	if v := good.view(); v.Anchor != good.Anchor || v.Note.NL == "" || len(v.Path) != 2 {
		t.Errorf("got %+v", v)
	}
}

// TestFederatedIssuerNamesItsEntity: `fed` in an SD-JWT VC and termsOfUse in a W3C credential
// (DIIP v5, Appendix B), never hidden, and nothing that the schema refuses.
func TestFederatedIssuerNamesItsEntity(t *testing.T) {
	federated := issuer
	federated.Entity = issuer.ID
	for _, f := range Formats() {
		typ, claims, err := Render(f, federated, sampleDataset(t, Opleiding), Copy{
			Holder: newKey(t).Public(), IssuedAt: issuedAt, Status: &StatusRef{URI: issuer.ID + "/status/3", Index: 7},
		})
		if err != nil {
			t.Fatal(err)
		}
		token, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: newKey(t), Header: jose.Header{Type: typ}, Claims: claims, Rand: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		payload := token.Payload()
		terms, _ := payload["termsOfUse"].(map[string]any)
		if f == FormatSDJWTVC && payload["fed"] != issuer.ID || f == FormatVCDM && (terms["type"] != "OpenIDFederation" || terms["policyId"] != issuer.ID) {
			t.Errorf("%s: got fed %v, termsOfUse %v", f, payload["fed"], terms)
		}
		if f == FormatVCDM {
			if _, err := vcdm.Read(token, vcdm.Options{UnknownTerms: true}); err != nil {
				t.Errorf("%s: %v", f, err)
			}
		}
		processed, err := token.Claims()
		if err != nil {
			t.Fatal(err)
		}
		if c, err := Read(processed); err != nil || c.Schema != nil || c.Claims["fed"] != nil {
			t.Errorf("%s: got %v, %v, claims %v", f, err, c.Schema, c.Claims["fed"])
		}
	}
}
