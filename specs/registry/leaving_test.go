package registry_test

import (
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// Those that stay are enough for the handover checkpoint, until of two nodes one leaves.
func TestNeededAfterAChange(t *testing.T) {
	r := registrytest.New(t)
	changeNodes(r, "knoop-4", "knoop-1")
	leave := func(id string) {
		r.Do(registry.KindNodeRemoved, &registry.NodeChange{ID: id, Reason: "oude knoop"}, werkgevers, opleiders)
	}
	leave("knoop-2")
	leave("knoop-3")
	check := func(when string) {
		t.Helper()
		v := r.State.View()
		changes := v.Handovers()
		last := changes[3]
		for _, change := range append(changes, 0, 1, 99) {
			needed := v.NeededAfter(change)
			if change == last && (len(needed) != 1 || needed[0].ID != "knoop-3") || change != last && len(needed) != 0 {
				t.Errorf("%s: after the change at %d of %v: %+v", when, change, changes, needed)
			}
		}
	}
	check("one node is left")
	n, keys := registrytest.Node("knoop-5", "opleidersberaad")
	r.Nodes["knoop-5"] = keys
	r.Do(registry.KindNodeAdded, &registry.NodeChange{Node: &n, Reason: "erbij"}, werkgevers, opleiders)
	check("and another came")
}
