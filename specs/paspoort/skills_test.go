package paspoort

import (
	"testing"
)

const caring = "https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01"
const together = "https://linkeddata.competentnl.nl/id/humancapability/1D54A21B60"

func level(n int) *int { return &n }

func same(a, b *int) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func TestLadder(t *testing.T) {
	audit := func(levels ...int) func(*Facts) {
		return func(f *Facts) {
			for _, l := range levels {
				f.Admission.Grants[0].Audited = append(f.Admission.Grants[0].Audited,
					Audit{Level: l, Types: f.Admission.Grants[0].Types, On: at("2026-01-01 00:00"), Until: at("2027-01-01 00:00")})
			}
		}
	}
	nothing := func(*Facts) {}
	for _, test := range []struct {
		name   string
		ty     Type
		change func(*Facts)
		want   *int
	}{
		{"own words", Zelfverklaring, nothing, level(0)},
		{"reference", Referentie, nothing, level(1)},
		{"training", Opleiding, nothing, level(1)},
		{"assessment that nobody audited", Assessment, nothing, level(1)},
		{"work", Werkervaring, nothing, level(2)},
		{"practice", Praktijkverklaring, nothing, level(2)},
		{"audited assessor", Assessment, audit(3), level(3)},
		{"recognised training", Opleiding, audit(4), level(4)},
		{"both", Assessment, audit(3, 4), level(4)},
		{"an audit lifts no work experience", Werkervaring, audit(4), level(2)},
		{"an audit lifts no reference", Referentie, audit(4), level(1)},
		{"audit of another type", Assessment, func(f *Facts) {
			audit(3)(f)
			f.Admission.Grants[0].Audited[0].Types = []string{"Opleiding"}
		}, level(1)},
		{"audit not yet made", Assessment, func(f *Facts) { audit(3)(f); f.Admission.Grants[0].Audited[0].On = at("2026-06-01 00:00") }, level(1)},
		{"audit run out", Assessment, func(f *Facts) { audit(3)(f); f.Admission.Grants[0].Audited[0].Until = at("2026-02-01 00:00") }, level(1)},
		{"audited, but nobody watched", Assessment, func(f *Facts) { audit(3)(f); f.Claims["supervision"] = "none" }, level(1)},
		{"audited, but anybody could have come", Assessment, func(f *Facts) { audit(3)(f); f.Claims["identity_check"] = "own_account" }, level(1)},
		{"took part only", Opleiding, func(f *Facts) { audit(4)(f); f.Claims["result"] = "participated" }, level(1)},
		{"failed", Opleiding, func(f *Facts) { f.Claims["result"] = "not_passed" }, nil},
		{"a budget proves nothing", Ontwikkelbudget, nothing, nil},
		{"revoked", Werkervaring, func(f *Facts) { f.Status.Value = 1 }, nil},
		{"signature wrong", Werkervaring, func(f *Facts) { f.Signature = Finding{Failed, "signature_invalid"} }, nil},
		{"issuer unknown", Werkervaring, func(f *Facts) { f.Admission = &Admission{} }, nil},
		{"key not in the registry", Werkervaring, func(f *Facts) { f.Admission.Key = nil }, nil},
		{"withdrawn, and nobody knows when it was signed", Werkervaring, func(f *Facts) { withdrawn(f, at("2026-10-20 12:00"), false); f.Timestamps = nil }, nil},
		{"withdrawn, and it existed before", Werkervaring, func(f *Facts) { withdrawn(f, at("2026-10-20 12:00"), false) }, level(2)},
		{"expired", Werkervaring, func(f *Facts) { f.Claims["exp"] = float64(now.Unix() - 86400) }, nil},
		{"existed before the day it bears", Opleiding, func(f *Facts) { f.Claims["iat"] = float64(at("2026-06-01 00:00").Unix()) }, nil},
		{"someone else's", Werkervaring, func(f *Facts) { f.Binding = Binding{} }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := goodInput(t, test.ty)
			test.change(&in.Credentials[0])
			if got := Decide(in).Credentials[0].ProofLevel; !same(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// No claim of the issuer lifts a level: the only ways up are signature and
// admission.
func TestNoClaimLiftsTheLadder(t *testing.T) {
	in := goodInput(t, Werkervaring)
	for _, name := range []string{"proof_level", "level", "audited"} {
		in.Credentials[0].Claims[name] = 4.0
		if got := Decide(in).Credentials[0].ProofLevel; got != nil && *got > LevelEmployer {
			t.Errorf("%s gave level %d", name, *got)
		}
	}
}

func find(t *testing.T, v Verdict, uri string) SkillVerdict {
	t.Helper()
	for _, s := range v.Skills {
		if s.URI == uri {
			return s
		}
	}
	t.Fatalf("no verdict about %s", uri)
	return SkillVerdict{}
}

func TestSkillVerdicts(t *testing.T) {
	in := goodInput(t, Opleiding, Werkervaring, Praktijkverklaring, Referentie)
	in.Asked = []string{together, caring, caring}
	v := Decide(in)
	if v.Outcome != OK {
		t.Fatalf("outcome %s", v.Outcome)
	}
	if v.Skills[0].URI != together || v.Skills[1].URI != caring || v.Skills[2].Asked {
		t.Error("asked skills come first, in the order asked, once")
	}
	s := find(t, v, caring)
	if s.State != OK || !same(s.ProofLevel, level(2)) || len(s.Proofs) != 2 || s.Label != "Verzorgen" {
		t.Errorf("got %s %v from %d, %q", s.State, s.ProofLevel, len(s.Proofs), s.Label)
	}
	p := s.Proofs[0]
	if p.By.Name != "Opleidingshuis De Vaart" || p.By.Region != region || p.SignedOn != "2026-05-08" || p.Status != "valid" || p.StatusAsOf == "" {
		t.Errorf("proof %+v", p)
	}
}

func TestSkillsThatAreNotProved(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(in *Input)
		state   State
		code    string
		outcome State
	}{
		{"not shown", func(in *Input) { in.Asked = []string{"urn:other"} }, Unknown, "skill_not_shown", Unknown},
		{"revoked", func(in *Input) { in.Credentials[0].Status.Value = 1 }, Failed, "skill_failed", Failed},
		{"status unknown", func(in *Input) { in.Credentials[0].Status = nil }, Unknown, "skill_unknown", Unknown},
		{"exam not passed", func(in *Input) { in.Credentials[0].Claims["result"] = "not_passed" }, Failed, "skill_failed", Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := goodInput(t, Opleiding)
			in.Asked = []string{caring}
			test.change(&in)
			v := Decide(in)
			s := find(t, v, in.Asked[0])
			if s.State != test.state || s.Code != test.code || s.ProofLevel != nil {
				t.Errorf("got %s %s %v", s.State, s.Code, s.ProofLevel)
			}
			if v.Outcome != test.outcome {
				t.Errorf("outcome %s, want %s", v.Outcome, test.outcome)
			}
		})
	}
}

// A bad proof beside a good one takes nothing away from the skill, and the
// whole answer still says that something is wrong.
func TestGoodProofBesideBad(t *testing.T) {
	in := goodInput(t, Opleiding, Praktijkverklaring)
	in.Asked = []string{caring}
	in.Credentials[0].Status.Value = 1
	v := Decide(in)
	if s := find(t, v, caring); s.State != OK || !same(s.ProofLevel, level(2)) || v.Outcome != Failed {
		t.Errorf("skill %s, outcome %s", s.State, v.Outcome)
	}
}

func TestOwnWordsAreCalledThat(t *testing.T) {
	v := Decide(goodInput(t, Zelfverklaring))
	for _, s := range v.Skills {
		if s.Code != "skill_self" || !same(s.ProofLevel, level(0)) {
			t.Errorf("%s: %s %v", s.Label, s.Code, s.ProofLevel)
		}
	}
}

// A proof that is not in order does not name a skill that a good one proves.
func TestBadProofNamesNothing(t *testing.T) {
	in := goodInput(t, Opleiding, Praktijkverklaring)
	in.Credentials[1].Claims["skills"] = []any{map[string]any{"framework": "CompetentNL", "uri": caring, "label": "Hersenchirurgie"}}
	in.Credentials[1].Status.Value = 1
	if s := find(t, Decide(in), caring); s.Label != "Verzorgen" || s.State != OK {
		t.Errorf("got %q, %s", s.Label, s.State)
	}
}
