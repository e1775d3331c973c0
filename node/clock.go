package node

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A leader's clock stamps what is logged (D2), and the registry takes no stamp below the one
// before: a leader whose clock is ahead by an hour would leave a region that can write nothing
// for that hour. So nodes compare clocks. Who is outvoted gives its leadership away; where it
// is one word against another nobody stamps, and the log of the node says why.

const (
	clockEvery     = 10 * time.Second // between comparisons
	clockTolerance = 30 * time.Second // far more than a clock that is kept right is off
)

// clockWatch is what was found.
type clockWatch struct {
	mu       sync.Mutex
	doubt    string // why this node's clock is not trusted, for people; empty when it is
	outvoted bool   // most others agree with one another against it
}

func (w *clockWatch) set(doubt string, outvoted bool) (changed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed = (w.doubt == "") != (doubt == "")
	w.doubt, w.outvoted = doubt, outvoted
	return changed
}

func (w *clockWatch) doubted() (doubt string, outvoted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.doubt, w.outvoted
}

// watchClock compares this node's clock with the others', as long as it runs.
func (n *Node) watchClock(ctx context.Context) {
	for {
		n.compareClocks(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(clockEvery):
		}
	}
}

// askClock greets a node, and says how long its answer took and how far its clock is ahead of
// this node's: the way there and back is counted half. A node that does not say its time is not
// ahead.
func (n *Node) askClock(ctx context.Context, id string) (h hello, took, ahead time.Duration, err error) {
	begin := n.cfg.Clock()
	h, err = n.askHello(ctx, id)
	took = n.cfg.Clock().Sub(begin)
	if err == nil && h.Time != 0 {
		ahead = time.UnixMilli(h.Time).Sub(begin.Add(took / 2))
	}
	return h, took, ahead, err
}

// compareClocks asks all others for their time.
func (n *Node) compareClocks(ctx context.Context) {
	agree, answers, worst, whose := 1, 1, time.Duration(0), ""
	for _, id := range n.others() {
		h, _, ahead, err := n.askClock(ctx, id)
		if err != nil || h.Time == 0 {
			continue
		}
		answers++
		off := ahead.Round(time.Second)
		if off.Abs() <= clockTolerance {
			agree++
		} else if off.Abs() > worst.Abs() {
			worst, whose = off, id
		}
	}
	doubt := ""
	if 2*agree <= answers {
		doubt = fmt.Sprintf("this node's clock and that of %s are %v apart: set the one that is wrong", whose, worst.Abs())
	}
	switch changed := n.clock.set(doubt, 2*agree < answers); {
	case changed && doubt != "":
		n.log.Error("THE CLOCK MAY BE WRONG: this node stamps no events", "why", doubt)
	case changed:
		n.log.Info("the clock agrees with the others' again")
	}
}
