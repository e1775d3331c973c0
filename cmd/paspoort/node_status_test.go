package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"paspoort.example/paspoort/node"
)

// TestPeersAreTold: how each node is doing, in words that are true for one that never heard of a leader.
func TestPeersAreTold(t *testing.T) {
	var out bytes.Buffer
	printStatus(&out, node.Status{Node: "knoop-1", State: "starting", WaitsFor: "knoop-3 at 127.0.0.1:7103"})
	if !strings.Contains(out.String(), "waits for knoop-3 at 127.0.0.1:7103") {
		t.Errorf("a node before the region begins: %s", out.String())
	}
	out.Reset()
	self := node.Status{Node: "knoop-1", Signs: true, State: "leader", Leaves: 4, Peers: []node.Peer{{ID: "knoop-1"}, {ID: "knoop-2"}, {ID: "knoop-3"}, {ID: "knoop-4"}}}
	printPeers(t.Context(), &out, self, func(_ context.Context, _ string) (node.Status, error) {
		switch strings.Count(out.String(), "\n") {
		case 1:
			return node.Status{Age: -1, Withheld: "it is alone"}, nil
		case 2:
			return node.Status{Age: 75, Signs: true}, nil
		}
		return node.Status{}, errors.New("connection refused")
	})
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{"heard from a leader 0 s ago, signs", "never heard from a leader, does not sign: it is alone", "heard from a leader 75 s ago", "connection refused"} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q, want %q in it", i, lines[i], want)
		}
	}
}
