package registry

import (
	"slices"
	"strings"
)

// propose opens a proposal. Members who signed it have approved it by that, unless it is
// about themselves; what already has enough approvals takes effect at once.
func (x *step) propose(threshold string) error {
	p := Proposal{Event: x.leaf.Event, ID: x.id, Opened: x.now, Status: Pending, Threshold: threshold}
	if x.leaf.Event.Kind == KindAppealed {
		p.Barred = x.fresh(p)
	}
	if !asks(x.leaf.Event.Kind) {
		for _, id := range x.signingMembers() {
			if x.barred(p, id) == nil {
				p.Approvals = append(p.Approvals, x.vote(id, ""))
			}
		}
	}
	x.s.proposals.begin(p.ID) // its event was not in the log
	return x.settle(p)
}

func (x *step) vote(member, reason string) Vote {
	m, _ := x.s.members.get(member, x.s.size)
	return Vote{At: x.now, Event: x.id, Group: m.Group, Member: member, Reason: reason}
}

// Bar is why a member has no say in a proposal; "" when it has.
type Bar string

// The bars.
const (
	BarAsks      Bar = "asks"      // it is one hand with who asks
	BarConfirmed Bar = "confirmed" // it is one hand with who confirmed
	BarSubject   Bar = "subject"   // it is about the member or an organisation of its own
	BarRefused   Bar = "refused"   // it refused what is appealed; others look again
)

// bar says why a member has no say in a proposal: it made it, it confirmed it, or it is about
// an organisation of its own.
func (s *State) bar(p Proposal, member string) Bar {
	if s.testingSelfApproval {
		return ""
	}
	own := MemberParty(member)
	if slices.ContainsFunc(s.askers(p), func(by Signer) bool { return s.related(own, by.Party) }) {
		return BarAsks
	}
	if p.Confirmed != "" && s.related(own, p.Confirmed) {
		return BarConfirmed
	}
	for _, org := range p.organisations() {
		if s.conflicted(member, org) {
			return BarSubject
		}
	}
	if slices.Contains(p.Barred, member) {
		return BarRefused
	}
	// A member has no say about its own key being lost or stolen.
	if p.Event.Subject == own {
		return BarSubject
	}
	return ""
}

// organisations lists by id which a proposal is about.
func (p Proposal) organisations() []string {
	org, ok := strings.CutPrefix(p.Event.Subject, organisationParty)
	if !ok {
		return nil
	}
	if p.Event.Kind != KindSucceeded && p.Event.Kind != KindCustodian {
		return []string{org}
	}
	b, err := p.Event.decode()
	if err != nil {
		return []string{org} // it was checked when it came in
	}
	switch b := b.(type) {
	case *Succession:
		return []string{org, b.Successor}
	case *Custodian:
		if b.By != "" {
			return []string{org, b.By}
		}
	}
	return []string{org}
}

// asks says whether who signs an event of this kind asks others, and so has no vote.
func asks(k Kind) bool { return k == KindApplied || k == KindHobbel || k == KindAppealed }

// askers are who asks in a proposal. In an appeal that is everybody who signed the application,
// whichever of them appeals.
func (s *State) askers(p Proposal) []Signer {
	if !asks(p.Event.Kind) {
		return nil
	}
	if p.Event.Kind != KindAppealed {
		return p.Event.Signers
	}
	application, _ := s.proposals.get(p.appealed(), s.size)
	return slices.Concat(p.Event.Signers, application.Event.Signers)
}

func (x *step) barred(p Proposal, member string) error {
	switch x.s.bar(p, member) {
	case "":
		return nil
	case BarAsks:
		return ErrConflict.with("the member is one hand with who asks")
	case BarConfirmed:
		return ErrConflict.with("the member is one hand with who confirmed")
	case BarRefused:
		return ErrConflict.with("the member refused the application; others decide on the appeal")
	}
	return ErrConflict
}

// settle stores the proposal, and gives it effect if enough members agree.
func (x *step) settle(p Proposal) error {
	need := x.s.currentCharter().Thresholds[p.Threshold]
	confirmed := p.Event.Kind != KindHobbel || p.Confirmed != ""
	switch {
	case x.met(need, p.Approvals) && confirmed:
		p.Status = Enacted
	case x.met(need, p.Refusals):
		p.Status = Refused
	}
	if p.Status != Pending && x.s.Rules() >= 2 {
		p.Decided, p.DecidedBy = x.now, x.id
	}
	put(x, &x.s.proposals, p.ID, p)
	if p.Status != Enacted {
		return nil
	}
	x.effect.Enacted = append(x.effect.Enacted, p.ID)
	err := x.enactProposal(p)
	// The subject changed: what was signed before this must look at it again (D3).
	put(x, &x.s.heads, p.Event.Subject, x.id)
	return err
}

// enactProposal gives a proposal effect, under the rules that it was made under.
func (x *step) enactProposal(p Proposal) error {
	rule, _ := ruleOf(p.Event.Rules, p.Event.Kind)
	b, err := decodeBody(rule, p.Event.Rules, p.Event.Body)
	if err != nil {
		return err
	}
	enacting := *x
	enacting.body, enacting.leaf.Event, enacting.id, enacting.rules = b, p.Event, p.ID, p.Event.Rules
	err = rule.enact(&enacting)
	x.journal, x.effect = enacting.journal, enacting.effect
	return err
}

