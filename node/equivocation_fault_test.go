package node

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/tlog"
)

// crooked are the calls between nodes when one of them lies: it cosigns whatever the one that
// it deceives shows it, and hides from that one what it signs with the other.
type crooked struct {
	peers
	c        *cluster
	from     string
	liar     string
	deceived string
	lying    *atomic.Bool
}

func (p *crooked) call(ctx context.Context, to, op string, body []byte) ([]byte, error) {
	switch {
	case !p.lying.Load():
	case p.from == p.liar && to == p.deceived && op == opCosign:
		return nil, errNotSent
	case p.from == p.deceived && to == p.liar && op == opCosign:
		self, err := tlog.NewSigner(p.c.get(p.liar).publisher.self.VerifierKey().Name, tlog.TypeCosigner, p.c.testRegion.nodes[p.liar].cosigner)
		if err != nil {
			return nil, err
		}
		line, err := self.Line(noteText(body), time.Now())
		return []byte(line), err
	}
	return p.peers.call(ctx, to, op, body)
}

// equivocating is a region of three of which one leads and lies: the two honest nodes cannot
// reach each other, and it makes another log with each. Both count.
func equivocating(t *testing.T, tune func(*Config), before func(*cluster)) (c *cluster, honest []string) {
	c = newClusterOf(t, 3, tune)
	lies, lying := map[string]*bent{}, &atomic.Bool{}
	calls := map[string]*crooked{}
	for id, m := range c.nodes {
		m.bend = func(trans *raft.InmemTransport) raft.Transport {
			lies[id] = &bent{InmemTransport: trans}
			return lies[id]
		}
		calls[id] = &crooked{c: c, from: id, lying: lying}
		m.parts = func(p *parts) {
			calls[id].peers = p.peers
			p.peers = calls[id]
		}
		c.startNode(m)
	}
	liar := c.leader()
	before(c)
	size := c.size(liar)
	c.published(size)
	liar = c.leader()
	honest = slices.DeleteFunc(c.ids(), func(id string) bool { return id == liar })
	for _, p := range calls {
		p.liar, p.deceived = liar, honest[1]
	}
	one, other := c.application("Voor de een", time.Now()), c.application("Voor de ander", time.Now())
	lie := twoFaced(t, lying, honest[1], one, other)
	c.mu.Lock()
	c.cut[pair(honest[0], honest[1])] = true
	c.connect()
	c.mu.Unlock()
	lying.Store(true)
	lies[liar].entries.Store(&lie)
	if o, err := c.submit(liar, one); err != nil || o.Err() != nil {
		t.Fatalf("%+v, %v", o, err)
	}
	return c, honest
}

// roots are what nodes serve as the tree of a size.
func (c *cluster) served(id string) (tlog.Checkpoint, string) {
	_, seen := c.get(id).publisher.Checkpoint()
	if seen == nil {
		return tlog.Checkpoint{}, ""
	}
	return seen.Checkpoint, c.get(id).Status().Checkpoint.Trust
}

// TestOneLiarBetweenTwo: a node that lies to two who cannot reach each other makes two logs
// count. With a witness from outside one of the two is witnessed and no more: whoever serves
// the other learns of it, keeps the proof and signs nothing more, though no honest node can
// tell it. Without a witness nobody notices, and both say that only the region's own nodes
// stand behind them.
func TestOneLiarBetweenTwo(t *testing.T) {
	t.Run("with a witness", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRoads()
			c, honest := equivocating(t, func(c *Config) { c.Outside = r }, func(c *cluster) {
				c.appoint(c.witnessOf(r, "kade.example"))
				for _, id := range c.ids() {
					c.trusted(id, trustWitnessed, 2)
				}
			})
			defer c.close()
			eventually(t, "one of the two learns of the other", func() bool {
				return slices.ContainsFunc(honest, func(id string) bool {
					s := c.get(id).Status()
					return s.Forked && !s.Signs && s.Witnesses[0].Other
				})
			})
			time.Sleep(time.Minute)
			a, trustA := c.served(honest[0])
			b, trustB := c.served(honest[1])
			if a.Size == b.Size && a.Root != b.Root && trustA == trustWitnessed && trustB == trustWitnessed {
				t.Error("two histories are witnessed")
			}
			if trustA != trustWitnessed && trustB != trustWitnessed {
				t.Errorf("none is witnessed: %s of %d, %s of %d", trustA, a.Size, trustB, b.Size)
			}
		})
	})
	t.Run("control: without one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, honest := equivocating(t, nil, func(*cluster) {})
			defer c.close()
			for _, id := range honest {
				c.trusted(id, trustOwn, 2)
			}
			time.Sleep(time.Minute)
			a, _ := c.served(honest[0])
			b, _ := c.served(honest[1])
			if a.Size != 2 || b.Size != 2 || a.Root == b.Root {
				t.Errorf("the lie did not work: %+v and %+v", a, b)
			}
			for _, id := range honest {
				if s := c.get(id).Status(); s.Forked || !s.Signs || s.Checkpoint.Trust != trustOwn {
					t.Errorf("%s says %+v", id, s)
				}
			}
		})
	})
}
