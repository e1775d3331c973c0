package node

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/registry"
)

// errStopped: the node is stopping.
var errStopped = errors.New("the node is stopping")

// submission is an event on its way to a batch.
type submission struct {
	raw  []byte      // the signed event
	done chan answer // buffered for one
}

type answer struct {
	outcome registry.Outcome
	err     error
}

const (
	maxWaiting   = 4096                  // submissions in the queue
	maxInFlight  = 2                     // batches given to raft and not answered
	clockSlack   = 5 * time.Second       // how far a new leader's clock may be behind the last stamp
	applyTimeout = 10 * time.Second      // to get a batch into raft's queue
	findLeader   = 3 * time.Second       // how long a write waits for a leader
	lookAgain    = 20 * time.Millisecond // pause between looks for a leader
)

// submit brings an event into the log, from any node: a follower forwards it to the
// leader. It returns when a quorum has synced the event, or with the registry's refusal as
// outcome. The same event again gives the same answer, so where the outcome is unclear,
// because a leader fell away, the event is simply sent to the next one.
func (n *Node) submit(ctx context.Context, event *registry.Prepared) (registry.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.WriteTimeout)
	defer cancel()
	patience := n.cfg.Clock().Add(findLeader)
	unclear := false
	for {
		if o, ok := n.accepted(event.ID()); ok {
			o.Repeat = !unclear
			return o, nil
		}
		o, err := n.submitOnce(ctx, event)
		if err == nil {
			o.Repeat = o.Repeat && !unclear
			return o, nil
		}
		unclear = unclear || errors.Is(err, registry.ErrOutcome)
		again := errors.Is(err, registry.ErrNoLeader) || errors.Is(err, registry.ErrOutcome)
		if !again || n.cfg.Clock().After(patience) || ctx.Err() != nil {
			if unclear { // whatever was answered now: an earlier attempt may have succeeded
				err = registry.ErrOutcome
			}
			return o, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookAgain):
		}
	}
}

func (n *Node) submitOnce(ctx context.Context, event *registry.Prepared) (registry.Outcome, error) {
	if !n.running() || n.left() {
		return registry.Outcome{}, registry.ErrNoLeader
	}
	_, leader := n.raft.LeaderWithID()
	switch {
	case leader == "":
		return registry.Outcome{}, registry.ErrNoLeader
	case leader == n.raftID:
		return n.enqueue(ctx, event)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go n.whileLeads(ctx, leader, cancel)
	return n.forward(ctx, nodeOf(leader), event.Raw())
}

// whileLeads cancels what waits for an answer of a leader when that leads no more: a
// machine that lost its power does not close its connections.
func (n *Node) whileLeads(ctx context.Context, leader raft.ServerID, cancel func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAgain):
			if _, now := n.raft.LeaderWithID(); now != leader {
				cancel()
				return
			}
		}
	}
}

// enqueue puts an event into the leader's queue and waits for its outcome.
func (n *Node) enqueue(ctx context.Context, event *registry.Prepared) (registry.Outcome, error) {
	if n.size() == 0 && !bytes.Equal(event.Raw(), n.cfg.Founding) {
		return registry.Outcome{}, registry.ErrNoLeader // the founding event comes first, and soon
	}
	if o, err := n.atTheDoor(event); o != nil || err != nil {
		return *cmp.Or(o, &registry.Outcome{}), err
	}
	if o := n.rulesDoor(ctx, event.Signed()); o != nil {
		return *o, nil
	}
	defer n.machine.waiting.add(event)()
	s := submission{event.Raw(), make(chan answer, 1)}
	select {
	case n.queue <- s:
	default:
		return registry.Outcome{}, registry.ErrBusy
	}
	select {
	case a := <-s.done:
		return a.outcome, a.err
	case <-ctx.Done():
		return registry.Outcome{}, registry.ErrOutcome
	case <-n.stopped:
		return registry.Outcome{}, registry.ErrOutcome
	}
}

// doorCodes are refusals that no event still in the queue can turn into acceptance. Such
// an event never reaches raft's log: what anybody may send must not fill it.
var doorCodes = []*registry.Refusal{
	registry.ErrMalformed, registry.ErrTooLarge, registry.ErrRules, registry.ErrNewer, registry.ErrKind, registry.ErrReserved,
	registry.ErrBody, registry.ErrSubject, registry.ErrSignature, registry.ErrCommitment, registry.ErrExpired,
	registry.ErrRegion, registry.ErrGenesis,
	registry.ErrDigest,  // and each node would compute it anew
	registry.ErrLogTime, // not the event's fault for good: nothing to remember
}

