package registry

import (
	"slices"
	"strings"
)

func (c *Catalogue) subject() string   { return CatalogueSubject }
func (h *HobbelClaim) subject() string { return HobbelSubject(h.key()) }
func (e *Erasure) subject() string     { return ErasureSubject }

func (c *Catalogue) check() error {
	if len(c.Hobbels) == 0 || len(c.Hobbels) > 100 {
		return ErrBody.with("a catalogue lists 1 to 100 hobbels")
	}
	if err := checkText("version", c.Version, 100); err != nil {
		return err
	}
	if len(c.Source) > 500 {
		return ErrBody.with("the source is too long")
	}
	var seen unique
	for _, h := range c.Hobbels {
		if err := h.check(); err != nil {
			return err
		}
		seen.add(h.ID)
	}
	if seen.twice != "" {
		return ErrBody.with("hobbel %s is listed twice", seen.twice)
	}
	return nil
}

func (h Hobbel) check() error {
	if !isSlug(strings.ToLower(h.ID)) {
		return ErrBody.with("a hobbel's id is 1 to 40 letters, digits and '-'")
	}
	if len(h.Levels) == 0 {
		return ErrBody.with("hobbel %s is at no level", h.ID)
	}
	for i, level := range h.Levels {
		if !slices.Contains([]string{"mens", "bedrijf", "instantie", "wet"}, level) || slices.Contains(h.Levels[:i], level) {
			return ErrBody.with("hobbel %s is at a level that does not exist, or twice at one", h.ID)
		}
	}
	if err := h.Title.check(); err != nil {
		return err
	}
	return h.Doorbraak.check()
}

func (t Text) check() error {
	if t.EN != "" {
		if err := checkText("English text", t.EN, 2000); err != nil {
			return err
		}
	}
	return checkText("Dutch text", t.NL, 2000)
}

func (h *HobbelClaim) check() error {
	if !isSlug(strings.ToLower(h.Hobbel)) || h.On <= 0 {
		return ErrBody.with("a claim names a hobbel and a day")
	}
	if !slices.Contains([]HobbelStatus{Open, Experiment, Doorbraak, Teruggevallen}, h.Status) {
		return ErrBody.with("no such status")
	}
	if len(h.Evidence) == 0 || len(h.Evidence) > 16 {
		return ErrBody.with("a claim has 1 to 16 pieces of evidence")
	}
	for _, e := range h.Evidence {
		if err := e.check(); err != nil {
			return err
		}
	}
	if h.Scope != nil {
		if err := h.Scope.check(); err != nil {
			return err
		}
	}
	if err := checkText("catalogue", h.Catalogue, 100); err != nil {
		return err
	}
	return h.Summary.check()
}

// checkUnder: under version 1 a claim is about the region, and evidence is an address.
func (h *HobbelClaim) checkUnder(rules int) error {
	says := h.Scope != nil
	for _, e := range h.Evidence {
		says = says || e != Evidence{SHA256: e.SHA256, URL: e.URL} || e.URL == ""
	}
	return onlyUnder(2, rules, says)
}

// key names the hobbel in its scope: "H03", "H03/sector/zorg".
func (h *HobbelClaim) key() string {
	if h.Scope == nil {
		return h.Hobbel
	}
	return h.Hobbel + "/" + string(h.Scope.Kind) + "/" + h.Scope.Name
}

func (s Scope) check() error {
	if s.Kind != ScopeSector && s.Kind != ScopeBranche {
		return ErrBody.with("a scope is a sector or a branche; leave it out for the region as a whole")
	}
	if strings.ContainsAny(s.Name, "/\n") {
		return ErrBody.with("the name of a scope has no slash in it and is one line")
	}
	return checkText("name of the scope", s.Name, 100)
}

func (e Evidence) check() error {
	if e.URL == "" && e.Title == "" || e.URL != "" && !isEvidenceURL(e.URL) || e.SHA256 != "" && !isHash(e.SHA256) {
		return ErrBody.with("evidence has a web address or a title, with the SHA-256 of what stood there if it is known")
	}
	if e.From < 0 || e.Until < 0 || e.Until != 0 && e.Until < e.From || e.From > maxTime || e.Until > maxTime {
		return ErrBody.with("a proeftuin ends after it began")
	}
	if e.Participants < 0 || e.Participants > 1e6 || e.Placed != nil && (*e.Placed < 0 || *e.Placed > e.Participants) {
		return ErrBody.with("of the participants of a proeftuin some, all or none have the job")
	}
	if e.Title != "" {
		if err := checkText("title", e.Title, 200); err != nil {
			return err
		}
	}
	if e.Place != "" {
		return checkText("place", e.Place, 200)
	}
	return nil
}

