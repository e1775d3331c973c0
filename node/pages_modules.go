package node

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// modulesPage lists the modules that are open.
type modulesPage = listingsPage[moduleRow]

type moduleRow struct {
	registry.ModuleView
	Owner partyRow
	Price money
	Dates []time.Time // to begin on, that are not over
}

func newModuleRow(m registry.ModuleView, owner partyRow, now time.Time) moduleRow {
	return moduleRow{m, owner, money(m.Document.Price.Cents), upcoming(m.Document.Start.Dates, now)}
}

func (p *pages) showModules(w http.ResponseWriter, r *http.Request) {
	showListings(p, w, r, p.modules, registry.View.Modules, newModuleRow)
}

// modulePage is one module.
type modulePage struct {
	moduleRow
	Skills           []skillRow // taught
	Entry            []skillRow
	EntryTypes       []paspoort.Text // of which one is enough
	EntryModules     []moduleLink
	After, Before    []moduleLink
	Credential       paspoort.Text
	Until            time.Time
	ClassifiedUntil  time.Time
	Published, Moved time.Time
	Source           source
}

func (p *pages) showModule(w http.ResponseWriter, r *http.Request) {
	showOne(p, w, r, p.module, "/modules", func(v registry.View, id string, s source, now time.Time) (modulePage, error) {
		m, _, err := v.Module(id, now)
		if err != nil {
			return modulePage{}, err
		}
		return newModulePage(v, m, s, now), nil
	})
}

func newModulePage(v registry.View, m registry.ModuleView, s source, now time.Time) modulePage {
	doc := m.Document
	data := modulePage{moduleRow: newModuleRow(m, newNames(v, now).organisation(m.Organisation), now), Source: s}
	data.EntryModules = moduleLinks(v, doc.Entry.Modules, now)
	data.After, data.Before = moduleLinks(v, doc.Stacking.After, now), moduleLinks(v, doc.Stacking.Before, now)
	data.fill(asked(v, now))
	return data
}

// fill works out what the document says; counts are the functions that ask for each skill.
func (d *modulePage) fill(counts map[string]int) {
	doc := d.Document
	for _, s := range doc.Skills {
		d.Skills = append(d.Skills, newSkillRow(s, counts, "/functions"))
	}
	d.Entry, d.EntryTypes = skillRows(doc.Entry.Skills, nil, "/functions"), typeNames(doc.Entry.Credentials)
	d.Credential = typeNames([]string{doc.Credential.Type})[0]
	d.Until, d.Published, d.Moved = dayOf(doc.Until), dated(d.ModuleView.Published), dated(max(d.Changed, d.Closed))
	if l := doc.LevelClassified; l != nil {
		d.ClassifiedUntil = dayOf(l.Until)
	}
}

// NothingSaid is whether the provider left out who can begin. That anybody can, it says itself.
func (d modulePage) NothingSaid() bool {
	e := d.Document.Entry
	return len(e.Skills) == 0 && len(e.Credentials) == 0 && len(e.Modules) == 0 && !e.Intake && e.Text.NL == ""
}

// Credits are the study credits as they are written in a language.
func (d modulePage) Credits(lang string) string {
	s := strconv.FormatFloat(d.Document.EC, 'f', -1, 64)
	if lang != string(page.English) {
		s = strings.ReplaceAll(s, ".", ",")
	}
	return s
}

// spokenRow is a language in which a module is given.
type spokenRow struct {
	Tag   string
	Named bool // there is a word for it in the catalogs
}

// Spoken are the languages of the module.
func (d modulePage) Spoken() []spokenRow {
	var out []spokenRow
	for _, tag := range d.Document.Languages {
		out = append(out, spokenRow{tag, slices.Contains(namedLanguages, tag)})
	}
	return out
}

var namedLanguages = []string{"ar", "de", "en", "fr", "nl", "pl", "tr", "uk"}
