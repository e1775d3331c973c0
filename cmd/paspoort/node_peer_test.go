package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry/registrytest"
)

// TestPeersAndWitnesses: members have their region rely on another one, ask its nodes to watch
// their log, and drop it again. What is signed comes from the other region's log, which is checked.
func TestPeersAndWitnesses(t *testing.T) {
	c := newCouncil(t)
	region := func(name, origin string) (url, genesis string) {
		r := registrytest.NewNamed(t, time.Now().Add(-time.Hour), name, origin)
		r.Checkpoint()
		server := httptest.NewServer(r.Handler())
		t.Cleanup(server.Close)
		return server.URL, r.Genesis()
	}
	accepts := func(url, genesis string, more ...string) []string {
		return append([]string{"node", "peer", "accept", url, "--genesis", genesis, "--yes"}, more...)
	}
	url, genesis := region("Regio Lindewaard", "lindewaard.example/register")
	same, its := region("Regio Dubbel", "aakermonde.example/register")
	why := []string{"--reason", "zelfde criteria"}
	c.sees("nobody", []string{"node", "peer", "list", "--node", c.url}, "rekent op geen andere")
	c.refused("reason_needed", "kring", accepts(url, genesis)...)
	c.refused("flag_needed", "kring", append([]string{"node", "peer", "accept", url, "--yes"}, why...)...)
	c.refused("not_that_region", "kring", accepts(url, strings.Repeat("a", 64), why...)...)
	c.refused("other_region_unreadable", "kring", accepts("http://127.0.0.1:1", genesis, why...)...)
	c.refused("own_region", "kring", accepts(c.url, c.genesis, why...)...)
	c.refused("taken", "kring", accepts(same, its, why...)...)
	c.refused("bad-body", "kring", accepts(url, genesis, append(why, "--until", time.Now().AddDate(4, 0, 0).Format(time.DateOnly))...)...)

	asked := c.asks("kring", "outcome.event", accepts(url, genesis, append(why, "--type", "urn:paspoort:opleiding:1")...)...)
	c.sees("vakbond", []string{"status", asked}, "een andere regio erkennen", "Regio Lindewaard", genesis, "lindewaard.example/register", "https://knoop-2.example", "zelfde criteria")
	c.refused("no_such_region", "kring", "witness", "add", "Regio Lindewaard", "--reason", "x", "--yes")
	c.sees("gemeente", []string{"approve", asked, "--yes"}, "Besloten op")
	c.sees("nobody", []string{"node", "peer", "list", "--node", c.url}, "Regio Lindewaard", "erkend", "urn:paspoort:opleiding:1")

	added := c.asks("kring", "outcome.event", "witness", "add", "regio lindewaard", "--from", url, "--reason", "getuigen voor elkaar", "--yes")
	c.sees("vakbond", []string{"status", added}, "lindewaard-knoop-1", "https://knoop-3.example/witness", "lindewaard.example/register/node/knoop-2")
	c.ok("gemeente", "approve", added, "--yes")
	c.refused("witness_there", "kring", "witness", "add", genesis[:8], "--from", url, "--reason", "x", "--yes")
	c.refused("no_such_witness", "kring", "witness", "remove", "niemand", "--reason", "x", "--yes")
	less := c.asks("kring", "outcome.event", "witness", "remove", "lindewaard-knoop-1", "--reason", "stopt", "--yes")
	c.ok("vakbond", "approve", less, "--yes")
	if out := c.ok("nobody", "witness", "list", "--node", c.url); strings.Contains(out, "lindewaard-knoop-1 ") || !strings.Contains(out, "lindewaard-knoop-2") {
		t.Errorf("witnesses after one left:\n%s", out)
	}

	c.refused("no_such_region", "kring", "node", "peer", "drop", "Regio Niemand", "--reason", "x", "--yes")
	c.refused("only_past", "kring", "node", "peer", "drop", "Regio Lindewaard", "--since", "2099-01-01", "--reason", "x", "--yes")
	dropped := c.asks("kring", "outcome.event", "node", "peer", "drop", "Regio Lindewaard", "--reason", "twee geschiedenissen", "--yes")
	c.sees("gemeente", []string{"approve", dropped, "--yes"}, "Besloten op")
	c.sees("nobody", []string{"node", "peer", "list", "--node", c.url}, "niet meer erkend", "twee geschiedenissen")
}

// TestCustodianIsNamed: members name who signs on for an organisation that ceased.
func TestCustodianIsNamed(t *testing.T) {
	c := newCouncil(t)
	id := c.applies()
	c.ok("vakbond", "approve", id, "--yes")
	c.ok("gemeente", "approve", id, "--yes")
	c.ok("bureau", "init", "--pin", c.genesis+"="+c.url, "--key", c.path("bureau.key"))
	id = c.asks("bureau", "application", "apply", "--role", "issuer", "--name", "Bureau Status", "--url", "https://bureau.example", "--type", "Opleiding", "--yes")
	c.refused("no_such_organisation", "kring", "custodian", "Opleidingshuis De Vaart", "--by", "Bureau Status", "--reason", "failliet", "--yes")
	c.ok("vakbond", "approve", id, "--yes")
	c.ok("gemeente", "approve", id, "--yes")
	c.refused("flag_needed", "kring", "custodian", "Opleidingshuis De Vaart", "--reason", "failliet", "--yes")
	named := c.asks("kring", "outcome.event", "custodian", "Opleidingshuis De Vaart", "--by", "Bureau Status", "--reason", "failliet", "--yes")
	c.sees("vakbond", []string{"status", named}, "een ander laten bijhouden wat is ingetrokken", "Wie de lijsten voortaan tekent", "failliet")
	c.sees("gemeente", []string{"approve", named, "--yes"}, "Besloten op")
	ended := c.asks("kring", "outcome.event", "custodian", "Opleidingshuis De Vaart", "--end", "--reason", "de lijsten zijn afgelopen", "--yes")
	c.sees("vakbond", []string{"approve", ended, "--yes"}, "Besloten op")
	c.refused("bad-transition", "kring", "custodian", "Opleidingshuis De Vaart", "--end", "--reason", "nog eens", "--yes")
}
