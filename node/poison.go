package node

import (
	"errors"
	"fmt"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/tlog"
)

// A snapshot is wrong when the leaves that it stands for do not give its root and state, or
// when it is not of the log that is here. A leader sent it that lies or is broken, or other
// nodes gave wrong leaves. Then the node stops and says so. What came in for that snapshot is
// taken back at the next start, what was applied before it stays, and the node comes back
// under a new raft id, because raft has kept the snapshot and cut its log for it.

// errPoisoned: a snapshot that was sent to this node is wrong.
var errPoisoned = errors.New("a snapshot that this node was sent is wrong: start it again, it takes back what came with it")

// poisoned is poison for who does not hold mu.
func (m *machine) poisoned(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.poison(err)
}

// poison stops the machine and notes why, for the next start. mu is held.
func (m *machine) poison(cause error) error {
	p := m.newPending()
	p.meta.Wrong = cause.Error()
	m.flush(p)
	m.fail(fmt.Errorf("restore: %w: %w", errPoisoned, cause))
	return m.failed
}

// within checks a snapshot of what is here already.
func (m *machine) within(s snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.Size > m.meta.Size {
		return m.poison(fmt.Errorf("snapshot has %d leaves at raft's entry %d, this node has %d at %d", s.Size, s.Applied, m.meta.Size, m.meta.Applied))
	}
	var root tlog.Hash
	err := m.store.View(func(tx kv.Tx) (err error) { root, err = rootAt(tx, m.meta, s.Size); return err })
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if root.String() != s.Root {
		return m.poison(fmt.Errorf("it has another history of %d leaves than this node", s.Size))
	}
	return nil
}

// afterPoison makes a node that stopped at a wrong snapshot one that can be taken in anew.
// Raft's part goes first: a stop in between does both again.
func (n *Node) afterPoison() error {
	var was meta
	err := n.store.View(func(tx kv.Tx) (err error) { was, err = loadMeta(tx); return err })
	if err != nil || was.Wrong == "" {
		return err
	}
	n.log.Error("this node was sent a wrong snapshot: coming back under a new raft id", "wrong", was.Wrong)
	if err := n.startOver(); err != nil {
		return err
	}
	if err := takeBack(n.store, was); err != nil {
		return fmt.Errorf("take back what came with a wrong snapshot: %w", err)
	}
	return nil
}

// takeBack removes the leaves that came with a wrong snapshot.
func takeBack(store kv.Store, was meta) error {
	keep := was
	keep.Wrong, keep.Restoring, keep.Before = "", false, 0
	if was.Restoring {
		keep.Size = was.Before
	}
	if err := store.View(func(tx kv.Tx) error {
		root, err := rootAt(tx, was, keep.Size)
		keep.Root = root.String()
		return err
	}); err != nil {
		return err
	}
	// First the truth, then the rows beyond it, which nobody reads any more and which others
	// replace when the log grows.
	if err := store.Update(func(tx kv.Tx) error { return kv.PutJSON(tx, keyMeta, valueFormat, keep) }); err != nil {
		return err
	}
	if err := forgetRows(store); err != nil { // the state of what came: made anew from what stays
		return err
	}
	for from := keep.Size; from < was.Size; from += maxBatchEvents {
		if err := store.Update(func(tx kv.Tx) error {
			for i := from; i < min(from+maxBatchEvents, was.Size); i++ {
				if err := tx.Delete(keyLeaf(i)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// rootAt is the root that the stored tiles give at an earlier size.
func rootAt(tx kv.Tx, was meta, size uint64) (tlog.Hash, error) {
	if size == 0 {
		return tlog.EmptyRoot(), nil
	}
	root, err := tlog.ParseHash(was.Root)
	if err != nil {
		return root, err
	}
	return tlog.RootAt(tlog.Checkpoint{Size: was.Size, Root: root}, size, txTiles{tx})
}
