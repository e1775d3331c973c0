package paspoort

import (
	"testing"
	"time"
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
