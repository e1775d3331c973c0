package node

import (
	"crypto/sha256"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/page"
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
	seen := status
	seen.Witnesses = []WitnessState{{ID: "maasdal-1", Name: "maasdal.example/register/node/knoop-1", URL: "https://knoop-1.maasdal.example/witness", Size: 2, At: sampleDay}}
	point := *status.Checkpoint
	point.Trust, point.Witnesses = trustWitnessed, []string{"maasdal-1"}
	seen.Checkpoint = &point
	torn := seen
	torn.Signs, torn.Forked, torn.Withheld, torn.Checkpoint = false, true, whyTorn, status.Checkpoint
	left := silent
	left.State, left.Withheld, left.Peers = stateLeft, whyLeft, status.Peers[1:]
	return []page.Sample[logPage]{{Name: "running", Data: logPage{status, rows}}, {Name: "witnessed", Data: logPage{seen, rows}}, {Name: "forked", Data: logPage{torn, rows}}, {Name: "starting", Data: logPage{Status: starting}}, {Name: "no-leader", Data: logPage{silent, rows}}, {Name: "left", Data: logPage{left, rows}}}
}

// sampleID looks like the id of an event.
func sampleID(n int) string { return fmt.Sprintf("%x", sha256.Sum256([]byte{byte(n)})) }
