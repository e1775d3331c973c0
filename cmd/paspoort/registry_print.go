package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// progress prints what is proposed.
func (p *registryPrinter) progress(x registry.Progress) {
	title := govern.KindText(x.Kind).In(p.lang)
	switch own := govern.NameIn(x.Event); {
	case own != "":
		title += ": " + own
	case x.Name != "": // the proposal holds an id only
		title += ": " + x.Name + words(" (zegt het knooppunt)", " (the node says)").In(p.lang)
	}
	p.line("%s", "%s", p.s.bold(oneLine(title)))
	p.fact("Nummer", "Id", x.ID)
	p.fact("Organisatie", "Organisation", x.Organisation)
	p.facts(govern.Facts(x.Event))
	p.fact("Voorgesteld", "Proposed", day(x.Opened))
	for _, vote := range x.Approvals {
		p.vote("goedgekeurd door", "approved by", vote)
	}
	for _, vote := range x.Refusals {
		p.vote("afgewezen door", "refused by", vote)
	}
}

func (p *registryPrinter) vote(nl, en string, v registry.VoteView) {
	text := cmp.Or(v.Name, v.Member) + " (" + govern.GroupText(v.Group).In(p.lang) + ", " + day(v.At) + ")"
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	if !v.Counts {
		text += words(" — telt niet meer", " — does not count any more").In(p.lang)
	}
	p.fact(nl, en, text)
}

// standing prints where a proposal stands, and what to do next.
func (p *registryPrinter) standing(x registry.Progress) {
	switch x.Status {
	case registry.Enacted:
		p.line("%s Besloten op %s.", "%s Decided on %s.", p.s.good("✓"), day(x.Decided))
	case registry.Refused:
		p.line("%s Afgewezen op %s.", "%s Refused on %s.", p.s.bad("✗"), day(x.Decided))
		p.appeal(x)
	case registry.Lapsed:
		p.line("%s Vervallen op %s: te weinig leden besloten op tijd.", "%s Lapsed on %s: too few members decided in time.", p.s.bad("✗"), day(x.Decided))
		p.appeal(x)
	default:
		p.pending(x)
	}
}

// appeal prints whether an applicant can ask for a second look.
func (p *registryPrinter) appeal(x registry.Progress) {
	switch a := x.Appeal; {
	case a == nil:
	case a.Event != "":
		p.fact("Nieuw besluit gevraagd", "Second look asked", a.Event)
	case a.Possible:
		p.line("De aanvrager kan tot %s om een nieuw besluit vragen:\n  %s appeal %.12s --reason \"...\"",
			"The applicant can ask for a second look until %s:\n  %s appeal %.12s --reason \"...\"", day(a.Until), p.command, x.ID)
	}
}

func (p *registryPrinter) pending(x registry.Progress) {
	if m := x.Missing; m != nil {
		p.line("Nog nodig: %s.", "Still needed: %s.", needed(x).In(p.lang))
		if m.Confirmation {
			p.line("Een tweede organisatie moet het nog bevestigen.", "A second organisation has yet to confirm it.")
		}
		if !m.Reachable {
			p.line("Let op: wie er nog over kan besluiten, is samen niet genoeg.", "Mind: those who can still decide are not enough together.")
		}
	}
	p.fact("Uiterlijk", "Deadline", day(x.Deadline))
	for _, a := range x.Ask {
		state := words("kan besluiten", "can decide")
		switch {
		case a.Vote != "":
			continue
		case a.Barred != "":
			state = words("heeft hierin geen stem: niemand keurt zichzelf goed", "has no say in this: nobody approves itself")
		}
		p.fact(govern.GroupText(a.Group).NL, govern.GroupText(a.Group).EN, cmp.Or(a.Name, a.Member)+" — "+state.In(p.lang)+reached(a.Contact))
	}
}

// reached is where a member is reached, behind what is said of it.
func reached(contact string) string {
	if contact == "" {
		return ""
	}
	return ", " + contact
}

func (p *registryPrinter) status(s registryStatus, v *voice) {
	switch {
	case s.Organisation != nil && s.Organisation.Since != 0:
		p.organisation(*s.Organisation)
	case v.organisation() != "":
		p.line("U bent nog niet toegelaten.", "You are not admitted yet.")
	}
	if len(s.Waiting)+len(s.Others) == 0 {
		p.line("Er wacht niets op een besluit.", "Nothing waits for a decision.")
	}
	member := v.member()
	if len(s.Waiting) > 0 && member {
		p.line("%s", "%s", p.s.bold(words("Wacht op u", "Waits for you").In(p.lang)))
	}
	for _, x := range s.Waiting {
		p.row(x)
	}
	if len(s.Waiting) > 0 && member {
		p.line("\nBekijk er een:\n  %s status %.12s\nBesluit:\n  %s approve %.12s --reason \"...\"",
			"\nLook at one:\n  %s status %.12s\nDecide:\n  %s approve %.12s --reason \"...\"", p.command, s.Waiting[0].ID, p.command, s.Waiting[0].ID)
	}
	if len(s.Others) > 0 {
		p.line("%s", "%s", p.s.bold(words("Wacht op anderen", "Waits for others").In(p.lang)))
	}
	for _, x := range s.Others {
		p.row(x)
	}
	if endings(s.Ending) > 0 {
		p.ending(s.Ending)
	}
}

