// Package govern is the side of whoever has a say in a region: it signs what a member or an
// organisation decides and brings it into the log through any of the region's nodes.
//
// Keys stay with the caller: a registry.Party holds a signer, which may be a token. What
// leaves is the signed event, and each event is signed once, however often it has to be
// offered. It keeps nothing and knows no role.
//
//	c := govern.Client{Genesis: genesis, Nodes: nodes, Clock: time.Now}
//	out, err := c.Submit(ctx, govern.Act{Kind: registry.KindApplied, Body: application}, organisation)
//	out, err = c.Approve(ctx, out.Event, "alle stukken gezien", member)
package govern

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

var (
	// ErrNoNode: no node took the event, or answered, in the time there was.
	ErrNoNode = errors.New("no node of the region answered")
	// ErrOtherRegion: a node serves another region than the one that is pinned.
	ErrOtherRegion = errors.New("the node serves another region")
	// ErrForged: what a node said of a proposal is not what its id stands for.
	ErrForged = errors.New("the node's answer is not about what was asked")
)

// A Client acts in one region. Safe for use from many goroutines.
type Client struct {
	Genesis string // pinned
	// Nodes are asked in turn; one that answers is enough.
	Nodes []registry.Client
	Clock func() time.Time
	// Patience is how long the nodes are tried while they have no leader or cannot be
	// reached; 0 means 45 seconds, more than an election takes.
	Patience time.Duration
}

const (
	patience = 45 * time.Second
	tryEvery = 200 * time.Millisecond
)

// An Act is what is to be signed.
type Act struct {
	Kind     registry.Kind
	Body     registry.Body
	Lifetime time.Duration // of a proposal: how long members can decide; 0: the registry's 7 days
	// Payloads are the personal data of a one-person firm, sealed, by the field that
	// commits to them.
	Payloads map[string]registry.OpenPayload
}

