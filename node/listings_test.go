package node

import (
	"strings"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// The ids under which publishListings publishes.
const (
	sampleFunction = "fn_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	sampleModule   = "mod_aaaaaaaaaaaaaaaaaaaaaaaaaa"
)

// publishListings admits an organisation that applied as verifier, as issuer too, and has it
// publish a function profile and a module.
func (c *cluster) publishListings(name string) {
	c.t.Helper()
	applied := c.application(name, time.Now()).Event.Subject
	id := strings.TrimPrefix(applied, "organisation/")
	var pending []registry.Proposal
	n := c.get(c.leader())
	n.machine.mu.RLock()
	pending = n.machine.state.View().Proposals()
	n.machine.mu.RUnlock()
	for _, p := range pending {
		if p.Event.Subject == applied && p.Status == registry.Pending {
			c.approve(p.ID, "lid-2")
			c.approve(p.ID, "lid-4")
		}
	}
	issuer := &registry.Application{Criteria: "criteria-1", Organisation: id, Role: registry.Issuer, Types: []string{"urn:paspoort:opleiding:1"}}
	proposal := c.ownEvent(registry.KindApplied, issuer, name)
	c.approve(proposal, "lid-2")
	c.approve(proposal, "lid-4")
	c.ownEvent(registry.KindFunction, &registry.FunctionPublication{Document: registrytest.Function(), ID: sampleFunction, Organisation: id}, name)
	c.ownEvent(registry.KindModule, &registry.ModulePublication{Document: registrytest.Module(), ID: sampleModule, Organisation: id}, name)
}

// ownEvent composes an event that an organisation signs, and submits it.
func (c *cluster) ownEvent(kind registry.Kind, body registry.Body, name string) string {
	c.t.Helper()
	return c.signed(kind, body, registry.Party{Name: c.application(name, time.Now()).Event.Subject, Key: namedP256("organisation " + name)})
}
