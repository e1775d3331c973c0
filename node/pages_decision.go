package node

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// decisionPage is where one proposal stands: for an applicant what is missing, until when,
// and whom to ask; for everybody else what was decided, by whom and why.
type decisionPage struct {
	decisionRow
	By           []partyRow // who signed it
	Days         int        // that are left to decide
	Need         registry.Threshold
	Approvals    []voteRow
	Refusals     []voteRow
	Missing      missingRow
	Ask          []partyRow // who can still agree, those of a missing group first
	Barred       []barredRow
	Confirmed    *partyRow
	Confirmation bool // a second organisation has to confirm it still
	Application  *applicationRow
	Appeal       *appealRow // of an application that was refused or ran out
	Appealed     string     // path of the application that an appeal is about
	Measure      *registry.Measure
	Hobbel       *hobbelStep
	Outside      []factRow // what it says of another region, witnesses or a custodian
	Index        uint64    // of its leaf
	Covered      bool
	Source       source
}

// missingRow is what a proposal lacks.
type missingRow struct {
	Members   int
	Groups    int
	From      []registry.Group
	Reachable bool
}

// Slots is one for each member that has still to agree.
func (m missingRow) Slots() []struct{} { return make([]struct{}, m.Members) }

type barredRow struct {
	Member partyRow
	Why    registry.Bar
}

// appealRow is the second look that an applicant can ask for, once.
type appealRow struct {
	Path     string // of the appeal that was made
	Until    time.Time
	Possible bool
}

// applicationRow is what an applicant asked.
type applicationRow struct {
	Criteria          string
	CriteriaText      *registry.CriteriaText
	Days              int
	Types             []paspoort.Text
	Purposes, Domains []string
	Serves            []partyRow
	Levels            []levelRow
	Registration      string
	Addresses         []registry.Alias
}

func (p *pages) showDecision(w http.ResponseWriter, r *http.Request) { p.decide(w, r, false) }

func (p *pages) showApplication(w http.ResponseWriter, r *http.Request) { p.decide(w, r, true) }

// decide shows a proposal on its own page. The id of a vote leads to what was voted on; an
// event that nobody had to agree to has a page as well, since others refer to it.
func (p *pages) decide(w http.ResponseWriter, r *http.Request, application bool) {
	now, id := p.n.cfg.Clock(), mux.Vars(r)["id"]
	var index uint64
	var known bool
	if !p.view(w, r, func(v registry.View, _ source) { index, known = v.State.Leaf(id) }) {
		return
	}
	if !known {
		p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.NotFound, Next: "/decisions"}))
		return
	}
	leaf, err := p.n.leaf(index)
	if err != nil {
		p.rendered(err)
		p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.Broken, Next: "/decisions"}))
		return
	}
	var data decisionPage
	ok := p.view(w, r, func(v registry.View, s source) {
		why, unknown := v.Why(leaf.Event, now)
		if err = unknown; err != nil {
			return
		}
		if why.Proposal != nil {
			data = newDecisionPage(v, *why.Proposal, now)
		} else {
			data = newDirectPage(v, leaf, now)
		}
		data.Index, _ = v.State.Leaf(data.ID)
		data.Source = s
	})
	switch {
	case !ok:
	case err != nil:
		p.rendered(err)
		p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.Broken, Next: "/decisions"}))
	case data.ID != id || (data.Kind == registry.KindApplied) != application:
		http.Redirect(w, r, data.Path(), http.StatusSeeOther)
	default:
		data.Covered = data.Index < p.n.covered()
		view := p.decision
		if application {
			view = p.application
		}
		p.rendered(view.Render(w, r, http.StatusOK, data))
	}
}

// newDirectPage is the page of an event that needed nobody's agreement but its signers'.
func newDirectPage(v registry.View, leaf registry.Leaf, now time.Time) decisionPage {
	who, e := newNames(v, now), leaf.Event
	at := dated(leaf.LogTime)
	data := decisionPage{By: signers(e, who)}
	data.decisionRow = decisionRow{ID: e.ID(), Kind: e.Kind, State: decisionDirect, Opened: at, Decided: at, About: who.subject(e)}
	data.Role, data.Reason = saying(e)
	return data
}

func signers(e registry.Event, who *names) []partyRow {
	var out []partyRow
	for _, s := range e.Signers {
		if row := who.party(s.Party); !slices.Contains(out, row) {
			out = append(out, row)
		}
	}
	return out
}

