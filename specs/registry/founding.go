package registry

import (
	"slices"
)

func (c *Charter) subject() string   { return RegionSubject }
func (a *Amendment) subject() string { return RegionSubject }
func (c *Clock) subject() string     { return RegionSubject }

// introduces: all members sign the charter with the keys that it names.
func (c *Charter) introduces() []Introduced {
	var out []Introduced
	for _, m := range c.Members {
		out = append(out, Introduced{MemberParty(m.ID), m.Key})
	}
	return out
}

// introduces: who joins signs with the key it brings.
func (a *Amendment) introduces() []Introduced {
	var out []Introduced
	for _, m := range a.Add {
		out = append(out, Introduced{MemberParty(m.ID), m.Key})
	}
	return out
}

func (c *Clock) check() error { return checkText("reason", c.Reason, 2000) }

// checkUnder: version 1 named criteria and did not say where they stand, nor where members can
// be reached.
func (a *Amendment) checkUnder(rules int) error {
	if a.Text != nil {
		if a.Criteria == "" {
			return ErrBody.with("the text of criteria comes with their version")
		}
		if err := a.Text.check(); err != nil {
			return err
		}
	}
	if err := onlyUnder(3, rules, a.Entity != ""); err != nil {
		return err
	}
	return onlyUnder(2, rules, a.Text != nil || len(a.Contacts) > 0 || contacts(a.Add))
}

func (a *Amendment) check() error {
	if len(a.Add) == 0 && len(a.Remove) == 0 && a.Admission == nil && a.Criteria == "" && a.Thresholds == nil && len(a.Contacts) == 0 && a.Entity == "" {
		return ErrBody.with("the amendment changes nothing")
	}
	var seen unique
	for _, m := range a.Add {
		if err := m.check(); err != nil {
			return err
		}
		seen.add(m.ID, string(m.Key))
	}
	seen.add(a.Remove...)
	if seen.twice != "" || !isSortedSet(a.Remove) || len(a.Add) > 20 {
		return ErrBody.with("a member is added or removed once, at most 20 at a time, removals in order")
	}
	if err := a.checkContacts(); err != nil {
		return err
	}
	if a.Entity != "" && !isURL(a.Entity) {
		return ErrBody.with("the entity id of the region is an http(s) URL without trailing slash")
	}
	if a.Admission != nil {
		if err := a.Admission.check(); err != nil {
			return err
		}
	}
	if a.Criteria != "" {
		if err := checkText("criteria", a.Criteria, 100); err != nil {
			return err
		}
	}
	if a.Thresholds != nil {
		if err := checkThresholds(a.Thresholds); err != nil {
			return err
		}
	}
	return checkText("reason", a.Reason, 2000)
}

// authoriseFounding: nobody is made a member without having signed.
func authoriseFounding(x *step) error {
	c := x.body.(*Charter)
	if len(x.leaf.Event.Signers) != len(c.Members) {
		return ErrSigner.with("each member signs the founding event, nobody else does")
	}
	for _, m := range c.Members {
		if !x.signedBy(MemberParty(m.ID)) {
			return ErrSigner.with("member %s has not signed the founding event", m.ID)
		}
	}
	return nil
}

func enactFounding(x *step) error {
	c := x.body.(*Charter)
	put(x, &x.s.charter, current, CharterRecord{
		Admission: c.Admission, Continues: c.Continues, Criteria: c.Criteria, Entity: c.Entity, Text: c.Text, From: x.now, Name: c.Name, Origin: c.Origin, Thresholds: c.Thresholds,
		Rules: recordedRules(x.rules),
	})
	for _, m := range c.Members {
		x.addMember(m)
	}
	for _, n := range c.Nodes {
		x.addNode(n)
	}
	for _, a := range c.Anchors {
		put(x, &x.s.anchors, a.Fingerprint, AnchorRecord{Anchor: a, Since: x.now})
		put(x, &x.s.heads, anchorSubject+a.Fingerprint, x.id)
	}
	x.putPolicy()
	return x.reachable()
}

