package node

import (
	"net/http"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// functionsPage lists the functions that are open.
type functionsPage = listingsPage[functionRow]

type functionRow struct {
	registry.FunctionView
	Owner partyRow
	Dates []time.Time // to begin on, that are not over
}

func newFunctionRow(f registry.FunctionView, owner partyRow, now time.Time) functionRow {
	return functionRow{f, owner, upcoming(f.Document.Start.Dates, now)}
}

func (p *pages) showFunctions(w http.ResponseWriter, r *http.Request) {
	showListings(p, w, r, p.functions, registry.View.Functions, newFunctionRow)
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
	showOne(p, w, r, p.function, "/functions", func(v registry.View, id string, s source, now time.Time) (functionPage, error) {
		f, _, err := v.Function(id, now)
		if err != nil {
			return functionPage{}, err
		}
		return newFunctionPage(v, f, s, now), nil
	})
}

func newFunctionPage(v registry.View, f registry.FunctionView, s source, now time.Time) functionPage {
	doc := f.Document
	data := functionPage{functionRow: newFunctionRow(f, newNames(v, now).organisation(f.Organisation), now), Source: s}
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
