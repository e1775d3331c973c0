package node

import (
	"sync"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// Anybody may apply for admission, so anybody can make leaves. A bucket of tokens bounds
// how many first applications this node takes; members and known organisations are not
// bounded by it.
type bucket struct {
	mu    sync.Mutex
	rate  float64 // tokens a second; the bucket holds a minute of them
	level float64
	last  time.Time
}

func newBucket(perMinute int) *bucket {
	return &bucket{rate: float64(perMinute) / 60, level: float64(perMinute)}
}

func (b *bucket) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.last.IsZero() && now.After(b.last) {
		b.level = min(b.level+now.Sub(b.last).Seconds()*b.rate, b.rate*60)
	}
	b.last = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// patient says whether the node takes this event now.
func (n *Node) patient(e registry.SignedEvent) bool {
	if e.Event.Kind != registry.KindApplied {
		return true
	}
	n.machine.mu.RLock()
	known := n.machine.state.Head(e.Event.Subject) != ""
	n.machine.mu.RUnlock()
	return known || n.applications.take(n.cfg.Clock())
}
