package evidencetest

import (
	"maps"
	"slices"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Fork is the same region, with the same keys, that goes on in another way from here: what its
// nodes do when they lie.
func (r *Region) Fork() *Region {
	r.t.Helper()
	out := &Region{
		Genesis: r.Genesis, Charter: r.Charter, t: r.t, clock: r.clock, keys: maps.Clone(r.keys), root: r.root, rootKey: r.rootKey,
		state: registry.NewState(r.Genesis), nodes: maps.Clone(r.nodes), tree: tlog.NewTree(), handovers: slices.Clone(r.handovers), payloads: slices.Clone(r.payloads),
	}
	for _, raw := range r.leaves {
		leaf, err := registry.ParseLeaf(raw)
		r.check(err)
		_, err = registry.Apply(out.state, leaf)
		r.check(err)
		_, err = out.tree.Append(registry.LeafHash(raw))
		r.check(err)
		out.leaves = append(out.leaves, raw)
	}
	return out
}
