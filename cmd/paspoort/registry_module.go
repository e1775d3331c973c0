package main

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

//go:embed examples/module.json
var moduleExample []byte

func newRegistryModuleCommand(f *registryFlags) *cobra.Command {
	l := listing[registry.Module]{
		name: "module", nl: "module", en: "module",
		publish: registry.KindModule, change: registry.KindModuleChanged, closing: registry.KindModuleClosed,
		newID: registry.NewModuleID, schema: registry.ModuleJSONSchema, example: moduleExample,
		page: func(c registry.Client, ctx context.Context, q registry.ListingQuery, w registry.When) (registry.ListingPage[registry.Module], error) {
			a, err := c.Modules(ctx, q, w)
			return a.ListingPage, err
		},
		one: func(c registry.Client, ctx context.Context, id string) (shownListing[registry.Module], error) {
			a, err := c.Module(ctx, id, registry.When{})
			return shownListing[registry.Module]{a.ModuleView, a.Steps, a}, err
		},
		title: func(d registry.Module) registry.Text { return d.Title },
		line: func(p *registryPrinter, d registry.Module) {
			p.line("  %s, %s, %s", "  %s, %s, %s", load(p, d), price(p, d.Price), p.starts(d.Start))
		},
		tell: tellModule,
	}
	return l.command(f, "Publish and find modules: what somebody can learn, and what it takes",
		`Publish and find modules. A module is what an opleider offers: what a person can do
afterwards, level, hours, price, form, place, when it starts, what is needed to begin,
what it counts for, and which credential comes of it. It is a file of JSON;
"paspoort registry module schema" describes it, "paspoort registry module example" prints
one to start from.

Only an organisation that the region admitted as issuer of that credential publishes,
with its own key; nobody has to vote.

  paspoort registry module check module.json
  paspoort registry module publish module.json
  paspoort registry module list zorg --place Aakermonde`)
}

func load(p *registryPrinter, m registry.Module) string {
	out := fmt.Sprintf("%d %s", m.Hours, words("uur", "hours").In(p.lang))
	if m.Weeks > 0 {
		out += fmt.Sprintf(words(" in %d weken", " in %d weeks").In(p.lang), m.Weeks)
	}
	return out
}

func price(p *registryPrinter, m registry.Price) string {
	if m.Cents == 0 {
		return words("gratis", "free").In(p.lang)
	}
	return p.euros(m.Cents)
}

var formTexts = map[string]paspoort.Text{
	"blended": words("deels ter plaatse, deels online", "partly on site, partly online"), "online": words("online", "online"),
	"onsite": words("ter plaatse", "on site"), "workplace": words("op het werk", "at work"),
}

func tellModule(p *registryPrinter, m registry.Module) {
	p.line("%s", "%s", p.s.bold(p.text(m.Title)))
	p.line("  %s", "  %s", p.text(m.Summary))
	for _, o := range m.Outcomes {
		p.fact("na afloop", "afterwards", p.text(o))
	}
	for _, s := range m.Skills {
		p.fact("leert u", "taught", p.skill(s))
	}
	if l := m.LevelClaimed; l != nil {
		p.fact("niveau, zegt de opleider", "level, says the provider", l.Framework+" "+l.Level)
	}
	if l := m.LevelClassified; l != nil {
		p.fact("niveau, ingeschaald", "level, classified", l.Framework+" "+l.Level+" ("+l.Register+")")
	}
	p.fact("uren", "hours", load(p, m))
	p.fact("prijs", "price", price(p, m.Price))
	for _, t := range m.Price.Funding {
		p.fact("betaalhulp", "funding", p.text(t))
	}
	p.fact("hoe", "how", formTexts[m.Form].In(p.lang))
	p.fact("wanneer", "when", p.choices(timeTexts, m.Times))
	p.fact("waar", "where", p.places(m.Places))
	p.fact("begin", "start", p.starts(m.Start))
	p.fact("inschrijven tot en met", "enrol until", m.Until)
	for _, n := range m.Entry.Skills {
		p.fact("om te beginnen", "to begin", p.need(n))
	}
	p.fact("om te beginnen", "to begin", p.text(m.Entry.Text))
	if s := m.Stacking.Programme; s != nil {
		p.fact("telt mee voor", "counts for", p.text(s.Title))
	}
	p.fact("stapelen", "stacking", p.text(m.Stacking.Text))
	if t, err := paspoort.TypeOf(m.Credential.Type); err == nil {
		p.fact("bewijs", "credential", t.Name().In(p.lang))
	} else {
		p.fact("bewijs", "credential", m.Credential.Type)
	}
	p.fact("toets", "assessment", p.choices(assessmentTexts, m.AssessmentForms))
	if m.Quality != nil {
		p.fact("kwaliteit", "quality", m.Quality.Name)
	}
	p.notes(m.More)
	p.fact("meer", "more", m.URL)
}

var (
	timeTexts = map[string]paspoort.Text{
		"daytime": words("overdag", "by day"), "evening": words("'s avonds", "in the evening"), "weekend": words("in het weekend", "at the weekend"),
		"own_pace": words("in uw eigen tempo", "at your own pace"),
	}
	assessmentTexts = map[string]paspoort.Text{
		"attendance": words("aanwezigheid", "attendance"), "interview": words("gesprek", "interview"), "observation": words("observatie", "observation"),
		"oral_exam": words("mondeling examen", "oral exam"), "portfolio": words("portfolio", "portfolio"), "practical_exam": words("praktijkexamen", "practical exam"),
		"project": words("project", "project"), "written_exam": words("schriftelijk examen", "written exam"),
	}
)
