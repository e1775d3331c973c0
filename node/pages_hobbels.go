package node

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

type hobbelsPage struct {
	Catalogue, Origin string
	Scope             scopeRow      // that the page shows
	Scopes            []scopeRow    // all, the region first; none when only the region has a say
	Table             []scopeLine   // hobbels that moved somewhere
	StillOpen         int           // the others, that are open everywhere
	Counts            []statusCount // of each status, in the order in which a hobbel goes through them
	Doorbraken        int
	From, To          time.Time // what the tracks show
	Hobbels           []hobbelRow
	Source            source
}

// scopeRow is a part of working life in which hobbels stand somewhere of their own.
type scopeRow struct {
	Kind    registry.ScopeKind
	Name    string
	Current bool
}

// Path is the page that shows the hobbels in this scope.
func (s scopeRow) Path() string {
	if s.Kind == registry.ScopeRegion {
		return "/hobbels"
	}
	return "/hobbels?" + url.Values{"scope": {string(s.Kind) + "/" + s.Name}}.Encode()
}

func (s scopeRow) is(o registry.Scope) bool { return s.Kind == o.Kind && s.Name == o.Name }

// scopeLine is one hobbel in every scope: "" where nobody claimed anything.
type scopeLine struct {
	ID, Number string
	Title      registry.Text
	Stands     []registry.HobbelStatus
}

type statusCount struct {
	Status registry.HobbelStatus
	N      int
}

type hobbelRow struct {
	ID               string
	Number           string // as people say it: 3 for H03
	Title, Doorbraak registry.Text
	Levels           []string
	Status           registry.HobbelStatus
	Since            time.Time // zero while open
	Track            []stretch
	Follows          bool // nothing was claimed in this scope: it stands as in the region
}

// stretch is a time in which a hobbel stood in one status, on a line that is trackWidth long.
type stretch struct {
	X, Width int
	Status   registry.HobbelStatus
	From     time.Time
}

const trackWidth = 600

// Track is what a stretch looks like: higher is nearer to a doorbraak, so that the four are
// told apart without colours.
func (s stretch) Y() int { return 24 - s.Height() }

// Height of the stretch, of 24.
func (s stretch) Height() int {
	return map[registry.HobbelStatus]int{registry.Open: 4, registry.Experiment: 13, registry.Doorbraak: 24, registry.Teruggevallen: 8}[s.Status]
}

var hobbelStatuses = []registry.HobbelStatus{registry.Open, registry.Experiment, registry.Doorbraak, registry.Teruggevallen}

func (p *pages) showHobbels(w http.ResponseWriter, r *http.Request) {
	data := hobbelsPage{To: p.n.cfg.Clock()}
	ok := p.view(w, r, func(v registry.View, s source) {
		data.Source = s
		if v.AsOf == 0 {
			return
		}
		list := v.Hobbels(data.To)
		data.Catalogue, data.Origin, data.From = list.Catalogue, list.Source, began(v.Region(data.To))
		data.fill(list.Hobbels, r.FormValue("scope"))
	})
	if ok {
		p.rendered(p.hobbels.Render(w, r, http.StatusOK, data))
	}
}

// fill makes rows and counts for the scope that was asked, "sector/zorg", or the region. The
// tracks begin where the region did, or with the first step.
func (d *hobbelsPage) fill(list []registry.HobbelView, scope string) {
	d.scopes(list, scope)
	for _, h := range list {
		d.From = firstStep(d.From, h)
	}
	count := map[registry.HobbelStatus]int{}
	for _, h := range list {
		row := newHobbelRow(inScope(h, d.Scope), d.From, d.To)
		row.Follows = d.Scope.Kind != registry.ScopeRegion && !slices.ContainsFunc(h.Scopes, func(s registry.HobbelScope) bool { return d.Scope.is(s.Scope) })
		count[row.Status]++
		d.Hobbels = append(d.Hobbels, row)
	}
	for _, s := range hobbelStatuses {
		d.Counts = append(d.Counts, statusCount{s, count[s]})
	}
	d.Doorbraken = count[registry.Doorbraak]
}

