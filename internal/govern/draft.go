package govern

import (
	"context"
	"fmt"
	"strings"

	"paspoort.example/paspoort/specs/registry"
)

// Draft makes an act that several parties sign, each where its key is: a certificate, a new
// member, a corrected clock. Who signs, in which order, the kind says; which key each signs with
// the region knows, or the act itself when it brings one. The region takes the event within
// seven days, as long as nothing else happens to what it is about.
func (c *Client) Draft(ctx context.Context, act Act, parties ...string) (event registry.SignedEvent, err error) {
	err = c.Any(ctx, func(node registry.Client) error {
		head, err := node.Head(ctx, registry.SubjectOf(act.Body))
		if err != nil {
			return err
		}
		draft, err := c.draft(act, head)
		if err != nil {
			return final{err}
		}
		signers := make([]registry.Signer, len(parties))
		for i, party := range parties {
			key, err := keyOf(ctx, node, act.Body, party)
			if err != nil {
				return err
			}
			signers[i] = registry.Signer{Key: key.Thumbprint(), Party: party}
		}
		if event, err = registry.Unsigned(draft, act.Kind, act.Body, signers...); err != nil {
			return final{err}
		}
		return nil
	})
	return event, err
}

// Send brings an event that all its signers signed into the log.
func (c *Client) Send(ctx context.Context, event registry.SignedEvent) (out registry.Outcome, err error) {
	if event.Event.Genesis != c.Genesis {
		return out, ErrOtherRegion
	}
	err = c.Any(ctx, func(node registry.Client) error {
		out, err = offer(ctx, node, registry.Submission{Event: event})
		return err
	})
	return out, err
}

// keyOf is the key with which a party signs: one that the act brings, or the one in force.
func keyOf(ctx context.Context, node registry.Client, body registry.Body, party string) (registry.PublicKey, error) {
	for _, in := range registry.Introduces(body) {
		if in.Party == party {
			return in.Key, nil
		}
	}
	if id, ok := strings.CutPrefix(party, registry.OrganisationParty("")); ok {
		org, err := node.Organisation(ctx, id, registry.When{})
		if err != nil || org.Key != "" {
			return org.Key, err
		}
		return "", final{fmt.Errorf("%w: %s", errNoKey, party)}
	}
	region, err := node.Region(ctx, registry.When{})
	if err != nil {
		return "", err
	}
	for _, m := range region.Members {
		if n := len(m.Keys); registry.MemberParty(m.ID) == party && n > 0 && m.Keys[n-1].Until == 0 {
			return m.Keys[n-1].Key, nil
		}
	}
	return "", final{fmt.Errorf("%w: %s", errNoKey, party)}
}

// errNoKey is of a party that cannot sign now. Nobody branches on it.
var errNoKey = fmt.Errorf("%w: nobody in the region signs under this name now", registry.ErrSigner)
