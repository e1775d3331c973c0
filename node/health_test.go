package node

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/operate"
)

// codes are the open problems of a watch, each with its subject.
func codes(w *operate.Watch) []string {
	var out []string
	for _, p := range w.Seen().Problems {
		out = append(out, p.Code+p.Subject)
	}
	slices.Sort(out)
	return out
}

// What a node tells its operator while others fall away and come back.
func TestHealthOfCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		c.mustSubmit("knoop-1", "Zorggroep Linde")
		n := c.get("knoop-1")
		w, err := operate.New(operate.Config{Role: "node", Look: n.Look})
		if err != nil {
			t.Fatal(err)
		}
		expect := func(what string, after time.Duration, want ...string) {
			t.Helper()
			lookFor(t, w, after)
			if got := codes(w); !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v; %+v", what, got, want, n.Health())
			}
		}
		expect("healthy", 10*time.Minute)
		if h := n.Health(); h.Voters != 3 || h.Reached != 3 || h.Needed != 2 || len(h.Peers) != 2 {
			t.Errorf("got %+v", h)
		}
		c.stopNode("knoop-3")
		expect("a restart is no alarm", time.Minute)
		expect("one away", 3*time.Minute, "peer_awayknoop-3", "quorum_thin")
		c.stopNode("knoop-2")
		expect("two away", 3*time.Minute, "no_leader", "peer_awayknoop-2", "peer_awayknoop-3", "quorum_lost", "quorum_thin")
		expect("the milder one is over", 5*time.Minute, "no_leader", "peer_awayknoop-2", "peer_awayknoop-3", "quorum_lost")
		c.startNode(c.nodes["knoop-2"])
		c.startNode(c.nodes["knoop-3"])
		expect("back, but for how long", 2*time.Minute, "no_leader", "peer_awayknoop-2", "peer_awayknoop-3", "quorum_lost")
		expect("back", 10*time.Minute)
	})
}

func TestFindings(t *testing.T) {
	now := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	whole := func() (Health, Status) {
		peer := PeerHealth{ID: "knoop-2", Member: "voter", Reached: true, Took: 20 * time.Millisecond, Applied: 100}
		return Health{At: now, Voters: 3, Reached: 3, Needed: 2, Peers: []PeerHealth{peer}},
			Status{Node: "knoop-1", Leader: "knoop-1", Applied: 100, Leaves: 7, Checkpoint: &CheckpointState{Freshest: now.Add(-time.Minute)}}
	}
	for _, tt := range []struct {
		name   string
		change func(*Health, *Status)
		want   alert.Finding // with the zero Code for none
	}{
		{"whole", func(*Health, *Status) {}, alert.Finding{}},
		{"one more may fall away", func(h *Health, _ *Status) { h.Voters, h.Needed, h.Reached = 5, 3, 4 }, alert.Finding{}},
		{"none may fall away", func(h *Health, _ *Status) { h.Reached = 2 }, alert.Finding{Code: "quorum_thin", Raise: alert.Warning, Value: "2", Limit: "2"}},
		{"too few", func(h *Health, _ *Status) { h.Reached = 1 }, alert.Finding{Code: "quorum_lost", Raise: alert.Critical, Value: "1", Limit: "2"}},
		{"a region of one", func(h *Health, _ *Status) { h.Voters, h.Needed, h.Reached, h.Peers = 1, 1, 1, nil }, alert.Finding{}},
		{"not founded", func(h *Health, s *Status) { h.Voters, h.Needed, h.Reached, s.Leaves, s.Checkpoint = 0, 1, 0, 0, nil }, alert.Finding{}},
		{"no leader", func(h *Health, _ *Status) { h.LeaderMissing = now.Add(-5 * time.Minute) }, alert.Finding{Code: "no_leader", Raise: alert.Critical, Value: "5"}},
		{"left", func(h *Health, s *Status) { s.State, h.LeaderMissing = stateLeft, now.Add(-time.Hour) }, alert.Finding{Code: "left", Raise: alert.Warning}},
		{"is not witnessed", func(h *Health, _ *Status) { h.Unwitnessed = now.Add(-15 * time.Minute) }, alert.Finding{Code: "unwitnessed", Raise: alert.Warning, Value: "15"}},
		{"does not sign", func(h *Health, _ *Status) { h.Unsigned = now.Add(-15 * time.Minute) }, alert.Finding{Code: "not_signing", Raise: alert.Warning, Value: "15"}},
		{"another history", func(h *Health, s *Status) { h.Unsigned, s.Forked = now.Add(-15*time.Minute), true }, alert.Finding{Code: "fork", Raise: alert.Critical}},
		{"away", func(h *Health, _ *Status) { h.Peers[0].Reached, h.Peers[0].Away = false, now.Add(-3*time.Minute) }, alert.Finding{Code: "peer_away", Subject: "knoop-2", Raise: alert.Warning, Value: "3"}},
		{"does not vote", func(h *Health, _ *Status) {
			h.Peers[0].Member, h.Peers[0].Outside = "nonvoter", now.Add(-20*time.Minute)
		}, alert.Finding{Code: "not_voter", Subject: "knoop-2", Raise: alert.Warning, Value: "20"}},
		{"clock a little off", func(h *Health, _ *Status) { h.Peers[0].Clock = 2 * time.Second }, alert.Finding{}},
		{"clock off", func(h *Health, _ *Status) { h.Peers[0].Clock = -40 * time.Second }, alert.Finding{Code: "clock", Subject: "knoop-2", Raise: alert.Warning, Keep: alert.Warning, Value: "39"}},
		{"clock unclear: the answer was slow", func(h *Health, _ *Status) { h.Peers[0].Clock, h.Peers[0].Took = 20*time.Second, 40*time.Second }, alert.Finding{}},
		{"behind", func(h *Health, _ *Status) { h.Peers[0].Applied = 5100 }, alert.Finding{Code: "behind", Raise: alert.Warning, Value: "5000"}},
		{"ahead", func(h *Health, s *Status) { s.Applied = 5100 }, alert.Finding{}},
		{"an admission ends in a month", func(h *Health, _ *Status) { h.Ending = []EndingRow{{"grant", "Zorggroep Linde", now.AddDate(0, 1, 0)}} }, alert.Finding{}},
		{"a certificate ends in a week", func(h *Health, _ *Status) {
			h.Ending = []EndingRow{{"certificate", "Zorggroep Linde", now.AddDate(0, 0, 7)}}
		}, alert.Finding{Code: "ending", Raise: alert.Warning, Value: "1", Limit: "14"}},
		{"checkpoint old", func(_ *Health, s *Status) { s.Checkpoint.Freshest = now.Add(-3 * time.Hour) }, alert.Finding{Code: "checkpoint", Raise: alert.Warning, Value: "3", Limit: "2"}},
		{"checkpoint too old", func(_ *Health, s *Status) { s.Checkpoint.Freshest = now.Add(-30 * time.Hour) }, alert.Finding{Code: "checkpoint", Raise: alert.Critical, Value: "30", Limit: "2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, s := whole()
			tt.change(&h, &s)
			got := findings(h, s, now)
			for i := range got {
				got[i].After = 0
			}
			if tt.want.Code == "" && len(got) != 0 || tt.want.Code != "" && (len(got) != 1 || got[0] != tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
