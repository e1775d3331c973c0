package node

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/tlog"
)

// TestWitnessHoldsItsMirror: of a log that was never cosigned, nothing is cosigned that differs
// from what its nodes showed this node.
func TestWitnessHoldsItsMirror(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, _ := witnessing(t)
		defer c.close()
		b.grow("a", "b")
		other := b.fork()
		b.grow("c")
		other.grow("elsewhere")
		mirror, n := b.head(), c.get("knoop-1")
		known := n.peerLogs.(knows)[b.origin]
		known.newest = b.note()
		known.rootAt = func(size uint64) (tlog.Hash, error) {
			if size != mirror.Size {
				return tlog.Hash{}, errors.New("not asked for in this test")
			}
			return mirror.Root, nil
		}
		n.peerLogs = knows{b.origin: known}
		if err := other.ask(c.witnessClient("knoop-1")); !errors.Is(err, tlog.ErrInconsistent) {
			t.Errorf("another history than the mirror has: %v", err)
		}
		if err := b.ask(c.witnessClient("knoop-1")); err != nil {
			t.Errorf("what the mirror has: %v", err)
		}
		b.grow("d")
		if err := b.ask(c.witnessClient("knoop-1")); err != nil {
			t.Errorf("what the mirror does not have yet: %v", err)
		}
	})
}

// TestWitnessWhoseDiskWasPutBackIsLiedTo: the log's nodes hide what this node signed once. Its own
// region knows: by the node's own cosignatures, and by the mirrors of the other nodes.
func TestWitnessWhoseDiskWasPutBackIsLiedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newNeighbour(t, "roostergracht.example/register"), newRoads()
		c := newClusterWith(t, 3, func(c *Config) { c.Outside = r })
		defer c.close()
		c.leader()
		c.trusted("knoop-1", trustOwn, 1)
		n := c.get("knoop-1")
		b.grow("a", "b")
		other := b.fork() // of before this node signed, and so are its answers
		r.hosts["kade.example"] = other
		other.grow("elsewhere")
		b.grow("c")
		line, err := n.publisher.self.Line(b.head().Text(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		n.meets(b)
		known := n.peerLogs.(knows)[b.origin]
		known.genesis = "0123"
		n.peerLogs = knows{b.origin: known}
		r.hosts["knoop-2.example"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/regions/0123/checkpoint" {
				_, _ = w.Write(append(b.note(), line+"\n"...))
			}
		})
		n.publisher.mu.Lock()
		n.publisher.clear = false
		n.publisher.mu.Unlock()
		if err := other.ask(c.witnessClient("knoop-1")); !errors.Is(err, tlog.ErrNotNow) {
			t.Errorf("before its own region was asked: %v", err)
		}
		n.publisher.mu.Lock()
		n.publisher.clear = true
		n.publisher.mu.Unlock()
		if err := other.ask(c.witnessClient("knoop-1")); !errors.Is(err, tlog.ErrInconsistent) {
			t.Errorf("it signs a second history: %v", err)
		}
		if err := b.ask(c.witnessClient("knoop-1")); err != nil {
			t.Errorf("what it signed once: %v", err)
		}
	})
}

// TestWitnessSignsAfterASyncThatFailed: a record that is in the store and perhaps not on the disk is
// no reason to sign.
func TestWitnessSignsAfterASyncThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterOf(t, 1, nil)
		defer c.close()
		var broken atomic.Bool
		m := c.nodes["knoop-1"]
		m.parts = func(p *parts) { p.store = unsynced{p.store, &broken} }
		c.startNode(m)
		c.leader()
		b := newNeighbour(t, "roostergracht.example/register")
		b.grow("a")
		n := c.get("knoop-1")
		n.meets(b)
		n.witness.logs[b.origin] = &witnessedLog{asked: true}
		broken.Store(true)
		for range 3 { // the same second: the record in the store says that already
			if err := b.ask(c.witnessClient("knoop-1")); !errors.Is(err, tlog.ErrWitnessAnswer) {
				t.Errorf("signed, and perhaps forgotten: %v", err)
			}
		}
		broken.Store(false)
		if err := b.ask(c.witnessClient("knoop-1")); err != nil {
			t.Error(err)
		}
	})
}

// unsynced is a store whose disk does not say that it has what was written.
type unsynced struct {
	kv.Store
	broken *atomic.Bool
}

func (s unsynced) Sync() error {
	if s.broken.Load() {
		return errors.New("input/output error")
	}
	return kv.Sync(s.Store)
}

// TestWitnessOfTomorrow: a cosignature of a time that is still to come is not published.
func TestWitnessOfTomorrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterWith(t, 1, nil)
		defer c.close()
		o := c.get("knoop-1").outside
		for ahead, want := range map[time.Duration]bool{0: false, time.Minute: false, time.Hour: true} {
			if got := o.ahead(time.Now().Add(ahead)); got != want {
				t.Errorf("%s ahead: %v", ahead, got)
			}
		}
	})
}
