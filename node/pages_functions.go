package node

import (
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/registry"
)

// functionsPage lists the functions that are open.
type functionsPage struct {
	Search searchRow
	Items  []functionRow
	Total  int
	Next   string // path of the next page
	Source source
}

type functionRow struct {
	registry.FunctionView
	Owner partyRow
	Dates []time.Time // to begin on, that are not over
}

func (p *pages) showFunctions(w http.ResponseWriter, r *http.Request) {
	now := p.n.cfg.Clock()
	data := functionsPage{Search: searchOf(r)}
	ok := p.view(w, r, func(v registry.View, s source) {
		if data.Source = s; v.AsOf == 0 {
			return
		}
		who, found := newNames(v, now), v.Functions(data.Search.query(), now)
		data.Total = found.Total
		for _, f := range found.Items {
			data.Items = append(data.Items, functionRow{f, who.organisation(f.Organisation), upcoming(f.Document.Start.Dates, now)})
			data.Search.find(f.Document.AllSkills())
		}
		if data.Search.Owner != "" {
			data.Search.OwnerName = who.organisation(data.Search.Owner)
		}
		if found.Next != "" {
			data.Next = data.Search.More(found.Next)
		}
	})
	if ok {
		p.rendered(p.functions.Render(w, r, http.StatusOK, data))
	}
}

// functionPage is one function profile.
type functionPage struct {
	functionRow
	Essential, Desired []skillRow
	Learned            []skillRow
	PayMin, PayMax     money
	Until              time.Time
	Track              []moduleLink // modules of the leerwerktraject
	Hobbels            []hobbelLink
	Published, Moved   time.Time
	Source             source
}

func (p *pages) showFunction(w http.ResponseWriter, r *http.Request) {
	now, id := p.n.cfg.Clock(), mux.Vars(r)["id"]
	var data functionPage
	var unknown error
	ok := p.view(w, r, func(v registry.View, s source) {
		var f registry.FunctionView
		if f, _, unknown = v.Function(id, now); unknown == nil {
			data = newFunctionPage(v, f, now)
			data.Source = s
		}
	})
	switch {
	case !ok:
	case unknown != nil:
		p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.NotFound, Next: "/functions"}))
	default:
		p.rendered(p.function.Render(w, r, http.StatusOK, data))
	}
}

func newFunctionPage(v registry.View, f registry.FunctionView, now time.Time) functionPage {
	doc := f.Document
	data := functionPage{functionRow: functionRow{f, newNames(v, now).organisation(f.Organisation), upcoming(doc.Start.Dates, now)}}
	data.fill(taught(v, now))
	if t := doc.Conditions.LearningTrack; t != nil {
		data.Track = moduleLinks(v, t.Modules, now)
	}
	for _, h := range v.Hobbels(now).Hobbels {
		if slices.Contains(doc.Hobbels, h.ID) {
			data.Hobbels = append(data.Hobbels, hobbelLink{h.ID, hobbelNumber(h.ID), h.Title})
		}
	}
	return data
}

// fill works out what the document says; counts are the modules that teach each skill.
func (d *functionPage) fill(counts map[string]int) {
	doc := d.Document
	d.Essential, d.Desired = skillRows(doc.Essential, counts, "/modules"), skillRows(doc.Desired, counts, "/modules")
	for _, l := range doc.Learned {
		row := newSkillRow(l.SkillRef, counts, "/modules")
		row.How = l.How
		d.Learned = append(d.Learned, row)
	}
	if doc.Pay != nil {
		d.PayMin, d.PayMax = money(doc.Pay.MinCents), money(doc.Pay.MaxCents)
	}
	d.Until, d.Published, d.Moved = dayOf(doc.Until), dated(d.FunctionView.Published), dated(max(d.Changed, d.Closed))
}