func newDecisionPage(v registry.View, d registry.Progress, now time.Time) decisionPage {
	who := newNames(v, now)
	data := decisionPage{By: signers(d.Event, who), Need: d.Need, Approvals: voteViews(d.Approvals, who), Refusals: voteViews(d.Refusals, who)}
	data.decisionRow = decisionRow{ID: d.ID, Kind: d.Kind, Role: d.Role, State: decisionState(d.Status), Opened: dated(d.Opened), Until: dated(d.Deadline),
		Decided: dated(d.Decided), About: who.subject(d.Event)}
	_, data.Reason = saying(d.Event)
	if d.Confirmed != "" {
		row := who.party(d.Confirmed)
		data.Confirmed = &row
	}
	if d.Missing != nil {
		data.Missing = missingRow{d.Missing.Members, d.Missing.Groups, d.Missing.From, d.Missing.Reachable}
		data.Confirmation = d.Missing.Confirmation
		data.Days = int(data.Until.Sub(now) / (24 * time.Hour))
	}
	if a := d.Appeal; a != nil {
		data.Appeal = &appealRow{Until: dated(a.Until), Possible: a.Possible}
		if a.Event != "" {
			data.Appeal.Path = "/decisions/" + a.Event
		}
	}
	if p, err := v.Proposal(d.ID); err == nil && p.Status == registry.Enacted && p.Appeal != "" {
		data.Appeal = &appealRow{Path: "/decisions/" + p.Appeal} // which turned the decision
	}
	if d.Appealed != "" {
		data.Appealed = "/applications/" + d.Appealed
	}
	data.ask(d, who)
	data.fill(d.Event, who)
	return data
}

// ask sorts the members into who can still agree and who has no say. A member of a group
// that is missing comes first: two groups are needed, and one of them may have spoken.
func (d *decisionPage) ask(from registry.Progress, who *names) {
	needed := func(p partyRow) bool { return slices.Contains(d.Missing.From, p.Group) }
	for _, voter := range from.Ask {
		row := who.member(voter.Member)
		switch {
		case voter.Vote != "":
		case voter.Barred != "":
			d.Barred = append(d.Barred, barredRow{row, voter.Barred})
		default:
			d.Ask = append(d.Ask, row)
		}
	}
	slices.SortStableFunc(d.Ask, func(a, b partyRow) int {
		switch {
		case needed(a) == needed(b):
			return 0
		case needed(a):
			return -1
		}
		return 1
	})
}

// fill reads the body, as far as a page has something to say of its kind.
func (d *decisionPage) fill(e registry.Event, who *names) {
	d.Outside = outsideFacts(e, who)
	switch e.Kind {
	case registry.KindApplied:
		var a registry.Application
		if json.Unmarshal(e.Body, &a) == nil {
			d.Application = newApplicationRow(a, who)
		}
	case registry.KindSuspended, registry.KindReinstated, registry.KindWithdrawn:
		var m registry.Measure
		if json.Unmarshal(e.Body, &m) == nil {
			d.Measure = &m
		}
	case registry.KindHobbel:
		var h registry.HobbelClaim
		if json.Unmarshal(e.Body, &h) != nil {
			return
		}
		d.Hobbel = &hobbelStep{Scope: newScopeRow(h.Scope), Status: h.Status, On: dated(h.On), Summary: h.Summary}
		for _, ev := range h.Evidence {
			d.Hobbel.Evidence = append(d.Hobbel.Evidence, newEvidenceRow(ev))
		}
	}
}

// From is since when a measure counts, when it reaches back.
func (d decisionPage) From() time.Time {
	if d.Measure == nil {
		return time.Time{}
	}
	return dated(d.Measure.EffectiveFrom)
}

func newApplicationRow(a registry.Application, who *names) *applicationRow {
	row := &applicationRow{Criteria: a.Criteria, CriteriaText: criteriaText(who.v, a.Criteria, who.at), Days: a.Days, Types: typeNames(a.Types), Purposes: a.Purposes, Domains: a.Domains, Registration: a.Registration, Addresses: a.Aliases}
	for _, id := range a.Serves {
		row.Serves = append(row.Serves, who.organisation(id))
	}
	for _, l := range a.Levels {
		row.Levels = append(row.Levels, newLevelRow(l, who.at))
	}
	return row
}

// criteriaText is where a version of the criteria can be read, nil when nobody said.
func criteriaText(v registry.View, version string, at time.Time) *registry.CriteriaText {
	for _, c := range slices.Backward(v.Criteria(at)) {
		if c.Version == version {
			return c.Text
		}
	}
	return nil
}

func voteViews(votes []registry.VoteView, who *names) []voteRow {
	var out []voteRow
	for _, v := range votes {
		out = append(out, voteRow{Member: who.member(v.Member), At: dated(v.At), Reason: v.Reason, Void: !v.Counts})
	}
	return out
}
