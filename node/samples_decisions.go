package node

import (
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

var (
	sampleWerkgevers = partyRow{Name: "Werkgeversvereniging Aakermonde", Group: registry.Werkgevers}
	sampleVakbond    = partyRow{Name: "Vakbond De Eendracht", Group: registry.Werknemers}
	sampleOpleiders  = partyRow{Name: "Opleidersberaad Aakermonde", Group: registry.Opleiders, Contact: "toelating@opleidersberaad-aakermonde.example"}
	sampleGemeente   = partyRow{Name: "Gemeente Aakermonde", Group: registry.Overheid, Contact: "https://gemeente.aakermonde.example/paspoort/toelating"}
	sampleLinde      = partyRow{Name: "Zorggroep De Linde", Path: "/organisations/org_dddddddddddddddddddddddddd", Claims: true}
	sampleVaart      = partyRow{Name: "Opleidingshuis De Vaart", Path: "/organisations/org_aaaaaaaaaaaaaaaaaaaaaaaaaa"}
	sampleOssekamp   = partyRow{Name: "Machinefabriek Ossekamp", Path: "/organisations/org_bbbbbbbbbbbbbbbbbbbbbbbbbb"}
)

func sampleDecision(n int, kind registry.Kind, about partyRow, s decisionState) decisionRow {
	row := decisionRow{ID: sampleID(n), Kind: kind, About: about, State: s, Opened: sampleDay.AddDate(0, 0, -9), Until: sampleDay.AddDate(0, 0, 21)}
	if s != decisionPending {
		row.Decided = sampleDay.AddDate(0, 0, -n)
	}
	return row
}

func decisionsSamples() []page.Sample[decisionsPage] {
	from := source{"knoop-1", 2 * time.Second}
	admission := sampleDecision(21, registry.KindApplied, sampleLinde, decisionPending)
	admission.Role = registry.Issuer
	stop := sampleDecision(22, registry.KindSuspended, sampleOssekamp, decisionPending)
	stop.Role, stop.Reason = registry.Verifier, "Onderzoek naar vragen buiten het doel."
	fraud := sampleDecision(2, registry.KindWithdrawn, sampleOssekamp, decisionEnacted)
	fraud.Role, fraud.Reason = registry.Issuer, "Valse verklaringen."
	refused := sampleDecision(5, registry.KindApplied, partyRow{Name: "Snelcursus Vandaag", Path: "/organisations/org_eeeeeeeeeeeeeeeeeeeeeeeeee"}, decisionRefused)
	refused.Role, refused.Refused = registry.Issuer, []string{"De opleider toetst zichzelf. Laat een ander dat doen en vraag opnieuw aan.", "Er is geen klachtenregeling."}
	lapsed := sampleDecision(9, registry.KindDetails, partyRow{Erased: true, Path: "/organisations/org_cccccccccccccccccccccccccc"}, decisionLapsed)
	hobbel := sampleDecision(12, registry.KindHobbel, partyRow{Title: registry.Text{NL: "Werkgevers kijken alleen naar diploma en cv", EN: "Employers look only at diploma and cv"}, Path: "/hobbels/H03"}, decisionEnacted)
	list := sampleDecision(30, registry.KindCatalogue, partyRow{}, decisionEnacted)
	return []page.Sample[decisionsPage]{
		{Name: "some", Data: decisionsPage{Waiting: []decisionRow{admission, stop}, Decided: []decisionRow{fraud, refused, lapsed, hobbel, list}, Total: 90, Newer: 1, Older: 3, Source: from}},
		{Name: "none", Data: decisionsPage{Source: from}},
	}
}

func sampleApplication(s decisionState) decisionPage {
	d := decisionPage{decisionRow: sampleDecision(21, registry.KindApplied, sampleLinde, s), By: []partyRow{sampleLinde}, Need: registry.Threshold{Groups: 2, Members: 2},
		Approvals: []voteRow{{Member: sampleVakbond, At: sampleDay.AddDate(0, 0, -2), Reason: "Er is een vaste begeleider voor nieuwe collega's."}}, Index: 214, Covered: true, Source: source{"knoop-1", 2 * time.Second},
		Application: &applicationRow{Criteria: "criteria-1", Days: 548, Types: []paspoort.Text{paspoort.Werkervaring.Name(), paspoort.Praktijkverklaring.Name()}, Domains: []string{"zorg"}, Registration: "KvK 90000004", Addresses: []registry.Alias{{Type: registry.AliasURL, Value: "https://linde.example"}},
			Levels: []levelRow{{Level: paspoort.LevelText(paspoort.LevelAssessed), Basis: "Erkend leerbedrijf", Auditor: "Toetsbureau Noorderlicht", Reference: "TN-2026-0031", Until: sampleDay.AddDate(1, 0, 0)}}}}
	d.Role = registry.Issuer
	if s == decisionEnacted { // by then the name is settled
		d.About.Claims, d.By[0].Claims = false, false
	}
	return d
}

func applicationSamples() []page.Sample[decisionPage] {
	pending := sampleApplication(decisionPending)
	pending.Days, pending.Missing = 21, missingRow{Members: 1, Groups: 1, From: []registry.Group{registry.Opleiders, registry.Overheid}, Reachable: true}
	pending.Ask = []partyRow{sampleOpleiders, sampleGemeente, {Name: "Vakbond Noorderlicht", Group: registry.Werknemers}}
	pending.Barred = []barredRow{{sampleWerkgevers, registry.BarSubject}}
	stuck := sampleApplication(decisionPending)
	stuck.Approvals, stuck.Missing = nil, missingRow{Members: 2, Groups: 2, From: []registry.Group{registry.Overheid}}
	stuck.Refusals = []voteRow{{Member: sampleVakbond, At: sampleDay, Reason: "Er is geen klachtenregeling."}}
	stuck.Ask, stuck.Covered = []partyRow{sampleGemeente}, false
	enacted := sampleApplication(decisionEnacted)
	enacted.Approvals = append(enacted.Approvals, voteRow{Member: sampleGemeente, At: sampleDay})
	turned := sampleApplication(decisionEnacted)
	turned.Refusals = []voteRow{{Member: sampleOpleiders, At: sampleDay, Reason: "Er is geen klachtenregeling."}, {Member: sampleGemeente, At: sampleDay, Reason: "Er is geen klachtenregeling."}}
	turned.Appeal = &appealRow{Path: "/decisions/" + sampleID(24)}
	refused := sampleApplication(decisionRefused)
	refused.Approvals[0].Void, refused.Appeal = true, &appealRow{Until: sampleDay.AddDate(0, 0, 42), Possible: true}
	refused.Refusals = []voteRow{{Member: sampleOpleiders, At: sampleDay, Reason: "De opleider toetst zichzelf. Laat een ander dat doen en vraag opnieuw aan."}, {Member: sampleGemeente, At: sampleDay, Reason: "Er is geen klachtenregeling."}}
	lapsed := sampleApplication(decisionLapsed)
	lapsed.Appeal = &appealRow{Path: "/decisions/" + sampleID(24), Until: sampleDay.AddDate(0, 0, 42)}
	lapsed.Application.CriteriaText = &registry.CriteriaText{URL: "https://aakermonde.example/criteria-1"}
	return []page.Sample[decisionPage]{{Name: "pending", Data: pending}, {Name: "stuck", Data: stuck}, {Name: "enacted", Data: enacted}, {Name: "turned", Data: turned},
		{Name: "refused", Data: refused}, {Name: "lapsed", Data: lapsed}}
}

func decisionSamples() []page.Sample[decisionPage] {
	from := source{"knoop-1", 2 * time.Second}
	votes := []voteRow{{Member: sampleVakbond, At: sampleDay}, {Member: sampleGemeente, At: sampleDay}}
	fraud := decisionPage{decisionRow: sampleDecision(2, registry.KindWithdrawn, sampleOssekamp, decisionEnacted), By: []partyRow{sampleVakbond}, Approvals: votes, Index: 190, Covered: true, Source: from,
		Measure: &registry.Measure{EffectiveFrom: sampleDay.AddDate(0, -6, 0).Unix(), Fraud: true}}
	fraud.Role, fraud.Reason = registry.Issuer, "Valse verklaringen over werk dat niet is gedaan."
	claim := decisionPage{decisionRow: sampleDecision(23, registry.KindHobbel, partyRow{Title: registry.Text{NL: "Werkgevers kijken alleen naar diploma en cv", EN: "Employers look only at diploma and cv"}, Path: "/hobbels/H03"}, decisionPending), By: []partyRow{sampleOssekamp}, Need: registry.Threshold{Groups: 2, Members: 2}, Days: 0,
		Approvals: votes, Confirmation: true, Missing: missingRow{Reachable: true}, Index: 213, Source: from, Ask: []partyRow{sampleOpleiders}, Barred: []barredRow{{sampleWerkgevers, registry.BarAsks}},
		Hobbel: &hobbelStep{Status: registry.Doorbraak, On: sampleDay, Summary: registry.Text{NL: "Negen werkgevers nemen nu aan op het paspoort."}, Evidence: []evidenceRow{newEvidenceRow(registry.Evidence{URL: "https://aakermonde.example/proeftuinen/aannemen-op-kunnen"})}}}
	group := claim
	group.Confirmation, group.Confirmed, group.Missing, group.Days = false, &sampleVaart, missingRow{Groups: 1, From: []registry.Group{registry.Opleiders}, Reachable: true}, 1
	amended := decisionPage{decisionRow: sampleDecision(7, registry.KindAmended, partyRow{}, decisionLapsed), By: []partyRow{sampleVakbond}, Index: 33, Covered: true, Source: from}
	amended.Reason = "De criteria zijn bijgewerkt."
	appeal := sampleApplication(decisionPending)
	appeal.decisionRow = sampleDecision(24, registry.KindAppealed, sampleLinde, decisionPending)
	appeal.Reason, appeal.Appealed, appeal.Application = "De klachtenregeling is er nu. Zie onze website.", "/applications/"+sampleID(21), nil
	appeal.Days, appeal.Missing, appeal.Ask = 30, missingRow{Members: 1, Groups: 1, From: []registry.Group{registry.Overheid}, Reachable: true}, []partyRow{sampleGemeente}
	appeal.Barred = []barredRow{{sampleOpleiders, registry.BarRefused}, {sampleWerkgevers, registry.BarSubject}}
	other := decisionPage{decisionRow: sampleDecision(11, registry.KindPeerAccepted, partyRow{Name: "Regio Lindewaard", Path: "/regions/" + sampleID(50)}, decisionEnacted), By: []partyRow{sampleWerkgevers}, Approvals: votes, Index: 230, Covered: true, Source: from,
		Outside: []factRow{{Label: paspoort.Text{NL: "Kenmerk van de regio", EN: "Id of the region"}, Value: paspoort.Text{NL: sampleID(50), EN: sampleID(50)}, Code: true}, fact("Telt voor", "Counts for", "Opleiding, Werkervaring", "Education, Work experience"),
			{Label: paspoort.Text{NL: "Tot", EN: "Until"}, Day: sampleDay.AddDate(2, 0, 0)}, fact("Adressen van de knooppunten", "Addresses of its nodes", "https://knoop.lindewaard.example", "https://knoop.lindewaard.example")}}
	other.Reason = "Dezelfde criteria, en dezelfde manier van toetsen."
	code := func(nl, en, value string) factRow {
		return factRow{Label: paspoort.Text{NL: nl, EN: en}, Value: paspoort.Text{NL: value, EN: value}, Code: true}
	}
	witness := decisionPage{decisionRow: sampleDecision(12, registry.KindWitness, partyRow{}, decisionEnacted), By: []partyRow{sampleWerkgevers}, Approvals: votes, Index: 231, Covered: true, Source: from,
		Outside: []factRow{fact("Getuige", "Witness", "maasdal-1", "maasdal-1"), code("Van regio", "Of region", sampleID(50)), code("Naam van de sleutel", "Name of the key", "maasdal.example/register/node/knoop-1"),
			code("Sleutel", "Key", sampleID(51)), fact("Adres", "Address", "https://knoop-1.maasdal.example/witness", "https://knoop-1.maasdal.example/witness")}}
	witness.Reason = "Een ander kijkt mee of wij niemand iets anders laten zien."
	keeps := decisionPage{decisionRow: sampleDecision(13, registry.KindCustodian, sampleVaart, decisionEnacted), By: []partyRow{sampleOpleiders}, Approvals: votes, Index: 232, Covered: true, Source: from,
		Outside: []factRow{fact("Wie de lijsten voortaan tekent", "Who signs the lists from now on", "Opleidersberaad Aakermonde", "Opleidersberaad Aakermonde"),
			{Label: paspoort.Text{NL: "Tot", EN: "Until"}, Day: sampleDay.AddDate(5, 0, 0)}}}
	keeps.Reason = "De opleider is gestopt."
	direct := decisionPage{decisionRow: sampleDecision(8, registry.KindCertificate, partyRow{}, decisionDirect), By: []partyRow{sampleVaart, sampleOpleiders}, Index: 40, Covered: true, Source: from}
	return []page.Sample[decisionPage]{{Name: "fraud", Data: fraud}, {Name: "claim", Data: claim}, {Name: "group", Data: group}, {Name: "appeal", Data: appeal}, {Name: "lapsed", Data: amended}, {Name: "direct", Data: direct}, {Name: "region", Data: other}, {Name: "witness", Data: witness}, {Name: "custodian", Data: keeps}}
}

// fact is one thing that a sample of a decision says.
func fact(nl, en, valueNL, valueEN string) factRow {
	return factRow{Label: paspoort.Text{NL: nl, EN: en}, Value: paspoort.Text{NL: valueNL, EN: valueEN}}
}
