package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// comes adds a node to the region and waits until it votes.
func (c *cluster) comes(i int, members ...string) {
	c.t.Helper()
	id := fmt.Sprintf("knoop-%d", i)
	c.lets("knoop-3") // one that the new node knows from the founding event
	node := c.node(i, id+".example:7000")
	c.startNode(c.add(id, nil))
	c.event(registry.KindNodeAdded, &registry.NodeChange{Node: &node, Reason: "Erbij"}, members...)
	eventually(c.t, id+" votes", func() bool {
		for _, p := range c.get(c.leader()).Status().Peers {
			if p.ID == id {
				return p.Member == "voter"
			}
		}
		return false
	})
	c.signs()
}

// goes removes a node from the region and stops it.
func (c *cluster) goes(id string, members ...string) {
	c.t.Helper()
	c.event(registry.KindNodeRemoved, &registry.NodeChange{ID: id, Reason: "Weg"}, members...)
	eventually(c.t, id+" is out", func() bool {
		lead := c.get(c.leader())
		return lead.cfg.ID != id && len(lead.servers()) == len(lead.region().nodes)
	})
	c.stopNode(id)
	c.mu.Lock()
	delete(c.nodes, id)
	c.mu.Unlock()
	c.signs()
}

// signs waits until something beyond the last change is published by all.
func (c *cluster) signs() {
	c.t.Helper()
	lead := c.leader()
	c.mustSubmit(lead, fmt.Sprintf("Organisatie %d", c.size(lead)))
	for _, id := range c.ids() {
		eventually(c.t, id+" publishes beyond the change", func() bool { return c.get(id).covered() == c.size(lead) })
	}
}

// silent is a node that shows no handover checkpoints.
type silent struct{ *Node }

func (silent) Handovers(context.Context) ([][]byte, error) { return nil, nil }

// TestWalkFromTheFounding: all founding nodes are replaced one by one, and the members who
// decide that change too. Who pinned the founding event, and comes back today, walks from one
// set of nodes to the next. Without the handover checkpoints there is no way.
func TestWalkFromTheFounding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		c.comes(4, "lid-1", "lid-2")
		c.goes("knoop-1", "lid-1", "lid-2")
		next := namedP256("lid-1, second key")
		rotated := &registry.MemberKey{Key: publicText(t, next), Member: "lid-1", Reason: "Nieuwe kaart"}
		c.signed(registry.KindKeyRotated, rotated, append(c.parties("lid-1"), registry.Party{Name: registry.MemberParty("lid-1"), Key: next})...)
		c.members["lid-1"] = next
		c.comes(5, "lid-1", "lid-3")
		c.goes("knoop-2", "lid-1", "lid-3")
		c.members["lid-5"] = namedP256("lid-5")
		c.event(registry.KindAmended, &registry.Amendment{Reason: "Een lid erbij, een eraf", Remove: []string{"lid-2"},
			Add: []registry.Member{{Group: registry.Werknemers, ID: "lid-5", Key: publicText(t, c.members["lid-5"]), Name: "Lid lid-5"}}}, "lid-1", "lid-3", "lid-5")
		c.goes("knoop-3", "lid-3", "lid-5")

		n := c.get("knoop-5")
		if got := slices.Sorted(maps.Keys(n.region().nodes)); !slices.Equal(got, []string{"knoop-4", "knoop-5"}) {
			t.Fatalf("the nodes are %v", got)
		}
		notes, err := n.Handovers(t.Context())
		if err != nil || len(notes) != 5 {
			t.Errorf("%d handovers are kept, %v", len(notes), err)
		}
		walk := func(source evidence.Source) (size uint64, err error) {
			f, err := evidence.NewFollower(evidence.FollowerConfig{Genesis: c.genesis, Sources: []evidence.Source{source}})
			if err != nil {
				return 0, err
			}
			if err := f.Refresh(t.Context()); err != nil {
				return 0, err
			}
			return size, f.Read(t.Context(), func(v registry.View, facts paspoort.RegistryFacts) error {
				size = facts.Leaves
				if len(v.ActiveNodes()) != 2 || facts.Trust != paspoort.OwnNodes || time.Since(facts.Time) > time.Hour {
					t.Errorf("who walked to today finds %+v", facts)
				}
				return nil
			})
		}
		for _, id := range c.ids() {
			if size, err := walk(c.get(id)); err != nil || size != c.size(id) {
				t.Errorf("from the founding event to today at %s: %d leaves, %v", id, size, err)
			}
		}
		if size, err := walk(silent{n}); !errors.Is(err, registry.ErrHandover) {
			t.Errorf("without the handovers: %d leaves, %v", size, err)
		}
	})
}
