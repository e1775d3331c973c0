package registry

import (
	"slices"
	"strings"
)

// authoriseMeasure: members decide about admissions; an organisation may itself end or pause
// its own, without accusing anybody.
func authoriseMeasure(x *step) error {
	m := x.body.(*Measure)
	if m.Fraud && x.leaf.Event.Kind != KindWithdrawn {
		return ErrBody.with("only a withdrawal can be for fraud")
	}
	if m.EffectiveFrom != 0 && x.leaf.Event.Kind != KindWithdrawn {
		return ErrBody.with("only a withdrawal can reach back")
	}
	st, ok := x.s.standings.get(standingKey(m.Organisation, m.Role), x.s.size)
	if !ok || len(st.Grants) == 0 {
		return ErrNotAdmitted.with("the organisation was never admitted in this role")
	}
	if x.ownWithdrawal() {
		return nil
	}
	for _, s := range x.leaf.Event.Signers {
		if !strings.HasPrefix(s.Party, memberParty) {
			return ErrSigner.with("members sign this")
		}
	}
	return nil
}

// ownWithdrawal says whether an organisation gives up its own admission.
func (x *step) ownWithdrawal() bool {
	m := x.body.(*Measure)
	signers := x.leaf.Event.Signers
	return x.leaf.Event.Kind == KindWithdrawn && !m.Fraud && m.EffectiveFrom == 0 &&
		len(signers) == 1 && signers[0].Party == OrganisationParty(m.Organisation)
}

func withdrawalThreshold(x *step) string {
	if x.ownWithdrawal() {
		return ""
	}
	return ForWithdrawal
}

func (x *step) standing() (string, Standing) {
	m := x.body.(*Measure)
	key := standingKey(m.Organisation, m.Role)
	st, _ := x.s.standings.get(key, x.s.size)
	return key, st
}

func enactSuspension(x *step) error {
	key, st := x.standing()
	if !st.admitted(x.now) {
		return ErrTransition.with("not admitted now, so there is nothing to suspend")
	}
	st.Suspensions = append(slices.Clone(st.Suspensions), Suspension{Event: x.id, From: x.now, Reason: x.body.(*Measure).Reason})
	put(x, &x.s.standings, key, st)
	return nil
}

func enactReinstatement(x *step) error {
	key, st := x.standing()
	n := len(st.Suspensions)
	if n == 0 || st.Suspensions[n-1].Until != 0 {
		return ErrTransition.with("not suspended")
	}
	st.Suspensions = slices.Clone(st.Suspensions)
	st.Suspensions[n-1].Until = x.now
	put(x, &x.s.standings, key, st)
	return nil
}

// enactWithdrawal ends what was granted before. A second withdrawal counts only when it goes
// further: for fraud, or further back.
func enactWithdrawal(x *step) error {
	m := x.body.(*Measure)
	from, err := x.past(m.EffectiveFrom)
	if err != nil {
		return err
	}
	key, st := x.standing()
	last := st.Grants[len(st.Grants)-1]
	for _, w := range st.Withdrawals {
		if w.Decided >= last.Since && (w.Fraud || !m.Fraud) && w.EffectiveFrom <= from {
			return ErrTransition.with("withdrawn already, and this goes no further")
		}
	}
	st.Withdrawals = append(slices.Clone(st.Withdrawals), Withdrawal{
		Decided: x.now, EffectiveFrom: from, Event: x.id, Fraud: m.Fraud, Reason: m.Reason,
	})
	put(x, &x.s.standings, key, st)
	return nil
}

// admitted says whether any grant counts at the moment t.
func (s Standing) admitted(t int64) bool {
	for i := range s.Grants {
		if from, until := s.interval(i); from <= t && t < until && !s.suspendedThrough(t, t+1) {
			return true
		}
	}
	return false
}

// interval is the time in which grant i counts: from its log time until it runs out or is
// withdrawn. It is empty when until <= from.
func (s Standing) interval(i int) (from, until int64) {
	g := s.Grants[i]
	from, until = g.Since, g.Until
	for _, w := range s.Withdrawals {
		if w.Decided >= g.Since {
			until = min(until, w.EffectiveFrom)
		}
	}
	return from, until
}

// suspendedThrough says whether suspensions cover all of [from, until).
func (s Standing) suspendedThrough(from, until int64) bool {
	for _, p := range s.Suspensions {
		if p.From <= from && (p.Until == 0 || p.Until > from) {
			if p.Until == 0 || p.Until >= until {
				return true
			}
			from = p.Until
		}
	}
	return false
}
