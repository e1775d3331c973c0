package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/registry"
)

func (c *cluster) mustSubmit(id, name string) registry.Outcome {
	c.t.Helper()
	o, err := c.submit(id, c.application(name, time.Now()))
	if err != nil || o.Err() != nil {
		c.t.Fatalf("write at %s: %+v, %v", id, o, err)
	}
	return o
}

// published waits until each node has so many leaves under a checkpoint.
func (c *cluster) published(leaves uint64) {
	c.t.Helper()
	for _, id := range c.ids() {
		eventually(c.t, fmt.Sprintf("%s publishes %d leaves", id, leaves), func() bool { return c.get(id).covered() == leaves })
	}
}

// linearizable reads how many leaves there are.
func (c *cluster) linearizable(id string) (uint64, error) {
	var size uint64
	err := c.get(id).View(context.Background(), registry.Linearizable, func(v registry.View, _ registry.ReadInfo) error {
		size = v.AsOf
		return nil
	})
	return size, err
}

func TestIsolatedLeaderNeitherWritesNorReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		old := c.leader()
		c.mustSubmit(old, "Voor de scheiding")
		c.isolate(old)
		lost := c.application("Bij de oude leider", time.Now())
		if o, err := c.submit(old, lost); err == nil && o.Err() == nil {
			t.Errorf("a leader without a quorum acknowledged a write: %+v", o)
		}
		if size, err := c.linearizable(old); err == nil {
			t.Errorf("a leader without a quorum answered a linearizable read: %d", size)
		} else if !errors.Is(err, registry.ErrNoLeader) {
			t.Errorf("refused with %v, want %v", err, registry.ErrNoLeader)
		}
		time.Sleep(2 * time.Second)
		err := c.get(old).View(context.Background(), registry.Stale, func(v registry.View, info registry.ReadInfo) error {
			if v.AsOf != 2 || info.Age == 0 {
				t.Errorf("stale read: %d leaves, age %d s", v.AsOf, info.Age)
			}
			return nil
		})
		if err != nil {
			t.Errorf("stale read without a quorum: %v", err)
		}
		next := ""
		for _, id := range c.ids() {
			if id != old {
				c.mustSubmit(id, "Na de scheiding "+id)
				next = id
			}
		}
		if size, err := c.linearizable(next); err != nil || size != 4 {
			t.Errorf("linearizable read after the new leader: %d, %v", size, err)
		}
		c.heal()
		eventually(t, "the old leader catches up", func() bool { return c.size(old) == 4 })
		if _, ok := c.get(next).accepted(lost.Event.ID()); ok {
			t.Error("a write that was never acknowledged by a quorum is in the log")
		}
		if o, err := c.submit(old, lost); err != nil || o.Err() != nil { // sending again does no harm
			t.Errorf("the same event again: %+v, %v", o, err)
		}
		c.sameLogs()
	})
}

// sameLogs checks that all nodes come to have the same leaves and the same state.
func (c *cluster) sameLogs() {
	c.t.Helper()
	eventually(c.t, "all nodes have the same leaves and state", func() bool {
		seen := map[string]bool{}
		for _, id := range c.ids() {
			if n := c.get(id); n != nil {
				n.machine.mu.RLock()
				seen[fmt.Sprint(n.machine.tree.Size(), n.machine.tree.Root(), n.machine.state.Digest())] = true
				n.machine.mu.RUnlock()
			}
		}
		return len(seen) == 1
	})
}

func TestTheSameEventAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		e := c.application("Zorggroep Linde", time.Now())
		for _, id := range c.ids() {
			o, err := c.submit(id, e)
			if err != nil || *o.Index != 1 || c.size(id) != 2 { // who writes here reads here what it wrote
				t.Errorf("at %s: %+v, %v, %d leaves", id, o, err, c.size(id))
			}
		}
		if size, err := c.linearizable("knoop-2"); err != nil || size != 2 {
			t.Errorf("%d leaves, %v, want 2", size, err)
		}
	})
}

func TestRefusedAtTheDoorAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		lead := c.leader()
		last := c.get(lead).raft.LastIndex()
		forged := c.application("Vals", time.Now())
		forged.Signatures[0] = c.application("Anders", time.Now()).Signatures[0]
		o, err := c.submit("knoop-1", forged)
		if err != nil || !errors.Is(o.Err(), registry.ErrSignature) {
			t.Errorf("forged: %+v, %v, want %v", o, err, registry.ErrSignature)
		}
		future := c.application("Toekomst", time.Now().Add(time.Hour))
		if o, err := c.submit("knoop-2", future); err != nil || !errors.Is(o.Err(), registry.ErrLogTime) {
			t.Errorf("from the future: %+v, %v, want %v", o, err, registry.ErrLogTime)
		}
		if got := c.get(lead).raft.LastIndex(); got != last {
			t.Errorf("raft's log grew from %d to %d by events that anybody can make up", last, got)
		}
		// An application for somebody else's id is authentic but refused: that goes through
		// raft, and what became of it can be asked of every node.
		first := c.application("Zorggroep Linde", time.Now())
		if _, err := c.submit("knoop-3", first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		stale := c.application("Zorggroep Linde", time.Now())
		o, err = c.submit("knoop-3", stale)
		if err != nil || !errors.Is(o.Err(), registry.ErrStale) {
			t.Errorf("stale: %+v, %v, want %v", o, err, registry.ErrStale)
		}
		for _, id := range c.ids() {
			eventually(t, id+" remembers the refusal", func() bool {
				o, err := c.get(id).Outcome(context.Background(), stale.Event.ID())
				return err == nil && errors.Is(o.Err(), registry.ErrStale)
			})
		}
		if o, err := c.get(lead).Outcome(context.Background(), strings.Repeat("0", 64)); err != nil || o.State != registry.OutcomeUnknown {
			t.Errorf("an event nobody sent: %+v, %v", o, err)
		}
	})
}

func TestWholeClusterStopsAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		for i := range 4 {
			c.mustSubmit("knoop-1", fmt.Sprint("Organisatie ", i))
		}
		for _, id := range c.ids() {
			c.stopNode(id)
		}
		for _, id := range c.ids() {
			c.startNode(c.nodes[id])
		}
		c.leader()
		c.mustSubmit("knoop-2", "Na de stop")
		c.published(6)
		c.sameLogs()
	})
}

// TestLaggingNodeGetsASnapshot: raft has cut its log, so the node gets how many leaves, with
// which root and state, and fetches the leaves themselves from others.
func TestLaggingNodeGetsASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		c.stopNode("knoop-3")
		for i := range 30 {
			c.mustSubmit("knoop-1", fmt.Sprint("Organisatie ", i))
		}
		for _, id := range []string{"knoop-1", "knoop-2"} {
			c.cutLogs(id)
		}
		c.startNode(c.nodes["knoop-3"])
		eventually(t, "the lagging node has all leaves", func() bool { return c.size("knoop-3") == 31 })
		c.mustSubmit("knoop-3", "Na het inhalen")
		c.sameLogs()
		eventually(t, "it signs", func() bool { return c.get("knoop-3").covered() == 32 })
		if snaps, err := c.nodes["knoop-3"].snaps.List(); err != nil || len(snaps) == 0 {
			t.Errorf("no snapshot was sent: the test did not test it (%v)", err)
		}
	})
}

// TestWipedNodeComesBackUnderANewRaftID (D6).
func TestWipedNodeComesBackUnderANewRaftID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		c.mustSubmit("knoop-1", "Voor het wissen")
		c.published(2)
		before := c.get("knoop-2").raftID
		c.stopNode("knoop-2")
		c.nodes["knoop-2"].wipe()
		c.startNode(c.nodes["knoop-2"])
		eventually(t, "it is a voter under another id", func() bool {
			n := c.get("knoop-2")
			if !n.running() || n.raftID == before {
				return false
			}
			for _, s := range n.servers() {
				if s.ID == n.raftID {
					return s.Suffrage == raft.Voter
				}
			}
			return false
		})
		for _, s := range c.get("knoop-1").servers() {
			if s.ID == before {
				t.Error("its former self still votes")
			}
		}
		c.mustSubmit("knoop-2", "Na het wissen")
		c.sameLogs()
		eventually(t, "it signs again, no less than it signed before", func() bool { return c.get("knoop-2").covered() == 3 })
	})
}
