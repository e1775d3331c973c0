package registry

import "slices"

// NeededAfter lists the nodes that a change took away and without which its handover checkpoint
// cannot count, because the nodes that it left are no majority of those before (D7): of two
// nodes, the one that leaves. The change is the size that [View.Handovers] gives.
func (v View) NeededAfter(change uint64) []NodeRecord {
	records := v.State.policies.history(current, v.AsOf)
	i := slices.IndexFunc(records, func(r PolicyRecord) bool { return r.Size == change })
	if i < 1 {
		return nil
	}
	before, stay := records[i-1].Nodes, 0
	var gone []NodeRecord
	for _, old := range before {
		if slices.Contains(records[i].Nodes, old) {
			stay++
		} else if n, _ := v.State.nodes.get(old.ID, v.AsOf); n.Removed != 0 && n.CosignerKey == old.Cosigner {
			gone = append(gone, n)
		}
	}
	if stay > len(before)/2 {
		return nil
	}
	return gone
}
