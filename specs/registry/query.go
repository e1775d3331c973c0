package registry

import (
	"slices"
	"time"
)

// View asks questions of a state. AsOf is knowledge: only what the first AsOf leaves brought
// is used (0 means all). Payloads, if there are any, name one-person firms.
//
// Every answer repeats At (legal time) and AsOf. A view is to be used while no [Apply] runs
// on its state.
type View struct {
	State    *State
	AsOf     uint64
	Payloads *Payloads
}

// View is the state with all it knows.
func (s *State) View() View { return View{State: s, AsOf: s.size} }

// AsOf is what the state knew after its first size leaves. It fails with [ErrTooFarAs].
func (s *State) AsOf(size uint64) (View, error) {
	if size > s.size {
		return View{}, ErrTooFarAs.with("only %d leaves are known here", s.size)
	}
	if size == 0 {
		size = s.size
	}
	return View{State: s, AsOf: size}, nil
}

// Moment is what every answer repeats.
type Moment struct {
	At      time.Time `json:"at"`      // legal time
	AsOf    uint64    `json:"asof"`    // leaves that were known
	Genesis string    `json:"genesis"` // region
}

func (v View) moment(at time.Time) Moment {
	return Moment{At: at.UTC(), AsOf: v.AsOf, Genesis: v.State.genesis}
}

// Lookup names an organisation by one of its names. Exactly one field is set.
type Lookup struct {
	Organisation string `json:"organisation,omitempty"` // permanent id
	URL          string `json:"url,omitempty"`          // credential issuer, entity id
	DID          string `json:"did,omitempty"`
	Host         string `json:"host,omitempty"`        // host of a URL: x509_san_dns
	Certificate  string `json:"certificate,omitempty"` // fingerprint: x509_hash, x5c
	SPKI         string `json:"spki,omitempty"`        // key hash of a certificate, see [SPKIHash]
}

// Question asks for the admission of an organisation.
type Question struct {
	Lookup Lookup
	Role   Role
	Type   string    // credential type; any when empty
	At     time.Time // judged per UTC day
}

// Code says in one word how an answer came about.
type Code string

// The codes of an [Answer].
const (
	CodeAdmitted    Code = "admitted"
	CodeUnknown     Code = "unknown"           // no organisation has this name at that time
	CodeErased      Code = "erased"            // unknown: erased by law
	CodeNever       Code = "never-admitted"    // not in this role
	CodeType        Code = "type-not-admitted" // in this role, for other types
	CodeNotYet      Code = "not-yet"
	CodeExpired     Code = "expired"
	CodeSuspended   Code = "suspended"
	CodeWithdrawn   Code = "withdrawn"
	CodeFraud       Code = "withdrawn-for-fraud"
	CodeCertificate Code = "certificate" // the certificate asked about did not count at that time
)

// Answer says whether an organisation was admitted, and all that a verdict needs beside it.
type Answer struct {
	Moment
	Organisation *Organisation    `json:"organisation,omitempty"`
	Role         Role             `json:"role"`
	Type         string           `json:"type,omitempty"`
	Admitted     bool             `json:"admitted"` // on the day of At
	Code         Code             `json:"code"`
	Grant        *Grant           `json:"grant,omitempty"` // the admission that At falls in, or the last before it
	Since        int64            `json:"since,omitzero"`  // when that admission began
	Until        int64            `json:"until,omitzero"`  // when it ended or will end, withdrawal included
	Withdrawn    *Withdrawal      `json:"withdrawn,omitempty"`
	Suspended    *Suspension      `json:"suspended,omitempty"` // that covers the day of At
	Certificate  *CertificateFact `json:"certificate,omitempty"`
	Levels       []LevelFact      `json:"levels,omitempty"` // audited facts in force on the day of At
}

// WithdrawnAt says whether, at the moment t, the admission had been withdrawn: with effect on
// the past, whatever was known at t.
func (a Answer) WithdrawnAt(t time.Time) bool {
	return a.Withdrawn != nil && t.Unix() >= a.Withdrawn.EffectiveFrom
}

