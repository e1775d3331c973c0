package node

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// record of a member, as it is on its disk.
func (m *member) record() record {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	return m.disk.rec
}

// TestDiskPutBack: a node whose record of cosignatures is older than what others saw does
// not sign as the one it was; it comes back under a new raft id (D6). The same happens when
// its disk had said that the record was synced and lost it.
func TestDiskPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		eventually(t, "the founding is published", func() bool { return c.get("knoop-2").covered() == 1 })
		for _, name := range []string{"Zorggroep Linde", "Machinefabriek Ossekamp"} { // who came back once can forget again
			c.putBack("knoop-2", name)
		}
		c.mustSubmit("knoop-2", "Opleidingshuis De Vaart")
		c.sameLogs()
	})
}

// putBack makes a node cosign, forget it, and come back.
func (c *cluster) putBack(id, name string) {
	m, before := c.nodes[id], c.get(id).raftID
	m.disk.mu.Lock()
	m.disk.lose = true
	m.disk.mu.Unlock()
	size := c.size(id) + 1
	c.mustSubmit("knoop-1", name)
	c.published(size)
	eventually(c.t, "it cosigned what it will forget", func() bool { return m.record().Size == size })
	c.stopNode(id)
	m.disk.rec, m.disk.lose = m.disk.synced, false
	if m.disk.rec.Size >= size {
		c.t.Fatalf("the disk forgot nothing: %+v", m.disk.rec)
	}
	c.startNode(m)
	eventually(c.t, "it takes part under a new raft id", func() bool {
		n := c.get(id)
		return n.running() && n.raftID != before && n.inConfiguration()
	})
	eventually(c.t, "it remembers what it signed, and signs again", func() bool { return m.record().Size >= size && c.get(id).publisher.withheld() == "" })
}

// TestNobodyAnswers: a node that cannot ask anybody signs nothing and does not vote.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		c.published(1)
		for _, id := range c.ids() {
			c.stopNode(id)
		}
		m := c.nodes["knoop-1"]
		count := m.disk.count
		c.startNode(m)
		time.Sleep(time.Minute)
		n := c.get("knoop-1")
		if n.running() {
			t.Error("it started raft without asking anybody")
		}
		if s := n.Status(); s.Signs || s.Withheld != whyNotAsked || s.State != "starting" || s.Leaves != 1 {
			t.Errorf("status = %+v", s)
		}
		if m.disk.count != count {
			t.Error("it signed")
		}
		err := n.View(context.Background(), registry.Stale, func(v registry.View, info registry.ReadInfo) error {
			if v.AsOf != 1 || info.Age < 60 {
				t.Errorf("stale read: %d leaves, age %d s", v.AsOf, info.Age)
			}
			return nil
		})
		if err != nil {
			t.Errorf("a region without a quorum must answer reads: %v", err)
		}
		c.startNode(c.nodes["knoop-2"])
		c.leader()
		c.mustSubmit("knoop-1", "Zorggroep Linde")
		eventually(t, "both sign again", func() bool { return c.get("knoop-1").covered() == 2 })
	})
}

func TestSingleNodeSignsForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		c.leader()
		c.mustSubmit("knoop-1", "Zorggroep Linde")
		eventually(t, "it publishes", func() bool { return c.get("knoop-1").covered() == 2 })
		c.stopNode("knoop-1")
		c.startNode(c.nodes["knoop-1"])
		c.leader()
		c.mustSubmit("knoop-1", "Machinefabriek Ossekamp")
		eventually(t, "it publishes again", func() bool { return c.get("knoop-1").covered() == 3 })
	})
}

// TestAnUnchangedLogIsCosignedAgain, so that readers see that it is alive (D11).
func TestAnUnchangedLogIsCosignedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterWith(t, 3, func(c *Config) { c.CosignInterval = 20 * time.Second })
		defer c.close()
		c.leader()
		n := c.get("knoop-1")
		eventually(t, "a checkpoint", func() bool { return n.covered() == 1 })
		_, first := n.publisher.Checkpoint()
		time.Sleep(time.Minute)
		_, later := n.publisher.Checkpoint()
		if age := time.Since(later.Freshest()); age > 30*time.Second || !later.Freshest().After(first.Freshest()) {
			t.Errorf("the cosignatures are %v old", age)
		}
	})
}