func (x *step) addMember(m Member) {
	put(x, &x.s.members, m.ID, MemberRecord{Member: m, Keys: []KeyPeriod{{From: x.now, Key: m.Key}}, Since: x.now})
	put(x, &x.s.heads, MemberParty(m.ID), x.id)
}

func enactAmendment(x *step) error {
	a := x.body.(*Amendment)
	for _, id := range a.Remove {
		m, ok := x.s.members.get(id, x.s.size)
		if !ok || m.Removed != 0 {
			return ErrUnknown.with("no member %s to remove", id)
		}
		m.Removed, m.Keys = x.now, endKey(m.Keys, x.now, 0, "")
		put(x, &x.s.members, id, m)
		put(x, &x.s.heads, MemberParty(id), x.id)
	}
	for _, m := range a.Add {
		if _, ok := x.s.members.get(m.ID, x.s.size); ok {
			return ErrTaken.with("a member %s was there before; ids are not used again", m.ID)
		}
		if !x.signedBy(MemberParty(m.ID)) {
			return ErrSigner.with("who joins signs with the key it brings")
		}
		if err := x.freshKey(m.Key); err != nil {
			return err
		}
		x.addMember(m)
	}
	if err := x.setContacts(a.Contacts); err != nil {
		return err
	}
	c := x.s.currentCharter()
	c.From = x.now
	if a.Admission != nil {
		c.Admission = *a.Admission
	}
	if a.Criteria != "" {
		c.Criteria, c.Text = a.Criteria, a.Text
	}
	if a.Entity != "" {
		c.Entity = a.Entity
	}
	if a.Thresholds != nil {
		c.Thresholds = a.Thresholds
	}
	put(x, &x.s.charter, current, c)
	if err := x.operatorsRemain(); err != nil {
		return err
	}
	return x.reachable()
}

// operatorsRemain refuses to remove a member that still runs a node or an anchor.
func (x *step) operatorsRemain() error {
	gone := func(id string) bool {
		m, _ := x.s.members.get(id, x.s.size)
		return m.Removed != 0
	}
	for _, n := range x.s.activeNodes() {
		if gone(n.Operator) {
			return ErrTransition.with("node %s is still run by a member that leaves", n.ID)
		}
	}
	for _, fp := range x.s.anchors.keys(x.s.size) {
		if a, _ := x.s.anchors.get(fp, x.s.size); a.Removed == 0 && gone(a.Operator) {
			return ErrTransition.with("an anchor is still operated by a member that leaves")
		}
	}
	return nil
}

// freshKey refuses a key that any member had before: a retired key stays retired.
func (x *step) freshKey(key PublicKey) error {
	for _, id := range x.s.members.keys(x.s.size) {
		m, _ := x.s.members.get(id, x.s.size)
		if slices.ContainsFunc(m.Keys, func(k KeyPeriod) bool { return k.Key == key }) {
			return ErrTaken.with("a member has or had this key")
		}
	}
	return nil
}

// authoriseClock: the clock is corrected by one event that carries all signatures, because
// separate approvals would be stamped before the newest leaf and be refused.
func authoriseClock(x *step) error {
	if err := onlyMembers(x); err != nil {
		return err
	}
	var votes []Vote
	for _, id := range x.signingMembers() {
		votes = append(votes, x.vote(id, ""))
	}
	if !x.met(x.s.currentCharter().Thresholds[ForAmendment], votes) {
		return ErrSigner.with("as many members sign as an amendment needs")
	}
	return nil
}

// enactClock: run has set the log time to the stamp of this leaf already; it stays allowed
// only when the clock had run ahead.
func enactClock(x *step) error {
	if x.now >= x.was {
		return ErrTransition.with("the clock has not run ahead")
	}
	put(x, &x.s.clocks, current, ClockRecord{Corrected: x.now, Event: x.id, Was: x.was})
	return nil
}
