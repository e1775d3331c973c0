package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// write puts a body into a file and gives its name.
func (c *council) write(name string, body any) string {
	c.t.Helper()
	raw, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.path(name), raw, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return c.path(name)
}

// TestRegistryPropose proposes from files, and has a certificate signed on two machines.
func TestRegistryPropose(t *testing.T) {
	c := newCouncil(t)
	list := c.write("hobbels.json", registry.Catalogue{Version: "officieel-1", Hobbels: []registry.Hobbel{{
		ID: "H03", Levels: []string{"bedrijf"}, Title: registry.Text{NL: "Werven op diploma"}, Doorbraak: registry.Text{NL: "Werven op het paspoort"},
	}}})
	proposed := c.asks("kring", "outcome.event", "propose", "hobbel.catalogue", list, "--yes")
	c.sees("vakbond", []string{"approve", proposed, "--yes"}, "Besloten op")
	c.refused("bad_body", "kring", "propose", "hobbel.catalogue", c.write("empty.json", map[string]any{"version": "x"}), "--yes")
	c.refused("bad_body", "kring", "propose", "hobbel.painted", list, "--yes")
	c.refused("unsigned", "kring", "propose", "hobbel.catalogue", list)

	id := c.applies()
	c.ok("vakbond", "approve", id, "--yes")
	c.ok("gemeente", "approve", id, "--yes")
	var orgs registry.OrganisationsAnswer
	if err := json.Unmarshal([]byte(c.ok("nobody", "list", "--node", c.url, "--json")), &orgs); err != nil || len(orgs.Organisations) != 1 {
		t.Fatalf("%d organisations, %v", len(orgs.Organisations), err)
	}
	vaart := orgs.Organisations[0].ID

	claim := c.write("claim.json", registry.HobbelClaim{
		Catalogue: "officieel-1", Hobbel: "H03", On: time.Now().Unix() - 3600, Status: registry.Experiment, Summary: registry.Text{NL: "Proeftuin"},
		Scope: &registry.Scope{Kind: registry.ScopeSector, Name: "zorg"}, Evidence: []registry.Evidence{{Title: "Proeftuin thuiszorg", Participants: 12}},
	})
	step := c.asks("vaart", "outcome.event", "propose", "hobbel.status", claim, "--yes")
	c.sees("kring", []string{"status", step}, "Een tweede organisatie moet het nog bevestigen")
	c.ok("kring", "propose", "proposal.confirmed", c.write("confirm.json", registry.Decision{Proposal: step, Voter: "member/kring"}), "--yes")
	c.ok("gemeente", "approve", step, "--yes")
	c.sees("beraad", []string{"approve", step, "--yes"}, "Besloten op")

	draft := c.path("certificate.draft.json")
	record := c.write("certificate.json", registry.CertificateRecord{
		Anchor: c.anchor, Fingerprint: strings.Repeat("a", 64), SPKI: strings.Repeat("b", 64),
		NotBefore: time.Now().Unix() - 60, NotAfter: time.Now().AddDate(1, 0, 0).Unix(), Organisation: vaart, Usage: registry.UsageCredential,
	})
	both := []string{"propose", "certificate.recorded", record, "--signer", "member/gemeente", "--signer", "organisation/" + vaart, "--yes"}
	c.refused("flag_needed", "gemeente", both...)
	c.sees("gemeente", append(both, "--draft", draft), "Nu nog: organisation/"+vaart, "paspoort registry sign")
	c.refused("unsigned", "nobody", "send", draft, "--node", c.url)
	c.refused("bad-signer", "vakbond", "sign", draft, "--yes")
	c.sees("vaart", []string{"sign", draft, "--yes"}, "Iedereen heeft getekend")
	c.sees("nobody", []string{"send", draft, "--node", c.url}, "Het geldt vanaf nu")
	c.refused("other_region", "nobody", "send", draft, "--node", c.url, "--region", strings.Repeat("a", 64))
}
