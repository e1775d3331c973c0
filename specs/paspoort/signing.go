package paspoort

import (
	"slices"
	"time"
)

// signing is what can be said about who signed and when (design 4, "When it was
// signed"): three checks that lean on each other.
type signing struct {
	admitted, day, withdrawal Check
	// existed is the moment before which the copy existed, by timestamps.
	existed      time.Time
	audited      []string
	organisation Admission
	region       string
}

func judgeSigning(in Input, f Facts, c Credential) signing {
	switch {
	case c.Type == "":
		return all(Unknown, "not_checked")
	case c.Type.SelfSigned():
		return judgeSelf(f)
	case in.Registry == nil || f.Admission == nil:
		return all(Unknown, "registry_absent")
	case f.Admission.Erased:
		return all(Unknown, "erased_by_law")
	}
	a := *f.Admission
	s := signing{organisation: a, region: in.Registry.Region}
	s.existed = existence(f.Timestamps, in)
	s.withdrawal = withdrawal(in, a, c, s.existed)
	s.admitted = admitted(in, f, c, s.existed)
	s.day = signingDay(c, s)
	if g := grantOn(a, c.Type, floorDay(c.IssuedAt)); g != nil {
		s.audited = g.Audited
	}
	return s
}

func all(state State, code string) signing {
	return signing{admitted: check(CheckIssuerAdmitted, state, code, nil), day: check(CheckSigningDay, state, code, nil),
		withdrawal: check(CheckWithdrawal, state, code, nil)}
}

// judgeSelf: a Zelfverklaring is signed with the slot key that it is bound to.
// Otherwise the words are someone else's.
func judgeSelf(f Facts) signing {
	switch {
	case f.Key == "" || f.HolderKey == "":
		return all(Unknown, "no_fact")
	case f.Signature.State != OK:
		return all(Unknown, "signature_not_ok")
	case f.Key != f.HolderKey:
		return all(Failed, "self_signed_by_other")
	}
	return all(OK, "self_said")
}

