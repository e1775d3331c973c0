package node

import (
	"crypto/sha256"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// The samples are all states of the pages, with contents that could be real.

var sampleDay = time.Date(2026, 3, 2, 11, 10, 0, 0, time.UTC)

func regionSamples() []page.Sample[regionPage] {
	return []page.Sample[regionPage]{
		{Name: "founded", Data: regionPage{Name: "Regio Aakermonde", Organisations: 12, Hobbels: 14, Breakthroughs: 1, Functions: 6, Modules: 9, Leaves: 214, Criteria: "criteria-1",
			CriteriaText: &registry.CriteriaText{URL: "https://aakermonde.example/criteria-1", Summary: &registry.Text{NL: "Wie toetst, verdient niet aan de uitkomst. Er is een klachtenregeling. Ieder jaar kijkt een ander mee.", EN: "Who assesses does not gain by the outcome. There is a complaints procedure. Every year another party looks along."}}, Source: source{"knoop-1", 2 * time.Second},
			Members: []partyRow{sampleWerkgevers, sampleVakbond, sampleOpleiders, sampleGemeente}}},
		{Name: "continued", Data: regionPage{Name: "Regio Aakermonde", Organisations: 1, Hobbels: 14, Leaves: 30, Continues: &registry.Continuation{Losses: &registry.Text{NL: "Twee besluiten van 3 maart zijn verloren gegaan.", EN: "Two decisions of 3 March were lost."}}, Criteria: "criteria-2", Source: source{"knoop-1", 2 * time.Second}}},
		{Name: "starting", Data: regionPage{Name: "Regio Aakermonde", Source: source{Node: "knoop-1"}}},
	}
}

func logSamples() []page.Sample[logPage] {
	status := Status{Node: "knoop-1", Region: "5f0c6f0b6f4e4bb0b8f6c2b1b9d1f6c7a3f0d9e8c7b6a5948372615049382716", Name: "Regio Aakermonde", State: "leader", Leader: "knoop-1",
		Term: 3, RaftIndex: 230, Applied: 229, Leaves: 3, LogTime: sampleDay, Signs: true, Verifies: true,
		Checkpoint: &CheckpointState{Size: 2, Freshest: sampleDay, Cosigned: []string{"knoop-1", "knoop-2"}, Trust: "own nodes only"},
		Peers:      []Peer{{"knoop-1", "https://knoop-1.example", "voter"}, {"knoop-2", "https://knoop-2.example", "voter"}, {"knoop-3", "https://knoop-3.example", "nonvoter"}, {"knoop-4", "https://knoop-4.example", "absent"}}}
	rows := []logRow{{2, registry.KindApproved, sampleDay, "c0ffee00", false}, {1, registry.KindApplied, sampleDay, "c0ffee01", true}, {0, registry.KindFounded, sampleDay, "c0ffee02", true}}
	starting := Status{Node: "knoop-1", Region: status.Region, Name: status.Name, State: "starting", Withheld: whyNotAsked, Peers: []Peer{{"knoop-1", "https://knoop-1.example", "absent"}}}
	silent := status
	silent.Leader, silent.State, silent.Age, silent.Signs, silent.Withheld = "", "candidate", 75, false, whyRolledBack
	return []page.Sample[logPage]{{Name: "running", Data: logPage{status, rows}}, {Name: "starting", Data: logPage{Status: starting}}, {Name: "no-leader", Data: logPage{silent, rows}}}
}

func checkSamples() []page.Sample[checkPage] {
	from := source{Node: "knoop-1"}
	// What a verdict about a handed over file says: never ok as a whole, for whose
	// it is was not shown; the first is of a presentation that was asked for.
	verdict := func(s paspoort.State) *paspoort.Verdict {
		level, flow := paspoort.LevelAssessed, "flow_file"
		words := map[paspoort.State]struct{ outcome, check, skill, status string }{
			paspoort.OK:      {"outcome_ok", "signature_ok", "", "valid"},
			paspoort.Unknown: {"outcome_holder_not_shown", "holder_not_shown", "skill_unknown", "valid"},
			paspoort.Failed:  {"outcome_failed", "signature_invalid", "skill_failed", "unknown"},
		}[s]
		skill := paspoort.SkillVerdict{Label: "Lassen (TIG)", State: s, Sentence: paspoort.Sentence(words.skill)}
		credential := paspoort.CredentialVerdict{Outcome: s, TypeName: paspoort.Opleiding.Name(), Issuer: paspoort.IssuerView{Name: "Opleidingshuis De Vaart"}, Status: words.status,
			ProofLevel: &level, ProofText: paspoort.LevelText(level), Checks: []paspoort.Check{{Name: paspoort.CheckSignature, State: s, Sentence: paspoort.Sentence(words.check)}}}
		switch s {
		case paspoort.OK:
			flow, skill.ProofText = "flow_same_device", paspoort.LevelText(level)
			skill.Sentence = paspoort.Text{NL: "Deze vaardigheid is aangetoond: onafhankelijk beoordeeld.", EN: "This skill is proved: assessed independently."}
		case paspoort.Failed:
			credential.Issuer = paspoort.IssuerView{CallsItself: "Opleidingshuis De Vaart"}
			credential.ProofLevel, credential.ProofText = nil, paspoort.Text{}
		}
		return &paspoort.Verdict{Outcome: s, Sentence: paspoort.Sentence(words.outcome), FlowNote: paspoort.Sentence(flow),
			Registry:    &paspoort.RegistryView{Name: "Regio Aakermonde", AgeSeconds: 240, Note: paspoort.Sentence("trust_own_nodes")},
			Credentials: []paspoort.CredentialVerdict{credential}, Skills: []paspoort.SkillVerdict{skill}}
	}
	several := verdict(paspoort.Failed)
	several.Credentials = append(several.Credentials, verdict(paspoort.OK).Credentials...)
	for range mostChecked - len(several.Credentials) {
		several.Credentials = append(several.Credentials, verdict(paspoort.Unknown).Credentials...)
	}
	return []page.Sample[checkPage]{
		{Name: "form", Data: checkPage{On: true, Source: from}}, {Name: "off", Data: checkPage{Source: from}},
		{Name: "empty", Data: checkPage{On: true, Problem: "empty", Source: from}}, {Name: "large", Data: checkPage{On: true, Problem: "large", Source: from}},
		{Name: "unreadable", Data: checkPage{On: true, Problem: "unreadable", Source: from}}, {Name: "many", Data: checkPage{On: true, Problem: "many", Most: mostChecked, Source: from}},
		{Name: "ok", Data: checkPage{On: true, Verdict: verdict(paspoort.OK), Source: from}}, {Name: "unknown", Data: checkPage{On: true, Verdict: verdict(paspoort.Unknown), Source: from}},
		{Name: "failed", Data: checkPage{On: true, Verdict: verdict(paspoort.Failed), Source: from}}, {Name: "several", Data: checkPage{On: true, Verdict: several, Source: from}},
	}
}

// sampleID looks like the id of an event.
func sampleID(n int) string { return fmt.Sprintf("%x", sha256.Sum256([]byte{byte(n)})) }
