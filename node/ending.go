package node

import (
	"context"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// EndingRow is something of the region that ends soon and was not renewed.
type EndingRow struct {
	What  string    `json:"what"` // grant, level, certificate, mandate, region or custodian
	Name  string    `json:"name"` // of the organisation or member; its id when it has none
	Until time.Time `json:"until"`
}

// ending lists what the registry warns of, the soonest first. Nobody renews it by himself:
// whoever runs a node may be the first to see it.
func (n *Node) ending(ctx context.Context, now time.Time) (out []EndingRow) {
	add := func(what, name, id string, until int64) {
		if name == "" {
			name = id
		}
		out = append(out, EndingRow{what, name, unix(until)})
	}
	_ = n.View(ctx, registry.Stale, func(v registry.View, _ registry.ReadInfo) error { // a stale read does not fail
		if v.AsOf == 0 {
			return nil
		}
		e := v.Ending(now, registry.Warning)
		for _, g := range e.Grants {
			add("grant", g.Name, g.Organisation, g.Until)
		}
		for _, l := range e.Levels {
			add("level", l.Name, l.Organisation, l.Until)
		}
		for _, c := range e.Certificates {
			add("certificate", c.Name, c.Organisation, c.Until)
		}
		for _, m := range e.Mandates {
			add("mandate", m.Name, m.Member, m.Until)
		}
		for _, p := range e.Peers {
			add("region", p.Name, p.Genesis, p.Until)
		}
		for _, c := range e.Custodians {
			add("custodian", c.Name, c.Organisation, c.Until)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b EndingRow) int { return a.Until.Compare(b.Until) })
	return out
}
