package node

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/registry"
)

// chaosVariable is set for the long run.
const chaosVariable = "PASPOORT_CHAOS"

// atEachStep runs a test with the power failing at its first step, its second, and so on,
// until it comes to its end before that: in turns with a disk that loses all it did not
// promise and with one that keeps pieces of it. The long run has both at each step.
func atEachStep(t *testing.T, run func(t *testing.T, stop int, random *rand.Rand) (failed bool)) {
	for stop := 1; ; stop++ {
		failed := false
		for _, torn := range []bool{stop%2 == 0, stop%2 == 1} {
			var random *rand.Rand
			if torn {
				random = rand.New(rand.NewPCG(uint64(stop), 3))
			}
			synctest.Test(t, func(t *testing.T) {
				defer func() {
					if t.Failed() {
						t.Logf("with the power failing at step %d, pieces survive: %t", stop, torn)
					}
				}()
				failed = run(t, stop, random) || failed
			})
			if t.Failed() {
				return
			}
			if os.Getenv(chaosVariable) == "" {
				break
			}
		}
		if !failed {
			t.Logf("the power failed at each of %d steps", stop-1)
			if stop < 10 {
				t.Error("that are few: the test tested little")
			}
			return
		}
	}
}

// cutLogs makes a node take a snapshot and cut its log behind it.
func (c *cluster) cutLogs(id string) {
	c.t.Helper()
	n := c.get(id)
	if err := n.raft.ReloadConfig(raft.ReloadableConfig{TrailingLogs: 1, SnapshotInterval: time.Minute, SnapshotThreshold: 8192,
		HeartbeatTimeout: n.cfg.Election, ElectionTimeout: n.cfg.Election}); err != nil {
		c.t.Fatal(err)
	}
	if err := n.raft.Snapshot().Error(); err != nil {
		c.t.Fatal(err)
	}
}

// ackedWhileOn writes and tells which events were acknowledged while the power was on.
func (c *cluster) ackedWhileOn(r *machineRoom, id string, names ...string) (acked []string) {
	for _, name := range names {
		e := c.application(name, time.Now())
		if o, err := c.submit(id, e); err == nil && o.Err() == nil && !r.disk.Off() {
			acked = append(acked, e.Event.ID())
		}
	}
	return acked
}

func (c *cluster) missing(id string, events []string) (lost int) {
	for _, e := range events {
		if _, ok := c.get(id).accepted(e); !ok {
			lost++
		}
	}
	return lost
}

func several(prefix string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint(prefix, " ", i))
	}
	return out
}

// TestPowerFailsWhileALogIsCut: a node alone, so that whatever it acknowledged is on its own
// disk or nowhere: nothing is lost at any step of a snapshot and of cutting raft's log.
func TestPowerFailsWhileALogIsCut(t *testing.T) {
	atEachStep(t, aloneWithSnapshots)
}

func aloneWithSnapshots(t *testing.T, stop int, random *rand.Rand) (failed bool) {
	c := newClusterOf(t, 1, nil)
	m := c.nodes["knoop-1"]
	r := c.room(m)
	c.startNode(m)
	defer c.close()
	c.leader()
	acked := c.ackedWhileOn(r, m.id, several("Voor de stroomuitval", 12)...)
	r.disk.StopAt(stop)
	for i := range 2 {
		acked = append(acked, c.ackedWhileOn(r, m.id, several(fmt.Sprint("Tijdens ", i), 6)...)...)
		c.cutLogs(m.id)
	}
	acked = append(acked, c.ackedWhileOn(r, m.id, several("Daarna", 2)...)...)
	c.stopNode(m.id)
	failed = r.cut(random)
	c.startNode(m)
	c.leader()
	if lost := c.missing(m.id, acked); lost > 0 || len(acked) < 12 {
		t.Errorf("%d of %d acknowledged writes are lost", lost, len(acked))
	}
	c.mustSubmit(m.id, "Na de stroomuitval")
	n := c.get(m.id)
	eventually(t, "it signs again", func() bool { return n.covered() == n.size() })
	return failed
}

