package node

import (
	"errors"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/operate"
	"paspoort.example/paspoort/internal/page"
)

func operatorSamples() []page.Sample[operatorPage] {
	day := time.Date(2026, 3, 2, 11, 10, 0, 0, time.UTC)
	status := Status{Node: "knoop-1", Region: "5f0c6f0b6f4e4bb0b8f6c2b1b9d1f6c7a3f0d9e8c7b6a5948372615049382716", Name: "Regio Aakermonde", State: "leader", Leader: "knoop-1",
		Term: 3, RaftIndex: 230, Applied: 229, Leaves: 214, LogTime: day, Signs: true, Verifies: true,
		Checkpoint: &CheckpointState{Size: 214, Freshest: day.Add(-4 * time.Minute), Cosigned: []string{"knoop-1", "knoop-2"}, Trust: "own nodes only"}}
	peer := func(id string, change func(*PeerHealth)) PeerHealth {
		p := PeerHealth{ID: id, URL: "https://" + id + ".example", Member: "voter", Reached: true, Heard: day, Took: 12 * time.Millisecond, Applied: 229}
		if change != nil {
			change(&p)
		}
		return p
	}
	health := Health{At: day, Voters: 3, Reached: 3, Needed: 2, Store: 41 << 20, Log: 12 << 20, Peers: []PeerHealth{peer("knoop-2", nil), peer("knoop-3", nil)}}
	seen := operate.Seen{At: day, Disk: &operate.Disk{Free: 61 << 30, Size: 100 << 30, Limit: 10 << 30}, Certificate: &operate.Certificate{Name: "knoop-1.example", Until: day.AddDate(0, 2, 3)}}
	problem := func(code, subject string, level alert.Level, value, limit string) alert.Problem {
		return alert.Problem{Code: code, Subject: subject, Level: level, Since: day.Add(-25 * time.Minute), Value: value, Limit: limit}
	}

	thin, watched := health, seen
	thin.Reached = 2
	thin.Ending = []EndingRow{{"certificate", "Opleidingshuis De Vaart", day.AddDate(0, 0, 9)}, {"grant", "Machinefabriek Ossekamp", day.AddDate(0, 0, 40)}, {"mandate", "Vakbond De Eendracht", day.AddDate(0, 0, 51)}}
	for range 9 {
		thin.Ending = append(thin.Ending, EndingRow{"level", "Zorggroep Linde", day.AddDate(0, 0, 55)})
	}
	thin.Peers = []PeerHealth{peer("knoop-2", func(p *PeerHealth) { p.Applied = 190; p.Clock = 41 * time.Second }),
		peer("knoop-3", func(p *PeerHealth) { p.Reached, p.Away = false, day.Add(-25*time.Minute) })}
	watched.Certificate = &operate.Certificate{Name: "knoop-1.example", Until: day.AddDate(0, 0, 12)}
	watched.Problems = []alert.Problem{problem("certificate", "knoop-1.example", alert.Warning, "12", "21"), problem("clock", "knoop-2", alert.Warning, "41", ""),
		problem("peer_away", "knoop-3", alert.Warning, "25", ""), problem("quorum_thin", "", alert.Warning, "2", "2")}

	lost, alarmed, silent := health, seen, status
	silent.State, silent.Leader, silent.Signs, silent.Withheld, silent.Age = "candidate", "", false, whyNotAsked, 1500
	lost.Reached, lost.LeaderMissing = 1, day.Add(-25*time.Minute)
	lost.Peers = []PeerHealth{peer("knoop-2", func(p *PeerHealth) { p.Reached, p.Away = false, day.Add(-25*time.Minute) }),
		peer("knoop-3", func(p *PeerHealth) {
			p.Reached, p.Away, p.Member, p.Heard = false, day.Add(-26*time.Hour), "absent", time.Time{}
		})}
	alarmed.Ready, alarmed.Disk = errors.New("no leader at this moment"), &operate.Disk{Free: 2 << 30, Size: 100 << 30, Limit: 10 << 30}
	alarmed.Problems = []alert.Problem{problem("disk", "", alert.Critical, "2.0", "10.0"), problem("no_leader", "", alert.Critical, "25", ""), problem("quorum_lost", "", alert.Critical, "1", "2"),
		problem("peer_away", "knoop-2", alert.Warning, "25", ""), problem("peer_away", "knoop-3", alert.Warning, "1560", "")}

	torn, split := status, seen
	torn.State, torn.Leader, torn.Signs, torn.Forked, torn.Withheld = "follower", "knoop-2", false, true, whyTorn
	split.Problems = []alert.Problem{problem("fork", "", alert.Critical, "", "")}

	around := seen
	around.Problems = []alert.Problem{problem("region_forked", "Regio Maasdal", alert.Critical, "", ""), problem("region_frozen", "Regio Rietland", alert.Critical, "", ""), problem("region_damaged", "Regio Terpland", alert.Critical, "", "")}
	around.Problems = append(around.Problems, problem("region_down", "Regio Duinrand", alert.Warning, "26", "7"), problem("region_lies", "Regio Veenkant", alert.Warning, "", ""),
		problem("region_newer_rules", "Regio Zandrug", alert.Warning, "", ""))

	status.Witnesses = []WitnessState{{ID: "maasdal-1", Size: 214, At: day.Add(-6 * time.Minute)}, {ID: "duinrand-1", Problem: "no answer", Since: day.Add(-25 * time.Minute)}}
	begin := Status{Node: "knoop-1", Region: status.Region, Name: status.Name, State: "starting", Withheld: whyNotAsked}
	sample := func(name string, s Status, h Health, seen operate.Seen) page.Sample[operatorPage] {
		return page.Sample[operatorPage]{Name: name, Data: newOperatorPage(day, s, h, seen)}
	}
	return []page.Sample[operatorPage]{sample("fine", status, health, seen), sample("warnings", status, thin, watched), sample("no-quorum", silent, lost, alarmed), sample("fork", torn, health, split), sample("neighbours", status, health, around), sample("starting", begin, Health{}, operate.Seen{})}
}
