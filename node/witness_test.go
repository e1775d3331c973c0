package node

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/tlog"
)

// witnessing is a region of one node that witnesses a neighbour.
func witnessing(t *testing.T) (*cluster, *neighbour, *roads) {
	b, r := newNeighbour(t, "roostergracht.example/register"), newRoads()
	r.hosts["kade.example"] = b
	c := newClusterWith(t, 1, func(c *Config) { c.Outside = r })
	c.leader()
	c.get("knoop-1").meets(b)
	return c, b, r
}

// meets gives a node a mirror that knows a neighbour.
func (n *Node) meets(b *neighbour) {
	n.peerLogs = knows{b.origin: {keys: []tlog.VerifierKey{b.log.VerifierKey()}, urls: []string{"https://kade.example"}}}
}

// TestWitnessOfAPeer: a node cosigns what follows from what it cosigned, of accepted regions,
// shows what it cosigned last, and never its own region's log by this door.
func TestWitnessOfAPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, _ := witnessing(t)
		defer c.close()
		client := c.witnessClient("knoop-1")
		b.grow("a", "b", "c")
		other := b.fork()
		other.grow("elsewhere", "and on")
		b.grow("d")
		if err := b.ask(client); err != nil {
			t.Fatal(err)
		}
		b.grow("e", "f", "g")
		if err := b.ask(client); err != nil {
			t.Fatal(err)
		}
		note, err := client.Latest(t.Context(), b.origin)
		if seen, _, openErr := tlog.OpenCheckpoint(note, b.origin, client.Key, b.log.VerifierKey()); err != nil || openErr != nil || seen.Size != 7 {
			t.Errorf("the latest is %+v, %v, %v", seen, err, openErr)
		}
		var ahead *tlog.ConflictError
		if err := other.ask(client); !errors.As(err, &ahead) || ahead.Size != 7 {
			t.Errorf("another history, smaller: %v", err)
		}
		other.grow("and", "on", "and on")
		if err := other.ask(client); !errors.Is(err, tlog.ErrInconsistent) {
			t.Errorf("another history, larger: %v", err)
		}
		if err := newNeighbour(t, "vreemd.example/log").ask(client); !errors.Is(err, tlog.ErrUnknownLog) {
			t.Errorf("a region that is not accepted: %v", err)
		}
		own := newNeighbour(t, c.charter.Origin)
		c.get("knoop-1").meets(own)
		if err := own.ask(client); !errors.Is(err, tlog.ErrUnknownLog) {
			t.Errorf("its own region: %v", err)
		}
		if got, err := c.get("knoop-1").witness.witnessed(); err != nil || got[b.origin].Size != 7 || len(got) != 1 {
			t.Errorf("its operator sees %+v, %v", got, err)
		}
	})
}

// TestWitnessAfterItsDiskWasPutBack: after a start nothing is signed for a log before that
// log's nodes told what they have from this node. What they have becomes its record.
func TestWitnessAfterItsDiskWasPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, r := witnessing(t)
		defer c.close()
		m := c.nodes["knoop-1"]
		b.grow("a", "b", "c")
		if err := b.ask(c.witnessClient("knoop-1")); err != nil {
			t.Fatal(err)
		}
		before := copyStore(t, m.store)
		other := b.fork()
		other.grow("elsewhere", "and on", "and on")
		b.grow("d", "e")
		if err := b.ask(c.witnessClient("knoop-1")); err != nil {
			t.Fatal(err)
		}
		c.stopNode("knoop-1")
		m.store = before
		r.set("kade.example", true)
		c.startNode(m)
		c.leader()
		c.get("knoop-1").meets(b)
		for name, log := range map[string]*neighbour{"the same": b, "another history": other} {
			if err := log.ask(c.witnessClient("knoop-1")); !errors.Is(err, tlog.ErrNotNow) {
				t.Errorf("%s, while nobody could be asked: %v", name, err)
			}
		}
		r.set("kade.example", false)
		if err := other.ask(c.witnessClient("knoop-1")); !errors.Is(err, tlog.ErrInconsistent) {
			t.Errorf("it signs a second history: %v", err)
		}
		b.grow("f")
		if err := b.ask(c.witnessClient("knoop-1")); err != nil {
			t.Errorf("what follows: %v", err)
		}
	})
}