// Admission answers a question. It fails with [ErrQuery] only; that nothing is known is an
// answer.
func (v View) Admission(q Question) (Answer, error) {
	a := Answer{Moment: v.moment(q.At), Role: q.Role, Type: q.Type, Code: CodeUnknown}
	if q.Role == "" || q.At.IsZero() {
		return a, ErrQuery.with("ask for a role and a moment")
	}
	found, err := v.find(q.Lookup, q.At.Unix())
	if err != nil {
		return a, err
	}
	if found.id == "" {
		a.Code = found.code
		return a, nil
	}
	org, err := v.Organisation(found.id, q.At)
	if err != nil {
		return a, err
	}
	a.Organisation, a.Certificate = &org, found.certificate
	st, _ := v.State.standings.get(standingKey(found.id, q.Role), v.AsOf)
	v.judge(&a, st, q)
	if a.Admitted && found.certificate != nil && !found.certificate.ValidOn(q.At) {
		a.Admitted, a.Code = false, CodeCertificate
	}
	return a, nil
}

// judge fills in what the standing says about the day of At.
func (v View) judge(a *Answer, st Standing, q Question) {
	day, next := dayOf(q.At.Unix())
	a.Code = CodeNever
	for i, g := range st.Grants {
		from, until := st.interval(i)
		if from >= next && a.Grant != nil {
			continue // a later admission says nothing about an earlier day
		}
		code := st.codeOn(i, day, next, q.Type)
		if a.Grant != nil && a.Code == CodeAdmitted && code != CodeAdmitted {
			continue
		}
		a.Code, a.Grant, a.Since, a.Until = code, &g, from, until
		a.Withdrawn = st.withdrawal(i)
		a.Suspended = st.suspensionOn(max(day, from), min(next, until))
	}
	a.Admitted = a.Code == CodeAdmitted
	if a.Grant == nil {
		return
	}
	for _, level := range a.Grant.Levels {
		if level.On < next && level.Until > day && (q.Type == "" || slices.Contains(level.Types, q.Type)) {
			a.Levels = append(a.Levels, level)
		}
	}
}

// codeOn judges grant i for the day [day, next): it counts when it was in force at any moment
// of the day, because times in credentials are rounded to the day.
func (s Standing) codeOn(i int, day, next int64, typ string) Code {
	g := s.Grants[i]
	from, until := s.interval(i)
	w := s.withdrawal(i)
	switch {
	case typ != "" && !slices.Contains(g.Types, typ):
		return CodeType
	case from >= next:
		return CodeNotYet
	case day >= until || until <= from:
		switch {
		case w != nil && w.Fraud && day >= dayStart(w.EffectiveFrom):
			return CodeFraud
		case w != nil && w.EffectiveFrom <= until:
			return CodeWithdrawn
		}
		return CodeExpired
	case s.suspendedThrough(max(day, from), min(next, until)):
		return CodeSuspended
	}
	return CodeAdmitted
}

// withdrawal is what ends grant i: of several the one that reaches furthest back, and for
// fraud as soon as one of them is.
func (s Standing) withdrawal(i int) *Withdrawal {
	var out *Withdrawal
	for _, w := range s.Withdrawals {
		if w.Decided < s.Grants[i].Since {
			continue
		}
		switch {
		case out == nil:
			out = &w
		case w.Fraud && !out.Fraud, w.Fraud == out.Fraud && w.EffectiveFrom < out.EffectiveFrom:
			out = &w
		}
	}
	return out
}

func (s Standing) suspensionOn(day, next int64) *Suspension {
	for _, p := range s.Suspensions {
		if p.From < next && (p.Until == 0 || p.Until > day) {
			return &p
		}
	}
	return nil
}

// ValidOn says whether the certificate counted on the UTC day of t: recorded, within its
// validity and not revoked.
func (c CertificateFact) ValidOn(t time.Time) bool {
	day, next := dayOf(t.Unix())
	until := c.NotAfter + 1
	if c.Revoked != nil {
		until = min(until, c.Revoked.EffectiveFrom)
	}
	from := max(c.Recorded, c.NotBefore)
	return from < next && day < until && from < until
}

func dayStart(t int64) int64 { return t - t%86400 }

