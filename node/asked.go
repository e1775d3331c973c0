package node

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A node that starts asks one other node for its own newest cosignature (D6). That shows a
// disk that was put back only if the other's was not. So it asks every other node once, as
// soon as it can be reached, and raft neither hears nor uses a node that was not asked yet:
// whatever is decided is decided among nodes that asked each other. When all disks come from
// backups of different ages, all but the newest find out, and nothing is decided.

var (
	// errPutBack ends a node that learns from another that it forgot something.
	errPutBack = errors.New("another node holds a newer cosignature of this node than this node remembers: its disk was put back. Start it again: it comes back under a new raft id")
	errUnasked = errors.New("the other node was not asked yet what it holds of this one's")
)

// askedNodes are the nodes that answered since the start.
type askedNodes struct {
	mu    sync.Mutex
	nodes map[string]bool
}

func (a *askedNodes) add(node string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.nodes == nil {
		a.nodes = map[string]bool{}
	}
	a.nodes[node] = true
}

func (a *askedNodes) has(node string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.nodes[node]
}

// askAll asks whoever was not asked yet, now and then, for as long as the node runs.
func (n *Node) askAll(ctx context.Context) {
	began := n.publisher.remembered()
	for {
		var round sync.WaitGroup // at once: who does not answer holds up nobody else
		for _, id := range n.signers() {
			if !n.asked.has(id) {
				round.Go(func() { n.askOnce(ctx, id, began) })
			}
		}
		round.Wait()
		select {
		case <-ctx.Done():
			return
		case <-time.After(helloPause):
		}
	}
}

// askOnce asks one node, and ends this one if it forgot what that node holds.
func (n *Node) askOnce(ctx context.Context, id string, began record) {
	newest, answered := n.publisher.newestElsewhere(ctx, []string{id})
	switch {
	case answered == 0:
	case !n.fresh && newest.newer(began) && newest.newer(n.publisher.remembered()) && !n.regained(newest):
		n.log.Error("cannot go on", "error", errPutBack, "node", id)
		n.cancel(errPutBack)
	default:
		n.asked.add(id)
	}
}

// remembered is what was cosigned last, as this node knows.
func (p *publisher) remembered() record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.record
}

// mayHear says whether raft may use a node's words. Under a raft id that is new there is
// nothing to forget.
func (n *Node) mayHear(node string) bool { return n.fresh || n.asked.has(node) }
