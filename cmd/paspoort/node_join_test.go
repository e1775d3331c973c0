package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestJoinAndRules: what members could never approve is refused before it is signed, and what waits
// for a decision is not proposed a second time.
func TestJoinAndRules(t *testing.T) {
	c := newCouncil(t)
	c.refused("rules_there", "kring", "region", "rules", "3", "--yes")
	c.refused("rules_not_next", "kring", "region", "rules", "5", "--yes")
	c.refused("unsigned", "kring", "region", "rules", "4")
	c.sees("nobody", []string{"list", "proposals", "--node", c.url}, "Er is niets voorgesteld")

	card := c.card(t, "knoop-9", "beraad")
	c.refused("no_card", "beraad", "node", "join", c.path("kring.json"), "--yes")
	c.refused("unsigned", "beraad", "node", "join", card)
	c.sees("beraad", []string{"node", "join", card, "--yes"}, "Voorgesteld.", "approve ")
	c.refused("pending_already", "beraad", "node", "join", card, "--yes")
	there := []string{"--id", "knoop-7", "--member", "beraad", "--group", "", "--name", "", "--node", c.url, "--region", c.genesis, "--allow-private", "127.0.0.0/8"}
	for wrong, want := range map[string]string{"--id=knoop-1": "has a node knoop-1 already", "--member=bestaatniet": "has no member bestaatniet"} {
		if code, errs := typedInit(t, t.TempDir(), append(there, wrong)...); code == exitOK || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", wrong, code, errs)
		}
	}
	dir := t.TempDir()
	if code, errs := typedInit(t, dir, there...); code != exitOK {
		t.Fatal(errs)
	}
	elsewhere := []string{"node", "join", filepath.Join(dir, "card.json"), "--region", strings.Repeat("a", 64), "--yes"}
	c.refused("card_of_other_region", "beraad", elsewhere...)
	c.ok("beraad", "node", "join", filepath.Join(dir, "card.json"), "--yes")
	c.refused("node_there", "kring", "node", "join", c.card(t, "knoop-1", "kring"), "--yes")
	c.refused("no_such_member", "kring", "node", "join", c.card(t, "knoop-8", "bestaatniet"), "--yes")
}

// card makes the card of a node for this region, as on a machine that cannot ask its nodes.
func (c *council) card(t *testing.T, id, member string) string {
	t.Helper()
	dir := t.TempDir()
	code, errs := typedInit(t, dir, "--id", id, "--url", "https://"+id+".example", "--member", member, "--acme-email", "beheer@kring.example",
		"--passphrase-file", secretFile(t, "een zin van "+member+" alleen"))
	if code != exitOK {
		t.Fatal(errs)
	}
	return filepath.Join(dir, "card.json")
}
