package node

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/registry"
)

// promptly stops a node and says when that takes long.
func (c *cluster) promptly(id string) {
	c.t.Helper()
	begin := time.Now()
	c.stopNode(id)
	if took := time.Since(begin); took > 10*time.Second {
		c.t.Errorf("%s took %v to stop", id, took)
	}
}

// lets gives the lead to a node.
func (c *cluster) lets(id string) {
	c.t.Helper()
	eventually(c.t, id+" leads", func() bool {
		lead := c.leader()
		if lead != id {
			_, _ = c.get(lead).transferLeadership(id)
		}
		return lead == id
	})
}

// TestNodeLeaves: members decide that a node leaves, a follower or the leader itself. It goes on
// running: it says that it left, answers nothing as if it were in, and disturbs nobody. Then
// it is stopped and started, and others are, and the region goes on.
func TestNodeLeaves(t *testing.T) {
	for name, x := range map[string]struct {
		size  int
		leads bool // who leaves leads
	}{
		"a follower of four": {4, false}, "the leader of four": {4, true},
		"a follower of three": {3, false}, "the leader of three": {3, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, x.size)
				defer c.close()
				gone := c.ids()[x.size-1]
				stay := c.ids()[:x.size-1]
				lead := stay[0]
				if x.leads {
					lead = gone
				}
				c.lets(lead)
				c.mustSubmit(stay[0], "Voor het vertrek")
				c.event(registry.KindNodeRemoved, &registry.NodeChange{ID: gone, Reason: "De beheerder stopt"}, "lid-1", "lid-2")
				c.without(gone, stay, 3)
				c.mustSubmit(stay[1], "Na het vertrek")
				for _, id := range stay {
					eventually(t, id+" publishes with the nodes that stay", func() bool { return c.get(id).covered() == 4 })
				}
				c.quiet(gone, stay)
				c.promptly(gone)
				c.startNode(c.nodes[gone])
				c.promptly(stay[1])
				if x.size == 4 {
					c.mustSubmit(stay[0], "Met twee van de drie")
				}
				c.startNode(c.nodes[stay[1]])
				c.quiet(gone, stay)
				if s := c.get(gone).Status(); s.State != stateLeft || s.Signs || s.Withheld != whyLeft {
					t.Errorf("started again it says %s, signs: %v, %s", s.State, s.Signs, s.Withheld)
				}
				c.mustSubmit(stay[1], "Met allen")
				for _, id := range stay {
					eventually(t, id+" has it under a checkpoint", func() bool { return c.get(id).covered() == c.size(stay[1]) })
				}
				for _, id := range c.ids() {
					c.promptly(id)
				}
			})
		})
	}
}

// without waits until a node is in raft's configuration no more, and says so itself.
func (c *cluster) without(gone string, stay []string, leaves uint64) {
	c.t.Helper()
	eventually(c.t, gone+" has no vote more", func() bool {
		n := c.get(c.leader())
		return n.cfg.ID != gone && len(n.servers()) == len(stay)
	})
	n := c.get(gone)
	eventually(c.t, gone+" knows of its leaving", func() bool { return n.size() == leaves })
	if s := n.Status(); s.State != stateLeft || s.Signs || s.Leader != "" || n.ready(c.t.Context()) == nil {
		c.t.Errorf("who left says that it is %s under %q, signs: %v", s.State, s.Leader, s.Signs)
	}
	if _, err := c.linearizable(gone); !errors.Is(err, registry.ErrNoLeader) {
		c.t.Errorf("a linearizable read of who left: %v", err)
	}
	if _, err := c.submit(gone, c.application("Via wie weg is", time.Now())); err == nil {
		c.t.Error("a write through who left was taken")
	}
}

// quiet: for a minute who left does not lead, and elects nobody away.
func (c *cluster) quiet(gone string, stay []string) {
	c.t.Helper()
	lead := c.leader()
	term := c.get(lead).raft.CurrentTerm()
	for range 60 {
		time.Sleep(time.Second)
		if n := c.get(gone); n.running() && n.raft.State() == raft.Leader {
			c.t.Fatal("who left leads")
		}
	}
	if now := c.get(lead).raft.CurrentTerm(); c.get(lead).raft.State() != raft.Leader || now != term {
		c.t.Errorf("the lead of %s in term %d was disturbed, now term %d", lead, term, now)
	}
	for _, id := range stay {
		if c.size(id) != c.size(lead) {
			c.t.Errorf("%s has %d leaves, %s has %d", id, c.size(id), lead, c.size(lead))
		}
	}
}
