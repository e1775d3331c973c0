package registry

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Lapsed is what queries call a proposal that ran out before enough members had decided. The
// state keeps it as pending: time alone changes nothing there.
const Lapsed Disposition = "lapsed"

// Progress is where a proposal stands, for who made it and for who has a say in it.
type Progress struct {
	Moment
	ID           string      `json:"id"`
	Kind         Kind        `json:"kind"`
	Subject      string      `json:"subject"`
	Organisation string      `json:"organisation,omitempty"` // that it is about
	Name         string      `json:"name,omitempty"`         // of that organisation, as it asks to be called or is known
	Role         Role        `json:"role,omitempty"`         // that it is about
	Status       Disposition `json:"status"`
	Opened       int64       `json:"opened"`
	Deadline     int64       `json:"deadline"`         // last moment at which it can be decided
	Decided      int64       `json:"decided,omitzero"` // when it was; absent while pending
	Threshold    string      `json:"threshold"`
	Need         Threshold   `json:"need"`
	Approvals    []VoteView  `json:"approvals,omitempty"`
	Refusals     []VoteView  `json:"refusals,omitempty"`
	Confirmed    string      `json:"confirmed,omitempty"` // party that confirmed a claim about a hobbel
	Appeal       *AppealView `json:"appeal,omitempty"`    // of an application that was refused or ran out
	Appealed     string      `json:"appealed,omitempty"`  // of an appeal: the application
	Missing      *Missing    `json:"missing,omitempty"`   // while pending
	Ask          []Voter     `json:"ask,omitempty"`       // while pending: all members, and what each can do
	Event        Event       `json:"event"`
}

// AppealView is what can be done about an application that was refused or ran out.
type AppealView struct {
	Event    string `json:"event,omitempty"` // the appeal that was made
	Until    int64  `json:"until"`           // last moment for one
	Possible bool   `json:"possible"`        // now
}

// VoteView is a vote with the name of who cast it.
type VoteView struct {
	Vote
	Name   string `json:"name"`
	Counts bool   `json:"counts"` // not when the member left, or its key was stolen by then
}

// Missing is what a pending proposal lacks to take effect.
type Missing struct {
	Members      int     `json:"members"`               // how many more must approve
	Groups       int     `json:"groups"`                // from how many groups that have not yet
	From         []Group `json:"from,omitempty"`        // groups without an approval in which somebody can give one
	Confirmation bool    `json:"confirmation,omitzero"` // a second organisation, of a claim about a hobbel
	Reachable    bool    `json:"reachable"`             // whether those who can still approve are enough
}

// Voter is a member and what it can do about a pending proposal.
type Voter struct {
	Member  string `json:"member"` // id
	Name    string `json:"name"`
	Group   Group  `json:"group"`
	Contact string `json:"contact,omitempty"` // where it can be reached, when it says so
	Vote    Kind   `json:"vote,omitempty"`    // what it did already: proposal.approved or proposal.refused
	Barred  Bar    `json:"barred,omitempty"`  // why it has no say
}

// Progress tells where a proposal stands at a time. It fails with [ErrUnknown].
func (v View) Progress(id string, at time.Time) (Progress, error) {
	p, err := v.Proposal(id)
	if err != nil {
		return Progress{}, err
	}
	return v.ProgressOf(p, at), nil
}

// ProgressOf is [View.Progress] of a proposal at hand.
func (v View) ProgressOf(p Proposal, at time.Time) Progress {
	s := v.State.asKnown(v.AsOf)
	out := Progress{
		Moment: v.moment(at), ID: p.ID, Kind: p.Event.Kind, Subject: p.Event.Subject, Status: p.Status, Opened: p.Opened,
		Deadline: p.Event.Expires, Decided: p.DecidedAt(), Threshold: p.Threshold, Need: s.currentCharter().Thresholds[p.Threshold],
		Confirmed: p.Confirmed, Event: p.Event,
	}
	v.nameProposal(&out, at)
	out.Approvals, out.Refusals = s.voteViews(p.Approvals, at.Unix()), s.voteViews(p.Refusals, at.Unix())
	if until := p.appealEnd(at.Unix()); until != 0 && s.Rules() >= 2 {
		out.Appeal = &AppealView{Event: p.Appeal, Until: until, Possible: s.mayAppeal(p, at.Unix()) == nil}
	}
	if p.Status != Pending {
		return out
	}
	if at.Unix() > p.Event.Expires {
		out.Status, out.Decided = Lapsed, p.Event.Expires
		return out
	}
	out.Ask = s.voters(p, at.Unix())
	missing := s.missing(p, out.Need, out.Ask, at.Unix())
	out.Missing = &missing
	return out
}

// DecidedAt is when a proposal was decided. 0 while it is pending. Rules version 1 did not write
// it down: there it is the last vote, or the proposal itself when it came with all signatures.
func (p Proposal) DecidedAt() int64 {
	if p.Status == Pending || p.Decided != 0 {
		return p.Decided
	}
	t := p.Opened
	for _, vote := range slices.Concat(p.Approvals, p.Refusals) {
		t = max(t, vote.At)
	}
	return t
}

// nameProposal fills in which organisation and role a proposal is about.
func (v View) nameProposal(out *Progress, at time.Time) {
	id, ok := strings.CutPrefix(out.Subject, organisationParty)
	if !ok {
		return
	}
	out.Organisation = id
	body, err := out.Event.decode()
	if err != nil {
		return // it was checked when it came in
	}
	switch b := body.(type) {
	case *Application:
		out.Role, out.Name = b.Role, b.Name
	case *Measure:
		out.Role = b.Role
	case *Appeal:
		out.Appealed = b.Proposal
		if p, err := v.Proposal(b.Proposal); err == nil {
			if a, err := p.application(); err == nil {
				out.Role, out.Name = a.Role, a.Name
			}
		}
	}
	if out.Name != "" {
		return
	}
	if org, err := v.Organisation(id, at); err == nil {
		out.Name = org.Name
	}
}

