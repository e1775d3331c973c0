package node

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/kv"
)

// TestNewDiskDoesNotVoteForTheOld: what was acknowledged is on the leader and on one follower.
// The leader stops, and the follower's disk is wiped; the third node has not heard of it. The
// wiped node must not help it to lead in its former self's name. The control has the
// follower's disk in place: then the region goes on, with what was acknowledged.
func TestNewDiskDoesNotVoteForTheOld(t *testing.T) {
	for name, wiped := range map[string]bool{"wiped": true, "control: the disk is there": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, 3)
				defer c.close()
				lead := c.leader()
				var others []string
				for _, id := range c.ids() {
					if id != lead {
						others = append(others, id)
					}
				}
				follower, third := others[0], others[1]
				c.isolate(third)
				o := c.mustSubmit(lead, "Bevestigd")
				eventually(t, "the follower has it", func() bool { return c.size(follower) == 2 })
				c.stopNode(lead)
				c.stopNode(follower)
				if wiped {
					c.nodes[follower].wipe()
				}
				c.startNode(c.nodes[follower])
				c.heal()
				if !wiped {
					eventually(t, "the region goes on", func() bool { return c.size(third) == 2 })
					return
				}
				time.Sleep(time.Minute)
				for _, id := range others {
					if n := c.get(id); n.running() && n.raft.State() == raft.Leader {
						t.Errorf("%s leads without what was acknowledged", id)
					}
				}
				c.startNode(c.nodes[lead])
				for _, id := range c.ids() {
					eventually(t, id+" has what was acknowledged", func() bool { _, ok := c.get(id).accepted(o.Event); return ok })
				}
				c.mustSubmit(follower, "Daarna")
				c.sameLogs()
			})
		})
	}
}

// TestMeetsWhoRemembers: two disks were put back. Each asks the other, who cannot tell. When
// the third comes, who remembers, both stop before raft hears it, and say why; started again
// they come back under new raft ids, and the region waits for people: its majority is gone.
func TestMeetsWhoRemembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		put := []string{"knoop-1", "knoop-2"}
		rec, store := map[string]record{}, map[string]kv.Store{}
		for _, id := range c.ids() {
			eventually(t, id+" published", func() bool { return c.get(id).covered() == 1 })
			rec[id], store[id] = c.nodes[id].record(), copyStore(t, c.nodes[id].store)
		}
		c.mustSubmit("knoop-3", "Later")
		c.published(2)
		for _, id := range c.ids() {
			c.stopNode(id)
		}
		for _, id := range put {
			m := c.nodes[id]
			last, err := m.logs.LastIndex()
			if err != nil {
				t.Fatal(err)
			}
			m.disk.rec, m.store = rec[id], store[id]
			if err := m.logs.DeleteRange(last, last); err != nil {
				t.Fatal(err)
			}
			c.startNode(m)
		}
		eventually(t, "the two run", func() bool { return c.get("knoop-1").running() && c.get("knoop-2").running() })
		c.startNode(c.nodes["knoop-3"])
		for _, id := range put {
			if err := c.failed(c.nodes[id]); !errors.Is(err, errPutBack) {
				t.Errorf("%s ended with %v, want %v", id, err, errPutBack)
			}
		}
		for _, id := range put {
			c.startNode(c.nodes[id])
		}
		time.Sleep(time.Minute)
		for _, id := range c.ids() {
			if n := c.get(id); n.running() && n.raft.State() == raft.Leader {
				t.Errorf("%s leads", id)
			}
		}
	})
}