// needed is what a proposal lacks, in words that count.
func needed(x registry.Progress) paspoort.Text {
	m := *x.Missing
	count := func(n int, one, more string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.Itoa(n) + " " + more
	}
	out := words(count(m.Members, "lid", "leden"), count(m.Members, "member", "members"))
	switch {
	case m.Groups == 0:
	case !slices.ContainsFunc(x.Approvals, func(v registry.VoteView) bool { return v.Counts }): // there is no group yet
		out.NL += ", uit " + count(m.Groups, "groep", "groepen")
		out.EN += ", from " + count(m.Groups, "group", "groups")
	default:
		out.NL += ", uit " + count(m.Groups, "andere groep", "andere groepen")
		out.EN += ", from " + count(m.Groups, "other group", "other groups")
	}
	return out
}

// row prints a proposal in one line, and a line on how it stands.
func (p *registryPrinter) row(x registry.Progress) {
	p.line("  %.12s  %s: %s", "  %.12s  %s: %s", x.ID, govern.DoingText(x.Event).In(p.lang), oneLine(cmp.Or(x.Name, x.Subject)))
	if x.Status == registry.Pending && x.Missing != nil {
		p.line("                nog nodig: %s; uiterlijk %s", "                still needed: %s; by %s", needed(x).In(p.lang), day(x.Deadline))
		return
	}
	p.line("                %s", "                %s", dispositionText(x.Status, p.lang))
}

func dispositionText(d registry.Disposition, lang string) string {
	switch d {
	case registry.Enacted:
		return words("besloten", "decided").In(lang)
	case registry.Refused:
		return words("afgewezen", "refused").In(lang)
	case registry.Lapsed:
		return words("vervallen", "lapsed").In(lang)
	}
	return words("wacht op besluit", "pending").In(lang)
}

func (p *registryPrinter) organisations(list []registry.Organisation) {
	if len(list) == 0 {
		p.line("Er zijn geen organisaties toegelaten.", "No organisations are admitted.")
	}
	for _, o := range list {
		p.organisation(o)
	}
}

func (p *registryPrinter) organisation(o registry.Organisation) {
	name := o.Name
	switch {
	case o.Erased:
		name = words("(gewist volgens de wet)", "(erased by law)").In(p.lang)
	case name == "":
		name = o.ID
	}
	p.line("%s", "%s", p.s.bold(oneLine(name)))
	if o.Since == 0 {
		p.line("  Niet toegelaten: naam en adressen zegt de organisatie zelf.", "  Not admitted: the name and addresses are what the organisation says itself.")
	}
	p.fact("Nummer", "Id", o.ID)
	p.fact("Inschrijving", "Registration", o.Registration)
	for _, a := range o.Aliases {
		p.fact("Adres", "Address", a.Value)
	}
	for _, r := range o.Roles {
		text := govern.RoleText(r.Role).In(p.lang)
		if n := len(r.Standing.Grants); n > 0 && (r.Admitted || r.Code == registry.CodeExpired) {
			text += words(", tot ", ", until ").In(p.lang) + day(r.Standing.Grants[n-1].Until)
		}
		p.fact(govern.CodeText(r.Code).NL, govern.CodeText(r.Code).EN, text)
		p.measures(r)
	}
}

// measures prints what was done about an admission, with the reasons.
func (p *registryPrinter) measures(r registry.RoleView) {
	for _, s := range r.Standing.Suspensions {
		until := words("nu nog", "still").In(p.lang)
		if s.Until != 0 {
			until = day(s.Until)
		}
		p.fact("geschorst", "suspended", day(s.From)+" – "+until+": "+s.Reason)
	}
	for _, w := range r.Standing.Withdrawals {
		p.fact("ingetrokken", "withdrawn", day(w.EffectiveFrom)+": "+w.Reason)
	}
}

func (p *registryPrinter) proposals(list []registry.Proposal, now int64) {
	for _, x := range list {
		status := x.Status
		if status == registry.Pending && now > x.Event.Expires {
			status = registry.Lapsed
		}
		name := cmp.Or(govern.NameIn(x.Event), x.Event.Subject)
		p.line("%.12s  %s  %-16s %s: %s", "%.12s  %s  %-16s %s: %s", x.ID, day(x.Opened), dispositionText(status, p.lang), govern.DoingText(x.Event).In(p.lang), oneLine(name))
	}
	if len(list) == 0 {
		p.line("Er is niets voorgesteld.", "Nothing was proposed.")
	}
}

