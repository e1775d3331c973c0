package node

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// hobbelPage is all about one hobbel.
type hobbelPage struct {
	hobbelRow
	Catalogue      string
	Scopes         []hobbelScopeRow
	Steps          []hobbelStep // newest first
	Pending        []decisionRow
	Previous, Next *hobbelLink
	Source         source
}

type hobbelLink struct {
	ID, Number string
	Title      registry.Text
}

// hobbelScopeRow is where the hobbel stands in one sector or branche.
type hobbelScopeRow struct {
	scopeRow
	Status registry.HobbelStatus
	Since  time.Time
	Track  []stretch
}

// hobbelStep is one step with everything that carries it.
type hobbelStep struct {
	Scope               *scopeRow // nil: the region as a whole
	Status              registry.HobbelStatus
	On, Logged          time.Time
	Summary             registry.Text
	Claimant, Confirmed partyRow
	Approvals           []voteRow
	Evidence            []evidenceRow
	Event               string
}

// evidenceRow is one proeftuin, or a page to read more on.
type evidenceRow struct {
	Title, Place, URL, Host string
	Sealed                  bool
	From, Until             time.Time
	Participants            int
	Placed                  int
	Counted                 bool // Placed is known
}

func (p *pages) showHobbel(w http.ResponseWriter, r *http.Request) {
	showOne(p, w, r, p.hobbel, "/hobbels", func(v registry.View, id string, s source, now time.Time) (hobbelPage, error) {
		list := v.Hobbels(now)
		i := slices.IndexFunc(list.Hobbels, func(h registry.HobbelView) bool { return h.ID == id })
		if i < 0 {
			return hobbelPage{}, registry.ErrUnknown
		}
		return newHobbelPage(v, list, i, s, now), nil
	})
}

func newHobbelPage(v registry.View, list registry.HobbelList, i int, s source, now time.Time) hobbelPage {
	h, who := list.Hobbels[i], newNames(v, now)
	began, all := beganWith(v.Region(now), h), slices.Clone(h.History)
	data := hobbelPage{Catalogue: list.Catalogue, hobbelRow: newHobbelRow(h, began, now), Source: s}
	for _, s := range h.Scopes {
		row := newHobbelRow(registry.HobbelView{Hobbel: h.Hobbel, Status: s.Status, History: s.History}, began, now)
		data.Scopes = append(data.Scopes, hobbelScopeRow{scopeRow{Kind: s.Kind, Name: s.Name}, s.Status, row.Since, row.Track})
		all = append(all, s.History...)
	}
	slices.SortStableFunc(all, func(a, b registry.HobbelFact) int {
		return cmp.Or(cmp.Compare(b.On, a.On), cmp.Compare(b.Since, a.Since))
	})
	for _, f := range all {
		data.Steps = append(data.Steps, newHobbelStep(v, who, f))
	}
	for _, d := range v.ProposalsLike(registry.ProposalFilter{Status: registry.Pending, Subject: registry.HobbelSubject(h.ID)}, now) {
		data.Pending = append(data.Pending, newDecisionRow(d, who, now))
	}
	link := func(j int) *hobbelLink {
		if j < 0 || j >= len(list.Hobbels) {
			return nil
		}
		o := list.Hobbels[j]
		return &hobbelLink{o.ID, hobbelNumber(o.ID), o.Title}
	}
	data.Previous, data.Next = link(i-1), link(i+1)
	return data
}

func newHobbelStep(v registry.View, who *names, f registry.HobbelFact) hobbelStep {
	step := hobbelStep{Status: f.Status, On: dated(f.On), Logged: dated(f.Since), Summary: f.Summary, Event: f.Event,
		Scope: newScopeRow(f.Scope), Claimant: who.party(f.Claimant), Confirmed: who.party(f.Confirmed)}
	for _, e := range f.Evidence {
		step.Evidence = append(step.Evidence, newEvidenceRow(e))
	}
	if d, err := v.Proposal(f.Event); err == nil {
		step.Approvals = voteRows(d.Approvals, who)
	}
	return step
}

func newEvidenceRow(e registry.Evidence) evidenceRow {
	row := evidenceRow{Title: e.Title, Place: e.Place, URL: e.URL, Sealed: e.SHA256 != "", From: dated(e.From), Until: dated(e.Until), Participants: e.Participants}
	row.Host, _, _ = strings.Cut(strings.TrimPrefix(e.URL, "https://"), "/")
	if e.Placed != nil {
		row.Counted, row.Placed = true, *e.Placed
	}
	return row
}

func newScopeRow(s *registry.Scope) *scopeRow {
	if s == nil {
		return nil
	}
	return &scopeRow{Kind: s.Kind, Name: s.Name}
}
