package paspoort

import (
	"sort"
	"strings"
)

// A SkillVerdict is the answer about one skill: asked for, shown, or both.
type SkillVerdict struct {
	URI       string `json:"uri,omitempty"`
	Framework string `json:"framework,omitempty"`
	Label     string `json:"label"`
	Asked     bool   `json:"asked"`
	State     State  `json:"state"`
	Code      string `json:"code"`
	Sentence  Text   `json:"sentence"`
	// ProofLevel is the highest that a proof in order gives; null when none is.
	ProofLevel *int    `json:"proof_level"`
	ProofText  Text    `json:"proof_text"`
	Proofs     []Proof `json:"proofs"`

	best int      // rank of the proof that Framework and Label are from
	from []judged // the credential of each proof
}

// A Proof is one dataset that shows the skill: copies of it, or one copy shown
// twice, are one proof.
type Proof struct {
	Credential int        `json:"credential"` // its index in the verdict
	Type       Type       `json:"type"`
	State      State      `json:"state"`
	ProofLevel *int       `json:"proof_level"`
	By         IssuerView `json:"by"`
	SignedOn   string     `json:"signed_on,omitempty"`
	Status     string     `json:"status"`
	StatusAsOf string     `json:"status_asof,omitempty"`
	// SkillLevel is what the issuer wrote about the skill.
	SkillLevel string `json:"skill_level,omitempty"`
}

// skillVerdicts gathers the proofs per skill: by uri, or by label for a skill
// without a code. Asked skills come first, in the order asked.
func skillVerdicts(in Input, cases []judged) []SkillVerdict {
	out := []SkillVerdict{}
	at := map[string]int{}
	for _, uri := range in.Asked {
		if _, twice := at[uri]; twice || uri == "" {
			continue
		}
		at[uri] = len(out)
		out = append(out, SkillVerdict{URI: uri, Label: uri, Asked: true, Proofs: []Proof{}})
	}
	asked := len(out)
	for _, j := range cases {
		for _, s := range j.read.Skills {
			key := s.URI
			if key == "" {
				key = "\x00" + strings.ToLower(s.Label)
			}
			i, ok := at[key]
			if !ok {
				i = len(out)
				at[key] = i
				out = append(out, SkillVerdict{URI: s.URI, Framework: s.Framework, Label: s.Label, Proofs: []Proof{}})
			}
			out[i].add(s, j)
		}
	}
	rest := out[asked:]
	sort.SliceStable(rest, func(a, b int) bool { return rest[a].Label < rest[b].Label })
	for i := range out {
		out[i].decide()
	}
	return out
}

// add takes a proof, once per dataset. What the skill is called is the word of the best proof: beside a code
// anybody may write any label, in their own words too.
func (v *SkillVerdict) add(s Skill, j judged) {
	p := j.proof(s)
	if rank := p.rank(); rank > v.best {
		v.best, v.Framework, v.Label = rank, s.Framework, s.Label
	}
	for i, from := range v.from {
		if j.repeats(from) {
			if p.replaces(v.Proofs[i]) {
				v.Proofs[i], v.from[i] = p, j
			}
			return
		}
	}
	v.Proofs, v.from = append(v.Proofs, p), append(v.from, j)
}

// repeats says whether two credentials are one copy shown twice, or two copies of
// one dataset. Of copies that hide their record nobody can see the latter. A record
// counts only where the issuer signed it, or it could be anybody's.
func (j judged) repeats(other judged) bool {
	if c := j.facts.Copy; c != "" && c == other.facts.Copy {
		return true
	}
	record := j.read.Text(claimRecord)
	return record != "" && record == other.read.Text(claimRecord) && j.read.Issuer == other.read.Issuer &&
		j.facts.Signature.State == OK && other.facts.Signature.State == OK
}

// replaces says whether p, of the same dataset as old, is the one to keep: the
// better of the two, but what the issuer took back in one copy is taken back in all.
func (p Proof) replaces(old Proof) bool {
	if p.takenBack() != old.takenBack() {
		return p.takenBack()
	}
	return p.rank() > old.rank()
}

func (p Proof) takenBack() bool { return p.Status == "invalid" || p.Status == "suspended" }

// rank orders proofs by state, then by proof level.
func (p Proof) rank() (rank int) {
	switch p.State {
	case OK:
		rank = 200
	case Unknown:
		rank = 100
	}
	if p.ProofLevel != nil {
		rank += 1 + *p.ProofLevel
	}
	return rank + 1
}

func (j judged) proof(s Skill) Proof {
	v := j.verdict
	p := Proof{Credential: v.Index, Type: v.Type, ProofLevel: v.ProofLevel, By: v.Issuer,
		SignedOn: v.SignedOn, Status: v.Status, StatusAsOf: v.StatusAsOf, SkillLevel: s.Level}
	// A credential that proves nothing (a failed exam, a budget) is in order and
	// still no proof of a skill.
	p.State = v.Outcome
	if p.State == OK && p.ProofLevel == nil {
		p.State = Failed
	}
	return p
}

// decide: one good proof is enough. A failed proof beside it takes nothing
// away; it stands in the list.
func (s *SkillVerdict) decide() {
	s.State, s.Code, s.from = Unknown, "skill_not_shown", nil
	for _, p := range s.Proofs {
		switch {
		case p.State == OK:
			if s.ProofLevel == nil || *p.ProofLevel > *s.ProofLevel {
				level := *p.ProofLevel
				s.ProofLevel, s.ProofText = &level, LevelText(level)
			}
			s.State, s.Code = OK, "skill_proved"
		case s.State == OK:
		case p.State == Unknown:
			s.State, s.Code = Unknown, "skill_unknown"
		case s.Code == "skill_not_shown":
			s.State, s.Code = Failed, "skill_failed"
		}
	}
	if s.State == OK && *s.ProofLevel == LevelSelf {
		s.Code = "skill_self"
	}
	s.Sentence = sentence(s.Code, map[string]string{"level": s.ProofText.NL, "level_en": s.ProofText.EN})
}
