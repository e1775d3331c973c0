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
		{Name: "done-partly", Data: with(func(p *requestPage) { p.State, p.Verdict = Done, partlyShown() })},
		{Name: "done-unknown", Data: with(func(p *requestPage) { p.State, p.Verdict = Done, sampleVerdict(paspoort.Unknown) })},
		{Name: "done-failed", Data: with(func(p *requestPage) { p.State, p.Verdict = Done, sampleVerdict(paspoort.Failed) })},
		{Name: "done-query", Data: with(func(p *requestPage) {
			p.State, p.Verdict, p.Skills = Done, sampleVerdict(paspoort.OK), nil
			p.Verdict.Proofs, p.Verdict.Skills = p.Verdict.Skills[0].Proofs, nil
		})},
	}
}

// partlyShown is a view of an answer in which all is in order and one skill was not shown.
func partlyShown() *verdictView {
	v := sampleVerdict(paspoort.OK)
	v.Outcome, v.Sentence = paspoort.Unknown, paspoort.Sentence("outcome_skills_missing")
	v.Skills[1] = skillView{Label: v.Skills[1].Label, State: paspoort.Unknown, Missing: true, Sentence: paspoort.Sentence("skill_not_shown")}
	return v
}

// sampleVerdict is a view that a verdict with this outcome could give.
func sampleVerdict(outcome paspoort.State) *verdictView {
	proof := proofView{
		Type: paspoort.Opleiding.Name(), State: outcome, By: "Opleidingshuis De Vaart", Known: true, Region: "Regio Aakermonde", ProofText: paspoort.LevelText(paspoort.LevelAssessed),
		SignedOn: time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC), Status: "valid", StatusAge: 12 * time.Minute, HasAge: true,
	}
	proved := paspoort.Text{NL: "Deze vaardigheid is aangetoond: onafhankelijk beoordeeld.", EN: "This skill is proved: assessed independently."}
	drawing := proof
	drawing.ProofText = paspoort.LevelText(paspoort.LevelEmployer)
	drawing.Type, drawing.By, drawing.Region = paspoort.Werkervaring.Name(), "Constructiebedrijf De Lier", "Regio Maasdal"
	v := &verdictView{
		Outcome:  outcome,
		Sentence: paspoort.Sentence("outcome_" + string(outcome)),
		Skills: []skillView{
			{Label: "Lassen (TIG)", State: outcome, Sentence: proved, Rungs: []bool{true, true, true, true, false}, Proofs: []proofView{proof}},
			{Label: "Technische tekening lezen", State: paspoort.Unknown, Missing: true, Sentence: paspoort.Sentence("skill_not_shown")},
		},
		SameHolder: paspoort.Check{State: paspoort.OK, Sentence: paspoort.Sentence("same_key")},
		FlowNote:   paspoort.Sentence("flow_same_device"),
		Registries: []registryAge{{Name: "Regio Aakermonde", Age: 4 * time.Minute, Note: paspoort.Sentence("trust_witnessed")}},
	}
	first := &v.Skills[0]
	switch outcome {
	case paspoort.OK:
		v.Federations = []paspoort.Text{{
			NL: "Vakschool Voorbeeld staat niet in het register van uw regio. Daarom is Het Stelsel gevraagd, een stelsel buiten uw regio. Dat antwoord geldt tot 3 maart 2026.",
			EN: "Vakschool Voorbeeld is not in the registry of your region. So Het Stelsel was asked, a federation outside your region. That answer holds until 3 March 2026.",
		}}
		v.Registries = append(v.Registries, registryAge{Name: "Regio Maasdal", Age: 40 * time.Second, Note: paspoort.Text{
			NL: "Het register is alleen ondertekend door de regio zelf. Regio Aakermonde vertrouwt op het register van Regio Maasdal, tot 2 juli 2027.",
			EN: "The registry is signed by the region's own nodes only. Regio Aakermonde relies on the registry of Regio Maasdal, until 2 July 2027.",
		}})
		// All that was asked was shown, else the outcome would not be ok.
		v.Skills[1] = skillView{Label: "Technische tekening lezen", State: paspoort.OK, Rungs: []bool{true, true, true, false, false}, Proofs: []proofView{drawing},
			Sentence: paspoort.Text{NL: "Deze vaardigheid is aangetoond: bevestigd door een werkgever of leerbedrijf.", EN: "This skill is proved: confirmed by an employer or work placement company."}}
		return v
	case paspoort.Failed:
		first.Sentence, first.Proofs[0].Status = paspoort.Sentence("skill_failed"), "invalid"
		v.Problems = []problem{{outcome, paspoort.Opleiding.Name(), paspoort.Text{NL: "Ingetrokken door de uitgever. Dat stond in de lijst van 2 maart 2026.", EN: "Revoked by the issuer, as the list of 2 March 2026 says."}}}
	default:
		first.Sentence, first.Proofs[0].Status, first.Proofs[0].HasAge = paspoort.Sentence("skill_unknown"), "unknown", false
		v.Problems = []problem{{outcome, paspoort.Opleiding.Name(), paspoort.Sentence("status_not_available")}}
	}
	first.Rungs, first.Proofs[0].Known, v.Registries = nil, false, nil
	return v
}
