package node

import (
	"context"
	"encoding/json"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// Handover checkpoints are made once, under the old nodes and the new ones. A node that
// was away then, or is new, gets them from the others.

func (n *Node) hasHandover(change uint64) bool { return hasHandover(n.store, change) }

// fetchHandovers asks the others for handover checkpoints that this node lacks.
func (n *Node) fetchHandovers(ctx context.Context) {
	n.machine.mu.RLock()
	changes := n.machine.state.View().Handovers()
	n.machine.mu.RUnlock()
	missing := false
	for _, change := range changes {
		missing = missing || !n.hasHandover(change)
	}
	if !missing {
		return
	}
	for _, id := range n.signers() {
		call, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
		raw, err := n.peers.call(call, id, opHandovers, nil)
		cancel()
		var notes [][]byte
		if err != nil || json.Unmarshal(raw, &notes) != nil {
			continue
		}
		for _, note := range notes {
			if err := n.keepHandover(note, changes); err != nil {
				n.log.Warn("not a handover checkpoint", "from", id, "error", err)
			}
		}
	}
}

// keepHandover keeps a note for each change that it hands over, if old and new nodes
// signed it and this node has the same tree.
func (n *Node) keepHandover(note []byte, changes []uint64) error {
	n.machine.mu.RLock()
	view := n.machine.state.View()
	head := n.machine.head()
	seen, err := view.CheckCheckpoint(note)
	n.machine.mu.RUnlock()
	if err != nil {
		return err
	}
	if err := n.compare(head, seen.Checkpoint); err != nil {
		return err
	}
	for _, change := range changes {
		if change >= seen.Checkpoint.Size || n.hasHandover(change) || !n.handsOver(view, change, note) {
			continue
		}
		if err := n.store.Update(func(tx kv.Tx) error { return tx.Set(keyHandover(change), kv.Value(valueFormat, note)) }); err != nil {
			return err
		}
		n.handedOver()
	}
	return nil
}

func (n *Node) handsOver(view registry.View, change uint64, note []byte) bool {
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	return satisfiesOld(view, change, note) == nil
}
