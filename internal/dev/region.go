package dev

import (
	"context"
	"crypto"
	"errors"
	"fmt"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/registry"
)

// Region is one of the regions that run here, with who acts for its members.
type Region struct {
	plan
	w *World
	// Genesis is the region's id.
	Genesis string
	// Governor acts for the members.
	Governor *Governor
}

// newRegion founds a region in the folder of the world, or reads how it was founded.
func (w *World) newRegion(p plan) (*Region, error) {
	event, err := p.founding(w.l, w.settings, w.clock().UTC())
	if err != nil {
		return nil, err
	}
	r := &Region{plan: p, w: w, Genesis: event.Event.ID()}
	r.Governor, err = r.governor()
	return r, err
}

func (r *Region) governor() (*Governor, error) {
	g := &Governor{client: &govern.Client{Genesis: r.Genesis, Clock: r.w.clock}, keys: map[string]crypto.Signer{}}
	for _, m := range r.members {
		key, err := r.w.l.memberKey(m.id)
		if err != nil {
			return nil, err
		}
		g.keys[registry.MemberParty(m.id)] = key
	}
	for _, n := range r.nodes {
		g.client.Nodes = append(g.client.Nodes, registry.Client{HTTP: r.w.HTTP, URL: r.w.settings.url(n.id)})
	}
	return g, nil
}

// parties are the members who decide what no application asks for.
func (r *Region) parties() []string {
	return []string{registry.MemberParty(r.deciders[0]), registry.MemberParty(r.deciders[1])}
}

// admitAll has the organisations admitted and certified and starts them; its nodes are ready.
func (r *Region) admitAll(ctx context.Context) error {
	if err := r.hobbels(ctx); err != nil {
		return fmt.Errorf("publish the hobbels: %w", err)
	}
	if err := r.writeSeats(); err != nil {
		return err
	}
	for _, o := range r.organisations {
		r.w.say("admitting and starting " + o.name)
		if err := errors.Join(r.join(ctx, o), r.writeConfig(o)); err != nil {
			return err
		}
		if err := r.publish(ctx, o); err != nil {
			return err
		}
		if err := r.w.startRole(o); err != nil {
			return err
		}
	}
	return nil
}