// existence is the earliest moment at which enough distinct nodes had seen the
// copy: one node alone could lie about the past.
func existence(stamps []Timestamp, in Input) time.Time {
	earliest := map[string]time.Time{}
	for _, t := range stamps {
		if t.Valid.State != OK || t.Node == "" || t.At.IsZero() || t.At.After(in.Now.Add(in.Limits.Skew)) {
			continue
		}
		if old, ok := earliest[t.Node]; !ok || t.At.Before(old) {
			earliest[t.Node] = t.At
		}
	}
	if len(earliest) < in.Limits.Timestamps {
		return time.Time{}
	}
	var times []time.Time
	for _, t := range earliest {
		times = append(times, t)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times[in.Limits.Timestamps-1]
}

func stale(in Input) bool {
	return in.Registry.Time.IsZero() || in.Registry.Time.After(in.Now.Add(in.Limits.Skew)) || in.Now.Sub(in.Registry.Time) > in.Limits.RegistryAge
}

// harm is the earliest moment from which the past itself is in doubt, for a
// credential dated on a day.
func harm(a Admission, t Type, on time.Time) (from time.Time, code string) {
	for _, w := range a.Withdrawals {
		if w.Fraud && concerns(w, t) && !forgiven(a, w, t, on) && (code == "" || w.EffectiveFrom.Before(from)) {
			from, code = w.EffectiveFrom, "withdrawn_for_fraud"
		}
	}
	if a.Key != nil && !a.Key.CompromisedFrom.IsZero() && (code == "" || a.Key.CompromisedFrom.Before(from)) {
		from, code = a.Key.CompromisedFrom, "key_compromised"
	}
	return from, code
}

// forgiven: the day lies in a grant that was given after the withdrawal was known.
func forgiven(a Admission, w Withdrawal, t Type, on time.Time) bool {
	g := grantOn(a, t, on)
	return g != nil && after(*g, w)
}

// after says whether a grant was given knowing of a withdrawal.
func after(g Grant, w Withdrawal) bool { return !w.Known.IsZero() && g.From.After(w.Known) }

func concerns(w Withdrawal, t Type) bool { return w.Type == "" || w.Type == string(t) }

// withdrawal: for fraud or a compromised key a credential without evidence from
// before fails, whatever its iat. What an old copy knows of this still counts;
// that it knows of nothing does not.
func withdrawal(in Input, a Admission, c Credential, existed time.Time) Check {
	if from, code := harm(a, c.Type, floorDay(c.IssuedAt)); code != "" {
		if !existed.IsZero() && existed.Before(from) {
			return check(CheckWithdrawal, OK, "existed_before_fraud", dates("date", existed, "from", from))
		}
		return check(CheckWithdrawal, Failed, code, dated(from))
	}
	switch {
	case stale(in):
		return check(CheckWithdrawal, Unknown, "registry_too_old", nil)
	case !a.Found:
		return check(CheckWithdrawal, Unknown, "issuer_not_in_region", nil)
	}
	if from, ok := withdrawnFrom(a, c.Type, in.Now); ok && !current(a, c.Type, in.Now) {
		return check(CheckWithdrawal, OK, "withdrawn_since", dated(from))
	}
	return check(CheckWithdrawal, OK, "not_withdrawn", nil)
}

// withdrawnFrom is the earliest ordinary withdrawal that has taken effect.
func withdrawnFrom(a Admission, t Type, now time.Time) (from time.Time, ok bool) {
	for _, w := range a.Withdrawals {
		if concerns(w, t) && !w.EffectiveFrom.After(now) && (!ok || w.EffectiveFrom.Before(from)) {
			from, ok = w.EffectiveFrom, true
		}
	}
	return from, ok
}

// end is the moment a grant ends: its own, or that of the first withdrawal that
// it was not given in spite of.
func end(a Admission, g Grant, t Type) time.Time {
	until := g.Until
	for _, w := range a.Withdrawals {
		if !concerns(w, t) || after(g, w) {
			continue
		}
		from := w.EffectiveFrom
		if from.Before(g.From) {
			if !w.Fraud && w.Known.IsZero() {
				continue // ended something earlier
			}
			from = g.From // takes all of it
		}
		if from.Before(until) {
			until = from
		}
	}
	return until
}

// grantOn finds the grant for a type on a day. Admission is judged per day: the
// day on which it began or ended counts.
func grantOn(a Admission, t Type, on time.Time) *Grant {
	for i, g := range a.Grants {
		if g.Type == string(t) && !g.Until.IsZero() && !floorDay(g.From).After(on) && !on.After(floorDay(end(a, g, t))) {
			return &a.Grants[i]
		}
	}
	return nil
}

// current says whether the organisation may issue the type at this moment.
func current(a Admission, t Type, now time.Time) bool {
	return slices.ContainsFunc(a.Grants, func(g Grant) bool {
		return g.Type == string(t) && !g.From.After(now) && now.Before(end(a, g, t))
	})
}

func admitted(in Input, f Facts, c Credential, existed time.Time) Check {
	a, on := *f.Admission, floorDay(c.IssuedAt)
	say := func(state State, code string, values map[string]string) Check {
		return check(CheckIssuerAdmitted, state, code, values)
	}
	switch {
	case stale(in): // D11
		return say(Unknown, "registry_too_old", nil)
	case f.Signature.State != OK:
		return say(Unknown, "signature_not_ok", nil)
	case !a.Found:
		return say(Failed, "issuer_not_in_region", nil)
	case a.Key == nil:
		return say(Failed, "key_not_recorded", nil)
	case c.IssuedAt.IsZero():
		return say(Unknown, "no_signing_date", nil)
	}
	grant := grantOn(a, c.Type, on)
	switch {
	case grant == nil:
		return say(Failed, "not_admitted_on_day", dated(on))
	case floorDay(a.Key.NotBefore).After(on) || !a.Key.NotAfter.IsZero() && on.After(a.Key.NotAfter):
		return say(Failed, "key_not_valid_on_day", dated(on))
	case current(a, c.Type, in.Now):
		return say(OK, "admitted", dated(on))
	}
	// No longer admitted: only evidence tells what was signed before from what
	// was dated back.
	ended := end(a, *grant, c.Type)
	if !existed.IsZero() && existed.Before(ended) {
		return say(OK, "admitted_then", dates("date", ended, "evidence", existed))
	}
	return say(Unknown, "signing_day_unknown", dated(ended))
}

func signingDay(c Credential, s signing) Check {
	switch {
	case c.IssuedAt.IsZero():
		return check(CheckSigningDay, Unknown, "no_signing_date", nil)
	case !s.existed.IsZero() && s.existed.Before(floorDay(c.IssuedAt)):
		// It existed before the day on which it says it was signed.
		return check(CheckSigningDay, Failed, "timestamp_before_date", dated(s.existed))
	case !s.existed.IsZero():
		return check(CheckSigningDay, OK, "timestamped", dated(s.existed))
	case s.admitted.State == OK:
		return check(CheckSigningDay, OK, "issuers_word", dated(c.IssuedAt))
	}
	return check(CheckSigningDay, Unknown, "signing_day_unproved", dated(c.IssuedAt))
}
