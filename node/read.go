package node

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/registry"
)

// errNotCurrent: this node cannot show that it has all that is committed. A stale read
// may be answered still.
var errNotCurrent = fmt.Errorf("%w; a stale read may be answered", registry.ErrNoLeader)

// View implements registry.Reader.
func (n *Node) View(ctx context.Context, c registry.Consistency, fn func(registry.View, registry.ReadInfo) error) (err error) {
	if c == registry.Linearizable {
		if err := n.currentNow(ctx); err != nil {
			return err
		}
	}
	info := registry.ReadInfo{Consistency: c, Node: n.cfg.ID}
	if _, seen := n.publisher.Checkpoint(); seen != nil {
		info.Checkpoint = seen.Checkpoint.Size
	}
	m := n.machine
	m.mu.RLock()
	defer m.mu.RUnlock()
	defer m.lostRows(&err)
	if c != registry.Linearizable {
		info.Age = n.age()
	}
	view := m.state.View()
	view.Payloads = m.payloads
	return fn(view, info)
}

// age is how many seconds ago this node last heard from a leader; 0 while it leads.
func (n *Node) age() int64 {
	contact, now := n.contact(), n.cfg.Clock()
	if contact.IsZero() {
		contact = n.machine.state.LogTime() // not heard of anybody since the start
	}
	if age := now.Sub(contact); age > 0 {
		return int64(age / time.Second)
	}
	return 0
}

// contact is when this node last knew to be up to date with a leader.
func (n *Node) contact() time.Time {
	if !n.running() {
		return time.Time{}
	}
	if n.raft.State() == raft.Leader {
		return n.cfg.Clock()
	}
	return n.raft.LastContact()
}

// currentNow returns when this node has applied everything that was committed when it was
// called: the leader confirms that it leads still and names its commit index; this node
// then waits for its own applied index.
func (n *Node) currentNow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.ReadTimeout)
	defer cancel()
	index, err := n.readIndex(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotCurrent, err)
	}
	return n.machine.waitFor(ctx, index)
}

// readIndex asks the leader, which may be this node.
func (n *Node) readIndex(ctx context.Context) (uint64, error) {
	if !n.running() || n.left() {
		return 0, registry.ErrNoLeader
	}
	_, leader := n.raft.LeaderWithID()
	switch {
	case leader == "":
		return 0, registry.ErrNoLeader
	case leader == n.raftID:
		return n.verified.index(ctx)
	}
	body, err := n.peers.call(ctx, nodeOf(leader), opReadIndex, nil)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(body), 10, 64)
}

// waitFor waits until the command at index is applied and stored.
func (m *machine) waitFor(ctx context.Context, index uint64) error {
	for {
		m.mu.RLock()
		applied, moved, failed := m.meta.Applied, m.moved, m.failed
		m.mu.RUnlock()
		if failed != nil {
			return failed
		}
		if index <= applied {
			return nil
		}
		select {
		case <-ctx.Done():
			return errNotCurrent
		case <-moved:
		}
	}
}

// lastCommand is the last entry up to index that raft hands to the machine; elections and
// barriers it keeps to itself, so waiting for those would never end. Only the leader may
// look: the log of a follower can hold entries that were never committed.
func (n *Node) lastCommand(index uint64) (uint64, error) {
	n.machine.mu.RLock()
	applied := n.machine.meta.Applied
	n.machine.mu.RUnlock()
	for ; index > applied; index-- {
		var l raft.Log
		if err := n.logs.GetLog(index, &l); err != nil {
			return 0, fmt.Errorf("raft entry %d: %w", index, err)
		}
		if l.Type == raft.LogCommand || l.Type == raft.LogConfiguration {
			return index, nil
		}
	}
	return index, nil
}

// leadership answers linearizable reads on the leader. One VerifyLeader serves all reads
// that wait when it starts: a read joins the next round, never one under way.
type leadership struct {
	raft        leaderRaft
	lastCommand func(uint64) (uint64, error)
	moment      func() uint64     // see heard.go
	quorumSince func(uint64) bool // led at some time after a moment

	mu    sync.Mutex
	ready uint64 // term in which a barrier was applied; 0: none
	next  *round // collects callers; nil when nobody waits
	busy  bool
}

// leaderRaft is what leadership needs of raft.
type leaderRaft interface {
	VerifyLeader() raft.Future
	CommitIndex() uint64
	CurrentTerm() uint64
}

type round struct {
	done  chan struct{}
	index uint64
	err   error
}

// index is the commit index at a moment after the call at which this node was leader.
func (l *leadership) index(ctx context.Context) (uint64, error) {
	l.mu.Lock()
	if l.ready == 0 || l.ready != l.raft.CurrentTerm() {
		l.mu.Unlock()
		return 0, registry.ErrNoLeader // a new leader does not know yet what its predecessors committed
	}
	if l.next == nil {
		l.next = &round{done: make(chan struct{})}
	}
	r := l.next
	if !l.busy {
		l.busy = true
		go l.run()
	}
	l.mu.Unlock()
	select {
	case <-r.done:
		return r.index, r.err
	case <-ctx.Done():
		return 0, errNotCurrent
	}
}

// leads says whether this node leads and has applied all that earlier leaders committed.
func (l *leadership) leads() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready != 0 && l.ready == l.raft.CurrentTerm()
}

// run verifies round after round until nobody waits.
func (l *leadership) run() {
	for {
		l.mu.Lock()
		r := l.next
		l.next = nil
		if r == nil {
			l.busy = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		// The index is taken before leadership is confirmed: what was committed until now
		// is in it, and the confirmation shows that no other leader committed more before.
		if r.index, r.err = l.lastCommand(l.raft.CommitIndex()); r.err == nil {
			r.err = l.confirm()
		}
		close(r.done)
	}
}

// confirm returns nil when this node led at some time after the call. An answer that was
// under way already satisfies raft, so it may take more than one round.
func (l *leadership) confirm() error {
	for moment := l.moment(); l.raft.VerifyLeader().Error() == nil; {
		if l.quorumSince(moment) {
			return nil
		}
	}
	return registry.ErrNoLeader
}

// lead notes that a barrier of this term was applied; term 0 is the end of leading.
func (l *leadership) lead(term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = term
}
