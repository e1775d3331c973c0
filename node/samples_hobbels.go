package node

import (
	"encoding/json"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

var sampleBegan = sampleDay.AddDate(-1, -10, 0)

// sampleHobbels are the fourteen of the list that ships, as they could stand after two years.
func sampleHobbels() []registry.HobbelView {
	var c registry.Catalogue
	if raw, err := paspoort.HobbelCatalogue(); err == nil {
		_ = json.Unmarshal(raw, &c) // ships with the program
	}
	step := func(s registry.HobbelStatus, months int) registry.HobbelFact {
		on := sampleBegan.AddDate(0, months, 4)
		return registry.HobbelFact{Since: on.AddDate(0, 0, 3).Unix(), HobbelClaim: registry.HobbelClaim{Status: s, On: on.Unix()}}
	}
	const e, d, t, o = registry.Experiment, registry.Doorbraak, registry.Teruggevallen, registry.Open
	moved := map[string][]registry.HobbelFact{
		"H01": {step(e, 14)}, "H03": {step(e, 3), step(d, 17)}, "H04": {step(e, 5), step(t, 12), step(e, 18)}, "H05": {step(e, 8)},
		"H06": {step(e, 2), step(d, 9), step(t, 19)}, "H09": {step(e, 11), step(o, 15)}, "H12": {step(e, 6), step(d, 20)}, "H14": {step(e, 21)},
	}
	zorg, techniek, bouw := registry.Scope{Kind: registry.ScopeSector, Name: "zorg en welzijn"}, registry.Scope{Kind: registry.ScopeSector, Name: "techniek"}, registry.Scope{Kind: registry.ScopeBranche, Name: "installatietechniek"}
	scoped := map[string][]registry.HobbelScope{
		"H01": {{Scope: zorg, Status: d, History: []registry.HobbelFact{step(e, 4), step(d, 16)}}, {Scope: techniek, Status: e, History: []registry.HobbelFact{step(e, 13)}}},
		"H05": {{Scope: bouw, Status: d, History: []registry.HobbelFact{step(e, 9), step(d, 20)}}},
		"H07": {{Scope: techniek, Status: t, History: []registry.HobbelFact{step(e, 6), step(d, 12), step(t, 18)}}},
	}
	var out []registry.HobbelView
	for _, h := range c.Hobbels {
		v := registry.HobbelView{Hobbel: h, Status: o, History: moved[h.ID], Scopes: scoped[h.ID]}
		if n := len(v.History); n > 0 {
			v.Status = v.History[n-1].Status
		}
		out = append(out, v)
	}
	return out
}

func hobbelsSamples() []page.Sample[hobbelsPage] {
	from := source{"knoop-1", 2 * time.Second}
	some := hobbelsPage{Catalogue: paspoort.ProvisionalHobbels, Origin: "Voorlopige lijst. De officiële namen van de veertien systeemhobbels zijn dit niet.", From: sampleBegan, To: sampleDay, Source: from}
	sector := some
	some.fill(sampleHobbels(), "")
	sector.fill(sampleHobbels(), "sector/zorg en welzijn")
	// On the first day nothing has moved, and no time has passed.
	first := hobbelsPage{Catalogue: some.Catalogue, From: sampleDay, To: sampleDay, Source: from}
	still := sampleHobbels()
	for i := range still {
		still[i].History, still[i].Scopes, still[i].Status = nil, nil, registry.Open
	}
	first.fill(still, "")
	return []page.Sample[hobbelsPage]{{Name: "some", Data: some}, {Name: "sector", Data: sector}, {Name: "first-day", Data: first}, {Name: "none", Data: hobbelsPage{Source: from}}}
}

func hobbelSamples() []page.Sample[hobbelPage] {
	list := sampleHobbels()
	at := func(id string) hobbelPage {
		i := slices.IndexFunc(list, func(h registry.HobbelView) bool { return h.ID == id })
		data := hobbelPage{hobbelRow: newHobbelRow(list[i], sampleBegan, sampleDay), Catalogue: paspoort.ProvisionalHobbels, Source: source{"knoop-1", 2 * time.Second}}
		if i > 0 {
			data.Previous = &hobbelLink{list[i-1].ID, hobbelNumber(list[i-1].ID), list[i-1].Title}
		}
		if i+1 < len(list) {
			data.Next = &hobbelLink{list[i+1].ID, hobbelNumber(list[i+1].ID), list[i+1].Title}
		}
		return data
	}
	placed, moved := 29, at("H03")
	votes, ossekamp, vaart := []voteRow{{Member: sampleVakbond}, {Member: sampleGemeente}}, sampleOssekamp, sampleVaart
	moved.Steps = []hobbelStep{
		{Status: registry.Doorbraak, On: sampleBegan.AddDate(0, 17, 4), Logged: sampleBegan.AddDate(0, 17, 7), Claimant: ossekamp, Confirmed: vaart, Approvals: votes, Event: sampleID(1),
			Summary:  registry.Text{NL: "Negen werkgevers nemen nu aan op het paspoort. Een diploma vragen zij alleen waar de wet dat eist.", EN: "Nine employers now hire on the passport. They ask for a diploma only where the law does."},
			Evidence: []evidenceRow{newEvidenceRow(registry.Evidence{Title: "Proeftuin aannemen op kunnen", Place: "Aakermonde", From: sampleBegan.AddDate(0, 4, 0).Unix(), Until: sampleBegan.AddDate(0, 16, 0).Unix(), Participants: 37, Placed: &placed, URL: "https://aakermonde.example/proeftuinen/aannemen-op-kunnen", SHA256: sampleID(9)}), newEvidenceRow(registry.Evidence{URL: "https://ossekamp.example/werken-bij/zo-nemen-wij-aan"})}},
		{Status: registry.Experiment, On: sampleBegan.AddDate(0, 3, 4), Logged: sampleBegan.AddDate(0, 3, 7), Claimant: ossekamp, Confirmed: vaart, Approvals: votes[:1], Event: sampleID(2),
			Summary:  registry.Text{NL: "Drie bedrijven proberen het uit met twaalf vacatures.", EN: "Three companies try it with twelve vacancies."},
			Evidence: []evidenceRow{newEvidenceRow(registry.Evidence{URL: "https://aakermonde.example/proeftuinen/aannemen-op-kunnen"})}}}
	waiting := at("H14")
	waiting.Steps = []hobbelStep{{Status: registry.Experiment, On: sampleBegan.AddDate(0, 21, 4), Logged: sampleBegan.AddDate(0, 21, 7), Claimant: partyRow{Erased: true}, Confirmed: vaart, Approvals: votes,
		Summary: registry.Text{NL: "Het werkcentrum begint met een vast spreekuur."}, Evidence: []evidenceRow{newEvidenceRow(registry.Evidence{URL: "https://werkcentrum.example"})}, Event: sampleID(3)}}
	waiting.Pending = []decisionRow{{ID: sampleID(4), Kind: registry.KindHobbel, State: decisionPending, Opened: sampleDay, Until: sampleDay.AddDate(0, 1, 0)}}
	perSector := at("H01")
	for _, o := range list[0].Scopes {
		row := newHobbelRow(registry.HobbelView{Status: o.Status, History: o.History}, sampleBegan, sampleDay)
		perSector.Scopes = append(perSector.Scopes, hobbelScopeRow{scopeRow{Kind: o.Kind, Name: o.Name}, o.Status, row.Since, row.Track})
	}
	perSector.Steps = []hobbelStep{{Scope: &scopeRow{Kind: registry.ScopeSector, Name: "zorg en welzijn"}, Status: registry.Doorbraak, On: sampleBegan.AddDate(0, 16, 4), Logged: sampleBegan.AddDate(0, 16, 7), Claimant: sampleLinde, Confirmed: sampleVaart,
		Approvals: votes, Summary: registry.Text{NL: "De cao geeft iedereen nu acht uur per jaar om ander werk te bekijken.", EN: "The collective agreement now gives everybody eight hours a year to look at other work."},
		Evidence: []evidenceRow{newEvidenceRow(registry.Evidence{Title: "Kijkdagen in de zorg", Place: "Aakermonde", From: sampleBegan.AddDate(0, 5, 0).Unix(), Participants: 112})}, Event: sampleID(5)}}
	return []page.Sample[hobbelPage]{{Name: "sectors", Data: perSector}, {Name: "moved", Data: moved}, {Name: "waiting", Data: waiting}, {Name: "open", Data: at("H13")}}
}
