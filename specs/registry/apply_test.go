package registry

import (
	"errors"
	"testing"
	"time"
)

func TestAnAdmissionTakesTwoGroups(t *testing.T) {
	w := newWorld(t)
	a := w.application("vaart", Issuer)
	s := w.do(KindApplied, a, OrganisationParty(a.Organisation))
	if got := w.admission(a.Organisation, w.now); got.Admitted || got.Code != CodeNever {
		t.Errorf("after applying: admitted %v, code %s", got.Admitted, got.Code)
	}
	w.approve(s.Event.ID(), member(0))
	if got := w.admission(a.Organisation, w.now); got.Admitted {
		t.Error("admitted by one member")
	}
	w.advance(time.Hour)
	e := w.must(w.compose(KindApproved, &Decision{Proposal: s.Event.ID(), Voter: member(1)}, member(1)))
	if len(e.Enacted) != 1 || e.Enacted[0] != s.Event.ID() {
		t.Errorf("the second approval enacted %v", e.Enacted)
	}
	got := w.admission(a.Organisation, w.now)
	if !got.Admitted || got.Since != w.now.Unix() || got.Until != w.now.Unix()+548*86400 {
		t.Errorf("admitted %v since %d until %d", got.Admitted, got.Since, got.Until)
	}
}

func TestWithdrawalLeavesThePastUnlessForFraud(t *testing.T) {
	w := newWorld(t)
	org := w.admit("vaart", Issuer)
	day := 24 * time.Hour
	admitted := w.now
	w.advance(30 * day)
	size := w.state.Size()
	w.do(KindWithdrawn, &Measure{Organisation: org, Role: Issuer, Reason: "gestopt"}, member(0), member(1))
	withdrawn := w.now
	w.advance(day)

	if got := w.admission(org, admitted.Add(day)); !got.Admitted || got.Withdrawn == nil || got.WithdrawnAt(admitted.Add(day)) {
		t.Errorf("a day before the withdrawal: %+v", got)
	}
	if got := w.admission(org, w.now); got.Admitted || got.Code != CodeWithdrawn {
		t.Errorf("a day after the withdrawal: %s", got.Code)
	}
	w.do(KindWithdrawn, &Measure{Organisation: org, Role: Issuer, Reason: "vervalste toetsen", Fraud: true, EffectiveFrom: admitted.Add(10 * day).Unix()}, member(1), member(2))
	if got := w.admission(org, admitted.Add(20*day)); got.Admitted || got.Code != CodeFraud || !got.Withdrawn.Retroactive() {
		t.Errorf("after the beginning of the fraud: %+v", got)
	}
	if got := w.admission(org, admitted.Add(5*day)); !got.Admitted || !got.Withdrawn.Fraud {
		t.Errorf("before the beginning of the fraud: %+v", got)
	}
	// What was known before is still what was known before.
	v, err := w.state.AsOf(size)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Admission(Question{Lookup: Lookup{Organisation: org}, Role: Issuer, At: withdrawn.Add(day)})
	if err != nil || !got.Admitted || got.Withdrawn != nil {
		t.Errorf("as of %d leaves: %+v, %v", size, got, err)
	}
	if err := w.try(KindWithdrawn, &Measure{Organisation: org, Role: Issuer, Reason: "nog eens"}, member(0), member(1)); !errors.Is(err, ErrTransition) {
		t.Errorf("a withdrawal that goes no further: %v", err)
	}
}