// atTheDoor checks an event against the state as it stands. It answers with a refusal, with
// an error, or with neither: then the event goes on to raft, where its order is decided, and
// where refusals are remembered. Strangers fill neither log at their will: a bucket each
// bounds how many leaves they make, and how many of their refusals are remembered; beyond
// that they are refused here.
func (n *Node) atTheDoor(event *registry.Prepared) (*registry.Outcome, error) {
	if n.size() == 0 {
		return nil, nil // the founding event of this node's own configuration
	}
	if !n.verified.leads() {
		return nil, registry.ErrNoLeader // a new leader may not have applied yet what others were told
	}
	now := n.cfg.Clock()
	signed := event.Signed()
	if signed.Event.Kind == registry.KindDigest && n.vouched(signed) && !n.digests.take(now) {
		return nil, registry.ErrBusy
	}
	if doubt, _ := n.clock.doubted(); doubt != "" {
		return nil, registry.ErrNoLeader // until another leads, or the clock is set
	}
	err, lost := n.machine.wouldTake(event, n.stamp)
	if lost != nil {
		return nil, lost
	}
	if err == nil {
		if !n.knows(signed) && !n.applications.take(now) {
			return nil, registry.ErrBusy
		}
		return nil, nil
	}
	if o, ok := n.accepted(event.ID()); ok {
		return &o, nil
	}
	if isOneOf(err, doorCodes) || !n.vouched(signed) && !n.refusals.take(now) {
		o := refusal(event.ID(), err)
		return &o, nil
	}
	return nil, nil
}

// wouldTake is why the machine would not take an event now; lost is why it cannot tell.
func (m *machine) wouldTake(event *registry.Prepared, stamp func(time.Time) time.Time) (err, lost error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() {
		if lost != nil {
			m.fail(lost) // in the middle of a check: nothing may be applied to what it left
		}
	}()
	defer m.lostRows(&lost)
	lost = m.reading(func() { err = event.Check(m.state, stamp(m.state.LogTime())) })
	return err, lost
}

func isOneOf(err error, codes []*registry.Refusal) bool {
	return slices.ContainsFunc(codes, func(code *registry.Refusal) bool { return errors.Is(err, code) })
}

// stamp is the log time for a batch (D2): this leader's clock, or the newest stamp when
// that is a little ahead, because clocks of nodes differ by some seconds. Further behind,
// Apply refuses, and writes stall until the clock is right.
func (n *Node) stamp(last time.Time) time.Time {
	now := n.cfg.Clock()
	if now.Before(last) && last.Sub(now) <= clockSlack {
		return last
	}
	return now
}

// runBatches is the group commit: while batches are under way, the queue fills; what is
// in it becomes the next batch. It ends when ctx does.
func (n *Node) runBatches(ctx context.Context) {
	inFlight := make(chan struct{}, maxInFlight)
	for {
		select {
		case <-ctx.Done():
			return
		case inFlight <- struct{}{}:
		}
		select {
		case <-ctx.Done():
			return
		case first := <-n.queue:
			batch := n.collect(first)
			if !n.questions.begin() {
				refuseAll(batch, errStopped)
				return
			}
			future, begin := n.propose(batch), n.cfg.Clock()
			n.wg.Go(func() {
				defer func() { <-inFlight }()
				defer n.questions.end()
				settle(batch, future)
				n.counters.settled(len(batch), future, n.cfg.Clock().Sub(begin))
			})
		}
	}
}

// collect takes what waits in the queue, up to the limits of a batch.
func (n *Node) collect(first submission) []submission {
	batch, size := []submission{first}, len(first.raw)
	for len(batch) < maxBatchEvents && size < maxBatchBytes-registry.MaxEvent {
		select {
		case s := <-n.queue:
			batch, size = append(batch, s), size+len(s.raw)
		default:
			return batch
		}
	}
	return batch
}

func (n *Node) propose(batch []submission) raft.ApplyFuture {
	n.machine.mu.RLock()
	last := n.machine.state.LogTime()
	n.machine.mu.RUnlock()
	c := command{LogTime: n.stamp(last).Unix()}
	for _, s := range batch {
		c.Events = append(c.Events, s.raw)
	}
	return n.raft.Apply(c.marshal(), applyTimeout)
}

// settle answers the submissions of a batch.
func settle(batch []submission, future raft.ApplyFuture) {
	if err := future.Error(); err != nil {
		refuseAll(batch, writeError(err))
		return
	}
	outcomes, ok := future.Response().([]registry.Outcome)
	for i, s := range batch {
		if !ok || len(outcomes) != len(batch) {
			s.done <- answer{err: registry.ErrOutcome}
			continue
		}
		s.done <- answer{outcome: outcomes[i]}
	}
}

func refuseAll(batch []submission, err error) {
	for _, s := range batch {
		s.done <- answer{err: err}
	}
}

// writeError translates raft's errors. Only where raft certainly did not take the entry
// may a write be tried again elsewhere without a word.
func writeError(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrEnqueueTimeout), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return registry.ErrNoLeader
	case errors.Is(err, raft.ErrRaftShutdown):
		return errStopped
	}
	return fmt.Errorf("%w: %w", registry.ErrOutcome, err)
}

// accepted finds an event that is in the log already.
func (n *Node) accepted(id string) (registry.Outcome, bool) {
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	index, ok := n.machine.leafOf(id)
	if !ok {
		return registry.Outcome{}, false
	}
	return registry.Outcome{Event: id, State: registry.OutcomeCommitted, Index: &index, Repeat: true}, true
}

// leafOf finds an event in the log. mu is held.
func (m *machine) leafOf(id string) (index uint64, ok bool) {
	var lost error
	defer m.lostRows(&lost) // then it is not known here, and the node ends
	return m.state.Leaf(id)
}
