package desk

import (
	"slices"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// The samples are all states of the pages, with contents that could be real.

var (
	sampleDay    = time.Date(2026, 3, 2, 11, 10, 0, 0, time.UTC)
	sampleSource = source{Member: "Vakbond Het Anker", Region: "Regio Aakermonde", Age: 40 * time.Second}
	sampleID     = "9f2c6b1e0d4a7c8b5e3f1a2d6c9b8e7f4a5d3c2b1e0f9a8d7c6b5e4f3a2d1c0b"
	sampleOrg    = "org_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	inFrame      = page.Frame{SignedIn: true, Ends: sampleDay.Add(idle), Last: sampleDay.Add(longest), Now: sampleDay}
)

func text(nl, en string) paspoort.Text { return paspoort.Text{NL: nl, EN: en} }

func closedSamples() []page.Sample[closedPage] { return []page.Sample[closedPage]{{Name: "closed"}} }

func waitsSamples() []page.Sample[waitsPage] {
	apply, withdraw := kindOf(registry.KindApplied), kindOf(registry.KindWithdrawn)
	waiting := func(name string, days int, members int, mine string) row {
		return row{ID: sampleID, Number: sampleID[:12], Kind: apply, Name: name, Status: registry.Pending, Deadline: sampleDay.AddDate(0, 0, days), Soon: days < 3, Members: members, Mine: mine}
	}
	decided := func(name string, kind paspoort.Text, d registry.Disposition) row {
		return row{ID: sampleID, Number: sampleID[:12], Kind: kind, Name: name, Status: d, Decided: sampleDay.AddDate(0, 0, -4)}
	}
	away := sampleSource
	away.Away, away.Age = true, 3*time.Hour
	return []page.Sample[waitsPage]{
		{Name: "some", Frame: inFrame, Data: waitsPage{Source: sampleSource,
			Mine:   []row{waiting("Opleidingshuis De Vaart", 2, 1, ""), waiting("Zorggroep Linde", 24, 2, "")},
			Others: []row{waiting("Machinefabriek Ossekamp", 12, 1, "approved"), waiting("Anker Academie", 20, 2, "barred"), waiting("Snelcursus Nu", 8, 2, "refused")},
			Ending: []endingRow{
				{Path: "/organisations/" + sampleOrg, Name: "Paspoorthuis Aakermonde", What: govern.RoleText(registry.WalletHost), Until: sampleDay.AddDate(0, 1, 0), Renewal: "/proposals/" + sampleID},
				{Name: "Opleidersberaad Aakermonde", What: text("mandaat", "mandate"), Until: sampleDay.AddDate(0, 1, 20)}},
			Recent: []row{decided("Taalschool De Brug", apply, registry.Enacted), decided("Certificaat Direct", withdraw, registry.Refused), decided("Werkplaats Noord", apply, registry.Lapsed)}}},
		{Name: "none", Frame: inFrame, Data: waitsPage{Source: away}},
	}
}

func proposalSamples() []page.Sample[proposalPage] {
	both := func(s string) paspoort.Text { return text(s, s) }
	open := proposalPage{ID: sampleID, Kind: kindOf(registry.KindApplied), Name: "Opleidingshuis De Vaart", Status: registry.Pending, Source: sampleSource,
		Organisation: "/organisations/" + sampleOrg, Opened: sampleDay.AddDate(0, 0, -6), Deadline: sampleDay.AddDate(0, 0, 24), Members: 1, Groups: 1,
		Facts: []govern.Fact{
			{Label: text("Wil", "Wants to"), Value: govern.RoleText(registry.Issuer)}, {Label: text("Naam", "Name"), Value: both("Opleidingshuis De Vaart")},
			{Label: text("Inschrijving", "Registration"), Value: both("KvK 90000001")}, {Label: text("Adres", "Address"), Value: both("https://vaart.example, did:web:vaart.example")},
			{Label: text("Bewijzen", "Credentials"), Value: paspoort.Opleiding.Name()}, {Label: text("Gebied", "Domain"), Value: both("techniek, zorg")},
			{Label: text("Bewijsniveau 3 rust op", "Proof level 3 rests on"), Value: text("audit van de examinering; Stichting Toetswacht Aakermonde; geen banden; tot 2028-03-02", "audit of the examinations; Stichting Toetswacht Aakermonde; no ties; until 2028-03-02")}},
		Criteria: &criteria{Version: "criteria-2026-1", InForce: "criteria-2026-1", URL: "https://aakermonde.example/criteria-2026-1",
			Summary: text("Een opleider laat zien dat een ander de examens bekijkt.", "A training provider shows that somebody else looks at the examinations.")},
		Votes: []voteRow{{Name: "Gemeente Aakermonde", Group: govern.GroupText(registry.Overheid), On: sampleDay.AddDate(0, 0, -2), Approved: true, Counts: true, Reason: "De stukken zijn gezien en kloppen."},
			{Name: "Opleidersberaad Aakermonde", Group: govern.GroupText(registry.Opleiders), On: sampleDay.AddDate(0, 0, -1), Counts: true, Reason: "Het examenreglement ontbreekt."}},
		Ask: []askRow{{Name: "Werkgeverskring Aakermonde", Group: govern.GroupText(registry.Werkgevers), Contact: "toelating@werkgeverskring.example"}, {Name: "Anker Academie", Group: govern.GroupText(registry.Opleiders), Barred: true}},
	}
	with := func(change func(*proposalPage)) proposalPage {
		p := open
		p.Votes = slices.Clone(open.Votes)
		change(&p)
		return p
	}
	out := []page.Sample[proposalPage]{
		{Name: "open", Frame: inFrame, Data: open},
		{Name: "approved", Frame: withNotice("approved"), Data: with(func(p *proposalPage) { p.Mine = "approved" })},
		{Name: "barred", Frame: inFrame, Data: with(func(p *proposalPage) { p.Mine, p.Unreachable, p.Earlier = "barred", true, "/proposals/"+sampleID })},
		{Name: "enacted", Frame: withNotice("enacted"), Data: with(func(p *proposalPage) {
			p.Status, p.Decided, p.Members, p.Groups, p.Mine = registry.Enacted, sampleDay, 0, 0, "approved"
			p.Votes[0].Counts = false
		})},
		{Name: "lapsed", Frame: inFrame, Data: with(func(p *proposalPage) {
			p.Later = "/proposals/" + sampleID
			p.Status, p.Decided, p.Criteria = registry.Lapsed, sampleDay, &criteria{Version: "criteria-2025-2", InForce: "criteria-2026-1", Old: true}
		})},
		{Name: "hobbel", Frame: inFrame, Data: proposalPage{ID: sampleID, Kind: kindOf(registry.KindHobbel), Status: registry.Pending, Source: sampleSource, Opened: sampleDay, Deadline: sampleDay.AddDate(0, 0, 7),
			Members: 2, Groups: 2, Confirmation: true, Facts: []govern.Fact{{Label: both("Hobbel"), Value: both("H03")}, {Label: text("Sinds", "Since"), Day: sampleDay.AddDate(0, -2, 0)}}}},
	}
	for _, problem := range []string{"reason", "conflict"} {
		out = append(out, page.Sample[proposalPage]{Name: "problem-" + problem, Frame: inFrame, Data: with(func(p *proposalPage) { p.Problem, p.Reason = problem, "De stukken" })})
	}
	return out
}

func withNotice(key string) page.Frame {
	f := inFrame
	f.Notice = key
	return f
}

func organisationsSamples() []page.Sample[organisationsPage] {
	return []page.Sample[organisationsPage]{
		{Name: "some", Frame: inFrame, Data: organisationsPage{Source: sampleSource, Organisations: []organisationRow{
			sampleOrganisation(registry.CodeAdmitted), {ID: sampleOrg, Erased: true, Roles: []roleRow{sampleRole(registry.Verifier, registry.CodeExpired)}},
			{ID: sampleOrg, Roles: []roleRow{sampleRole(registry.WalletHost, registry.CodeWithdrawn), sampleRole(registry.StatusSigner, registry.CodeFraud)}}}}},
		{Name: "none", Frame: inFrame, Data: organisationsPage{Source: sampleSource}},
	}
}

func sampleRole(r registry.Role, c registry.Code) roleRow {
	out := roleRow{Role: r, Name: govern.RoleText(r), Code: c, Standing: govern.CodeText(c), Admitted: c == registry.CodeAdmitted}
	switch {
	case out.Admitted:
		out.Until = sampleDay.AddDate(1, 0, 0)
	case c == registry.CodeExpired:
		out.Until = sampleDay.AddDate(0, -1, 0)
	}
	return out
}

func sampleOrganisation(c registry.Code) organisationRow {
	return organisationRow{ID: sampleOrg, Name: "Opleidingshuis De Vaart", Roles: []roleRow{sampleRole(registry.Issuer, c)}}
}

func organisationSamples() []page.Sample[organisationPage] {
	admitted := organisationPage{organisationRow: sampleOrganisation(registry.CodeAdmitted), Registration: "KvK 90000001", Source: sampleSource,
		Addresses: []string{"https://vaart.example", "did:web:vaart.example"}, Can: []string{"suspend", "withdraw", "fraud"},
		Decisions: []row{{ID: sampleID, Kind: kindOf(registry.KindApplied), Name: "Opleidingshuis De Vaart", Status: registry.Enacted, Decided: sampleDay.AddDate(0, -6, 0)}}}
	suspended := admitted
	suspended.organisationRow, suspended.Can = sampleOrganisation(registry.CodeSuspended), []string{"reinstate", "withdraw", "fraud"}
	suspended.Roles = append(suspended.Roles, sampleRole(registry.Verifier, registry.CodeAdmitted))
	applicant := organisationPage{organisationRow: organisationRow{ID: sampleOrg}, Source: sampleSource}
	wrong := admitted
	wrong.Problem, wrong.Typed = "since", typedMeasure{Measure: "fraud", Role: "issuer", Reason: "Bewijzen zonder toets"}
	return []page.Sample[organisationPage]{
		{Name: "admitted", Frame: inFrame, Data: admitted}, {Name: "suspended", Frame: withNotice("enacted"), Data: suspended},
		{Name: "applicant", Frame: inFrame, Data: applicant}, {Name: "problem-since", Frame: inFrame, Data: wrong},
	}
}
