package node

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// What clients did and saw, checked by porcupine against the model of a log: a write gets
// the next index, a linearizable read sees how many there are.

type logInput struct{ write bool }

type logOutput struct{ value uint64 } // index written, or size read

var logModel = porcupine.Model{
	Init: func() any { return uint64(1) }, // the founding event
	Step: func(state, input, output any) (bool, any) {
		size, in, out := state.(uint64), input.(logInput), output.(logOutput)
		if in.write {
			return out.value == size, size + 1
		}
		return out.value == size, size
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprint(input, output) },
}

// history collects operations; its clock counts events, so that it orders what the clock of
// a bubble makes simultaneous.
type history struct {
	mu      sync.Mutex
	clock   atomic.Int64
	ops     []porcupine.Operation
	unclear []unclear // writes whose outcome the client never learnt
	acked   []string  // event ids
}

type unclear struct {
	op porcupine.Operation
	id string
}

func (h *history) write(c *cluster, client int, id string, e registry.SignedEvent) {
	op := porcupine.Operation{ClientId: client, Input: logInput{true}, Call: h.clock.Add(1)}
	o, err := c.submit(id, e)
	op.Return = h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil && o.Err() == nil:
		op.Output = logOutput{*o.Index}
		h.ops, h.acked = append(h.ops, op), append(h.acked, e.Event.ID())
	case err != nil:
		h.unclear = append(h.unclear, unclear{op, e.Event.ID()})
	}
}

func (h *history) read(c *cluster, client int, id string, consistency registry.Consistency) {
	op := porcupine.Operation{ClientId: client, Input: logInput{false}, Call: h.clock.Add(1)}
	n := c.get(id)
	if n == nil {
		return
	}
	err := n.View(context.Background(), consistency, func(v registry.View, _ registry.ReadInfo) error {
		op.Output = logOutput{v.AsOf}
		return nil
	})
	op.Return = h.clock.Add(1)
	if err == nil {
		h.mu.Lock()
		h.ops = append(h.ops, op)
		h.mu.Unlock()
	}
}

// check decides after the fact: a write of unclear outcome that is in the log happened
// somewhere after its call; one that is not never did.
func (h *history) check(c *cluster) (linearizable bool, lost []string) {
	n := c.get(c.leader())
	return h.judge(func(id string) (uint64, bool) {
		o, ok := n.accepted(id)
		if !ok {
			return 0, false
		}
		return *o.Index, true
	})
}

// judge is check where accepted tells the leaf of an event.
func (h *history) judge(accepted func(id string) (uint64, bool)) (linearizable bool, lost []string) {
	ops := slices.Clone(h.ops)
	for _, u := range h.unclear {
		if index, ok := accepted(u.id); ok {
			u.op.Return, u.op.Output = h.clock.Load()+1, logOutput{index}
			ops = append(ops, u.op)
		}
	}
	for _, id := range h.acked {
		if _, ok := accepted(id); !ok {
			lost = append(lost, id)
		}
	}
	return porcupine.CheckOperations(logModel, ops), lost
}

// String says how much a history tests: how many operations of which kind, and how many were
// under way at once.
func (h *history) String() string {
	most, together := 0, 0
	for _, a := range h.ops {
		meets := 0
		for _, b := range h.ops {
			if b.Call <= a.Call && a.Call < b.Return { // under way when a began, a itself included
				meets++
			}
		}
		if most = max(most, meets); meets > 1 {
			together++
		}
	}
	return fmt.Sprintf("%d operations: %d writes acknowledged, %d linearizable reads; %d writes more of which the client never learnt the outcome; %d%% began while another was under way, at most %d at once",
		len(h.ops), len(h.acked), len(h.ops)-len(h.acked), len(h.unclear), 100*together/max(1, len(h.ops)), most)
}

func TestLinearizableUnderPartitions(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, 3)
				defer c.close()
				c.leader()
				var h history
				stop := make(chan struct{})
				var clients sync.WaitGroup
				for client := range 4 {
					rnd := rand.New(rand.NewPCG(seed, uint64(client)))
					clients.Go(func() {
						for i := 0; ; i++ {
							select {
							case <-stop:
								return
							case <-time.After(time.Duration(5+rnd.IntN(40)) * time.Millisecond):
							}
							id := fmt.Sprintf("knoop-%d", 1+rnd.IntN(3))
							if rnd.IntN(2) == 0 {
								h.write(c, client, id, c.application(fmt.Sprintf("Organisatie %d %d %d", seed, client, i), time.Now()))
							} else {
								h.read(c, client, id, registry.Linearizable)
							}
						}
					})
				}
				rnd := rand.New(rand.NewPCG(seed, 99))
				for range 6 {
					time.Sleep(time.Duration(100+rnd.IntN(400)) * time.Millisecond)
					victim := fmt.Sprintf("knoop-%d", 1+rnd.IntN(3))
					switch rnd.IntN(3) {
					case 0:
						c.stopNode(victim)
						time.Sleep(time.Duration(rnd.IntN(600)) * time.Millisecond)
						c.startNode(c.nodes[victim])
					default:
						c.isolate(victim)
						time.Sleep(time.Duration(rnd.IntN(900)) * time.Millisecond)
						c.heal()
					}
				}
				close(stop)
				clients.Wait()
				c.heal()
				ok, lost := h.check(c)
				t.Log(&h)
				if !ok {
					t.Error("what the clients saw is not the history of one log")
				}
				if len(lost) > 0 {
					t.Errorf("%d acknowledged writes are lost", len(lost))
				}
				if len(h.acked) < 10 || len(h.ops) < 2*10 {
					t.Errorf("only %d writes and %d operations: the test tested little", len(h.acked), len(h.ops))
				}
				c.sameLogs()
			})
		})
	}
}

