package main

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

//go:embed examples/function.json
var functionExample []byte

func newRegistryFunctionCommand(f *registryFlags) *cobra.Command {
	l := listing[registry.FunctionProfile]{
		name: "function", nl: "functieprofiel", en: "function profile",
		publish: registry.KindFunction, change: registry.KindFunctionChanged, closing: registry.KindFunctionClosed,
		newID: registry.NewFunctionID, schema: registry.FunctionJSONSchema, example: functionExample,
		page: func(c registry.Client, ctx context.Context, q registry.ListingQuery, w registry.When) (registry.ListingPage[registry.FunctionProfile], error) {
			a, err := c.Functions(ctx, q, w)
			return a.ListingPage, err
		},
		one: func(c registry.Client, ctx context.Context, id string) (shownListing[registry.FunctionProfile], error) {
			a, err := c.Function(ctx, id, registry.When{})
			return shownListing[registry.FunctionProfile]{a.FunctionView, a.Steps, a}, err
		},
		title: func(d registry.FunctionProfile) registry.Text { return d.Title },
		line: func(p *registryPrinter, d registry.FunctionProfile) {
			p.line("  %s, %s", "  %s, %s", hours(p, d.Hours), p.places(d.Places))
		},
		tell: tellFunction,
	}
	return l.command(f, "Publish and find function profiles: what somebody must be able to do",
		`Publish and find function profiles. A function profile is what an employer tells of
a function: which skills are needed and which help, how strongly each must be proved,
what is learned on the job, hours, place, start and conditions. It is a file of JSON;
"paspoort registry function schema" describes it, "paspoort registry function example" prints
one to start from.

Only an organisation that the region admitted as verifier or issuer publishes, with
its own key; nobody has to vote.

  paspoort registry function check functie.json
  paspoort registry function publish functie.json
  paspoort registry function list zorg --place Aakermonde`)
}

func hours(p *registryPrinter, h registry.HoursPerWeek) string {
	unit := words("uur per week", "hours a week").In(p.lang)
	if h.Min == h.Max {
		return fmt.Sprintf("%d %s", h.Max, unit)
	}
	return fmt.Sprintf("%d - %d %s", h.Min, h.Max, unit)
}

func tellFunction(p *registryPrinter, d registry.FunctionProfile) {
	p.line("%s", "%s", p.s.bold(p.text(d.Title)))
	p.line("  %s", "  %s", p.text(d.Summary))
	for _, t := range d.Tasks {
		p.line("  - %s", "  - %s", p.text(t))
	}
	for _, n := range d.Essential {
		p.fact("nodig", "needed", p.need(n))
	}
	for _, n := range d.Desired {
		p.fact("helpt", "helps", p.need(n))
	}
	for _, s := range d.Learned {
		p.fact("leert u op het werk", "learned on the job", p.skill(s.SkillRef))
	}
	for _, r := range d.Requirements {
		p.fact("moet volgens de wet", "demanded by law", p.text(r.Text))
	}
	p.fact("uren", "hours", hours(p, d.Hours))
	p.fact("wanneer", "when", p.choices(shiftTexts, d.Shifts))
	p.fact("waar", "where", strings.Trim(p.places(d.Places)+", "+workplaceTexts[d.Workplace].In(p.lang), ", "))
	p.fact("begin", "start", p.starts(d.Start))
	p.fact("aanmelden tot en met", "come forward until", d.Until)
	if d.Positions > 0 {
		p.fact("plaatsen", "positions", fmt.Sprint(d.Positions))
	}
	p.fact("contract", "contract", p.choices(contractTexts, d.Contracts))
	p.fact("loon", "pay", pay(p, d.Pay))
	tellConditions(p, d.Conditions)
	p.notes(d.More)
	p.fact("meer", "more", d.URL)
}

func tellConditions(p *registryPrinter, c registry.Conditions) {
	if o := c.Orientation; o != nil {
		paid := words("onbetaald", "unpaid")
		if o.Paid {
			paid = words("betaald", "paid")
		}
		p.fact("oriëntatietijd", "time to look around", fmt.Sprintf("%d %s, %s", o.Hours, words("uur", "hours").In(p.lang), paid.In(p.lang)))
	}
	if t := c.LearningTrack; t != nil {
		p.fact("leerwerktraject", "work and learn", fmt.Sprintf(words("%d maanden, %d uur leren per week", "%d months, %d hours of learning a week").In(p.lang), t.Months, t.HoursPerWeek))
	}
	if a := c.LearningAllowance; a != nil {
		p.fact("leertijdvergoeding", "pay for learning", fmt.Sprintf(words("%d%% van het loon, %d uur per week", "%d%% of the wage, %d hours a week").In(p.lang), a.Percent, a.HoursPerWeek))
	}
	if g := c.Guidance; g != nil {
		p.fact("begeleiding", "guidance", fmt.Sprintf(words("de eerste %d dagen, %d uur per week", "the first %d days, %d hours a week").In(p.lang), g.Days, g.HoursPerWeek))
	}
	for _, t := range c.Other {
		p.fact("ook", "also", p.text(t))
	}
}

var (
	shiftTexts = map[string]paspoort.Text{
		"day": words("overdag", "by day"), "evening": words("'s avonds", "in the evening"), "night": words("'s nachts", "at night"),
		"weekend": words("in het weekend", "at the weekend"), "irregular": words("op wisselende tijden", "at changing times"),
	}
	contractTexts = map[string]paspoort.Text{
		"agency": words("via een uitzendbureau", "through an agency"), "apprenticeship": words("leerbaan", "apprenticeship"), "on_call": words("oproep", "on call"),
		"permanent": words("vast", "permanent"), "temporary": words("tijdelijk", "temporary"),
	}
	workplaceTexts = map[string]paspoort.Text{
		"onsite": words("op de werkplek", "on site"), "hybrid": words("deels thuis", "partly at home"), "remote": words("thuis of waar u wilt", "at home or where you like"),
	}
)

// pay is what a function pays, as far as it says.
func pay(p *registryPrinter, pay *registry.Pay) string {
	if pay == nil {
		return ""
	}
	var parts []string
	if pay.MaxCents > 0 {
		per := map[string]paspoort.Text{"hour": words("per uur", "an hour"), "month": words("per maand", "a month")}[pay.Per]
		parts = append(parts, fmt.Sprintf("%s - %s %s", p.euros(pay.MinCents), p.euros(pay.MaxCents), per.In(p.lang)))
	}
	if pay.Agreement != "" {
		parts = append(parts, pay.Agreement)
	}
	if pay.Scale != "" {
		parts = append(parts, words("schaal ", "scale ").In(p.lang)+pay.Scale)
	}
	return strings.Join(parts, ", ")
}
