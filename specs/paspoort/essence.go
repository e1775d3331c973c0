package paspoort

import "encoding/json"

// Essence is the part of a verdict that two parties with the same knowledge
// share: outcome, checks, levels and proofs, without the moment, the age of
// copies and the sentences that mention them. Equal bytes mean equal verdicts.
func (v Verdict) Essence() []byte {
	type finding struct {
		Name  string
		State State
		Code  string
	}
	strip := func(checks []Check) (out []finding) {
		for _, c := range checks {
			out = append(out, finding{c.Name, c.State, c.Code})
		}
		return out
	}
	type credential struct {
		Type         Type
		Issuer       string
		Organisation string
		Outcome      State
		Status       string
		Level        *int
		Checks       []finding
		Claims       map[string]any
	}
	type skill struct {
		URI, Label string
		State      State
		Code       string
		Level      *int
		Proofs     int
	}
	e := struct {
		Outcome     State
		Code        string
		Region      string
		Others      []string
		SameHolder  []finding
		Credentials []credential
		Skills      []skill
	}{Outcome: v.Outcome, Code: v.Code, SameHolder: strip([]Check{v.SameHolder})}
	if v.Registry != nil {
		e.Region = v.Registry.Region
	}
	for _, r := range v.Registries {
		e.Others = append(e.Others, r.Region)
	}
	for _, c := range v.Credentials {
		e.Credentials = append(e.Credentials, credential{c.Type, c.Issuer.ID, c.Issuer.Organisation, c.Outcome, c.Status, c.ProofLevel, strip(c.Checks), c.Claims})
	}
	for _, s := range v.Skills {
		e.Skills = append(e.Skills, skill{s.URI, s.Label, s.State, s.Code, s.ProofLevel, len(s.Proofs)})
	}
	b, _ := json.Marshal(e) // claims are decoded JSON, the rest is ours
	return b
}

// VerdictSchema is the JSON Schema of a Verdict's JSON form.
func VerdictSchema() ([]byte, error) { return data.ReadFile("data/verdict.json") }