func (p *registryPrinter) members(r registry.RegionAnswer) {
	p.line("%s", "%s", p.s.bold(r.Name))
	for _, m := range r.Members {
		state := ""
		switch {
		case m.Removed != 0:
			state = words(" — vertrokken op ", " — left on ").In(p.lang) + day(m.Removed)
		case m.Until != 0:
			state = words(" — tot ", " — until ").In(p.lang) + day(m.Until)
		}
		p.fact(govern.GroupText(m.Group).NL, govern.GroupText(m.Group).EN, m.Name+" ("+m.ID+")"+state+reached(m.Contact))
	}
}

func (p *registryPrinter) ending(e registry.Ending) {
	p.line("%s", "%s", p.s.bold(words("Loopt af voor ", "Ends before ").In(p.lang)+time.Unix(e.Until, 0).UTC().Format(time.DateOnly)))
	for _, g := range e.Grants {
		text := cmp.Or(g.Name, g.Organisation) + ": " + govern.RoleText(g.Role).In(p.lang)
		if g.Renewal != "" {
			text += words(" (verlenging is aangevraagd)", " (renewal was applied for)").In(p.lang)
		}
		p.fact(day(g.Until), day(g.Until), text)
	}
	for _, l := range e.Levels {
		p.line("  %-24s %s: bewijsniveau %d, %s", "  %-24s %s: proof level %d, %s", day(l.Until), cmp.Or(l.Name, l.Organisation), l.Level, l.Basis)
	}
	for _, c := range e.Certificates {
		p.line("  %-24s %s: certificaat (%s)", "  %-24s %s: certificate (%s)", day(c.Until), cmp.Or(c.Name, c.Organisation), c.Usage)
	}
	for _, m := range e.Mandates {
		p.line("  %-24s %s: mandaat", "  %-24s %s: mandate", day(m.Until), m.Name)
	}
	for _, r := range e.Peers {
		p.line("  %-24s %s: erkenning als andere regio", "  %-24s %s: acceptance as another region", day(r.Until), oneLine(r.Name))
	}
	for _, c := range e.Custodians {
		p.line("  %-24s %s: wie de statuslijsten tekent", "  %-24s %s: who signs the status lists", day(c.Until), oneLine(cmp.Or(c.Name, c.Organisation)))
	}
	if endings(e) == 0 {
		p.line("  niets", "  nothing")
	}
}

// endings is how much ends.
func endings(e registry.Ending) int {
	return len(e.Grants) + len(e.Levels) + len(e.Certificates) + len(e.Mandates) + len(e.Peers) + len(e.Custodians)
}

// why prints what became of an event.
func (p *registryPrinter) why(a registry.EventAnswer) {
	if a.State == registry.OutcomeRefused {
		p.line("%s Niet aangenomen: %s.", "%s Not taken: %s.", p.s.bad("✗"), strings.TrimSuffix(a.Detail, "."))
		p.fact("Code", "Code", a.Code)
		return
	}
	state := words("in het register, en vastgelegd in een controlepunt", "in the registry, and covered by a checkpoint")
	if a.State == registry.OutcomeCommitted {
		state = words("in het register; het controlepunt volgt", "in the registry; the checkpoint follows")
	}
	p.line("%s %s", "%s %s", p.s.good("✓"), state.In(p.lang))
	p.fact("Nummer", "Id", a.Event)
	if a.Index != nil {
		p.line("  %-24s %d", "  %-24s %d", words("Plaats in het register", "Place in the log").In(p.lang), *a.Index)
	}
	if a.Leaf != nil {
		p.fact("Wat", "What", govern.KindText(a.Leaf.Event.Kind).In(p.lang))
		p.fact("Op", "On", time.Unix(a.Leaf.LogTime, 0).UTC().Format(time.DateTime))
	}
	if a.Why == nil || a.Why.Proposal == nil {
		return
	}
	as := map[registry.As][2]string{
		registry.AsProposal: {"dit is het voorstel zelf", "this is the proposal itself"}, registry.AsApproval: {"dit is een goedkeuring", "this is an approval"},
		registry.AsRefusal: {"dit is een afwijzing", "this is a refusal"}, registry.AsConfirmation: {"dit is een bevestiging", "this is a confirmation"},
	}[a.Why.As]
	p.line("  %s:\n", "  %s:\n", words(as[0], as[1]).In(p.lang))
	p.progress(*a.Why.Proposal)
	p.standing(*a.Why.Proposal)
}
