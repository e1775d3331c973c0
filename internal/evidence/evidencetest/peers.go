package evidencetest

import (
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Accept has this region accept another until a moment, for types or all.
func (r *Region) Accept(other *Region, until time.Time, types ...paspoort.Type) {
	r.t.Helper()
	r.AcceptAs(other, until, func(p *registry.PeerAcceptance) { p.Types = vcts(types) })
}

// AcceptAs is Accept with the acceptance changed before it is signed.
func (r *Region) AcceptAs(other *Region, until time.Time, change func(*registry.PeerAcceptance)) {
	r.t.Helper()
	p := &registry.PeerAcceptance{
		Genesis: other.Genesis, Name: other.Charter.Name, Origin: other.Charter.Origin, Until: until.Unix(),
		URLs: []string{other.Charter.Nodes[0].URL}, Reason: "zij werken zoals wij",
	}
	change(p)
	r.Do([]string{"vakbond-de-eendracht"}, registry.KindPeerAccepted, p, registry.MemberParty("opleidersberaad"))
}

// Drop has this region drop another, with effect from a moment on.
func (r *Region) Drop(other *Region, from time.Time) {
	r.t.Helper()
	d := &registry.PeerDrop{Genesis: other.Genesis, EffectiveFrom: from.Unix(), Reason: "zij lieten iemand toe die niet bestaat"}
	r.Do([]string{"vakbond-de-eendracht"}, registry.KindPeerDropped, d, registry.MemberParty("opleidersberaad"))
}

// Root is the root of the log as it stands, and its size.
func (r *Region) Root() (root string, size uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tree.Root().String(), r.tree.Size()
}
