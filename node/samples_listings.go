package node

import (
	"embed"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/registry"
)

//go:embed sample
var sampleFiles embed.FS

// sampleDocument reads one of the documents that come with the program.
func sampleDocument[T registry.Document](name string) T {
	raw, _ := sampleFiles.ReadFile("sample/" + name + ".json")
	doc, _ := registry.ParseDocument[T](raw)
	return doc
}

func sampleFunctionRow(title string, s registry.ListingState) functionRow {
	v := registry.FunctionView{State: s}
	v.ID, v.Version, v.Published, v.Document = "fn_aaaaaaaaaaaaaaaaaaaaaaaaaa", 1, sampleDay.AddDate(0, -3, 0).Unix(), sampleDocument[registry.FunctionProfile]("function")
	v.Event, v.Organisation = sampleID(41), strings.TrimPrefix(sampleLinde.Path, "/organisations/")
	if title != "" {
		v.Document.Title, v.Document.Conditions = registry.Text{NL: title}, registry.Conditions{Guidance: v.Document.Conditions.Guidance}
		v.Document.Workplace, v.Document.Places, v.Document.Hours = "remote", nil, registry.HoursPerWeek{Min: 32, Max: 32}
	}
	return newFunctionRow(v, sampleLinde, sampleDay)
}

func functionsSamples() []page.Sample[functionsPage] {
	from := source{"knoop-1", 2 * time.Second}
	some := []functionRow{sampleFunctionRow("", registry.ListingOpen), sampleFunctionRow("Planner op afstand", registry.ListingOpen)}
	skill := some[0].Document.Essential[0]
	return []page.Sample[functionsPage]{
		{Name: "all", Data: functionsPage{Search: searchRow{path: "/functions"}, Items: some, Total: 32, Next: "/functions?after=fn_aaaaaaaaaaaaaaaaaaaaaaaaaa", Source: from}},
		{Name: "found", Data: functionsPage{Search: searchRow{path: "/functions", Text: "zorg", Place: "Aakermonde", Skill: skill.URI, Label: skill.Label, Owner: "org_dddddddddddddddddddddddddd", OwnerName: sampleLinde}, Items: some[:1], Total: 1, Source: from}},
		{Name: "nothing", Data: functionsPage{Search: searchRow{path: "/functions", Text: "duiker", Skill: "https://example.org/skill/1"}, Source: from}},
		{Name: "none", Data: functionsPage{Search: searchRow{path: "/functions"}, Source: from}},
	}
}

func functionSamples() []page.Sample[functionPage] {
	from := source{"knoop-1", 2 * time.Second}
	open := functionPage{functionRow: sampleFunctionRow("", registry.ListingOpen), Source: from, Track: []moduleLink{{ID: "mod_aaaaaaaaaaaaaaaaaaaaaaaaaa", Title: registry.Text{NL: "Helpen bij dagelijkse zorg"}, Open: true}, {ID: "mod_bbbbbbbbbbbbbbbbbbbbbbbbba"}}}
	open.fill(map[string]int{open.Document.Essential[0].URI: 3, open.Document.Desired[0].URI: 1})
	for _, h := range sampleHobbels() {
		if h.ID == "H03" || h.ID == "H06" {
			open.Hobbels = append(open.Hobbels, hobbelLink{h.ID, hobbelNumber(h.ID), h.Title})
		}
	}
	closed := functionPage{functionRow: sampleFunctionRow("Planner op afstand", registry.ListingClosed), Source: from}
	closed.Closed, closed.Reason, closed.Version = sampleDay.Unix(), registry.Text{NL: "De plaatsen zijn vervuld.", EN: "The positions are filled."}, 3
	closed.fill(nil)
	return []page.Sample[functionPage]{{Name: "open", Data: open}, {Name: "closed", Data: closed}}
}

func sampleModuleRow(title string, s registry.ListingState) moduleRow {
	v := registry.ModuleView{State: s}
	v.ID, v.Version, v.Published, v.Document = "mod_aaaaaaaaaaaaaaaaaaaaaaaaaa", 2, sampleDay.AddDate(0, -5, 0).Unix(), sampleDocument[registry.Module]("module")
	v.Event, v.Organisation, v.Changed = sampleID(42), strings.TrimPrefix(sampleVaart.Path, "/organisations/"), sampleDay.AddDate(0, -1, 0).Unix()
	if title != "" {
		v.Document.Title, v.Document.Price, v.Document.Form, v.Document.Places = registry.Text{NL: title}, registry.Price{}, "online", nil
		v.Document.Entry, v.Document.Stacking, v.Document.Quality = registry.Entry{}, registry.Stacking{}, nil
		v.Document.LevelClaimed, v.Document.LevelClassified = nil, nil
	}
	return newModuleRow(v, sampleVaart, sampleDay)
}

func modulesSamples() []page.Sample[modulesPage] {
	from := source{"knoop-1", 2 * time.Second}
	some := []moduleRow{sampleModuleRow("", registry.ListingOpen), sampleModuleRow("Plannen voor beginners", registry.ListingOpen)}
	return []page.Sample[modulesPage]{
		{Name: "all", Data: modulesPage{Search: searchRow{path: "/modules"}, Items: some, Total: 2, Source: from}},
		{Name: "found", Data: modulesPage{Search: searchRow{path: "/modules", Skill: some[0].Document.Skills[0].URI, Label: some[0].Document.Skills[0].Label}, Items: some[:1], Total: 40, Next: "/modules?after=mod_aaaaaaaaaaaaaaaaaaaaaaaaaa", Source: from}},
		{Name: "none", Data: modulesPage{Search: searchRow{path: "/modules"}, Source: from}},
	}
}

func moduleSamples() []page.Sample[modulePage] {
	from := source{"knoop-1", 2 * time.Second}
	basis, next := moduleLink{ID: "mod_bbbbbbbbbbbbbbbbbbbbbbbbba", Title: registry.Text{NL: "Kennismaken met de zorg", EN: "Getting to know care"}, Open: true}, moduleLink{ID: "mod_ccccccccccccccccccccccccca", Title: registry.Text{NL: "Werken met medicijnen"}}
	open := modulePage{moduleRow: sampleModuleRow("", registry.ListingOpen), EntryModules: []moduleLink{basis}, After: []moduleLink{basis}, Before: []moduleLink{next}, Source: from}
	open.fill(map[string]int{open.Document.Skills[0].URI: 2})
	free := modulePage{moduleRow: sampleModuleRow("Plannen voor beginners", registry.ListingUnlisted), Source: from}
	free.fill(nil)
	return []page.Sample[modulePage]{{Name: "open", Data: open}, {Name: "free", Data: free}}
}
