package main

import (
	"context"
	"log/slog"

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

// regionEvidence is a role's own copy of a region and the service that judges by it.
type regionEvidence struct {
	Follower *evidence.Follower
	Service  *evidence.Service
}

// followRegion makes them. The copy is kept in store; Follower.Run keeps it fresh.
func followRegion(region conf.Region, settings outbound.Settings, store kv.Store, log *slog.Logger) (*regionEvidence, error) {
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
	service, err := evidence.New(evidence.Config{
		Copies: []evidence.Copy{follower}, Fetch: outbound.New(policy), StatusFetch: client(maxStatusBytes),
		StatusStore: store, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return &regionEvidence{follower, service}, nil
}

// Ready says whether there is a copy to judge by.
func (r *regionEvidence) Ready(ctx context.Context) error {
	return r.Follower.Read(ctx, func(registry.View, paspoort.RegistryFacts) error { return nil })
}
