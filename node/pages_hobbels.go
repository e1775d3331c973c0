package node

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/registry"
)

type hobbelsPage struct {
	Catalogue, Origin string
	Counts            []statusCount // of each status, in the order in which a hobbel goes through them
	Doorbraken        int
	From, To          time.Time // what the tracks show
	Hobbels           []hobbelRow
	Source            source
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
		data.fill(list.Hobbels)
	})
	if ok {
		p.rendered(p.hobbels.Render(w, r, http.StatusOK, data))
	}
}

// fill makes rows and counts. The tracks begin where the region did, or with the first step.
func (d *hobbelsPage) fill(list []registry.HobbelView) {
	for _, h := range list {
		for _, f := range h.History {
			if on := dated(f.On); on.Before(d.From) {
				d.From = on
			}
		}
	}
	count := map[registry.HobbelStatus]int{}
	for _, h := range list {
		count[h.Status]++
		d.Hobbels = append(d.Hobbels, newHobbelRow(h, d.From, d.To))
	}
	for _, s := range hobbelStatuses {
		d.Counts = append(d.Counts, statusCount{s, count[s]})
	}
	d.Doorbraken = count[registry.Doorbraak]
}

// began is when the first members came together.
func began(r registry.Region) time.Time {
	first := r.From
	for _, m := range r.Members {
		first = min(first, m.Since)
	}
	return dated(first)
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

// hobbelPage is all about one hobbel.
type hobbelPage struct {
	hobbelRow
	Catalogue      string
	Steps          []hobbelStep // newest first
	Pending        []decisionRow
	Previous, Next *hobbelLink
	Source         source
}

type hobbelLink struct {
	ID, Number string
	Title      registry.Text
}

// hobbelStep is one step with everything that carries it.
type hobbelStep struct {
	Status              registry.HobbelStatus
	On, Logged          time.Time
	Summary             registry.Text
	Claimant, Confirmed partyRow
	Approvals           []voteRow
	Evidence            []evidenceRow
	Event               string
}

type evidenceRow struct {
	URL, Host, SHA256 string
}

func (p *pages) showHobbel(w http.ResponseWriter, r *http.Request) {
	now, id, found := p.n.cfg.Clock(), mux.Vars(r)["id"], false
	var data hobbelPage
	ok := p.view(w, r, func(v registry.View, s source) {
		list := v.Hobbels(now)
		i := slices.IndexFunc(list.Hobbels, func(h registry.HobbelView) bool { return h.ID == id })
		if found = i >= 0; found {
			data = newHobbelPage(v, list, i, now)
			data.Source = s
		}
	})
	switch {
	case !ok:
	case !found:
		p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.NotFound, Next: "/hobbels"}))
	default:
		p.rendered(p.hobbel.Render(w, r, http.StatusOK, data))
	}
}

func newHobbelPage(v registry.View, list registry.HobbelList, i int, now time.Time) hobbelPage {
	h, who := list.Hobbels[i], newNames(v, now)
	data := hobbelPage{Catalogue: list.Catalogue, hobbelRow: newHobbelRow(h, began(v.Region(now)), now)}
	for _, f := range slices.Backward(h.History) {
		data.Steps = append(data.Steps, newHobbelStep(v, who, f))
	}
	for _, d := range v.Proposals() {
		if d.Event.Subject == registry.HobbelSubject(h.ID) && d.Status == registry.Pending && !dated(d.Event.Expires).Before(now) {
			data.Pending = append(data.Pending, newDecisionRow(d, who, now))
		}
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
		Claimant: who.party(f.Claimant), Confirmed: who.party(f.Confirmed)}
	for _, e := range f.Evidence {
		step.Evidence = append(step.Evidence, newEvidenceRow(e))
	}
	if d, err := v.Proposal(f.Event); err == nil {
		step.Approvals = voteRows(d.Approvals, who)
	}
	return step
}

func newEvidenceRow(e registry.Evidence) evidenceRow {
	host, _, _ := strings.Cut(strings.TrimPrefix(e.URL, "https://"), "/")
	return evidenceRow{URL: e.URL, Host: host, SHA256: e.SHA256}
}
