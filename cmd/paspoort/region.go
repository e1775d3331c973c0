package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Limits on what is fetched: 1024 leaves of the largest size, and a status list.
const (
	maxLeavesBytes = 40 << 20
	maxStatusBytes = 8 << 20
)

// regionEvidence is a role's own copy of a region and of those that it accepted, and the service
// that judges by them.
type regionEvidence struct {
	Follower   *evidence.Follower
	Neighbours *evidence.Neighbours
	Service    *evidence.Service
	Bundles    *evidence.Bundles // of status lists, from the regions' nodes
	onlyNodes  bool              // are asked for status lists
}

// followRegion makes them. The copies are kept in store; Run keeps them fresh. Beside are regions
// that the operator relies on without the region's word.
func followRegion(region conf.Region, settings outbound.Settings, store kv.Store, log *slog.Logger, beside ...string) (*regionEvidence, error) {
	policy, err := settings.Policy()
	if err != nil {
		return nil, err
	}
	client := func(maxBytes int64) *outbound.Client {
		p := policy
		p.MaxBytes = max(p.MaxBytes, maxBytes)
		return outbound.New(p)
	}
	nodes := client(maxLeavesBytes)
	var sources []evidence.Source
	for _, url := range region.Nodes {
		sources = append(sources, registry.Client{HTTP: nodes, URL: url})
	}
	follower, err := evidence.NewFollower(evidence.FollowerConfig{
		Genesis: region.Genesis, Sources: sources, Store: store, Every: region.Every(), Log: log,
	})
	if err != nil {
		return nil, err
	}
	neighbours, err := evidence.NewNeighbours(evidence.NeighboursConfig{
		Home: follower, Except: beside, Every: region.Every(), Log: log, Store: func() (kv.Store, error) { return store, nil },
		Source: func(url string) evidence.Source { return registry.Client{HTTP: nodes, URL: url} },
	})
	if err != nil {
		return nil, err
	}
	outsiders, err := federations(region.Federations, policy, log)
	if err != nil {
		return nil, err
	}
	out := &regionEvidence{Follower: follower, Neighbours: neighbours, onlyNodes: region.Status == conf.StatusNodes}
	if out.Bundles, err = statusBundles(out, region, policy, log); err != nil {
		return nil, err
	}
	c := evidence.Config{
		Copies: []evidence.Copy{follower}, Neighbours: neighbours, Federation: outsiders, StatusStore: store, StatusArchive: out.Bundles, Log: log,
	}
	switch {
	case region.Status == "":
		c.Fetch, c.StatusFetch = outbound.New(policy), client(maxStatusBytes)
	case !out.onlyNodes:
		return nil, fmt.Errorf("\"status\" of the region is %q: leave it out, or choose %q", region.Status, conf.StatusNodes)
	case outsiders != nil:
		return nil, fmt.Errorf("\"status\" %q and \"federations\" do not go together: issuers of other federations are asked themselves", conf.StatusNodes)
	}
	out.Service, err = evidence.New(c)
	return out, err
}

// Run follows the region and its neighbours until ctx ends.
func (r *regionEvidence) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.Follower.Run(ctx) })
	group.Go(func() error { return r.Neighbours.Run(ctx) })
	if r.onlyNodes {
		group.Go(func() error { return r.Bundles.Run(ctx) })
	}
	return group.Wait()
}

// refreshNeighbours is how often who waits for an answer makes a role ask all neighbours for
// news, beside their own schedule.
const refreshNeighbours = 10 * time.Second

// Refresh asks for news now, of the region each time and of its neighbours now and then.
func (r *regionEvidence) Refresh() func(context.Context) error {
	neighbours := atMost(refreshNeighbours, r.Neighbours.Refresh)
	return func(ctx context.Context) error {
		err := r.Follower.Refresh(ctx)
		_ = neighbours(ctx) // what is here of them has its age
		return err
	}
}

// Ready says whether there is a copy to judge by.
func (r *regionEvidence) Ready(ctx context.Context) error {
	return r.Follower.Read(ctx, func(registry.View, paspoort.RegistryFacts) error { return nil })
}
