package registry

import (
	"slices"
	"strings"
)

// Succession says that one organisation goes on in another, after a merger or under another
// legal form. The old id keeps its history and points on; which of its names and admissions go
// over, members decide. A new name alone is no succession: see [Details].
type Succession struct {
	Aliases      []Alias `json:"aliases,omitempty"` // of the old one, that the successor has from now on
	On           int64   `json:"on"`                // legal date; what goes over does so when it is decided
	Organisation string  `json:"organisation"`      // the old one
	Reason       string  `json:"reason"`
	Roles        []Role  `json:"roles,omitempty"` // in which the successor takes its place until its admission would have ended
	Successor    string  `json:"successor"`       // admitted already, in whatever role
}

// SucceededBy is how an organisation went on in another.
type SucceededBy struct {
	Event     string `json:"event"`
	On        int64  `json:"on"`    // legal date
	Since     int64  `json:"since"` // log time
	Successor string `json:"successor"`
}

func (s *Succession) subject() string { return OrganisationParty(s.Organisation) }

func (s *Succession) check() error {
	if !isOrganisation(s.Organisation) || !isOrganisation(s.Successor) || s.Organisation == s.Successor {
		return ErrBody.with("a succession names two organisations by id")
	}
	if s.On <= 0 || s.On > maxTime {
		return ErrBody.with("a succession has a date")
	}
	for i, role := range s.Roles {
		if !slices.Contains([]Role{Issuer, Verifier, WalletHost, StatusSigner}, role) || i > 0 && s.Roles[i-1] >= role {
			return ErrBody.with("roles exist and stand in order, each once")
		}
	}
	if err := checkAliases(s.Aliases); err != nil {
		return err
	}
	return checkText("reason", s.Reason, 2000)
}

// authoriseSuccession: the successor signs, since it takes on what the old one promised; the
// old one may, and members may.
func authoriseSuccession(x *step) error {
	s := x.body.(*Succession)
	_, next, err := x.succession(s)
	if err != nil {
		return err
	}
	if s.On > x.now {
		return ErrBody.with("a succession is not in the future")
	}
	parties := []string{OrganisationParty(s.Organisation), OrganisationParty(s.Successor)}
	for _, signer := range x.leaf.Event.Signers {
		if !slices.Contains(parties, signer.Party) && !strings.HasPrefix(signer.Party, memberParty) {
			return ErrSigner.with("the two organisations and members sign this")
		}
	}
	if !next.OnePerson && !x.signedBy(parties[1]) {
		return ErrSigner.with("the successor signs")
	}
	if next.OnePerson && len(x.signingMembers()) == 0 {
		return ErrSigner.with("a member signs for a one-person firm")
	}
	return nil
}

// succession are the two organisations, as they must stand when it is asked for and when it
// takes effect.
func (x *step) succession(s *Succession) (old, next OrganisationRecord, err error) {
	if old, err = x.s.organisation(s.Organisation); err != nil {
		return old, next, err
	}
	if next, err = x.s.organisation(s.Successor); err != nil {
		return old, next, err
	}
	switch {
	case old.Since == 0 || next.Since == 0:
		return old, next, ErrNotAdmitted.with("both organisations were admitted before; a new one applies first")
	case old.Succeeded != nil || next.Succeeded != nil:
		return old, next, ErrTransition.with("one of the two went on in another already")
	case (old.OnePerson || next.OnePerson) && len(s.Aliases) > 0:
		return old, next, ErrBody.with("addresses of a one-person firm do not stand in the open")
	}
	for _, a := range s.Aliases {
		if !old.holds(a) {
			return old, next, ErrUnknown.with("the organisation does not have an alias that is to go over")
		}
	}
	for _, role := range s.Roles {
		if st, _ := x.s.standings.get(standingKey(old.ID, role), x.s.size); !st.admitted(x.now) {
			return old, next, ErrNotAdmitted.with("a role in which the organisation is not admitted now cannot go over")
		}
	}
	return old, next, nil
}

