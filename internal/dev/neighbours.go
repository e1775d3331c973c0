package dev

import (
	"context"
	"fmt"
	"strings"

	"paspoort.example/paspoort/specs/registry"
)

// befriend has each region rely on the other and its nodes watch the other's log, as far as that
// is not decided yet.
func (w *World) befriend(ctx context.Context) error {
	w.say(fmt.Sprintf("%s and %s rely on each other", w.name, w.Neighbour.name))
	for _, pair := range [][2]*Region{{w.Region, w.Neighbour}, {w.Neighbour, w.Region}} {
		home, other := pair[0], pair[1]
		standing, err := home.peer(ctx, other)
		if err == nil && standing == "" { // what members decided since then stays decided
			err = home.accept(ctx, other)
		}
		if err != nil {
			return fmt.Errorf("have %s rely on %s: %w", home.name, other.name, err)
		}
	}
	return nil
}

// peer is how another region stands here; empty when it was never accepted.
func (r *Region) peer(ctx context.Context, other *Region) (state registry.PeerState, err error) {
	err = r.Governor.client.Any(ctx, func(c registry.Client) error {
		answer, err := c.Peers(ctx, registry.When{Consistency: registry.Linearizable})
		for _, p := range answer.Peers {
			if p.Genesis == other.Genesis {
				state = p.State
			}
		}
		return err
	})
	return state, err
}

// accept has the region rely on another one for a year, and ask its nodes to witness the log.
func (r *Region) accept(ctx context.Context, other *Region) error {
	p := &registry.PeerAcceptance{
		Genesis: other.Genesis, Name: other.name, Origin: other.origin, Reason: "zelfde criteria, en wij waren er op bezoek",
		Until: r.w.clock().AddDate(1, 0, 0).Unix(),
	}
	label, _, _ := strings.Cut(other.origin, ".")
	w := &registry.WitnessChange{Reason: "getuigen voor elkaar"}
	for _, n := range other.nodes {
		p.URLs = append(p.URLs, r.w.settings.url(n.id))
		node, err := r.w.l.charterNode(r.w.settings, n.id, n.operator)
		if err != nil {
			return err
		}
		w.Witnesses = append(w.Witnesses, registry.Witness{
			Genesis: other.Genesis, ID: label + "-" + n.id, Key: node.CosignerKey,
			Name: registry.CosignerName(other.origin, n.id), URL: node.URL + "/witness",
		})
	}
	if _, err := r.Governor.Submit(ctx, registry.KindPeerAccepted, p, r.parties()...); err != nil {
		return err
	}
	_, err := r.Governor.Submit(ctx, registry.KindWitness, w, r.parties()...)
	return err
}

// drop has the region rely on another one no more.
func (r *Region) drop(ctx context.Context, other *Region, reason string) error {
	_, err := r.Governor.Submit(ctx, registry.KindPeerDropped, &registry.PeerDrop{Genesis: other.Genesis, Reason: reason}, r.parties()...)
	return err
}