// Submit signs an act for the parties and brings it into the log. A region that is electing
// a leader answers a moment later: the event is offered to one node after another until one
// takes it, and enters the log once because it keeps its id. It fails with a
// *registry.Refusal, [ErrNoNode], [ErrOtherRegion] or an error of a signer.
func (c *Client) Submit(ctx context.Context, act Act, parties ...registry.Party) (out registry.Outcome, err error) {
	var event *registry.SignedEvent
	err = c.Any(ctx, func(node registry.Client) error {
		if event == nil {
			head, err := node.Head(ctx, registry.SubjectOf(act.Body))
			if err != nil {
				return err
			}
			if event, err = c.sign(act, head, parties); err != nil {
				return final{err}
			}
		}
		submission := registry.Submission{Event: *event}
		for _, p := range act.Payloads {
			submission.Payloads = append(submission.Payloads, p)
		}
		out, err = offer(ctx, node, submission)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("%s: %w", act.Kind, err)
	}
	return out, nil
}

// offer brings an event to a node. What the region refused is an error too.
func offer(ctx context.Context, node registry.Client, s registry.Submission) (registry.Outcome, error) {
	out, err := node.Submit(ctx, s)
	if err == nil {
		err = out.Err()
	}
	return out, err
}

func (c *Client) sign(act Act, head registry.HeadAnswer, parties []registry.Party) (*registry.SignedEvent, error) {
	draft, err := c.draft(act, head)
	if err != nil {
		return nil, err
	}
	for field, p := range act.Payloads {
		if draft.Commitments == nil {
			draft.Commitments = map[string]string{}
		}
		draft.Commitments[field] = p.Commitment
	}
	event, err := registry.Compose(draft, act.Kind, act.Body, parties...)
	return &event, err
}

// draft puts an act behind what the log has about its subject. It fails with [ErrOtherRegion].
func (c *Client) draft(act Act, head registry.HeadAnswer) (registry.Draft, error) {
	if head.Genesis != c.Genesis {
		return registry.Draft{}, ErrOtherRegion
	}
	return registry.Draft{Genesis: c.Genesis, Predecessor: head.Head, Rules: head.Rules, Now: c.Clock(), Lifetime: act.Lifetime}, nil
}

// Approve signs a member's approval of a proposal. The last approval that is needed gives
// the proposal effect: it is then in Outcome.Enacted.
func (c *Client) Approve(ctx context.Context, proposal, reason string, member registry.Party) (registry.Outcome, error) {
	return c.vote(ctx, registry.KindApproved, proposal, reason, member)
}

// Refuse signs a member's refusal of a proposal, with the reason, which becomes public.
func (c *Client) Refuse(ctx context.Context, proposal, reason string, member registry.Party) (registry.Outcome, error) {
	return c.vote(ctx, registry.KindRefused, proposal, reason, member)
}

func (c *Client) vote(ctx context.Context, kind registry.Kind, proposal, reason string, voter registry.Party) (registry.Outcome, error) {
	body := &registry.Decision{Proposal: proposal, Reason: reason, Voter: voter.Name}
	return c.Submit(ctx, Act{Kind: kind, Body: body}, voter)
}

// Any calls f with one node after another until one answers; a refusal is an answer.
func (c *Client) Any(ctx context.Context, f func(registry.Client) error) error {
	if len(c.Nodes) == 0 {
		return ErrNoNode
	}
	wait := c.Patience
	if wait == 0 {
		wait = patience
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(tryEvery)
	defer tick.Stop()
	var last error
	for i := 0; ; i++ {
		err := f(c.Nodes[i%len(c.Nodes)])
		if err == nil || !temporary(err) {
			if stop, ok := errors.AsType[final](err); ok {
				return stop.error
			}
			return err
		}
		last = err
		if (i+1)%len(c.Nodes) != 0 {
			continue // the next node may know better at once
		}
		select {
		case <-limited.Done():
			return errors.Join(ErrNoNode, ctx.Err(), last)
		case <-tick.C:
		}
	}
}

// final is an error that no other node would mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// temporary says whether another node, or the same one later, may do better.
func temporary(err error) bool {
	if _, stop := errors.AsType[final](err); stop {
		return false
	}
	if _, refused := errors.AsType[*registry.Refusal](err); !refused {
		return true // the node could not be reached
	}
	for _, wait := range []error{
		registry.ErrNoLeader, registry.ErrNoLog, registry.ErrServer, registry.ErrResponse, registry.ErrBusy, registry.ErrOutcome,
	} {
		if errors.Is(err, wait) {
			return true
		}
	}
	return false
}

// Admitted says whether an organisation is admitted in a role now, and whether it ever was:
// then it does not introduce itself again when it applies.
func (c *Client) Admitted(ctx context.Context, organisation string, role registry.Role) (in, ever bool, err error) {
	err = c.Any(ctx, func(node registry.Client) error {
		q := registry.Question{Lookup: registry.Lookup{Organisation: organisation}, Role: role}
		answer, err := node.Admission(ctx, q, registry.When{Consistency: registry.Linearizable})
		if errors.Is(err, registry.ErrUnknown) {
			in, ever = false, false
			return nil
		}
		in, ever = answer.Admitted, answer.Organisation != nil && answer.Organisation.Since != 0
		return err
	})
	return in, ever, err
}

// Seal commits to personal data of a one-person firm, by field; empty ones are left out.
func Seal(random io.Reader, fields map[string]string) (map[string]registry.OpenPayload, error) {
	out := map[string]registry.OpenPayload{}
	for field, content := range fields {
		if content == "" {
			continue
		}
		sealed, key, err := registry.Seal(random, field, content)
		if err != nil {
			return nil, err
		}
		out[field] = registry.NewOpenPayload(sealed, key)
	}
	return out, nil
}

// Progress asks where a proposal stands and holds what was proposed against its id, which is
// the hash of it: no node can show one thing and have another approved. It fails with
// registry.ErrUnknown and [ErrForged].
func (c *Client) Progress(ctx context.Context, id string) (p registry.Progress, err error) {
	err = c.Any(ctx, func(node registry.Client) error {
		answer, err := node.Progress(ctx, id, registry.When{Consistency: registry.Linearizable})
		p = answer.Progress
		return err
	})
	if err != nil {
		return p, err
	}
	if p.ID != id {
		return p, ErrForged
	}
	return p, c.Check(p)
}

// Check holds a proposal against its id and the pinned region; without a pinned one any
// region will do, for who only looks.
func (c *Client) Check(p registry.Progress) error {
	if p.Event.ID() != p.ID || c.Genesis != "" && p.Event.Genesis != c.Genesis {
		return ErrForged
	}
	return nil
}
