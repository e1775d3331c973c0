package main

import (
	"fmt"
	"log/slog"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/outbound"
)

// custodyOf follows the region of an issuer that signs on the lists of organisations that
// ceased. Without custody in its file there is nothing to follow.
func custodyOf(c *conf.Issuer, store kv.Store, log *slog.Logger) (*evidence.Custody, *regionEvidence, error) {
	if !c.Custody {
		return nil, nil, nil
	}
	if c.Organisation == "" || c.Region.Genesis == "" || len(c.Region.Nodes) == 0 || c.StatusChain == "" {
		return nil, nil, fmt.Errorf("%w: \"custody\" needs organisation, region and status_chain", conf.ErrConfig)
	}
	region, err := followRegion(c.Region, c.Outbound, store, log)
	if err != nil {
		return nil, nil, err
	}
	policy, err := c.Outbound.Policy()
	if err != nil {
		return nil, nil, err
	}
	policy.MaxBytes = max(policy.MaxBytes, maxLeavesBytes)
	return evidence.NewCustody(evidence.CustodyConfig{
		Organisation: c.Organisation, Region: region.Follower, HTTP: outbound.New(policy), Log: log,
		Archives: func() []string { return archivesOf(region.Follower, c.Region.Nodes) },
	}), region, nil
}
