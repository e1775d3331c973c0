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
	audited      int
	organisation Admission
	region       string
}

func judgeSigning(in Input, f Facts, c Credential, readErr error) signing {
	switch {
	case malformed(readErr):
		return all(Unknown, "not_checked")
	case c.granted() == "":
		return all(Unknown, "type_unknown")
	case c.Type.SelfSigned():
		return judgeSelf(f)
	case f.Federation != nil && f.Admission == nil:
		return judgeFederation(in, f, c)
	case in.Registry != nil && f.Admission == nil && f.Signature.State != OK:
		return all(Unknown, "signature_not_ok") // there was no key to ask about
	case in.Registry == nil || f.Admission == nil:
		return all(Unknown, "registry_absent")
	case f.Admission.Erased:
		return all(Unknown, "erased_by_law")
	case f.Admission.Certified && !f.Admission.Found:
		return all(Unknown, "perhaps_erased")
	}
	a := *f.Admission
	s := signing{organisation: a, region: in.Registry.Region}
	s.existed = existence(f.Timestamps, in)
	s.withdrawal = withdrawal(in, a, c, s.existed)
	if f.Signature.State != OK && s.withdrawal.State == OK {
		// The named issuer was not withdrawn, but that it signed this is not shown.
		s.withdrawal = check(CheckWithdrawal, Unknown, "signature_not_ok", nil)
	}
	if s.withdrawal.State == OK && serious(in.Registry.Doubt) {
		s.withdrawal = check(CheckWithdrawal, Unknown, in.Registry.Doubt, in.Registry.named(nil))
	}
	s.admitted = relied(in, c, s.existed, admitted(in, f, c, s.existed))
	s.day = signingDay(c, s)
	if g := grantOn(a, c.granted(), floorDay(c.IssuedAt)); g != nil {
		s.audited = audited(*g, c.granted(), floorDay(c.IssuedAt))
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
	type node struct{ region, id string }
	earliest := map[node]time.Time{}
	for _, t := range stamps {
		if t.Valid.State != OK || t.Node == "" || t.At.IsZero() || t.At.After(in.Now.Add(in.Limits.Skew)) || in.Registry.partial(t.Region, in.Now) {
			continue
		}
		n := node{t.Region, t.Node}
		if old, ok := earliest[n]; !ok || t.At.Before(old) {
			earliest[n] = t.At
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

// partial: the nodes of a region that is relied on no more do not tell what was before that.
func (r *RegistryFacts) partial(region string, now time.Time) bool {
	if r == nil || region != r.Region {
		return false
	}
	_, ended := r.Via.end(now)
	return serious(r.Doubt) || ended == "region_dropped"
}

func stale(in Input) bool {
	old := func(t time.Time) bool {
		return t.IsZero() || t.After(in.Now.Add(in.Limits.Skew)) || in.Now.Sub(t) > in.Limits.RegistryAge
	}
	return old(in.Registry.Time) || in.Registry.Via != nil && old(in.Registry.Via.Time)
}

// harm is the earliest moment from which the past itself is in doubt, for a
// credential dated on a day.
func harm(a Admission, t string, on time.Time) (from time.Time, code string) {
	g := grantOn(a, t, on)
	for _, w := range a.Withdrawals {
		if w.Fraud && (g == nil || hits(w, *g)) && (code == "" || w.EffectiveFrom.Before(from)) {
			from, code = w.EffectiveFrom, "withdrawn_for_fraud"
		}
	}
	if a.Key != nil && !a.Key.CompromisedFrom.IsZero() && (code == "" || a.Key.CompromisedFrom.Before(from)) {
		from, code = a.Key.CompromisedFrom, "key_compromised"
	}
	return from, code
}

// withdrawal: for fraud or a compromised key a credential without evidence from
// before fails, whatever its iat. What an old copy knows of this still counts;
// that it knows of nothing does not.
func withdrawal(in Input, a Admission, c Credential, existed time.Time) Check {
	if from, code := harm(a, c.granted(), floorDay(c.IssuedAt)); code != "" {
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
	if from, ok := withdrawnFrom(a, in.Now); ok && !current(a, c.granted(), in.Now) {
		return check(CheckWithdrawal, OK, "withdrawn_since", dated(from))
	}
	return check(CheckWithdrawal, OK, "not_withdrawn", nil)
}

// withdrawnFrom is the latest ordinary withdrawal that has taken effect.
func withdrawnFrom(a Admission, now time.Time) (from time.Time, ok bool) {
	for _, w := range a.Withdrawals {
		if !w.EffectiveFrom.After(now) && (!ok || w.EffectiveFrom.After(from)) {
			from, ok = w.EffectiveFrom, true
		}
	}
	return from, ok
}

// hits says whether a withdrawal ends a grant: not when it was given in spite
// of the withdrawal.
func hits(w Withdrawal, g Grant) bool { return w.Decided.IsZero() || !g.From.After(w.Decided) }

// end is the moment a grant ends: its own, or that of a withdrawal that hits
// it, but not before it began. A grant under suspension at the moment ends, for
// who looks now, when the suspension began.
func end(a Admission, g Grant, now time.Time) time.Time {
	until := g.Until
	for _, w := range a.Withdrawals {
		if hits(w, g) && w.EffectiveFrom.Before(until) {
			until = w.EffectiveFrom
		}
	}
	for _, s := range a.Suspensions {
		if !s.From.After(now) && (s.Until.IsZero() || now.Before(s.Until)) && s.From.Before(until) {
			until = s.From
		}
	}
	if until.Before(g.From) {
		return g.From
	}
	return until
}

// lost is the end that the law of the log gives: without a look at the present.
func lost(a Admission, g Grant) time.Time {
	a.Suspensions = nil
	return end(a, g, time.Time{})
}

// granted is what a grant calls the type: our short name, or the vct of another.
func (c Credential) granted() string {
	if c.Type != "" {
		return string(c.Type)
	}
	return c.VCT
}

// grantOn finds the grant for a type on a day. Admission is judged per day: the
// day on which it began or ended counts, a day that lies wholly within a
// suspension does not.
func grantOn(a Admission, t string, on time.Time) *Grant {
	for _, s := range a.Suspensions {
		if s.From.Before(on) && (s.Until.IsZero() || s.Until.After(on.Add(day))) {
			return nil
		}
	}
	for i, g := range a.Grants {
		if slices.Contains(g.Types, t) && !g.Until.IsZero() && !floorDay(g.From).After(on) && !on.After(floorDay(lost(a, g))) {
			return &a.Grants[i]
		}
	}
	return nil
}

// current says whether the organisation may issue the type at this moment.
func current(a Admission, t string, now time.Time) bool {
	return slices.ContainsFunc(a.Grants, func(g Grant) bool {
		return slices.Contains(g.Types, t) && !g.From.After(now) && now.Before(end(a, g, now))
	})
}

// audited is the highest level that audited facts reach for a type on a day.
func audited(g Grant, t string, on time.Time) (level int) {
	for _, f := range g.Audited {
		if slices.Contains(f.Types, t) && !floorDay(f.On).After(on) && on.Before(f.Until) {
			level = max(level, f.Level)
		}
	}
	return level
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
	grant := grantOn(a, c.granted(), on)
	switch {
	case grant == nil:
		return say(Failed, "not_admitted_on_day", dated(on))
	case floorDay(a.Key.NotBefore).After(on) || !a.Key.NotAfter.IsZero() && on.After(a.Key.NotAfter):
		return say(Failed, "key_not_valid_on_day", dated(on))
	case current(a, c.granted(), in.Now):
		return say(OK, "admitted", dated(on))
	}
	// No longer admitted: only evidence tells what was signed before from what
	// was dated back.
	ended := end(a, *grant, in.Now)
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