// TestCosignerKeepsItsPromise: what a node refuses to cosign.
func TestCosignerKeepsItsPromise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		c.mustSubmit("knoop-1", "Zorggroep Linde")
		n := c.get("knoop-1")
		eventually(t, "published", func() bool { return n.covered() == 2 })
		origin := n.founding.origin
		root := func(size uint64) tlog.Hash {
			if size == 2 {
				return n.machine.tree.Root()
			}
			raw, err := n.Leaves(context.Background(), 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			return tlog.LeafHash(raw[0])
		}
		note := func(origin string, size uint64, root tlog.Hash, signer string) []byte {
			s, err := tlog.NewSigner(origin, tlog.TypeLog, namedEd25519("log "+signer))
			if err != nil {
				t.Fatal(err)
			}
			text := tlog.Checkpoint{Origin: origin, Size: size, Root: root}.Text()
			line, err := s.Line(text, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			return tlog.JoinNote(text, line)
		}
		for _, x := range []struct {
			name, from string
			note       []byte
			want       error
		}{
			{"good", "knoop-2", note(origin, 2, root(2), "knoop-2"), nil},
			{"smaller than before", "knoop-2", note(origin, 1, root(1), "knoop-2"), errBehind},
			{"another history", "knoop-2", note(origin, 2, tlog.LeafHash(nil), "knoop-2"), errFork},
			{"signed by another node", "knoop-2", note(origin, 2, root(2), "knoop-3"), nil},
			{"of another log", "knoop-2", note("elders.example/register", 2, root(2), "knoop-2"), tlog.ErrUnsigned},
			{"signed by a stranger", "knoop-2", note(origin, 2, root(2), "knoop-9"), tlog.ErrUnsigned},
			{"from a stranger", "knoop-9", note(origin, 2, root(2), "knoop-9"), tlog.ErrKey},
			{"not a note", "knoop-2", []byte("x"), tlog.ErrNote},
		} {
			line, err := n.serveCosign(x.from, x.note)
			switch {
			case x.name == "signed by another node":
				if err == nil {
					t.Errorf("%s: cosigned", x.name)
				}
			case !errors.Is(err, x.want):
				t.Errorf("%s: %v, want %v", x.name, err, x.want)
			case x.want == nil && !strings.HasPrefix(string(line), "— "):
				t.Errorf("%s: %q", x.name, line)
			}
		}
		// The record cannot be written: then nothing is signed.
		c.nodes["knoop-1"].disk.mu.Lock()
		c.nodes["knoop-1"].disk.fail = errors.New("disk full")
		c.nodes["knoop-1"].disk.mu.Unlock()
		time.Sleep(2 * time.Second) // another second, so that there is something to write down
		if _, err := n.serveCosign("knoop-2", note(origin, 2, root(2), "knoop-2")); !errors.Is(err, errWithheld) {
			t.Errorf("signed without a record: %v", err)
		}
	})
}

// TestCosignsDescendantsOnly: when all disks of a region were put back, its log grows past what
// was cosigned once with other leaves. A node that remembers signs none of it (D6).
func TestCosignsDescendantsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		c.leader()
		c.mustSubmit("knoop-1", "Zorggroep Linde")
		n := c.get("knoop-1")
		eventually(t, "published", func() bool { return n.covered() == 2 })
		n.publisher.mu.Lock()
		n.publisher.record.Root = tlog.LeafHash([]byte("what the second leaf was once")).String()
		n.publisher.mu.Unlock()
		c.mustSubmit("knoop-1", "Machinefabriek Ossekamp")
		time.Sleep(time.Minute)
		if got := n.covered(); got != 2 {
			t.Errorf("signed a tree of %d leaves that does not contain what was signed before", got)
		}
	})
}

// TestMembershipFollowsTheCharter adds a node, which joins and gets a vote, and removes
// another, which loses it; the log hands over and goes on.
func TestMembershipFollowsTheCharter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		node := c.node(4, "knoop-4.example:7000")
		c.startNode(c.add("knoop-4", nil))
		time.Sleep(5 * time.Second)
		if c.size("knoop-4") != 0 {
			t.Error("a node that the charter does not know got leaves")
		}
		c.event(registry.KindNodeAdded, &registry.NodeChange{Node: &node, Reason: "Een vierde knoop"}, "lid-1", "lid-2")
		voters := func(id string) map[string]bool {
			out := map[string]bool{}
			for _, p := range c.get(id).Status().Peers {
				out[p.ID] = p.Member == "voter"
			}
			return out
		}
		eventually(t, "the new node votes", func() bool { return voters("knoop-1")["knoop-4"] })
		c.mustSubmit("knoop-4", "Via de nieuwe knoop")
		for _, id := range c.ids() {
			eventually(t, id+" publishes beyond the handover", func() bool { return c.get(id).covered() == 3 })
			notes, err := c.get(id).Handovers(context.Background())
			if err != nil || len(notes) != 1 {
				t.Errorf("%s keeps %d handovers, %v", id, len(notes), err)
			}
		}
		c.event(registry.KindNodeRemoved, &registry.NodeChange{ID: "knoop-2", Reason: "Weg"}, "lid-1", "lid-2")
		eventually(t, "the removed node is no member", func() bool {
			_, there := voters(c.leader())["knoop-2"]
			return !there && len(c.get(c.leader()).servers()) == 3
		})
		c.stopNode("knoop-2")
		c.mustSubmit("knoop-4", "Na het vertrek")
		for _, id := range []string{"knoop-1", "knoop-3", "knoop-4"} {
			eventually(t, id+" publishes with the new nodes", func() bool { return c.get(id).covered() == 5 })
		}
		// Who pinned the founding event walks from one policy to the next.
		n := c.get("knoop-4")
		snapshot, err := registry.BuildSnapshot(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		if replica, _, err := snapshot.Replay(c.genesis); err != nil || replica.Size() != 5 {
			t.Errorf("replay from the founding event: %v", err)
		}
	})
}
