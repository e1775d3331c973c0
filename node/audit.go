package node

import (
	"context"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/tlog"
)

// A node starts without reading its whole log again. What it reads later is held against
// checksums, and rows of the state against their hashes; but what nobody asks for may rot
// unseen. So after each start, and in what time there is, all leaves are read and held against
// the tree. A node whose store is damaged stops and says so.

const (
	auditedFirst = 256                   // newest leaves that are looked at before a node starts
	auditPiece   = 256                   // leaves at once
	auditPause   = 20 * time.Millisecond // between pieces: others need the disk more
)

// audit holds the leaves from an index to before another against the stored tree.
func (m *machine) audit(from, to uint64) error {
	from -= from % tlog.TileWidth
	tree, err := m.treeAt(from)
	if err != nil {
		return err
	}
	leaves, err := m.leaves(from, to)
	if err != nil {
		return err
	}
	for _, raw := range leaves {
		if _, err := tree.Append(tlog.LeafHash(raw)); err != nil {
			return err
		}
	}
	want, err := m.treeAt(to)
	if err != nil {
		return err
	}
	if tree.Root() != want.Root() {
		return fmt.Errorf("leaves %d to %d: %w", from, to, errDamaged)
	}
	return nil
}

// runAudit audits the leaves that were there at the start, once.
func (n *Node) runAudit(ctx context.Context) {
	m := n.machine
	m.mu.RLock()
	size := m.meta.Size
	m.mu.RUnlock()
	for from := uint64(0); from+auditedFirst < size; from += auditPiece {
		select {
		case <-ctx.Done():
			return
		case <-time.After(auditPause):
		}
		if err := m.audit(from, from+auditPiece); err != nil {
			if ctx.Err() == nil {
				_ = m.stop(err)
			}
			return
		}
	}
}