// isEvidenceURL accepts any https address.
func isEvidenceURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	return ok && rest != "" && rest[0] != '/' && len(s) <= 1000 && isPrintableASCII(s) && !strings.ContainsAny(s, `"<>\`)
}

func enactCatalogue(x *step) error {
	c := x.body.(*Catalogue)
	for _, old := range x.s.catalogues.history(current, x.s.size) {
		if old.Version == c.Version {
			return ErrTaken.with("this version exists; a changed catalogue has a new version")
		}
	}
	put(x, &x.s.catalogues, current, CatalogueRecord{Catalogue: *c, From: x.now})
	return nil
}

// authoriseHobbel: who takes part in the region can claim that a hobbel moved.
func authoriseHobbel(x *step) error {
	if len(x.leaf.Event.Signers) != 1 {
		return ErrSigner.with("one organisation claims, another confirms")
	}
	if err := x.mayClaim(x.leaf.Event.Signers[0].Party); err != nil {
		return err
	}
	return x.checkHobbel(x.body.(*HobbelClaim))
}

// mayClaim says whether a party takes part in the region: a member, or an organisation that
// is admitted in some role now.
func (x *step) mayClaim(party string) error {
	id, isOrg := strings.CutPrefix(party, organisationParty)
	if !isOrg {
		return nil // members that cannot sign were refused already
	}
	for _, role := range []Role{Issuer, Verifier, WalletHost, StatusSigner} {
		if st, ok := x.s.standings.get(standingKey(id, role), x.s.size); ok && st.admitted(x.now) {
			return nil
		}
	}
	return ErrNotAdmitted.with("only who is admitted or a member speaks about hobbels")
}

// steps are the ways a hobbel can go.
var steps = map[HobbelStatus][]HobbelStatus{
	Open:          {Experiment},
	Experiment:    {Doorbraak, Teruggevallen, Open},
	Doorbraak:     {Teruggevallen},
	Teruggevallen: {Experiment, Open},
}

// checkHobbel holds a claim against catalogue and current status, when it is made and again
// when it takes effect.
func (x *step) checkHobbel(h *HobbelClaim) error {
	c, ok := x.s.catalogues.get(current, x.s.size)
	if !ok || c.Version != h.Catalogue {
		return ErrUnknown.with("the claim is about another version of the catalogue")
	}
	if !slices.ContainsFunc(c.Hobbels, func(e Hobbel) bool { return e.ID == h.Hobbel }) {
		return ErrUnknown.with("no such hobbel in the catalogue")
	}
	if h.On > x.now {
		return ErrBody.with("a step is not taken in the future")
	}
	status := Open
	if facts, _ := x.s.hobbels.get(h.key(), x.s.size); len(facts) > 0 {
		status = facts[len(facts)-1].Status
	}
	if !slices.Contains(steps[status], h.Status) {
		return ErrTransition.with("from %s a hobbel does not become %s", status, h.Status)
	}
	return nil
}

func enactHobbel(x *step) error {
	h := x.body.(*HobbelClaim)
	if err := x.checkHobbel(h); err != nil {
		return err
	}
	p, _ := x.s.proposals.get(x.id, x.s.size)
	facts, _ := x.s.hobbels.get(h.key(), x.s.size)
	put(x, &x.s.hobbels, h.key(), append(slices.Clone(facts), HobbelFact{
		HobbelClaim: *h, Claimant: p.Event.Signers[0].Party, Confirmed: p.Confirmed, Event: p.ID, Since: x.now,
	}))
	return nil
}

func (e *Erasure) check() error {
	if len(e.Commitments) == 0 || len(e.Commitments) > 256 || !isSortedSet(e.Commitments) {
		return ErrBody.with("an erasure names 1 to 256 commitments in order")
	}
	for _, c := range e.Commitments {
		if !isHash(c) {
			return ErrBody.with("a commitment is a SHA-256 in hexadecimal")
		}
	}
	return checkText("reason", e.Reason, 2000)
}

// enactErasure marks the commitments. That the payloads and their keys are destroyed is the
// work of those who keep them; the state never had them.
func enactErasure(x *step) error {
	for _, c := range x.body.(*Erasure).Commitments {
		record, ok := x.s.commitments.get(c, x.s.size)
		if !ok || record.Erased != 0 {
			return ErrCommitment.with("not a commitment of this region, or erased already")
		}
		record.Erased = x.now
		put(x, &x.s.commitments, c, record)
		x.effect.Erased = append(x.effect.Erased, c)
	}
	return nil
}