func enactSuccession(x *step) error {
	s := x.body.(*Succession)
	old, next, err := x.succession(s)
	if err != nil {
		return err
	}
	old.Succeeded = &SucceededBy{Event: x.id, On: s.On, Since: x.now, Successor: next.ID}
	old.Aliases = slices.Clone(old.Aliases)
	for i, p := range old.Aliases {
		if p.Until == 0 && slices.Contains(s.Aliases, p.Alias) {
			old.Aliases[i].Until = x.now
		}
	}
	put(x, &x.s.orgs, old.ID, old)
	// Who controlled the old one has no say about the new one either.
	next.Members, next.Predecessors = union(next.Members, x.s.controllers(old)), union(next.Predecessors, []string{old.ID})
	put(x, &x.s.orgs, next.ID, next)
	if err := x.addAliases(next.ID, s.Aliases); err != nil {
		return err
	}
	for _, role := range []Role{Issuer, Verifier, WalletHost, StatusSigner} {
		x.handOn(s, role)
	}
	put(x, &x.s.heads, OrganisationParty(next.ID), x.id)
	return nil
}

// goneOn is why an organisation that went on in another is not admitted any more.
func (o OrganisationRecord) goneOn() error {
	return ErrTransition.with("the organisation went on in %s, which applies for itself", o.Succeeded.Successor)
}

// line lists the organisations that are one with this one by succession, itself among them.
func (s *State) line(id string) []string {
	org, _ := s.orgs.get(id, s.size)
	for org.Succeeded != nil { // ends, as in View.successor
		org, _ = s.orgs.get(org.Succeeded.Successor, s.size)
	}
	if len(org.Predecessors) == 0 {
		return []string{id}
	}
	out := []string{org.ID}
	for i := 0; i < len(out); i++ {
		next, _ := s.orgs.get(out[i], s.size)
		out = append(out, next.Predecessors...)
	}
	return out
}

// controllers lists the members that are one hand with an organisation, by their own word or by its.
func (s *State) controllers(org OrganisationRecord) []string {
	out := slices.Clone(org.Members)
	for _, id := range s.members.keys(s.size) {
		if s.conflicted(id, org.ID) {
			out = append(out, id)
		}
	}
	return out
}

// handOn ends what the old organisation has in a role, and grants it to the successor for the
// rest of its time if that was decided.
func (x *step) handOn(s *Succession, role Role) {
	st, ok := x.s.standings.get(standingKey(s.Organisation, role), x.s.size)
	if !ok {
		return
	}
	// What a grant names ends with that grant: each that is in force goes over by itself.
	var over []Grant
	for i, g := range st.Grants {
		if _, end := st.interval(i); end > x.now {
			g.Event, g.Since, g.Until = x.id, x.now, end
			over = append(over, g)
		}
	}
	if len(over) == 0 {
		return
	}
	if slices.Contains(s.Roles, role) {
		key := standingKey(s.Successor, role)
		to, _ := x.s.standings.get(key, x.s.size)
		to.Organisation, to.Role = s.Successor, role
		to.Grants = slices.Concat(to.Grants, over)
		put(x, &x.s.standings, key, to)
	}
	st.Withdrawals = append(slices.Clone(st.Withdrawals), Withdrawal{Decided: x.now, EffectiveFrom: x.now, Event: x.id, Reason: s.Reason})
	put(x, &x.s.standings, standingKey(s.Organisation, role), st)
}

// successor is what an organisation went on in, at a moment: the last one, of itself if none.
func (v View) successor(id string, at int64) string {
	for {
		org, _ := v.State.orgs.get(id, v.AsOf)
		if org.Succeeded == nil || org.Succeeded.Since > at {
			return id
		}
		id = org.Succeeded.Successor // ends: who went on in another succeeds nobody after that
	}
}
