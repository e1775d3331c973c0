package main

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/node"
	"paspoort.example/paspoort/specs/registry"
)

// TestNodesThatStay: a node leaves only when each that stays can elect and sign.
func TestNodesThatStay(t *testing.T) {
	up := node.Status{Node: "knoop-1", Region: "r", State: "follower", Leader: "knoop-2", Signs: true, Peers: []node.Peer{{ID: "knoop-1", Member: "voter"}}}
	for name, x := range map[string]struct {
		change func(*node.Status)
		err    error
		want   string
	}{
		"up":             {func(*node.Status) {}, nil, ""},
		"away":           {func(*node.Status) {}, errors.New("connection refused"), "knoop-1 does not answer"},
		"another node":   {func(s *node.Status) { s.Node = "knoop-2" }, nil, "something else answers at the address of knoop-1"},
		"another region": {func(s *node.Status) { s.Region = "q" }, nil, "something else answers at the address of knoop-1"},
		"no leader":      {func(s *node.Status) { s.Leader = "" }, nil, "knoop-1 hears nobody that leads"},
		"without a vote": {func(s *node.Status) { s.Peers = []node.Peer{{ID: "knoop-1", Member: "nonvoter"}} }, nil, "knoop-1 has no vote"},
		"does not sign":  {func(s *node.Status) { s.Signs = false }, nil, "knoop-1 does not sign"},
	} {
		t.Run(name, func(t *testing.T) {
			s := up
			x.change(&s)
			down := notUp([]registry.NodeRecord{{Node: registry.Node{ID: "knoop-1"}}}, func(string) (node.Status, error) { return s, x.err }, "r")
			if got := joined(down).EN; got != x.want {
				t.Errorf("%q, want %q", got, x.want)
			}
		})
	}
}
