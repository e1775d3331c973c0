package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/tlog"
)

// serveCosign cosigns another node's checkpoint: signed with that node's own log key, of a
// tree that this node has itself, and no smaller than what it cosigned before.
func (n *Node) serveCosign(from string, note []byte) ([]byte, error) {
	region := n.region()
	key, err := region.logKey(from)
	if err != nil {
		return nil, err
	}
	c, opened, err := tlog.OpenCheckpoint(note, region.origin, region.allKeys()...)
	if err != nil {
		return nil, err
	}
	signed := false
	for _, s := range opened.Signatures {
		signed = signed || s.Key.String() == key.String()
	}
	if !signed {
		return nil, errors.New("not signed with your log key")
	}
	if err := n.has(c); err != nil {
		if errors.Is(err, errFork) {
			err = errors.Join(err, n.keepFork(from, note))
		}
		return nil, err
	}
	line, err := n.publisher.cosign(c, opened.Text)
	if err != nil {
		return nil, err
	}
	n.completes(note, line)
	err = n.store.Update(func(tx kv.Tx) error { return n.publisher.remember(tx, note, region.allKeys()) })
	return []byte(line), err
}

// has waits a moment until this node has as many leaves as c, and compares the root.
func (n *Node) has(c tlog.Checkpoint) error {
	patience := time.After(n.cfg.PeerTimeout / 2)
	for {
		n.machine.mu.RLock()
		head, moved := n.machine.head(), n.machine.moved
		n.machine.mu.RUnlock()
		if head.Size >= c.Size {
			return n.compare(head, c)
		}
		select {
		case <-moved:
		case <-patience:
			return fmt.Errorf("this node has %d leaves only", head.Size)
		case <-n.stopped:
			return errStopped
		}
	}
}

func (n *Node) compare(head, c tlog.Checkpoint) error {
	return compareTree(n.store, head, c)
}

func compareTree(store kv.Store, head, c tlog.Checkpoint) error {
	return store.View(func(tx kv.Tx) error {
		root, err := tlog.RootAt(head, c.Size, txTiles{tx})
		if err != nil {
			return err
		}
		if root != c.Root {
			return errFork
		}
		return nil
	})
}

// serveWitnessed tells another node what this one saw of its cosigner.
func (n *Node) serveWitnessed(cosigner string) ([]byte, error) {
	return readNote(n.store, keyWitnessed(cosigner))
}

// askOthers is the rule of D6 before the first signature after a start. A region of one
// node has nobody to ask: then the node's own record is all there is, a disk that was put
// back goes unnoticed here, and only readers who kept a larger checkpoint can tell. Its
// checkpoints say no more than that one node stands behind them.
func (p *publisher) askOthers(ctx context.Context) error {
	p.mu.Lock()
	own, clear := p.record, p.clear
	p.mu.Unlock()
	if clear {
		return nil
	}
	others := p.n.signers()
	newest, answered := p.newestElsewhere(ctx, others)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(others) > 0 && answered == 0:
		p.why = whyNotAsked
	case newest.newer(own) && !p.caughtUpWith(newest):
		p.why = whyRolledBack
		if p.torn = errors.Is(p.holds(newest), errFork); p.torn { // catching up will not help
			p.why = whyTorn
		}
	default:
		p.torn = false
		if newest.newer(own) {
			// The node came back under a new raft id and its tree holds what it once
			// signed: from here on its promise is that record.
			if err := p.n.files.saveRecord(newest); err != nil {
				return err
			}
			p.record = newest
		}
		if p.n.forgot { // once: whoever forgets again comes back under yet another id
			if err := p.n.files.saveMembers(members{Joined: true}); err != nil {
				return err
			}
			p.n.forgot = false
		}
		p.clear = true
		return nil
	}
	return fmt.Errorf("%w: %s", errWithheld, p.why)
}

// newestElsewhere asks the others for this node's own newest cosignature.
func (p *publisher) newestElsewhere(ctx context.Context, others []string) (newest record, answered int) {
	key := p.self.VerifierKey()
	for _, id := range others {
		call, cancel := context.WithTimeout(ctx, p.n.cfg.PeerTimeout)
		note, err := p.n.peers.call(call, id, opWitnessed, []byte(key.Name))
		cancel()
		if err != nil {
			continue
		}
		answered++
		if r, ok := recordOf(note, key); ok && r.newer(newest) {
			newest = r
		}
	}
	return newest, answered
}

// caughtUpWith says whether a node that lost its memory may sign again: it takes part
// under a raft id that it did not have when it forgot, and its tree contains the checkpoint.
func (p *publisher) caughtUpWith(r record) bool {
	return p.n.forgot && p.holds(r) == nil
}

// holds says whether this node's tree contains what a record is of: errFork when it has another.
func (p *publisher) holds(r record) error {
	root, err := tlog.ParseHash(r.Root)
	if err != nil {
		return err
	}
	p.n.machine.mu.RLock()
	head := p.n.machine.head()
	p.n.machine.mu.RUnlock()
	if head.Size < r.Size {
		return errBehind
	}
	return p.n.compare(head, tlog.Checkpoint{Size: r.Size, Root: root})
}
