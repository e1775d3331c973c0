package node

import (
	"slices"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// The first checkpoint beyond a change of nodes counts by the nodes before it as well (D7). Of
// two nodes that is both: when one of them leaves, nothing counts any more without it. So it is
// leaving as long as that checkpoint is not there. It has no vote and takes no events; but raft
// sends it the log, it verifies each leaf as ever, and it signs. That the region heard it until
// now is no reason to give it more: payloads of one-person firms do not go to it.
//
// Of three nodes or more those that stay are enough, and who leaves is refused at once.

// noteLeaving remembers which former nodes are needed still. mu is held, or nobody else has m yet.
func (m *machine) noteLeaving() {
	leaving := map[string]registry.Node{}
	view := m.state.View()
	for _, change := range view.Handovers() {
		gone := view.NeededAfter(change)
		if len(gone) == 0 || hasHandover(m.store, change) {
			continue
		}
		for _, record := range gone {
			leaving[record.ID] = record.Node
		}
	}
	m.leaving.Store(&leaving)
}

// handedOver looks again after a handover checkpoint was kept: who leaves is needed no more.
func (n *Node) handedOver() {
	n.machine.mu.Lock()
	defer n.machine.mu.Unlock()
	var lost error
	defer n.machine.lostRows(&lost) // then the node ends
	n.machine.noteLeaving()
	signal(n.machine.nodes)
}

func (m *machine) leavingNodes() map[string]registry.Node {
	if leaving := m.leaving.Load(); leaving != nil {
		return *leaving
	}
	return nil
}

// isLeaving says whether the charter has a node no more, and the next checkpoint needs it.
func (n *Node) isLeaving(id string) bool {
	_, ok := n.machine.leavingNodes()[id]
	return ok
}

// signers are the other nodes that may sign with this one: those of the charter, and those that
// are leaving.
func (n *Node) signers() []string {
	ids := slices.Concat(n.others(), sortedKeys(n.machine.leavingNodes()))
	return slices.DeleteFunc(ids, func(id string) bool { return id == n.cfg.ID })
}

// forLeaving are the operations that a node which is leaving may ask for.
var forLeaving = []string{opHello, opLeaves, opWitnessed, opCosign, opTree, opPublished, opHandovers}

// completes keeps a note that another node made, when this node is leaving and its own line is
// what was missing: from then on that node refuses it.
func (n *Node) completes(note []byte, line string) {
	if !n.isLeaving(n.cfg.ID) {
		return
	}
	if err := n.publisher.publish(append(slices.Clone(note), line+"\n"...), n.region()); err != nil {
		n.log.Debug("the checkpoint that takes leave does not count yet", "error", err)
	}
}

func hasHandover(store kv.Store, change uint64) bool {
	return store.View(func(tx kv.Tx) error {
		_, err := tx.Get(keyHandover(change))
		return err
	}) == nil
}
