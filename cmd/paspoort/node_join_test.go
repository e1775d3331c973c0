package main

import (
	"path/filepath"
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
	c.refused("unsigned", "beraad", "node", "join", card)
	c.sees("beraad", []string{"node", "join", card, "--yes"}, "Voorgesteld.", "approve ")
	c.refused("pending_already", "beraad", "node", "join", card, "--yes")
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
