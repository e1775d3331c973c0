package node

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/registry"
)

// parting takes a cluster of two apart: gone leaves, stay goes on. If who leaves leads, the two do not
// hear each other for a while after the decision.
func (c *cluster) parting(stay, gone, lead string) {
	c.t.Helper()
	c.mustSubmit(stay, "Voor het vertrek")
	c.published(2)
	c.lets(lead)
	c.event(registry.KindNodeRemoved, &registry.NodeChange{ID: gone, Reason: "De beheerder stopt"}, "lid-1", "lid-2")
	if lead == gone {
		c.isolate(stay)
		time.Sleep(time.Minute)
		c.heal()
	}
	eventually(c.t, stay+" decides alone, and "+gone+" hears what is decided", func() bool {
		s := c.get(stay).servers()
		return c.get(stay).raft.State() == raft.Leader && len(s) == 2 && s[0].Suffrage != s[1].Suffrage && c.get(stay).inConfiguration()
	})
	eventually(c.t, "the checkpoint of the change counts", func() bool { return c.get(stay).covered() == 3 && c.get(gone).covered() == 3 })
	if s := c.get(gone).Status(); s.State != stateLeaving || !s.Signs || s.Leader != "" || c.get(gone).ready(c.t.Context()) == nil {
		c.t.Errorf("who is leaving says that it is %s, signs: %v, %s", s.State, s.Signs, s.Withheld)
	}
}

// parted: the one that stays signs alone, the other left, and who pinned the founding event finds
// the way to what is signed.
func (c *cluster) parted(stay, gone string, leaves uint64) {
	c.t.Helper()
	eventually(c.t, stay+" publishes beyond the change", func() bool { return c.get(stay).covered() == leaves })
	eventually(c.t, gone+" left for good", func() bool {
		s := c.get(gone).Status()
		return s.State == stateLeft && !s.Signs && s.Withheld == whyLeft
	})
	eventually(c.t, stay+" is alone", func() bool { return len(c.get(stay).servers()) == 1 && len(c.get(stay).signers()) == 0 })
	c.promptly(gone)
	c.mustSubmit(stay, "Alleen verder")
	eventually(c.t, stay+" publishes alone", func() bool { return c.get(stay).covered() == leaves+1 })
	c.promptly(stay)
	c.startNode(c.nodes[stay])
	c.leader()
	c.mustSubmit(stay, "Na een herstart")
	eventually(c.t, stay+" publishes alone again", func() bool { return c.get(stay).covered() == leaves+2 })
	s, _, err := hintOf(c.nodes[stay].store)
	if err != nil {
		c.t.Fatal(err)
	}
	if r, _, err := s.Replay(c.genesis); err != nil || uint64(len(s.Leaves)) != leaves+2 || len(r.State().View().ActiveNodes()) != 1 {
		c.t.Errorf("%d leaves by the handovers from the founding on: %v", len(s.Leaves), err)
	}
}

// TestFromTwoNodesToOne: the checkpoint beyond the change needs both nodes of before. So the one
// that leaves goes on signing until there is one: whoever led, whoever starts anew meanwhile.
func TestFromTwoNodesToOne(t *testing.T) {
	const stay, gone = "knoop-1", "knoop-2"
	for name, x := range map[string]struct {
		lead      string
		meanwhile func(c *cluster)
	}{
		"the one that stays leads": {stay, nil},
		"the one that leaves led":  {gone, nil},
		"the one that leaves starts anew": {stay, func(c *cluster) {
			c.stopNode(gone)
			c.startNode(c.nodes[gone])
		}},
		"the one that stays starts anew": {gone, func(c *cluster) {
			c.stopNode(stay)
			c.startNode(c.nodes[stay])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, 2)
				defer c.close()
				c.parting(stay, gone, x.lead)
				if x.meanwhile != nil {
					x.meanwhile(c)
					c.leader()
				}
				c.mustSubmit(stay, "Na het vertrek")
				c.parted(stay, gone, 4)
			})
		})
	}
}

// TestLeavesTooEarly is the control: who leaves is switched off too early, so that nothing beyond the
// change can count. Switched on again it makes good, and it has given away no more than it had to.
func TestLeavesTooEarly(t *testing.T) {
	const stay, gone = "knoop-1", "knoop-2"
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 2)
		defer c.close()
		c.parting(stay, gone, stay)
		for _, op := range []string{opSubmit, opPayloads, opKeepPayload, opReadIndex, opJoin} {
			if _, err := c.get(stay).servePeer(t.Context(), gone, op, nil); err == nil || err.Error() != whyLeft {
				t.Errorf("%s of who is leaving: %v", op, err)
			}
		}
		c.stopNode(gone)
		c.mustSubmit(stay, "Te vroeg uit")
		time.Sleep(10 * time.Minute)
		if got := c.get(stay).covered(); got != 3 {
			t.Errorf("%s published %d leaves alone", stay, got)
		}
		c.startNode(c.nodes[gone])
		c.parted(stay, gone, 4)
	})
}

// losing are calls of which the answers to one operation are lost.
type losing struct {
	peers
	op string
	on atomic.Bool
}

func (l *losing) call(ctx context.Context, to, op string, body []byte) ([]byte, error) {
	answer, err := l.peers.call(ctx, to, op, body)
	if op == l.op && l.on.Load() {
		return nil, errors.New("connection lost")
	}
	return answer, err
}

// TestAnswerOfLeavingIsLost: the cosignature that completes the checkpoint is made, and does not
// arrive. The one that leaves has the checkpoint by then, and the other fetches it.
func TestAnswerOfLeavingIsLost(t *testing.T) {
	const stay, gone = "knoop-1", "knoop-2"
	synctest.Test(t, func(t *testing.T) {
		c := newClusterOf(t, 2, nil)
		defer c.close()
		lost := &losing{op: opCosign}
		c.nodes[stay].parts = func(p *parts) { lost.peers, p.peers = p.peers, lost }
		for _, m := range c.nodes {
			c.startNode(m)
		}
		c.parting(stay, gone, stay)
		lost.on.Store(true)
		c.mustSubmit(stay, "Na het vertrek")
		c.parted(stay, gone, 4)
	})
}
