package evidencetest

import (
	"paspoort.example/paspoort/specs/registry"
)

// NewerRules has the region go on under rules that this program does not know.
func (r *Region) NewerRules() {
	r.t.Helper()
	r.force(registry.KindRules, &registry.RulesChange{Version: registry.RulesVersion + 1, Reason: "wat nieuw is"}, operator, "vakbond-de-eendracht")
}

// BreakRules has the region's nodes write and sign what its rules refuse: one member alone drops
// a region that was never accepted.
func (r *Region) BreakRules() {
	r.t.Helper()
	r.force(registry.KindPeerDropped, &registry.PeerDrop{Genesis: r.Genesis, Reason: "zo maar"}, operator)
}

// force writes an event into the log that Apply refuses.
func (r *Region) force(kind registry.Kind, body registry.Body, members ...string) {
	r.t.Helper()
	var signers []registry.Party
	for _, id := range members {
		signers = append(signers, registry.Party{Name: registry.MemberParty(id), Key: r.keys[registry.MemberParty(id)]})
	}
	draft := registry.Draft{Genesis: r.Genesis, Predecessor: r.state.Head(registry.SubjectOf(body)), Now: r.clock()}
	event, err := registry.Compose(draft, kind, body, signers...)
	r.check(err)
	raw, err := registry.NewLeaf(event, r.clock()).Marshal()
	r.check(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = r.tree.Append(registry.LeafHash(raw))
	r.check(err)
	r.leaves = append(r.leaves, raw)
}
