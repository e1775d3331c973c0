package main

import (
	"fmt"
	"log/slog"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/openidfed"
)

// superiors is the client that fetches the trust marks of a role; nil for one below no region.
func superiors(regions []string, settings outbound.Settings) (openidfed.Doer, error) {
	if len(regions) == 0 {
		return nil, nil
	}
	policy, err := settings.Policy()
	if err != nil {
		return nil, err
	}
	return outbound.New(policy), nil
}

// federations are the ecosystems outside the regions that an operator chose; nil for none.
func federations(chosen []conf.Federation, policy outbound.Policy, log *slog.Logger) (*evidence.Federation, error) {
	if len(chosen) == 0 {
		return nil, nil
	}
	c := evidence.FederationConfig{HTTP: outbound.New(policy), Log: log}
	for _, f := range chosen {
		if len(f.Types) == 0 {
			return nil, fmt.Errorf("federation %s: name the credential types that you rely on it for, in \"types\"", f.Entity)
		}
		c.Anchors = append(c.Anchors, evidence.FederationAnchor{
			TrustAnchor: openidfed.TrustAnchor{EntityID: f.Entity, Keys: f.Keys}, Name: f.Name, Types: f.Types,
		})
	}
	return evidence.NewFederation(c)
}