// TestControlStaleRead plants a stale read given as linearizable: the check must catch it.
func TestControlStaleRead(t *testing.T) {
	for _, plant := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, 3)
			defer c.close()
			old := c.leader()
			c.isolate(old)
			next := ""
			for _, id := range c.ids() {
				if id != old {
					next = id
				}
			}
			var h history
			h.write(c, 0, next, c.application("Zorggroep Linde", time.Now()))
			consistency := registry.Linearizable
			if plant {
				consistency = registry.Stale
			}
			h.read(c, 1, old, consistency)
			c.heal()
			ok, lost := h.check(c)
			if ok == plant || len(lost) > 0 || len(h.acked) != 1 {
				t.Errorf("planted %t: linearizable %t, lost %v, acknowledged %d", plant, ok, lost, len(h.acked))
			}
		})
	}
}

// tornLog is raft's log in memory with a disk that may lie: a power cut takes what it said
// was synced.
type tornLog struct {
	*raft.InmemStore
	lies   atomic.Bool
	full   atomic.Bool // there is no room
	synced atomic.Uint64
}

func (l *tornLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

func (l *tornLog) StoreLogs(logs []*raft.Log) error {
	if l.full.Load() {
		return syscall.ENOSPC
	}
	if err := l.InmemStore.StoreLogs(logs); err != nil {
		return err
	}
	if !l.lies.Load() {
		l.synced.Store(logs[len(logs)-1].Index)
	}
	return nil
}

func (l *tornLog) powerCut(t testing.TB) {
	last, err := l.LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	if synced := l.synced.Load(); last > synced {
		if err := l.DeleteRange(synced+1, last); err != nil {
			t.Fatal(err)
		}
	}
}

// copyStore is what was on a disk that nobody asked to sync since.
func copyStore(t testing.TB, from kv.Store) kv.Store {
	to := kv.NewMemory()
	err := from.View(func(tx kv.Tx) error {
		return to.Update(func(out kv.Tx) error {
			return tx.Scan(nil, func(k, v []byte) error { return out.Set(k, v) })
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestPowerCut cuts the power of all nodes. The state was never synced, only raft's log was:
// nothing that was acknowledged may be lost. The control has logs that lie about syncing,
// and must be caught losing something.
func TestPowerCut(t *testing.T) {
	for _, lies := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, 3)
			defer c.close()
			lead := c.leader()
			var h history
			h.write(c, 0, lead, c.application("Voor de kopie", time.Now()))
			old := map[string]kv.Store{}
			for id, m := range c.nodes {
				old[id] = copyStore(t, m.store)
				m.logs.lies.Store(lies)
			}
			for i := range 5 {
				h.write(c, 0, lead, c.application(fmt.Sprint("Organisatie ", i), time.Now()))
			}
			for id, m := range c.nodes {
				c.stopNode(id)
				m.logs.powerCut(t)
				m.store = old[id]
				m.logs.lies.Store(false)
			}
			for _, m := range c.nodes {
				c.startNode(m)
			}
			_, lost := h.check(c)
			if (len(lost) > 0) != lies || len(h.acked) != 6 {
				t.Errorf("logs that lie: %t; lost %d of %d acknowledged writes", lies, len(lost), len(h.acked))
			}
		})
	}
}

// TestTornTail: one disk that lied about raft's log but kept the state comes back under a
// new raft id, because it may have voted for what it forgot.
func TestTornTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		m := c.nodes["knoop-2"]
		before := m.node.raftID
		m.logs.lies.Store(true)
		for i := range 5 {
			c.mustSubmit("knoop-1", fmt.Sprint("Organisatie ", i))
		}
		c.sameLogs()
		c.stopNode("knoop-2")
		m.logs.powerCut(t)
		m.logs.lies.Store(false)
		c.startNode(m)
		eventually(t, "it takes part under a new id", func() bool {
			n := c.get("knoop-2")
			return n.running() && n.raftID != before && n.inConfiguration()
		})
		c.mustSubmit("knoop-2", "Daarna")
		c.sameLogs()
	})
}
