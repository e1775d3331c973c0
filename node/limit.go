package node

import (
	"sync"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// Anybody may apply for admission, again and again, so anybody can make leaves. A bucket of
// tokens bounds how many events of strangers the leader takes; members, and organisations that
// are admitted, are not bounded by it: they answer for what they sign.
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

// digestsPerMinute bounds how many digests of the state are looked at: for each, right or wrong,
// the leader goes over the whole state and does nothing else. One a day is enough.
const digestsPerMinute = 2

// knows says whether an event names a signer that the region took in. Its signatures were
// checked.
func (n *Node) knows(e registry.SignedEvent) bool {
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	var lost error
	defer n.machine.lostRows(&lost) // then nobody is known here, and the node ends
	return n.machine.state.Known(e)
}

// vouched says whether such a signer really signed it.
func (n *Node) vouched(e registry.SignedEvent) bool {
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	var lost error
	defer n.machine.lostRows(&lost)
	return n.machine.state.Vouched(e)
}
