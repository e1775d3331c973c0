package node

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// voteRow is a member's vote, as people know the member.
type voteRow struct {
	Member partyRow
	At     time.Time
	Reason string
	Void   bool // the member left since, or its key was stolen by then
}

func voteRows(votes []registry.Vote, who *names) []voteRow {
	var out []voteRow
	for _, v := range votes {
		out = append(out, voteRow{Member: who.member(v.Member), At: dated(v.At), Reason: v.Reason})
	}
	return out
}

// decisionState is where a proposal stands, for people.
type decisionState string

const (
	decisionPending decisionState = "pending"
	decisionEnacted decisionState = "enacted"
	decisionRefused decisionState = "refused"
	decisionLapsed  decisionState = "lapsed" // the time ran out before enough members agreed
	decisionDirect  decisionState = "direct" // needed nobody's agreement but the signers'
)

// decisionRow is a proposal in a list.
type decisionRow struct {
	ID      string
	Kind    registry.Kind
	Role    registry.Role // of an application or a measure
	About   partyRow
	State   decisionState
	Opened  time.Time
	Until   time.Time // when it lapses
	Decided time.Time
	Reason  string   // why it was asked, or refused
	Refused []string // reasons of who refused
}

// Path is the page about it: applicants have one of their own.
func (d decisionRow) Path() string {
	if d.Kind == registry.KindApplied {
		return "/applications/" + d.ID
	}
	return "/decisions/" + d.ID
}

func newDecisionRow(d registry.Proposal, who *names, now time.Time) decisionRow {
	row := decisionRow{ID: d.ID, Kind: d.Event.Kind, State: decisionState(d.Status), Opened: dated(d.Opened), Until: dated(d.Event.Expires),
		Decided: dated(d.DecidedAt()), About: who.subject(d.Event)}
	if d.Status == registry.Pending && row.Until.Before(now) {
		row.State, row.Decided = decisionLapsed, row.Until
	}
	row.Role, row.Reason = saying(d.Event)
	if row.State == decisionRefused {
		for _, v := range d.Refusals {
			row.Refused = append(row.Refused, v.Reason)
		}
	}
	return row
}

// saying is what almost every body says, by whatever kind: which role it is about, and why.
func saying(e registry.Event) (role registry.Role, reason string) {
	var body struct {
		Role   registry.Role `json:"role"`
		Reason string        `json:"reason"`
	}
	if json.Unmarshal(e.Body, &body) != nil {
		return "", "" // another member of this name
	}
	return body.Role, body.Reason
}

// subject names what an event is about; the region as a whole has no name here.
func (n *names) subject(e registry.Event) partyRow {
	switch id, isOrg := strings.CutPrefix(e.Subject, registry.OrganisationParty("")); {
	case isOrg:
		row := n.organisation(id)
		var body registry.Application
		if row.Claims && e.Kind == registry.KindApplied && json.Unmarshal(e.Body, &body) == nil {
			row.Name = body.Name // what it asked then
		}
		return row
	case strings.HasPrefix(e.Subject, registry.MemberParty("")):
		return n.party(e.Subject)
	}
	if id, ok := strings.CutPrefix(e.Subject, registry.PeerSubject("")); ok {
		return n.region(id, e)
	}
	if id, ok := strings.CutPrefix(e.Subject, registry.FunctionSubject("")); ok {
		if f, _, err := n.v.Function(id, n.at); err == nil {
			return partyRow{Title: f.Document.Title, Path: "/functions/" + id}
		}
	}
	if id, ok := strings.CutPrefix(e.Subject, registry.ModuleSubject("")); ok {
		if m, _, err := n.v.Module(id, n.at); err == nil {
			return partyRow{Title: m.Document.Title, Path: "/modules/" + id}
		}
	}
	if id, ok := strings.CutPrefix(e.Subject, registry.HobbelSubject("")); ok {
		id, _, _ = strings.Cut(id, "/") // in one sector or branche
		return n.hobbel(id)
	}
	return partyRow{}
}

// decisionsPage is what the members decide about and decided, the newest first.
type decisionsPage struct {
	Waiting      []decisionRow
	Decided      []decisionRow
	Total        int
	Newer, Older int // pages; 0: there is none
	Source       source
}

const decisionsShown = 25

func (p *pages) showDecisions(w http.ResponseWriter, r *http.Request) {
	now := p.n.cfg.Clock()
	number, err := strconv.Atoi(r.FormValue("page"))
	if err != nil || number < 1 {
		number = 1
	}
	var data decisionsPage
	ok := p.view(w, r, func(v registry.View, s source) {
		if v.AsOf > 0 {
			data = newDecisionsPage(v, number, now)
		}
		data.Source = s
	})
	if ok {
		p.rendered(p.decisions.Render(w, r, http.StatusOK, data))
	}
}

func newDecisionsPage(v registry.View, number int, now time.Time) decisionsPage {
	var data decisionsPage
	var waiting, decided []registry.Proposal
	at := now.Unix()
	for _, d := range v.Proposals() {
		if d.Status == registry.Pending && d.Event.Expires >= at {
			waiting = append(waiting, d)
		} else {
			decided = append(decided, d)
		}
	}
	when := func(d registry.Proposal) int64 { return cmp.Or(d.DecidedAt(), d.Event.Expires) }
	slices.SortStableFunc(waiting, func(a, b registry.Proposal) int { return cmp.Compare(a.Event.Expires, b.Event.Expires) })
	slices.SortStableFunc(decided, func(a, b registry.Proposal) int { return cmp.Compare(when(b), when(a)) })
	who := newNames(v, now)
	data.Total = len(decided)
	pages := max((len(decided)+decisionsShown-1)/decisionsShown, 1)
	number = min(number, pages)
	if number > 1 {
		data.Newer = number - 1
	} else {
		for _, d := range waiting[:min(len(waiting), 4*decisionsShown)] {
			data.Waiting = append(data.Waiting, newDecisionRow(d, who, now))
		}
	}
	if number < pages {
		data.Older = number + 1
	}
	for _, d := range decided[(number-1)*decisionsShown : min(number*decisionsShown, len(decided))] {
		data.Decided = append(data.Decided, newDecisionRow(d, who, now))
	}
	return data
}
