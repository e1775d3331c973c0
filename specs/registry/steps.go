package registry

import (
	"maps"
	"slices"
)

// Step is how an organisation stood in a role from a moment on, until the next step.
type Step struct {
	Code  Code   `json:"code"`            // admitted, suspended, withdrawn, withdrawn-for-fraud or expired
	Event string `json:"event,omitempty"` // id of the application that it was admitted by, if it is
	From  int64  `json:"from"`
}

// Steps tells how the standing went for a credential type, "" for any, up to a moment: oldest
// first, with what is known now of withdrawals that reach back. It is to the second, where
// [View.Admission] judges days.
func (s Standing) Steps(typ string, until int64) []Step {
	moments := map[int64]bool{}
	for i, g := range s.Grants {
		if typ != "" && !slices.Contains(g.Types, typ) {
			continue
		}
		from, end := s.interval(i)
		moments[from], moments[max(from, end)] = true, true
	}
	for _, p := range s.Suspensions {
		moments[p.From] = true
		if p.Until != 0 {
			moments[p.Until] = true
		}
	}
	var out []Step
	for _, at := range slices.Sorted(maps.Keys(moments)) {
		step, ok := s.stepAt(typ, at)
		if at > until || !ok {
			continue
		}
		if n := len(out); n == 0 || out[n-1].Code != step.Code || out[n-1].Event != step.Event {
			out = append(out, step)
		}
	}
	return out
}

// stepAt is how it stood at one moment; false before any admission.
func (s Standing) stepAt(typ string, at int64) (Step, bool) {
	last := -1
	for i, g := range s.Grants {
		from, until := s.interval(i)
		if typ != "" && !slices.Contains(g.Types, typ) || from > at {
			continue
		}
		last = i
		if at >= until {
			continue
		}
		if s.suspendedThrough(at, at+1) {
			return Step{Code: CodeSuspended, Event: g.Event, From: at}, true
		}
		return Step{Code: CodeAdmitted, Event: g.Event, From: at}, true
	}
	if last < 0 {
		return Step{}, false
	}
	switch w := s.withdrawal(last); {
	case w != nil && at >= w.EffectiveFrom && w.Fraud:
		return Step{Code: CodeFraud, From: at}, true
	case w != nil && at >= w.EffectiveFrom:
		return Step{Code: CodeWithdrawn, From: at}, true
	}
	return Step{Code: CodeExpired, From: at}, true
}
