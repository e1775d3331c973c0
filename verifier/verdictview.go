package verifier

import (
	"slices"
	"time"

	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/paspoort"
)

// want is what a DCQL query asks of one credential, in words.
type want struct {
	Type   paspoort.Text
	Fields []paspoort.Text
}

// wants tells a query in words. A type or claim that is not ours is named as the query names it.
func wants(q *dcql.Query) []want {
	var out []want
	for i := range q.Credentials {
		c := &q.Credentials[i]
		w := want{Type: paspoort.Text{NL: c.ID, EN: c.ID}}
		types := c.Meta.VCTValues
		if len(types) == 0 && len(c.Meta.TypeValues) > 0 {
			types = c.Meta.TypeValues[0]
		}
		var known paspoort.Type
		for _, name := range types {
			if t, err := paspoort.TypeOf(name); err == nil {
				known, w.Type = t, t.Name()
				break
			}
			w.Type = paspoort.Text{NL: name, EN: name}
		}
		for _, claim := range c.Claims {
			w.Fields = append(w.Fields, fieldName(known, claim.Path))
		}
		out = append(out, w)
	}
	return out
}

func fieldName(t paspoort.Type, path dcql.Path) paspoort.Text {
	name, _ := path[len(path)-1].(string)
	if first, ok := path[0].(string); ok && first != "credentialSubject" {
		name = first
	}
	if t != "" {
		fields := t.Fields()
		if i := slices.IndexFunc(fields, func(f paspoort.Field) bool { return f.Name == name }); i >= 0 {
			return fields[i].Label
		}
	}
	return paspoort.Text{NL: name, EN: name}
}

// asksNames tells whether the query would like to know who the person is.
func asksNames(q *dcql.Query) bool {
	return slices.ContainsFunc(q.Credentials, func(c dcql.CredentialQuery) bool {
		return slices.ContainsFunc(c.Claims, func(claim dcql.ClaimsQuery) bool {
			last := claim.Path[len(claim.Path)-1]
			return last == "given_name" || last == "givenName" || last == "family_name" || last == "familyName"
		})
	})
}

// verdictView is a verdict as the page shows it.
type verdictView struct {
	Outcome     paspoort.State
	Sentence    paspoort.Text
	Skills      []skillView
	Proofs      []proofView // for a query that is not about skills: the credentials themselves
	SameHolder  paspoort.Check
	FlowNote    paspoort.Text
	Registries  []registryAge
	Federations []paspoort.Text // outside the regions, that were asked
	Problems    []problem
}

type skillView struct {
	Label    string
	State    paspoort.State
	Missing  bool // asked and not shown: the stamp says all there is to say
	Sentence paspoort.Text
	Rungs    []bool // of the proof ladder; nil when nothing is proved
	Proofs   []proofView
}

type proofView struct {
	Type      paspoort.Text
	State     paspoort.State
	By        string // name in the registry, else what the issuer calls itself
	Known     bool   // By comes from the registry
	Region    string // that knows it
	ProofText paspoort.Text
	SignedOn  time.Time
	Status    string
	StatusAge time.Duration
	HasAge    bool
}

// federations says, once for each, which federations outside the regions were asked.
func federations(v *paspoort.Verdict) (out []paspoort.Text) {
	seen := map[string]bool{}
	for _, c := range v.Credentials {
		if f := c.Federation; f != nil && !seen[f.Anchor] {
			seen[f.Anchor] = true
			out = append(out, f.Note)
		}
	}
	return out
}

type registryAge struct {
	Name string
	Age  time.Duration
	Note paspoort.Text
}

// problem is a check that is not ok.
type problem struct {
	State paspoort.State
	Type  paspoort.Text
	Text  paspoort.Text
}

func newVerdictView(v *paspoort.Verdict) *verdictView {
	at, _ := time.Parse(time.RFC3339, v.At) // written by the verdict itself
	view := &verdictView{Outcome: v.Outcome, Sentence: v.Sentence, SameHolder: v.SameHolder, FlowNote: v.FlowNote}
	for _, r := range v.RegistryViews() {
		age := registryAge{Name: r.Name, Age: time.Duration(r.AgeSeconds) * time.Second, Note: r.Note}
		if age.Name == "" {
			age.Name = r.Region
		}
		view.Registries = append(view.Registries, age)
	}
	view.Federations = federations(v)
	for _, s := range v.Skills {
		view.Skills = append(view.Skills, newSkillView(s, v, at))
	}
	for i := range v.Credentials {
		c := &v.Credentials[i]
		if len(v.Skills) == 0 {
			view.Proofs = append(view.Proofs, newProofView(v, c, c.Outcome, at))
		}
		for _, check := range c.Checks {
			if check.State != paspoort.OK && check.Code != "not_checked" {
				view.Problems = append(view.Problems, problem{check.State, c.TypeName, check.Sentence})
			}
		}
	}
	return view
}

func newSkillView(s paspoort.SkillVerdict, v *paspoort.Verdict, at time.Time) skillView {
	out := skillView{Label: s.Label, State: s.State, Missing: len(s.Proofs) == 0, Sentence: s.Sentence}
	if s.ProofLevel != nil {
		for level := paspoort.LevelSelf; level <= paspoort.LevelRecognised; level++ {
			out.Rungs = append(out.Rungs, level <= *s.ProofLevel)
		}
	}
	for _, p := range s.Proofs {
		if p.Credential < 0 || p.Credential >= len(v.Credentials) {
			continue
		}
		out.Proofs = append(out.Proofs, newProofView(v, &v.Credentials[p.Credential], p.State, at))
	}
	return out
}

func newProofView(v *paspoort.Verdict, c *paspoort.CredentialVerdict, state paspoort.State, at time.Time) proofView {
	out := proofView{Type: c.TypeName, State: state, By: c.Issuer.Name, Known: c.Issuer.Name != "", ProofText: c.ProofText, Status: c.Status}
	if !out.Known {
		if out.By = c.Issuer.CallsItself; out.By == "" {
			out.By = c.Issuer.ID
		}
	}
	out.Region = c.Issuer.Region
	for _, r := range v.RegistryViews() {
		if r.Region == c.Issuer.Region && r.Name != "" {
			out.Region = r.Name
		}
	}
	out.SignedOn, _ = time.Parse(time.DateOnly, c.SignedOn)
	if asOf, err := time.Parse(time.RFC3339, c.StatusAsOf); err == nil {
		out.StatusAge, out.HasAge = max(0, at.Sub(asOf)), true
	}
	return out
}