// TestWitnessWhoSignedTwice: a log that holds this node's word for another tree of the same
// size gets no more of it.
func TestWitnessWhoSignedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b, r := witnessing(t)
		defer c.close()
		b.grow("a", "b")
		other := b.fork()
		other.grow("elsewhere")
		b.grow("c")
		if err := b.ask(c.witnessClient("knoop-1")); err != nil {
			t.Fatal(err)
		}
		self := c.get("knoop-1").publisher.self
		line, err := self.Line(other.head().Text(), c.start)
		if err != nil {
			t.Fatal(err)
		}
		other.notes[self.VerifierKey().Name] = append(other.note(), line+"\n"...)
		c.stopNode("knoop-1")
		r.hosts["kade.example"] = other
		c.startNode(c.nodes["knoop-1"])
		c.leader()
		c.get("knoop-1").meets(b)
		for range 2 {
			if err := b.ask(c.witnessClient("knoop-1")); !errors.Is(err, tlog.ErrNotNow) {
				t.Errorf("it signs on: %v", err)
			}
		}
	})
}

// TestWitnessWaitsForItsDisk: what is not kept is not signed.
func TestWitnessWaitsForItsDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterOf(t, 1, nil)
		defer c.close()
		m := c.nodes["knoop-1"]
		m.parts = func(p *parts) { p.store = fullFor{p.store} }
		c.startNode(m)
		c.leader()
		b := newNeighbour(t, "roostergracht.example/register")
		b.grow("a")
		n := c.get("knoop-1")
		n.meets(b)
		n.witness.logs[b.origin] = &witnessedLog{asked: true}
		if err := b.ask(c.witnessClient("knoop-1")); !errors.Is(err, tlog.ErrWitnessAnswer) {
			t.Errorf("a signature left before it was kept: %v", err)
		}
	})
}

// TestWitnessAskedAgain: anybody can send a checkpoint again. Within a second it costs no write.
func TestWitnessAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterOf(t, 1, nil)
		defer c.close()
		m := c.nodes["knoop-1"]
		var writes atomic.Int64
		m.parts = func(p *parts) { p.store = counting{p.store, &writes} }
		c.startNode(m)
		c.leader()
		b := newNeighbour(t, "roostergracht.example/register")
		b.grow("a", "b")
		n := c.get("knoop-1")
		n.meets(b)
		n.witness.logs[b.origin] = &witnessedLog{asked: true}
		for range 20 {
			if err := b.ask(c.witnessClient("knoop-1")); err != nil {
				t.Fatal(err)
			}
		}
		if got := writes.Load(); got != 1 {
			t.Errorf("%d writes", got)
		}
		time.Sleep(time.Second)
		if err := b.ask(c.witnessClient("knoop-1")); err != nil || writes.Load() != 2 {
			t.Errorf("a second later: %v, %d writes", err, writes.Load())
		}
	})
}

// counting counts what is written of what is witnessed.
type counting struct {
	kv.Store
	writes *atomic.Int64
}

func (s counting) Update(fn func(kv.Tx) error) error {
	return s.Store.Update(func(tx kv.Tx) error { return fn(countingTx{tx, s.writes}) })
}

type countingTx struct {
	kv.Tx
	writes *atomic.Int64
}

func (x countingTx) Set(key, value []byte) error {
	if strings.HasPrefix(string(key), prefixWitness) {
		x.writes.Add(1)
	}
	return x.Tx.Set(key, value)
}

// fullFor has no room for what is witnessed.
type fullFor struct{ kv.Store }

func (f fullFor) Update(fn func(kv.Tx) error) error {
	return f.Store.Update(func(tx kv.Tx) error { return fn(fullTx{tx}) })
}

type fullTx struct{ kv.Tx }

func (f fullTx) Set(key, value []byte) error {
	if strings.HasPrefix(string(key), prefixWitness) {
		return errors.New("no space left on device")
	}
	return f.Tx.Set(key, value)
}