// scopes lists the scopes and how each hobbel stands in all of them.
func (d *hobbelsPage) scopes(list []registry.HobbelView, asked string) {
	d.Scope = scopeRow{Kind: registry.ScopeRegion, Current: true}
	all := []scopeRow{{Kind: registry.ScopeRegion}}
	for _, h := range list {
		for _, s := range h.Scopes {
			if !slices.ContainsFunc(all, func(o scopeRow) bool { return o.is(s.Scope) }) {
				all = append(all, scopeRow{Kind: s.Kind, Name: s.Name})
			}
		}
	}
	if len(all) == 1 {
		return
	}
	slices.SortFunc(all[1:], func(a, b scopeRow) int {
		return cmp.Or(strings.Compare(string(b.Kind), string(a.Kind)), strings.Compare(a.Name, b.Name)) // sectors, then branches
	})
	at := max(slices.IndexFunc(all, func(s scopeRow) bool { return string(s.Kind)+"/"+s.Name == asked }), 0)
	all[at].Current = true
	d.Scope, d.Scopes = all[at], all
	for _, h := range list {
		line := scopeLine{ID: h.ID, Number: hobbelNumber(h.ID), Title: h.Title, Stands: []registry.HobbelStatus{h.Status}}
		for _, s := range all[1:] {
			stands := registry.HobbelStatus("")
			for _, o := range h.Scopes {
				if s.is(o.Scope) {
					stands = o.Status
				}
			}
			line.Stands = append(line.Stands, stands)
		}
		if slices.ContainsFunc(line.Stands, func(s registry.HobbelStatus) bool { return s != "" && s != registry.Open }) {
			d.Table = append(d.Table, line)
		} else {
			d.StillOpen++
		}
	}
}

// inScope is a hobbel as it stands in a scope; where nobody claimed anything it stands as in
// the region.
func inScope(h registry.HobbelView, scope scopeRow) registry.HobbelView {
	for _, s := range h.Scopes {
		if scope.is(s.Scope) {
			h.Status, h.History = s.Status, s.History
		}
	}
	return h
}

// began is when the first members came together.
func began(r registry.Region) time.Time {
	first := r.From
	for _, m := range r.Members {
		first = min(first, m.Since)
	}
	return dated(first)
}

// beganWith is when the region began, or a hobbel took its first step when that was before: what
// happened then was told of later, and counts from its own day.
func beganWith(r registry.Region, h registry.HobbelView) time.Time { return firstStep(began(r), h) }

func firstStep(from time.Time, h registry.HobbelView) time.Time {
	history := h.History
	for _, s := range h.Scopes {
		history = slices.Concat(history, s.History)
	}
	for _, f := range history {
		if on := dated(f.On); on.Before(from) {
			from = on
		}
	}
	return from
}

func newHobbelRow(h registry.HobbelView, from, to time.Time) hobbelRow {
	row := hobbelRow{ID: h.ID, Number: hobbelNumber(h.ID), Title: h.Title, Doorbraak: h.Doorbraak, Levels: h.Levels, Status: h.Status}
	row.Track = track(h.History, from, to)
	if n := len(h.History); n > 0 {
		row.Since = row.Track[len(row.Track)-1].From
	}
	return row
}

// track gives the stretches from one moment to another. A step counts from the day on which
// it was taken, and never before the one that came before it in the log.
func track(history []registry.HobbelFact, from, to time.Time) []stretch {
	out := []stretch{{Status: registry.Open, From: from}}
	for _, f := range history {
		on := dated(f.On)
		if last := out[len(out)-1].From; on.Before(last) {
			on = last
		}
		out = append(out, stretch{Status: f.Status, From: on})
	}
	span := max(int64(to.Sub(from)/time.Second), 1)
	at := func(t time.Time) int {
		return int(min(max(int64(t.Sub(from)/time.Second), 0), span) * trackWidth / span)
	}
	for i := range out {
		end := trackWidth
		if i+1 < len(out) {
			end = at(out[i+1].From)
		}
		out[i].X, out[i].Width = at(out[i].From), end-at(out[i].From)
	}
	return out
}

// hobbelNumber is the number of "H03", or the whole id where a catalogue numbers otherwise.
func hobbelNumber(id string) string {
	digits := strings.TrimLeft(id, "Hh")
	if n, err := strconv.Atoi(digits); err == nil {
		return strconv.Itoa(n)
	}
	return id
}
