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

// The headline says no more than is known: what was shown can be in order while
// something asked was not shown, or shows that a test was not passed.
func TestHeadline(t *testing.T) {
	for _, test := range []struct {
		name     string
		change   func(in *Input)
		code     string
		sentence Text
	}{
		{"all shown", func(*Input) {}, "ok", Text{"Alles klopt.", "Everything is in order."}},
		{"one not shown", func(in *Input) { in.Asked = append(in.Asked, "urn:other") }, "skills_missing",
			Text{"Wat is getoond klopt. Niet alles is getoond.", "What was shown is in order. Not everything was shown."}},
		{"shown, not passed", func(in *Input) { in.Credentials[0].Claims["result"] = "not_passed" }, "skills_not_proved",
			Text{"Wat is getoond klopt. Niet elke vaardigheid is aangetoond.", "What was shown is in order. Not every skill is proved."}},
		{"not shown, and the rest is wrong", func(in *Input) {
			in.Asked = append(in.Asked, "urn:other")
			in.Credentials[0].Status.Value = 1
		}, "failed", Sentence("outcome_failed")},
		{"not shown, and the rest is not known", func(in *Input) {
			in.Asked = append(in.Asked, "urn:other")
			in.Credentials[0].Status = nil
		}, "unknown", Sentence("outcome_unknown")},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := goodInput(t, Opleiding)
			in.Asked = []string{caring}
			test.change(&in)
			if v := Decide(in); v.Code != test.code || v.Sentence != test.sentence || v.Outcome == OK != (test.code == "ok") {
				t.Errorf("got %s %s %q, want %s %q", v.Outcome, v.Code, v.Sentence, test.code, test.sentence)
			}
		})
	}
}

// One copy shown twice, and two copies of one dataset whose record is shown, are
// one proof; two datasets are two.
func TestOneDatasetIsOneProof(t *testing.T) {
	record := func(f *Facts, r any) {
		if f.Claims["record"] = r; r == nil {
			delete(f.Claims, "record")
		}
	}
	for _, test := range []struct {
		name   string
		change func(a, b *Facts)
		proofs int
		state  State
	}{
		{"two datasets", func(a, b *Facts) {}, 2, OK},
		{"two datasets, records hidden", func(a, b *Facts) { record(a, nil); record(b, nil) }, 2, OK},
		{"one copy twice, record hidden", func(a, b *Facts) { record(a, nil); record(b, nil); a.Copy, b.Copy = "same", "same" }, 1, OK},
		{"other copies", func(a, b *Facts) { a.Copy, b.Copy = "one", "other" }, 2, OK},
		{"two copies of one dataset", func(a, b *Facts) { a.Copy, b.Copy = "one", "other"; record(b, a.Claims["record"]) }, 1, OK},
		{"the same record of another issuer", func(a, b *Facts) { record(b, a.Claims["record"]); b.Claims["iss"] = "https://elders.example" }, 2, OK},
		{"the same record, forged", func(a, b *Facts) {
			record(b, a.Claims["record"])
			b.Signature = Finding{Failed, "signature_invalid"}
		}, 2, OK},
		{"one copy twice, one badly bound", func(a, b *Facts) {
			a.Copy, b.Copy = "same", "same"
			a.Binding.Signature = Finding{Failed, "key_binding_invalid"}
		}, 1, OK},
		{"one of two copies revoked", func(a, b *Facts) { record(b, a.Claims["record"]); b.Status.Value = 1 }, 1, Failed},
		{"the other of two copies revoked", func(a, b *Facts) { record(b, a.Claims["record"]); a.Status.Value = 1 }, 1, Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := goodInput(t, Opleiding, Opleiding)
			in.Asked = []string{caring}
			test.change(&in.Credentials[0], &in.Credentials[1])
			if s := find(t, Decide(in), caring); len(s.Proofs) != test.proofs || s.State != test.state {
				t.Errorf("got %d proofs, %s; want %d, %s", len(s.Proofs), s.State, test.proofs, test.state)
			}
		})
	}
}

// Examine tells one copy from another, whatever is disclosed of it.
func TestCopyIsTheIssuersText(t *testing.T) {
	w := newWorld(t)
	tok := w.issue(t, FormatSDJWTVC, Opleiding)
	bare, err := tok.Select(func([]any, any) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	a, b := Examine(w.present(t, tok, w.slot), w.keys()), Examine(w.present(t, bare, w.slot), w.keys())
	c := Examine(w.present(t, w.issue(t, FormatSDJWTVC, Opleiding), w.slot), w.keys())
	if a.Copy == "" || a.Copy != b.Copy || a.Copy == c.Copy {
		t.Errorf("got %q, %q and %q", a.Copy, b.Copy, c.Copy)
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
