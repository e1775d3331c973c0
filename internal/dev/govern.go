package dev

import (
	"context"
	"crypto"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
)

// Governor acts for the members of the region: it signs with their keys what they
// would sign, and sends it to any node.
type Governor struct {
	client *govern.Client
	keys   map[string]crypto.Signer // by party
}

// retryFor is how long the demo waits for the nodes.
const retryFor = 45 * time.Second

// Submit signs an event for the parties and brings it into the log.
func (g *Governor) Submit(ctx context.Context, kind registry.Kind, body registry.Body, parties ...string) (registry.Outcome, error) {
	signers := make([]registry.Party, len(parties))
	for i, name := range parties {
		key, ok := g.keys[name]
		if !ok {
			return registry.Outcome{}, fmt.Errorf("no key for %s", name)
		}
		signers[i] = registry.Party{Name: name, Key: key}
	}
	return g.client.Submit(ctx, govern.Act{Kind: kind, Body: body}, signers...)
}

// Decide lets members approve a proposal; the last approval that is needed enacts it.
func (g *Governor) Decide(ctx context.Context, proposal string, approvers ...string) error {
	for _, id := range approvers {
		party := registry.MemberParty(id)
		if _, err := g.client.Approve(ctx, proposal, "", registry.Party{Name: party, Key: g.keys[party]}); err != nil {
			return err
		}
	}
	return nil
}

// Admit brings an application in, signed by the applicant, and has members of two
// groups approve it.
func (g *Governor) Admit(ctx context.Context, a *registry.Application, key crypto.Signer, approvers ...string) error {
	party := registry.OrganisationParty(a.Organisation)
	g.keys[party] = key
	applied, err := g.Submit(ctx, registry.KindApplied, a, party)
	if err != nil {
		return err
	}
	return g.Decide(ctx, applied.Event, approvers...)
}

// Withdraw ends an organisation's admission; members of two groups sign together.
// With since, it is for fraud and void from then.
func (g *Governor) Withdraw(ctx context.Context, organisation string, role registry.Role, reason string, since time.Time, by ...string) error {
	m := &registry.Measure{Organisation: organisation, Role: role, Reason: reason}
	if !since.IsZero() {
		m.Fraud, m.EffectiveFrom = true, since.Unix()
	}
	var parties []string
	for _, id := range by {
		parties = append(parties, registry.MemberParty(id))
	}
	_, err := g.Submit(ctx, registry.KindWithdrawn, m, parties...)
	return err
}
