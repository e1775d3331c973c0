package node

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"paspoort.example/paspoort/specs/registry"
)

// traffic is clients that write and read at any node of processes, and what they saw.
type traffic struct {
	history
	p    *processes
	stop chan struct{}
	all  sync.WaitGroup
}

// newTraffic starts so many clients. Each has one question under way at a time.
func (p *processes) newTraffic(clients int, seed uint64) *traffic {
	tr := &traffic{p: p, stop: make(chan struct{})}
	for client := range clients {
		tr.all.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(client)))
			for i := 0; ; i++ {
				select {
				case <-tr.stop:
					return
				case <-time.After(time.Duration(rnd.IntN(8)) * time.Millisecond):
				}
				c, ok := p.client(fmt.Sprintf("knoop-%d", 1+rnd.IntN(len(p.listeners))))
				switch {
				case !ok:
				case rnd.IntN(2) == 0:
					tr.write(client, c, p.application(fmt.Sprintf("Organisatie %d %d %d", seed, client, i), time.Now()))
				default:
					tr.read(client, c)
				}
			}
		})
	}
	return tr
}

// write says whether it was acknowledged.
func (tr *traffic) write(client int, c registry.Client, e registry.SignedEvent) bool {
	op := porcupine.Operation{ClientId: client, Input: logInput{true}, Call: tr.clock.Add(1)}
	o, err := c.Submit(context.Background(), registry.Submission{Event: e})
	op.Return = tr.clock.Add(1)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch {
	case err == nil && o.Err() == nil && o.Index != nil:
		op.Output = logOutput{*o.Index}
		tr.ops, tr.acked = append(tr.ops, op), append(tr.acked, e.Event.ID())
		return true
	case err != nil:
		tr.unclear = append(tr.unclear, unclear{op, e.Event.ID()})
	}
	return false
}

func (tr *traffic) read(client int, c registry.Client) {
	op := porcupine.Operation{ClientId: client, Input: logInput{false}, Call: tr.clock.Add(1)}
	region, err := c.Region(context.Background(), registry.When{Consistency: registry.Linearizable})
	op.Return, op.Output = tr.clock.Add(1), logOutput{region.AsOf}
	if err == nil {
		tr.mu.Lock()
		tr.ops = append(tr.ops, op)
		tr.mu.Unlock()
	}
}

func (tr *traffic) acknowledged() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.acked)
}

// goesOn waits until some more writes were acknowledged.
func (tr *traffic) goesOn(why string) {
	tr.p.t.Helper()
	before := tr.acknowledged()
	eventually(tr.p.t, "writes go on "+why, func() bool { return tr.acknowledged() > before+5 })
}

// end stops the clients and holds what they saw against one log, and against every node.
func (tr *traffic) end() {
	tr.p.t.Helper()
	close(tr.stop)
	tr.all.Wait()
	c, _ := tr.p.client(tr.p.leader())
	leaves := map[string]uint64{}
	wrong := tr.wrong(func(id string) (uint64, bool) {
		o, err := c.Outcome(context.Background(), id)
		if err != nil {
			tr.p.t.Fatal(err)
		}
		if o.Index == nil {
			return 0, false
		}
		leaves[id] = *o.Index
		return *o.Index, true
	})
	tr.p.t.Log(&tr.history)
	for _, what := range wrong {
		tr.p.t.Error(what)
	}
	acked := map[string]uint64{}
	for _, id := range tr.acked {
		acked[id] = leaves[id]
	}
	tr.p.checkEverywhere(acked)
}

// answers says whether a node gives a linearizable read within a moment: a majority hears it, and
// it hears them.
func (p *processes) answers(id string) bool {
	c, ok := p.client(id)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := c.Region(ctx, registry.When{Consistency: registry.Linearizable})
	return ok && err == nil
}

// apart says whether a node is kept from the others: it does not answer, however often it is asked.
func (p *processes) apart(id string) bool {
	for range 3 {
		if p.answers(id) {
			return false
		}
	}
	return true
}

// quickest is how long something takes when nothing else holds it up.
func quickest(try func() bool) time.Duration {
	least := time.Hour
	for range 5 {
		if begin := time.Now(); try() {
			least = min(least, time.Since(begin))
		}
	}
	return least
}

// TestNetworkBetweenProcesses separates, silences and slows nodes that are processes of their
// own, while clients write and read: what they saw is one log, writes go on without whoever
// cannot be reached, and whoever comes back catches up. Each fault has to be felt where it is
// made; the control is a way that does nothing, and is not felt.
func TestNetworkBetweenProcesses(t *testing.T) {
	t.Parallel() // it waits most of the time
	if testing.Short() {
		t.Skip("real processes are for the long run")
	}
	p := newProcesses(t, 3)
	ways := p.linked()
	for id := range p.listeners {
		p.start(id)
	}
	p.leader()
	tr := p.newTraffic(4, 11)
	tr.goesOn("at first")
	const delay = 40 * time.Millisecond
	quick := func(id string) bool { return quickest(func() bool { return p.answers(id) }) < delay }
	apart, slow := p.apart, func(id string) bool { return !quick(id) }
	neither := func(id string) bool { return p.answers(id) && quick(id) }
	for _, x := range []struct {
		name string
		to   func() string // whom it meets
		do   func(id string)
		felt func(id string) bool
	}{
		{"with ways that do nothing to a follower", p.follower, func(string) {}, neither},
		{"with ways that do nothing to the leader", p.leader, func(string) {}, neither},
		{"with the leader cut off", p.leader, ways.cut, apart},
		{"with a follower cut off", p.follower, ways.cut, apart},
		{"with a leader that nobody hears", p.leader, ways.mute, apart},
		{"with a leader that hears nobody", p.leader, ways.deafen, apart},
		{"with a follower that nobody hears", p.follower, ways.mute, apart},
		{"with a follower that hears nobody", p.follower, ways.deafen, apart},
		{"with a slow way to the leader", p.leader, func(id string) { ways.slow(id, delay) }, slow},
	} {
		id := x.to()
		x.do(id)
		tr.goesOn(x.name)
		eventually(t, x.name+": "+id+" feels it", func() bool { return x.felt(id) })
		ways.free()
		tr.goesOn("after that")
	}
	tr.end()
}

// follower is a node that does not lead.
func (p *processes) follower() string {
	lead := p.leader()
	for id := range p.listeners {
		if id != lead {
			return id
		}
	}
	return ""
}