// TestControlDiskThatLies: a disk that says it synced and did not loses what was acknowledged,
// and the check sees it. A node whose log was cut for what such a disk lost cannot be sure of
// anything: it stops and says why.
func TestControlDiskThatLies(t *testing.T) {
	for name, cut := range map[string]bool{"the log is all there is": false, "the log was cut": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClusterOf(t, 1, nil)
				m := c.nodes["knoop-1"]
				r := c.room(m)
				c.startNode(m)
				defer c.close()
				c.leader()
				if r.store.lies = true; !cut {
					r.disk.Lie()
				}
				acked := c.ackedWhileOn(r, m.id, several("Organisatie", 6)...)
				if cut {
					c.cutLogs(m.id)
				}
				c.stopNode(m.id)
				r.cut(nil)
				c.startNode(m)
				if cut {
					if err := c.failed(m); err == nil || !strings.Contains(err.Error(), "there is no other node to ask") {
						t.Errorf("the node ended with %v", err)
					}
					return
				}
				c.leader()
				if lost := c.missing(m.id, acked); lost != len(acked) || lost == 0 {
					t.Errorf("%d of %d acknowledged writes are lost: the check sees too little", lost, len(acked))
				}
			})
		})
	}
}

// threeRooms is a cluster whose nodes each have a disk of which the power can fail.
func threeRooms(t *testing.T) (*cluster, map[string]*machineRoom) {
	c, rooms := newClusterOf(t, 3, nil), map[string]*machineRoom{}
	for _, id := range c.ids() {
		rooms[id] = c.room(c.nodes[id])
		c.startNode(c.nodes[id])
	}
	return c, rooms
}

// TestPowerFailsWhileATailIsCut: a leader that was cut off has entries that nobody else has.
// When it comes back it cuts them off; its power fails at each step of that.
func TestPowerFailsWhileATailIsCut(t *testing.T) {
	atEachStep(t, func(t *testing.T, stop int, random *rand.Rand) bool {
		c, rooms := threeRooms(t)
		defer c.close()
		old := c.leader()
		acked := c.ackedWhileOn(rooms[old], old, several("Voor de scheiding", 3)...)
		c.sameLogs()
		c.isolate(old)
		for _, name := range several("Van niemand anders", 3) {
			go c.submit(old, c.application(name, time.Now()))
		}
		next := ""
		for _, id := range c.ids() {
			if id != old {
				next = id
			}
		}
		acked = append(acked, c.ackedWhileOn(rooms[next], next, several("Na de scheiding", 8)...)...)
		rooms[old].disk.StopAt(stop)
		c.heal()
		time.Sleep(2 * time.Second)
		c.stopNode(old)
		failed := rooms[old].cut(random)
		c.startNode(c.nodes[old])
		c.sameLogs()
		if lost := c.missing(old, acked); lost > 0 || len(acked) < 11 {
			t.Errorf("%d of %d acknowledged writes are lost", lost, len(acked))
		}
		c.mustSubmit(old, "Na de stroomuitval")
		c.sameLogs()
		return failed
	})
}

// TestPowerFailsWhileASnapshotComes: a node that was away is sent a snapshot; its power fails
// at each step of taking it in.
func TestPowerFailsWhileASnapshotComes(t *testing.T) {
	atEachStep(t, func(t *testing.T, stop int, random *rand.Rand) bool {
		c, rooms := threeRooms(t)
		defer c.close()
		lead := c.leader()
		away := "knoop-1"
		if lead == away {
			away = "knoop-2"
		}
		acked := c.ackedWhileOn(rooms[lead], lead, several("Voor de afwezigheid", 2)...)
		c.sameLogs()
		c.stopNode(away)
		acked = append(acked, c.ackedWhileOn(rooms[lead], lead, several("Zonder een", 10)...)...)
		for _, id := range c.ids() {
			if id != away {
				c.cutLogs(id)
			}
		}
		rooms[away].disk.StopAt(stop)
		c.startNode(c.nodes[away])
		time.Sleep(3 * time.Second)
		c.stopNode(away)
		failed := rooms[away].cut(random)
		c.startNode(c.nodes[away])
		c.sameLogs()
		if lost := c.missing(away, acked); lost > 0 || len(acked) < 12 {
			t.Errorf("%d of %d acknowledged writes are lost", lost, len(acked))
		}
		c.mustSubmit(lead, "Na de stroomuitval")
		c.sameLogs()
		if o, err := c.get(away).Outcome(t.Context(), acked[0]); err != nil || o.State == registry.OutcomeUnknown {
			t.Errorf("%+v, %v", o, err)
		}
		return failed
	})
}
