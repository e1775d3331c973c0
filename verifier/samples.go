package verifier

import (
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
)

// requestSamples are all states of the request page, with contents that could be real.
func requestSamples() []page.Sample[requestPage] {
	base := requestPage{
		Name: "Machinefabriek Ossekamp", Purpose: "Wij willen weten of u zelfstandig kunt lassen op onze werkplaats.", Language: "nl",
		State: Waiting, Expires: time.Date(2026, 3, 2, 11, 10, 0, 0, time.UTC), Path: "/r/voorbeeld",
		Skills: []Skill{{URI: "http://data.europa.eu/esco/skill/lassen", Label: "Lassen (TIG)"}, {URI: "http://data.europa.eu/esco/skill/tekening-lezen"}},
	}
	with := func(change func(*requestPage)) requestPage {
		p := base
		change(&p)
		return p
	}
	return []page.Sample[requestPage]{
		{Name: "waiting", Data: with(func(p *requestPage) { p.Wallets = []walletButton{{"Regio Aakermonde", "/r/voorbeeld/open?wallet=1"}} })},
		{Name: "waiting-query", Data: with(func(p *requestPage) {
			p.Skills, p.Names = nil, true
			p.Wants = []want{{paspoort.Opleiding.Name(), []paspoort.Text{{NL: "Titel", EN: "Title"}, {NL: "Voornaam", EN: "Given name"}}}, {paspoort.Referentie.Name(), nil}}
		})},
		{Name: "received", Data: with(func(p *requestPage) { p.State = Received })},
		{Name: "refused", Data: with(func(p *requestPage) { p.State = Refused })},
		{Name: "expired", Data: with(func(p *requestPage) { p.State = Expired })},
		{Name: "rejected", Data: with(func(p *requestPage) { p.State = Rejected })},
		{Name: "done", Data: with(func(p *requestPage) { p.State, p.Verdict = Done, sampleVerdict(paspoort.OK) })},
		{Name: "done-unknown", Data: with(func(p *requestPage) { p.State, p.Verdict = Done, sampleVerdict(paspoort.Unknown) })},
		{Name: "done-failed", Data: with(func(p *requestPage) { p.State, p.Verdict = Done, sampleVerdict(paspoort.Failed) })},
		{Name: "done-query", Data: with(func(p *requestPage) {
			p.State, p.Verdict, p.Skills = Done, sampleVerdict(paspoort.OK), nil
			p.Verdict.Proofs, p.Verdict.Skills = p.Verdict.Skills[0].Proofs, nil
		})},
	}
}

func sampleVerdict(outcome paspoort.State) *verdictView {
	proof := proofView{
		Type: paspoort.Opleiding.Name(), State: outcome, By: "Opleidingshuis De Vaart", Known: true, Region: "Regio Aakermonde", ProofText: paspoort.LevelText(paspoort.LevelAssessed),
		SignedOn: time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC), Status: "valid", StatusAge: 12 * time.Minute, HasAge: true,
	}
	v := &verdictView{
		Outcome:  outcome,
		Sentence: paspoort.Text{NL: "Alles klopt.", EN: "Everything is in order."},
		Skills: []skillView{
			{Label: "Lassen (TIG)", State: outcome, Sentence: paspoort.Text{NL: "Deze vaardigheid is aangetoond: onafhankelijk beoordeeld.", EN: "This skill is proved: assessed independently."},
				Rungs: []bool{true, true, true, true, false}, Proofs: []proofView{proof}},
			{Label: "Technische tekening lezen", State: paspoort.Unknown, Sentence: paspoort.Text{NL: "Niet getoond.", EN: "Not shown."}},
		},
		SameHolder: paspoort.Check{State: paspoort.OK, Sentence: paspoort.Text{NL: "Alle bewijzen zijn van dezelfde eigenaar.", EN: "All credentials belong to the same holder."}},
		FlowNote:   paspoort.Text{NL: "Gevraagd en getoond op hetzelfde apparaat.", EN: "Asked and shown on the same device."},
		Registry: &registryAge{Name: "Regio Aakermonde", Age: 4 * time.Minute,
			Note: paspoort.Text{NL: "Het register is bekrachtigd door de regio en door een andere regio.", EN: "The registry is confirmed by the region and by another region."}},
	}
	if outcome != paspoort.OK {
		v.Sentence = paspoort.Text{NL: "Er klopt iets niet. Vertrouw dit bewijs niet voordat u weet wat er mis is.", EN: "Something is wrong. Do not rely on this before you know what it is."}
		v.Skills[0].Rungs = nil
		v.Skills[0].Proofs[0].Status, v.Skills[0].Proofs[0].Known = "unknown", false
		v.Skills[0].Proofs[0].HasAge, v.Skills[0].Proofs[0].SignedOn = false, time.Time{}
		v.Registry = nil
		v.Problems = []problem{{outcome, paspoort.Opleiding.Name(), paspoort.Text{NL: "Ingetrokken door de uitgever.", EN: "Revoked by the issuer."}}}
	}
	return v
}