func dayOf(t int64) (day, next int64) {
	day = dayStart(t)
	return day, day + 86400
}

// found is what a lookup leads to.
type found struct {
	id          string
	code        Code
	certificate *CertificateFact
}

func (v View) find(l Lookup, at int64) (found, error) {
	set := 0
	for _, s := range []string{l.Organisation, l.URL, l.DID, l.Host, l.Certificate, l.SPKI} {
		if s != "" {
			set++
		}
	}
	if set != 1 {
		return found{}, ErrQuery.with("name the organisation in one way")
	}
	switch {
	case l.Organisation != "":
		if _, ok := v.State.orgs.get(l.Organisation, v.AsOf); ok {
			return found{id: l.Organisation}, nil
		}
		return found{code: CodeUnknown}, nil
	case l.Certificate != "":
		return v.findCertificate(l.Certificate, "certificate"), nil
	case l.SPKI != "":
		return v.findKey(l.SPKI), nil
	case l.Host != "":
		return v.findHost(l.Host, at), nil
	case l.URL != "":
		return v.findAlias(Alias{AliasURL, l.URL}, at), nil
	}
	return v.findAlias(Alias{AliasDID, l.DID}, at), nil
}

func (v View) findCertificate(fingerprint, field string) found {
	if fact, ok := v.State.certificates.get(fingerprint, v.AsOf); ok {
		return found{id: fact.Organisation, certificate: &fact}
	}
	return v.findCommitted(field, fingerprint)
}

// findKey finds the newest certificate for a key.
func (v View) findKey(spki string) found {
	under, ok := v.State.keyHolders.get(spki, v.AsOf)
	if !ok {
		return v.findCommitted("spki", spki)
	}
	return v.findCertificate(under[len(under)-1], "certificate")
}

// findCommitted finds a one-person firm through the payloads that are at hand.
func (v View) findCommitted(field, content string) found {
	best := found{code: CodeUnknown}
	for _, commitment := range v.Payloads.find(field, content) {
		record, ok := v.State.commitments.get(commitment, v.AsOf)
		switch {
		case !ok || best.id != "" && !v.admitted(record.Organisation):
			continue // an application does not stand in the way of who was admitted
		case record.Erased != 0:
			if best.id == "" {
				best.code = CodeErased
			}
			continue
		}
		best = found{id: record.Organisation}
		if fact, ok := v.State.certificates.get(commitment, v.AsOf); ok {
			best.certificate = &fact
		}
	}
	return best
}

// Erases says whether anything was erased from this registry.
func (v View) Erases() bool {
	for _, commitment := range v.State.commitments.keys(v.AsOf) {
		if record, ok := v.State.commitments.get(commitment, v.AsOf); ok && record.Erased != 0 {
			return true
		}
	}
	return false
}

// admitted says whether an organisation ever was.
func (v View) admitted(id string) bool {
	org, _ := v.State.orgs.get(id, v.AsOf)
	return org.Since != 0
}

// findAlias finds who had the alias at a time: for a day before anybody had it, nobody.
func (v View) findAlias(a Alias, at int64) found {
	_, next := dayOf(at)
	holders, _ := v.State.aliases.get(a.key(), v.AsOf)
	for _, id := range slices.Backward(holders) {
		org, _ := v.State.orgs.get(id, v.AsOf)
		for _, p := range org.Aliases {
			if p.Alias == a && p.From < next && (p.Until == 0 || p.Until > dayStart(at)) {
				return found{id: id}
			}
		}
	}
	if len(holders) > 0 {
		return found{code: CodeUnknown}
	}
	return v.findCommitted(a.Type, a.Value)
}

func (v View) findHost(host string, at int64) found {
	_, next := dayOf(at)
	holders, _ := v.State.aliases.get(Alias{aliasHost, host}.key(), v.AsOf)
	for _, id := range slices.Backward(holders) {
		org, _ := v.State.orgs.get(id, v.AsOf)
		for _, p := range org.Aliases {
			if p.Type == AliasURL && urlHost(p.Value) == host && p.From < next && (p.Until == 0 || p.Until > dayStart(at)) {
				return found{id: id}
			}
		}
	}
	return found{code: CodeUnknown}
}
