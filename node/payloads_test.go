package node

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

const firmName = "Kapsalon Janneke Vos"

// onePerson is the application of a one-person firm: a member signs, the name is a
// commitment, and the payload travels beside the event.
func (c *testRegion) onePerson() (registry.Submission, string) {
	c.t.Helper()
	sealed, key, err := registry.Seal(rand.Reader, "name", firmName)
	if err != nil {
		c.t.Fatal(err)
	}
	id, err := registry.NewOrganisationID(rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	body := &registry.Application{Criteria: "criteria-1", OnePerson: true, Organisation: id, Purposes: []string{"werving"}, Role: registry.Verifier}
	e, err := registry.Compose(registry.Draft{Genesis: c.genesis, Now: time.Now(), Commitments: map[string]string{"name": sealed.Commitment}},
		registry.KindApplied, body, registry.Party{Name: registry.MemberParty("lid-1"), Key: c.members["lid-1"]})
	if err != nil {
		c.t.Fatal(err)
	}
	return registry.Submission{Event: e, Payloads: []registry.OpenPayload{{SealedPayload: sealed, Key: b64(key[:])}}}, id
}

// nameOf is the name that a node knows for an organisation.
func (c *cluster) nameOf(id, organisation string) string {
	var o registry.Organisation
	err := c.get(id).View(context.Background(), registry.Stale, func(v registry.View, _ registry.ReadInfo) (err error) {
		o, err = v.Organisation(organisation, time.Now())
		return err
	})
	if err != nil && !errors.Is(err, registry.ErrUnknown) {
		c.t.Fatal(err)
	}
	if o.Erased {
		return "erased"
	}
	return o.Name
}

// TestOnePersonFirmIsErased (D4): the name is known at every node, in no log, also after a
// restart; after the erasure it is nowhere.
func TestOnePersonFirmIsErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		c.stopNode("knoop-3") // it is away when the payload goes round
		s, organisation := c.onePerson()
		o, err := c.get("knoop-1").Submit(context.Background(), s)
		if err != nil || o.Err() != nil {
			t.Fatalf("%+v, %v", o, err)
		}
		c.approve(s.Event.Event.ID(), "lid-2")
		c.approve(s.Event.Event.ID(), "lid-3")
		c.startNode(c.nodes["knoop-3"])
		for _, id := range c.ids() {
			eventually(t, id+" knows the name", func() bool { return c.nameOf(id, organisation) == firmName })
		}
		c.stopNode("knoop-2")
		c.startNode(c.nodes["knoop-2"])
		if got := c.nameOf("knoop-2", organisation); got != firmName {
			t.Errorf("after a restart the name is %q", got)
		}
		c.leader()
		c.erase(s.Payloads[0].Commitment)
		for _, id := range c.ids() {
			eventually(t, id+" erased the name", func() bool { return c.nameOf(id, organisation) == "erased" })
			c.holdsNot(id, firmName, s.Payloads[0].Key, s.Payloads[0].Sealed)
		}
		// Who kept the payload cannot bring it back.
		if err := c.get("knoop-1").keepPayloads(s.Payloads); err != nil {
			t.Fatal(err)
		}
		c.holdsNot("knoop-1", s.Payloads[0].Key)
		c.sameLogs()
	})
}

// compose makes an event on the subject's head as a node knows it.
func (r *testRegion) compose(n *Node, at time.Time, kind registry.Kind, body registry.Body, parties ...registry.Party) registry.SignedEvent {
	r.t.Helper()
	n.machine.mu.RLock()
	head := n.machine.state.Head(registry.SubjectOf(body))
	n.machine.mu.RUnlock()
	e, err := registry.Compose(registry.Draft{Genesis: r.genesis, Predecessor: head, Now: at}, kind, body, parties...)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// parties are members with their keys.
func (r *testRegion) parties(members ...string) (out []registry.Party) {
	for _, id := range members {
		out = append(out, registry.Party{Name: registry.MemberParty(id), Key: r.members[id]})
	}
	return out
}

// event composes an event that members sign, and submits it.
func (c *cluster) event(kind registry.Kind, body registry.Body, members ...string) {
	c.t.Helper()
	c.signed(kind, body, c.parties(members...)...)
}

// signed composes an event that parties sign, and submits it.
func (c *cluster) signed(kind registry.Kind, body registry.Body, parties ...registry.Party) string {
	c.t.Helper()
	e := c.compose(c.get(c.leader()), time.Now(), kind, body, parties...)
	if o, err := c.submit(c.leader(), e); err != nil || o.Err() != nil {
		c.t.Fatalf("%s: %+v, %v", kind, o, err)
	}
	return e.Event.ID()
}

func (c *cluster) approve(proposal, member string) {
	c.event(registry.KindApproved, &registry.Decision{Proposal: proposal, Voter: registry.MemberParty(member)}, member)
}

func (c *cluster) erase(commitment string) {
	c.event(registry.KindErased, &registry.Erasure{Commitments: []string{commitment}, Reason: "Op verzoek"}, "lid-1", "lid-2")
}

// holdsNot looks for texts in a node's store and in raft's log.
func (c *cluster) holdsNot(id string, texts ...string) {
	c.t.Helper()
	m := c.nodes[id]
	look := func(where string, raw []byte) {
		for _, text := range texts {
			if strings.Contains(string(raw), text) {
				c.t.Errorf("%s holds %.20q in %s", id, text, where)
			}
		}
	}
	if err := m.store.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error { look(string(k), v); return nil })
	}); err != nil {
		c.t.Fatal(err)
	}
	first, _ := m.logs.FirstIndex()
	last, _ := m.logs.LastIndex()
	for i := first; i <= last; i++ {
		var l raftEntry
		if m.logs.GetLog(i, &l) == nil {
			look("raft's log", l.Data)
		}
	}
}

// TestPayloadOfNothing: a payload that no event committed to is not kept.
func TestPayloadOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		c.leader()
		s, _ := c.onePerson()
		if err := c.get("knoop-1").keepPayloads(s.Payloads); err != nil {
			t.Fatal(err)
		}
		c.holdsNot("knoop-1", s.Payloads[0].Key)
		if err := c.get("knoop-1").takePayloads([]byte("{")); !errors.Is(err, errPayload) {
			t.Errorf("not a list: %v", err)
		}
	})
}