func (s *State) voteViews(votes []Vote, t int64) []VoteView {
	var out []VoteView
	for _, vote := range votes {
		m, _ := s.members.get(vote.Member, s.size)
		out = append(out, VoteView{Vote: vote, Name: m.Name, Counts: s.stands(vote, t)})
	}
	return out
}

// voters lists the members that can sign at t, by id, with what each did or can do.
func (s *State) voters(p Proposal, t int64) []Voter {
	var out []Voter
	for _, m := range s.activeMembers(t) {
		voted := func(v Vote) bool { return v.Member == m.ID }
		voter := Voter{Member: m.ID, Name: m.Name, Group: m.Group, Contact: m.Contact}
		switch {
		case slices.ContainsFunc(p.Approvals, voted):
			voter.Vote = KindApproved
		case slices.ContainsFunc(p.Refusals, voted):
			voter.Vote = KindRefused
		default:
			voter.Barred = s.bar(p, m.ID)
		}
		out = append(out, voter)
	}
	return out
}

// missing is what a pending proposal lacks.
func (s *State) missing(p Proposal, need Threshold, voters []Voter, t int64) Missing {
	members, in := s.count(p.Approvals, t)
	out := Missing{
		Members: max(0, need.Members-members), Groups: max(0, need.Groups-len(in)),
		Confirmation: p.Event.Kind == KindHobbel && p.Confirmed == "",
	}
	able, reach := 0, slices.Clone(in)
	for _, v := range voters {
		if v.Vote != "" || v.Barred != "" {
			continue
		}
		able++
		if !slices.Contains(reach, v.Group) {
			reach = append(reach, v.Group)
			out.From = append(out.From, v.Group)
		}
	}
	slices.Sort(out.From)
	out.Reachable = members+able >= need.Members && len(reach) >= need.Groups
	return out
}

// Why is how an event stands in the log and what it had to do with a decision.
type Why struct {
	Moment
	Event    string    `json:"event"`
	Index    uint64    `json:"index"`    // of its leaf
	LogTime  int64     `json:"log_time"` // of its leaf
	As       As        `json:"as,omitempty"`
	Proposal *Progress `json:"proposal,omitempty"` // that it opened or is a vote on
}

// As is an event's part in a proposal.
type As string

// The parts.
const (
	AsProposal     As = "proposal"
	AsApproval     As = "approval"
	AsRefusal      As = "refusal"
	AsConfirmation As = "confirmation"
)

// Why tells of an event in the log, and of the proposal that it opened or voted on. It fails
// with [ErrUnknown] for events that are not in the log: what became of those is the node's to
// say.
func (v View) Why(e Event, at time.Time) (Why, error) {
	event := e.ID()
	index, ok := v.State.Leaf(event)
	if !ok || index >= v.AsOf {
		return Why{}, ErrUnknown.with("no such event in the log")
	}
	t, _ := v.State.events.get(event, v.AsOf)
	out := Why{Moment: v.moment(at), Event: event, Index: index, LogTime: t}
	p, err := v.Proposal(event)
	if err != nil {
		p, err = v.Proposal(voteProposal(e.Subject)) // a vote names it
	}
	if err == nil {
		progress := v.ProgressOf(p, at)
		out.As, out.Proposal = v.State.part(p, event), &progress
	}
	return out, nil
}

// part is what an event has to do with a proposal; "" for nothing.
func (s *State) part(p Proposal, event string) As {
	is := func(vote Vote) bool { return vote.Event == event }
	switch {
	case p.ID == event:
		return AsProposal
	case slices.ContainsFunc(p.Approvals, is):
		return AsApproval
	case slices.ContainsFunc(p.Refusals, is):
		return AsRefusal
	case p.Confirmed != "" && s.Head(VoteSubject(p.ID, p.Confirmed)) == event:
		return AsConfirmation
	}
	return ""
}

// ProposalFilter picks proposals. What is empty does not matter.
type ProposalFilter struct {
	Status  Disposition // [Lapsed] too
	Subject string      // e.g. "organisation/org_...", also of all that stands behind it and a slash
	Kind    Kind
	Limit   int // the newest so many; all when 0
}

// ProposalsLike lists the proposals of a kind, newest first.
func (v View) ProposalsLike(f ProposalFilter, at time.Time) []Proposal {
	out := []Proposal{}
	for _, id := range v.State.proposals.names(v.AsOf) {
		if p, ok := v.State.proposals.get(id, v.AsOf); ok && f.matches(p, at.Unix()) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b Proposal) int {
		return cmp.Or(cmp.Compare(b.Opened, a.Opened), strings.Compare(a.ID, b.ID))
	})
	if f.Limit > 0 {
		out = out[:min(len(out), f.Limit)]
	}
	return out
}

func (f ProposalFilter) matches(p Proposal, now int64) bool {
	status := p.Status
	if status == Pending && now > p.Event.Expires {
		status = Lapsed
	}
	return (f.Status == "" || status == f.Status) && (f.Kind == "" || p.Event.Kind == f.Kind) &&
		(f.Subject == "" || p.Event.Subject == f.Subject || strings.HasPrefix(p.Event.Subject, f.Subject+"/"))
}
