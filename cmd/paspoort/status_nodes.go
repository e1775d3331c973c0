package main

import (
	"context"
	"log/slog"
	"time"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/statusarchive"
)

// archivePath is where a node serves its status archive.
const archivePath = "/v1/statuses"

// bundleTimeout is for a bundle of the lists of a whole region.
const bundleTimeout = time.Minute

// statusBundles takes status lists from the nodes of the region and of those that it accepted.
func statusBundles(r *regionEvidence, region conf.Region, policy outbound.Policy, log *slog.Logger) (*evidence.Bundles, error) {
	policy.MaxBytes, policy.Timeout = max(policy.MaxBytes, statusarchive.MaxBundle), max(policy.Timeout, bundleTimeout)
	return evidence.NewBundles(evidence.BundlesConfig{
		HTTP: outbound.New(policy), Log: log,
		Regions: func() [][]string {
			out := [][]string{archivesOf(r.Follower, region.Nodes)}
			for _, peer := range r.Neighbours.List() {
				if peer.State == registry.PeerAccepted && peer.Follower != nil {
					out = append(out, archivesOf(peer.Follower, peer.URLs))
				}
			}
			return out
		},
		Copies: func() []evidence.Copy {
			out := []evidence.Copy{r.Follower}
			for _, peer := range r.Neighbours.List() {
				if peer.State == registry.PeerAccepted && peer.Follower != nil {
					out = append(out, peer.Follower)
				}
			}
			return out
		},
	})
}

// archivesOf are the archives of a region's nodes: of those that its charter names now, else of
// those that were known before.
func archivesOf(f *evidence.Follower, known []string) []string {
	var out []string
	err := f.Read(context.Background(), func(v registry.View, _ paspoort.RegistryFacts) error {
		for _, node := range v.ActiveNodes() {
			out = append(out, node.URL+archivePath)
		}
		return nil
	})
	if err != nil || len(out) == 0 {
		for _, url := range known {
			out = append(out, url+archivePath)
		}
	}
	return out
}
