package registry

import "slices"

// appealTime is how long after its refusal, or after it ran out, an application can be appealed:
// six weeks, the term of Dutch administrative law.
const appealTime = 42 * 24 * 3600

// Appeal asks for a second look at an application that was refused or ran out. It comes once,
// from who applied, and is a proposal of its own: members decide on it as on an admission. When
// it is granted, the application takes effect as it was written.
//
// Who refused the application has no vote on the appeal, as long as the other members can reach
// the threshold; in a small region everybody looks again.
type Appeal struct {
	Organisation string `json:"organisation"`
	Proposal     string `json:"proposal"` // event id of the application
	Reason       string `json:"reason"`
}

func (a *Appeal) subject() string { return OrganisationParty(a.Organisation) }

func (a *Appeal) check() error {
	if !isOrganisation(a.Organisation) || !isHash(a.Proposal) {
		return ErrBody.with("an appeal names the organisation and its application, by event id")
	}
	return checkText("reason", a.Reason, 2000)
}

// authoriseAppeal: who signed the application appeals. That it did is noted at once: an appeal
// that runs out was one.
func authoriseAppeal(x *step) error {
	a := x.body.(*Appeal)
	p, ok := x.s.proposals.get(a.Proposal, x.s.size)
	if !ok || p.Event.Subject != a.subject() {
		return ErrUnknown.with("no such application of this organisation")
	}
	for _, signer := range x.leaf.Event.Signers {
		if !slices.ContainsFunc(p.Event.Signers, func(s Signer) bool { return s.Party == signer.Party }) {
			return ErrSigner.with("who signed the application appeals")
		}
	}
	if err := x.s.mayAppeal(p, x.now); err != nil {
		return err
	}
	p.Appeal = x.id
	put(x, &x.s.proposals, p.ID, p)
	return nil
}

// appealEnd is when a proposal that was refused or ran out can no longer be appealed; 0 when
// there is nothing to appeal.
func (p Proposal) appealEnd(now int64) int64 {
	switch {
	case p.Event.Kind != KindApplied:
		return 0
	case p.Status == Refused:
		return p.DecidedAt() + appealTime
	case p.Status == Pending && now > p.Event.Expires:
		return p.Event.Expires + appealTime
	}
	return 0
}

// mayAppeal says why a proposal cannot be appealed now.
func (s *State) mayAppeal(p Proposal, now int64) error {
	end := p.appealEnd(now)
	switch {
	case end == 0:
		return ErrTransition.with("only an application that was refused or ran out can be appealed")
	case p.Appeal != "":
		return ErrTransition.with("an application is appealed once")
	case now > end:
		return ErrClosed.with("an appeal comes within six weeks; apply again")
	}
	a, err := p.application()
	if err != nil {
		return err
	}
	if a.Criteria != s.currentCharter().Criteria {
		return ErrTransition.with("the criteria in force are another version; apply again")
	}
	if org, _ := s.orgs.get(a.Organisation, s.size); org.Succeeded != nil {
		return org.goneOn()
	}
	st, _ := s.standings.get(standingKey(a.Organisation, a.Role), s.size)
	if slices.ContainsFunc(st.Grants, func(g Grant) bool { return g.Since >= p.Opened }) {
		return ErrTransition.with("the organisation was admitted since")
	}
	return nil
}

// appealed is the application that an appeal is about, "" for other proposals.
func (p Proposal) appealed() string {
	b, err := p.Event.decode()
	if err != nil {
		return "" // it was checked when it came in
	}
	a, ok := b.(*Appeal)
	if !ok {
		return ""
	}
	return a.Proposal
}

// application is the body of a proposal of that kind.
func (p Proposal) application() (*Application, error) {
	b, err := p.Event.decode()
	if err != nil {
		return nil, err
	}
	a, ok := b.(*Application)
	if !ok {
		return nil, ErrTransition.with("not an application")
	}
	return a, nil
}

// fresh lists who refused what is appealed: they leave the second look to others, if those are
// enough. It is settled when the appeal comes, so that nobody's vote depends on who leaves later.
func (x *step) fresh(appeal Proposal) []string {
	p, _ := x.s.proposals.get(x.body.(*Appeal).Proposal, x.s.size)
	var refused []string
	for _, vote := range p.Refusals {
		refused = append(refused, vote.Member)
	}
	slices.Sort(refused)
	appeal.Barred = refused
	members, in := 0, []Group(nil)
	for _, m := range x.s.activeMembers(x.now) {
		if x.s.bar(appeal, m.ID) != "" {
			continue
		}
		members++
		if !slices.Contains(in, m.Group) {
			in = append(in, m.Group)
		}
	}
	need := x.s.currentCharter().Thresholds[appeal.Threshold]
	if members < need.Members || len(in) < need.Groups {
		return nil
	}
	return refused
}

// enactAppeal gives the application effect.
func enactAppeal(x *step) error {
	p, ok := x.s.proposals.get(x.body.(*Appeal).Proposal, x.s.size)
	if !ok || p.Status == Enacted {
		return ErrTransition.with("the application has taken effect")
	}
	p.Status, p.Decided, p.DecidedBy = Enacted, x.now, x.id
	put(x, &x.s.proposals, p.ID, p)
	x.effect.Enacted = append(x.effect.Enacted, p.ID)
	return x.enactProposal(p)
}
