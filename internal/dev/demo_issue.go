package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/paspoort"
)

// The holder of the demo, as the sample data invents her.
const (
	givenName  = "Samira"
	familyName = "Voorbeeld-Idrissi"
)

// offer is an offer as the issuer's command line tells it.
type offer struct {
	ID         string `json:"id"`
	Module     string `json:"module"`
	GivenName  string `json:"given_name"`
	FamilyName string `json:"family_name"`
	URI        string `json:"credential_offer_uri"`
	Page       string `json:"page"`
	TxCode     string `json:"tx_code"`
}

// accepted is what the wallet tells after it accepted an offer.
type accepted struct {
	Accepted []struct {
		ID         string `json:"id"`
		Copies     int    `json:"copies"`
		Timestamps int    `json:"timestamp_nodes"`
	} `json:"accepted"`
}

// A batch is ten copies, and two nodes stamp each.
const (
	batch  = 10
	stamps = 2
)

// accept is step 3: the holder takes the two modules and the work experience, and
// adds words of her own.
func (d *demo) accept(ctx context.Context) (string, error) {
	var err error
	if d.holder, err = d.newHolder(ctx, "holder"); err != nil {
		return "", err
	}
	work, err := d.offerSample(ctx, werkgever, paspoort.Werkervaring)
	if err != nil {
		return "", err
	}
	var mine []offer
	for _, o := range d.offers {
		if o.GivenName == givenName && o.FamilyName == familyName {
			mine = append(mine, o)
			d.modules = append(d.modules, credential{ID: o.ID})
		}
	}
	if err := expect(len(mine) == 2, "%d offers are for the holder, want 2", len(mine)); err != nil {
		return "", err
	}
	for _, o := range append(mine, work) {
		var got accepted
		if err := d.holder.run(ctx, &got, "accept", o.URI, "--tx-code", o.TxCode); err != nil {
			return "", err
		}
		if err := expect(len(got.Accepted) == 1 && got.Accepted[0].Copies == batch && got.Accepted[0].Timestamps >= stamps,
			"accepted %+v, want %d copies and %d timestamps", got.Accepted, batch, stamps); err != nil {
			return "", err
		}
	}
	if err := d.holder.run(ctx, nil, "declare", "--who-i-am", "Ik werk graag met mensen.", "--wish", "Werken in de zorg"); err != nil {
		return "", err
	}
	return fmt.Sprintf("two modules of %s and work at %s accepted with transaction codes, %d copies each, every copy verified against the registry and stamped by two nodes; own words added; all kept encrypted",
		d.Name(d.settings.url(opleider)), d.Name(d.settings.url(werkgever)), batch), nil
}

// offer is step 2: the opleider reads its modules and participants from CSV.
func (d *demo) offer(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, d.program, "issuer", "offers", "--config", d.l.config(opleider), "--json")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("issuer offers: %w: %s", err, complaints.String())
	}
	if err := json.Unmarshal(out, &d.offers); err != nil {
		return "", fmt.Errorf("issuer offers answered %q: %w", out, err)
	}
	var modules []string
	for _, o := range d.offers {
		modules = append(modules, o.Module)
	}
	slices.Sort(modules)
	return fmt.Sprintf("%s read %d modules (semicolons, BOM) and %d participants (commas) from CSV and made %d offers with transaction codes",
		d.Name(d.settings.url(opleider)), len(slices.Compact(modules)), len(d.offers), len(d.offers)), nil
}
