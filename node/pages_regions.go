package node

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// regionsPage lists the other regions that this one decided about.
type regionsPage struct {
	Name    string // of this region
	Regions []neighbourRow
	Source  source
}

// neighbourRow is another region, as far as it is known here.
type neighbourRow struct {
	Genesis, Name string
	State         registry.PeerState
	Halted        bool // accepted, and yet nothing that it says counts now
	Since, Until  time.Time
	Dropped       time.Time // from when on it does not count
	Reason        string    // for accepting or for dropping it
	Types         []paspoort.Text
	Health        string        // key of a sentence
	Age           time.Duration // since its nodes last stood behind what is here
	Time          time.Time
	Leaves        int
	Witnessed     bool
	ContinuedBy   string // id of the region that goes on for it
	ContinuedName string
	Fork          bool // there is a proof that it signed two histories
	Address       string
}

// Path is the page about the region.
func (r neighbourRow) Path() string { return "/regions/" + r.Genesis }

// Standing is the key of a text: accepted, ended, dropped or halted.
func (r neighbourRow) Standing() string {
	if r.Halted {
		return "halted"
	}
	return string(r.State)
}

// Counts says whether what the region says counts here now.
func (r neighbourRow) Counts() bool { return r.State == registry.PeerAccepted && !r.Halted }

// Sound says whether nothing is wrong with the copy: what is, must not look like the rest.
func (r neighbourRow) Sound() bool {
	return r.ContinuedBy == "" && (r.Health == mirrorOK || r.Health == mirrorKept || r.Health == mirrorWaiting)
}

// Known says whether there is a copy to show anything from.
func (r neighbourRow) Known() bool { return r.Leaves > 0 }

// neighbourPage is another region with the organisations that it knows.
type neighbourPage struct {
	Home          string // name of this region
	Region        neighbourRow
	Organisations []organisationRow
	Source        source
}

func newNeighbourRow(m Mirror, names map[string]string) neighbourRow {
	row := neighbourRow{
		Genesis: m.Genesis, Name: m.Name, State: m.State, Halted: m.State == registry.PeerAccepted && m.Leaves > 0 && !m.Relied, Since: dated(m.Since), Until: dated(m.Until), Reason: m.Reason, Types: typeNames(m.Types),
		Health: m.Health, Age: time.Duration(m.Age) * time.Second, Time: m.Time, Leaves: int(m.Leaves), Witnessed: m.Trust == string(paspoort.Witnessed),
		ContinuedBy: m.ContinuedBy, ContinuedName: names[m.ContinuedBy], Fork: m.Health == paspoort.DoubtForked,
	}
	if m.State == registry.PeerDropped {
		row.Dropped, row.Reason = dated(m.DroppedFrom), m.DropReason
	}
	if len(m.URLs) > 0 {
		row.Address = m.URLs[0]
	}
	return row
}

// neighbourRows are all of them; a region that another one goes on for is named by that one.
func neighbourRows(list []Mirror) []neighbourRow {
	names := map[string]string{}
	for _, m := range list {
		names[m.Genesis] = m.Name
	}
	var out []neighbourRow
	for _, m := range list {
		out = append(out, newNeighbourRow(m, names))
	}
	return out
}

func (p *pages) showRegions(w http.ResponseWriter, r *http.Request) {
	data := regionsPage{Name: p.n.founding.name}
	ok := p.view(w, r, func(v registry.View, s source) {
		if data.Source = s; v.AsOf > 0 {
			data.Name = v.Region(p.n.cfg.Clock()).Name
		}
	})
	if ok {
		data.Regions = neighbourRows(p.n.Mirrors())
		p.rendered(p.regions.Render(w, r, http.StatusOK, data))
	}
}

// foreign reads this node's copy of the region that a path names. What it says of where the
// data are from is that region's: how old its checkpoint is.
func (p *pages) foreign(w http.ResponseWriter, r *http.Request, fn func(registry.View, neighbourRow, source) error) bool {
	genesis := mux.Vars(r)["genesis"]
	peer, ok := p.n.mirrors.neighbours.Get(genesis)
	if !ok || peer.Follower == nil {
		p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.NotFound, Next: "/regions"}))
		return false
	}
	var row neighbourRow
	for _, other := range neighbourRows(p.n.Mirrors()) {
		if other.Genesis == genesis {
			row = other
		}
	}
	from := source{p.n.cfg.ID, row.Age}
	err := peer.Follower.Read(context.WithoutCancel(r.Context()), func(v registry.View, _ evidence.RegistryFacts) error {
		return fn(v, row, from)
	})
	if errors.Is(err, evidence.ErrNoCopy) {
		return fn(registry.View{}, row, from) == nil
	}
	if err != nil {
		p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.NotFound, Next: row.Path()}))
	}
	return err == nil
}

func (p *pages) showNeighbour(w http.ResponseWriter, r *http.Request) {
	now := p.n.cfg.Clock()
	data := neighbourPage{Home: p.n.founding.name}
	ok := p.foreign(w, r, func(v registry.View, row neighbourRow, s source) error {
		data.Region, data.Source = row, s
		if v.State == nil {
			return nil
		}
		for _, o := range v.Organisations(now).Organisations {
			one := newOrganisationRow(o)
			one.Path = row.Path() + one.Path
			data.Organisations = append(data.Organisations, one)
		}
		return nil
	})
	if ok {
		p.rendered(p.neighbour.Render(w, r, http.StatusOK, data))
	}
}

func (p *pages) showForeignOrganisation(w http.ResponseWriter, r *http.Request) {
	var data organisationPage
	ok := p.foreign(w, r, func(v registry.View, row neighbourRow, s source) (err error) {
		if v.State == nil {
			return registry.ErrNotFound
		}
		data, err = newOrganisationPage(v, mux.Vars(r)["id"], s, p.n.cfg.Clock())
		data.abroad(row)
		return err
	})
	if ok {
		p.rendered(p.organisation.Render(w, r, http.StatusOK, data))
	}
}

// abroad makes it the page of an organisation of another region. Decisions, functions and modules
// of there have their pages there.
func (d *organisationPage) abroad(region neighbourRow) {
	d.Region, d.Pending, d.Functions, d.Modules = &region, nil, 0, 0
	under := func(p *partyRow) {
		if p.Path != "" {
			p.Path = region.Path() + p.Path
		}
	}
	if d.Successor != nil {
		under(d.Successor)
	}
	for i := range d.Predecessors {
		under(&d.Predecessors[i])
	}
	for i := range d.Roles {
		for j := range d.Roles[i].Serves {
			under(&d.Roles[i].Serves[j])
		}
		for j := range d.Roles[i].Moves {
			d.Roles[i].Moves[j].Event = ""
		}
	}
}