// met says whether the votes that stand reach a threshold.
func (x *step) met(need Threshold, votes []Vote) bool {
	members, in := x.s.count(votes, x.now)
	return need.Members > 0 && members >= need.Members && len(in) >= need.Groups
}

// count counts the votes that stand at t, and the groups that they come from.
func (s *State) count(votes []Vote, t int64) (members int, in []Group) {
	for _, v := range votes {
		if !s.stands(v, t) {
			continue
		}
		members++
		if !slices.Contains(in, v.Group) {
			in = append(in, v.Group)
		}
	}
	return members, in
}

// stands says whether a vote counts: its member can still sign, and voted with a key that was
// not stolen by then.
func (s *State) stands(v Vote, t int64) bool {
	m, ok := s.members.get(v.Member, s.size)
	return ok && m.active(t) && !m.compromisedAt(v.At)
}

func (m MemberRecord) compromisedAt(t int64) bool {
	return slices.ContainsFunc(m.Keys, func(k KeyPeriod) bool {
		return k.CompromisedSince != 0 && t >= k.CompromisedSince && t <= k.Until
	})
}

// decide adds a member's vote to a proposal.
func enactVote(x *step) error {
	d := x.body.(*Decision)
	p, err := x.pending(d.Proposal)
	if err != nil {
		return err
	}
	member, err := x.onlySigner(memberParty)
	if err != nil {
		return err
	}
	voted := func(v Vote) bool { return v.Member == member }
	if slices.ContainsFunc(p.Approvals, voted) || slices.ContainsFunc(p.Refusals, voted) {
		return ErrTwice
	}
	if err := x.barred(p, member); err != nil {
		return err
	}
	vote := x.vote(member, d.Reason)
	if x.leaf.Event.Kind == KindRefused {
		p.Refusals = append(slices.Clone(p.Refusals), vote)
	} else {
		p.Approvals = append(slices.Clone(p.Approvals), vote)
	}
	return x.settle(p)
}

// confirm adds the confirmation of the second organisation to a claim about a hobbel.
func enactConfirmation(x *step) error {
	p, err := x.pending(x.body.(*Decision).Proposal)
	if err != nil {
		return err
	}
	if p.Event.Kind != KindHobbel || p.Confirmed != "" {
		return ErrTransition.with("only a claim about a hobbel is confirmed, and once")
	}
	party := x.leaf.Event.Signers[0].Party
	if err := x.mayClaim(party); err != nil {
		return err
	}
	if slices.ContainsFunc(p.Event.Signers, func(s Signer) bool { return x.s.related(party, s.Party) }) {
		return ErrConflict.with("another organisation than the claimant confirms")
	}
	if slices.ContainsFunc(p.Approvals, func(v Vote) bool { return x.s.related(party, MemberParty(v.Member)) }) {
		return ErrConflict.with("who approved cannot confirm as well")
	}
	p.Confirmed = party
	return x.settle(p)
}

// pending is a proposal that can still be voted on.
func (x *step) pending(id string) (Proposal, error) {
	p, ok := x.s.proposals.get(id, x.s.size)
	switch {
	case !ok:
		return p, ErrUnknown.with("no such proposal")
	case p.Status != Pending || x.now > p.Event.Expires:
		return p, ErrClosed
	}
	return p, nil
}

// onlySigner is the id of the one signer, who must be of the given kind of party.
func (x *step) onlySigner(kind string) (string, error) {
	signers := x.leaf.Event.Signers
	if len(signers) != 1 {
		return "", ErrSigner.with("one signer")
	}
	id, ok := strings.CutPrefix(signers[0].Party, kind)
	if !ok {
		return "", ErrSigner
	}
	return id, nil
}

func (d *Decision) subject() string { return VoteSubject(d.Proposal, d.Voter) }

func (d *Decision) check() error {
	if !isHash(d.Proposal) {
		return ErrBody.with("a vote names a proposal by its event id")
	}
	if d.Reason == "" {
		return nil
	}
	return checkText("reason", d.Reason, 2000)
}

// authoriseVote: each signs its own vote, and a refusal says why.
func authoriseVote(x *step) error {
	d := x.body.(*Decision)
	if signers := x.leaf.Event.Signers; len(signers) != 1 || signers[0].Party != d.Voter {
		return ErrSigner.with("each signs its own vote")
	}
	if x.leaf.Event.Kind == KindRefused && d.Reason == "" {
		return ErrBody.with("a refusal says why")
	}
	return nil
}

// reachable refuses a state in which the members that can sign could not reach a threshold
// of the charter.
func (x *step) reachable() error {
	members := x.s.activeMembers(x.now)
	var in []Group
	for _, m := range members {
		if !slices.Contains(in, m.Group) {
			in = append(in, m.Group)
		}
	}
	for _, t := range x.s.currentCharter().Thresholds {
		if len(members) < t.Members || len(in) < t.Groups {
			return ErrUnreachable
		}
	}
	return nil
}

// past checks a moment that may reach back, and gives the log time when it is absent.
func (x *step) past(t int64) (int64, error) {
	if t > x.now {
		return 0, ErrBody.with("only the past can be reached back to")
	}
	if t == 0 {
		return x.now, nil
	}
	return t, nil
}
