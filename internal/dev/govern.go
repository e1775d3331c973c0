package dev

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// Governor acts for the members of the region: it signs with their keys what they
// would sign, and sends it to any node.
type Governor struct {
	genesis string
	keys    map[string]crypto.Signer // by party
	nodes   []registry.Client
	clock   func() time.Time
}

// retry is how long an event is offered again while the nodes have no leader.
const (
	retryFor   = 45 * time.Second
	retryEvery = 200 * time.Millisecond
)

// Submit signs an event for the parties and brings it into the log. It offers the
// event to each node in turn until one takes it: a region that is electing a leader
// answers a moment later. The event keeps its id, so it enters the log once.
func (g *Governor) Submit(ctx context.Context, kind registry.Kind, body registry.Body, parties ...string) (registry.Outcome, error) {
	signers := make([]registry.Party, len(parties))
	for i, name := range parties {
		key, ok := g.keys[name]
		if !ok {
			return registry.Outcome{}, fmt.Errorf("no key for %s", name)
		}
		signers[i] = registry.Party{Name: name, Key: key}
	}
	var event *registry.SignedEvent
	var out registry.Outcome
	err := g.any(ctx, func(c registry.Client) error {
		if event == nil {
			head, err := c.Head(ctx, registry.SubjectOf(body))
			if err != nil {
				return err
			}
			made, err := registry.Compose(registry.Draft{Genesis: g.genesis, Predecessor: head.Head, Now: g.clock()}, kind, body, signers...)
			if err != nil {
				return err
			}
			event = &made
		}
		var err error
		out, err = c.Submit(ctx, registry.Submission{Event: *event})
		return err
	})
	if err != nil {
		return out, fmt.Errorf("%s: %w", kind, err)
	}
	return out, nil
}

// any calls f with one node after another until one answers; a refusal is an answer.
func (g *Governor) any(ctx context.Context, f func(registry.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, retryFor)
	defer cancel()
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	var last error
	for i := 0; ; i++ {
		err := f(g.nodes[i%len(g.nodes)])
		if err == nil || !isTemporary(err) {
			return err
		}
		last = err
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("no node took it within %v", retryFor), last)
		case <-tick.C:
		}
	}
}

// isTemporary says whether another node, or the same one later, may do better.
func isTemporary(err error) bool {
	if _, refused := errors.AsType[*registry.Refusal](err); !refused {
		return true // the node could not be reached
	}
	for _, wait := range []error{registry.ErrNoLeader, registry.ErrNoLog, registry.ErrServer, registry.ErrResponse} {
		if errors.Is(err, wait) {
			return true
		}
	}
	return false
}

// Decide lets members approve a proposal; the last approval that is needed enacts it.
func (g *Governor) Decide(ctx context.Context, proposal string, approvers ...string) error {
	for _, id := range approvers {
		party := registry.MemberParty(id)
		_, err := g.Submit(ctx, registry.KindApproved, &registry.Decision{Proposal: proposal, Voter: party}, party)
		if err != nil {
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

// admitted says whether the organisation is in, to go on where a start was broken off,
// and whether it ever was: then it does not introduce itself again.
func (g *Governor) admitted(ctx context.Context, organisation string, role registry.Role) (in, ever bool, err error) {
	err = g.any(ctx, func(c registry.Client) error {
		q := registry.Question{Lookup: registry.Lookup{Organisation: organisation}, Role: role}
		answer, err := c.Admission(ctx, q, registry.When{Consistency: registry.Linearizable})
		if errors.Is(err, registry.ErrUnknown) {
			return nil
		}
		in, ever = answer.Admitted, answer.Organisation != nil && answer.Organisation.Since != 0
		return err
	})
	return in, ever, err
}
