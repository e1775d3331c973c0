package main

import (
	"os"
	"strings"
	"testing"
)

// TestRegistryNewcomer: what somebody tries first in a new region is told in words that help,
// and nothing is signed that cannot be meant.
func TestRegistryNewcomer(t *testing.T) {
	c := newCouncil(t)
	c.refusedAnywhere("init without --loopback-http", "not_allowed", "registry", "--config", c.path("new.json"), "init", "--pin", c.genesis+"="+c.url, "--as", "member/kring", "--key", c.path("kring.key"))
	if _, err := os.Stat(c.path("new.json")); err == nil {
		t.Error("a seat was made that can reach nobody")
	}
	seat := []string{"--config", c.path("kring.json"), "--loopback-http"}
	c.refusedAnywhere("a node that is none leaves", "no_such_node", append([]string{"node", "leave", "knoop-9", "--yes"}, seat...)...)
	c.refusedAnywhere("a node leaves and nobody agreed", "unsigned", append([]string{"node", "leave", "knoop-1"}, seat...)...)

	claim := []string{"hobbel", "claim", "H03", "--status", "experiment", "--summary", "Budget gaat mee", "--title", "Proeftuin", "--yes"}
	c.refused("no_catalogue", "kring", claim...)
	c.sees("nobody", []string{"hobbel", "list", "--node", c.url}, "hobbel catalogue")
	c.refused("unsigned", "kring", "hobbel", "catalogue")
	list := c.asks("kring", "outcome.event", "hobbel", "catalogue", "--yes")
	c.sees("vakbond", []string{"status", list}, "voorlopig-0")
	c.ok("vakbond", "approve", list, "--yes")
	c.sees("nobody", []string{"hobbel", "list", "--node", c.url}, "H01", "H14")

	c.ok("vaart", "init", "--pin", c.genesis+"=https://127.0.0.1:1,"+c.url)
	apply := []string{"apply", "--name", "De Vaart", "--url", "https://vaart.example", "--type", "Opleiding", "--yes", "--role"}
	c.refused("no_such_role", "vaart", append(apply, "chef")...)
	c.refused("no_such_type", "vaart", append(apply, "issuer", "--type", "Opleidng")...)
	c.refused("flag_needed", "vaart", "apply", "--role", "issuer", "--name", "De Vaart", "--yes")
	c.refused("no_genesis", "vaart2", "init", "--pin", c.url)
	c.refused("plain_url", "vaart", append(apply, "issuer", "--url", "http://vaart.example")...)
	c.sees("vaart", append(apply, "issuer"), c.url+"/applications/")
	c.refused("pending_already", "vaart", append(apply, "issuer")...)
	c.ok("vaart", append(apply, "issuer", "--again")...)
	c.sees("kring", []string{"list", "proposals"}, "bewijzen uitgeven")
}

// TestRegistryInitRefuses: who somebody says to be is held against the region before it is set down.
func TestRegistryInitRefuses(t *testing.T) {
	c := newCouncil(t)
	for name, x := range map[string]struct{ want, genesis, as, key string }{
		"a slip in the key's name": {"no_key", c.genesis, "kring", "kirng.key"},
		"no such member":           {"no_such_member", c.genesis, "kirng", "kring.key"},
		"the key of another":       {"other_key", c.genesis, "kring", "vakbond.key"},
		"another region":           {"other_region", strings.Repeat("a", 64), "kring", "kring.key"},
	} {
		c.refused(x.want, name, "init", "--pin", x.genesis+"="+c.url, "--as", "member/"+x.as, "--key", c.path(x.key))
		for _, file := range []string{name + ".json", "kirng.key"} {
			if _, err := os.Stat(c.path(file)); err == nil {
				t.Errorf("%s: %s was made", name, file)
			}
		}
	}
	c.refused("flag_needed", "kring2", "init", "--pin", c.genesis+"="+c.url, "--as", "member/kring")
	c.sees("away", []string{"init", "--pin", c.genesis + "=http://127.0.0.1:1", "--as", "member/kring", "--key", c.path("kring.key")}, "niet nagekeken")
	c.sees("nieuw", []string{"init", "--pin", c.genesis + "=" + c.url, "--key", c.path("nieuw.key")}, "De sleutel is nieuw")
}

// refusedAnywhere types any command with an answer in JSON and wants it refused.
func (c *council) refusedAnywhere(name, want string, args ...string) {
	c.t.Helper()
	if code, out, errs := play(c.t, append(args, "--json")...); code == exitOK || !strings.Contains(out, `"`+want+`"`) {
		c.t.Errorf("%s: exit %d\n%s%s", name, code, out, errs)
	}
}

// TestListingExamples: the examples that are printed are in order, and who puts the wrong sort
// of thing in one reads which field it is and what belongs there.
func TestListingExamples(t *testing.T) {
	for name, example := range map[string][]byte{"function": functionExample, "module": moduleExample} {
		check := func(text string) (int, string) {
			var said, complained strings.Builder
			code := run(t.Context(), []string{"registry", name, "check", "-", "--lang", "en"}, strings.NewReader(text), &said, &complained)
			return code, said.String() + complained.String()
		}
		if code, said := check(string(example)); code != exitOK {
			t.Errorf("the example of a %s: %s", name, said)
		}
		place := `[{"name": "Aakermonde"}]`
		if !strings.Contains(string(example), place) {
			t.Fatalf("%s: no place to spoil", name)
		}
		for wrong, want := range map[string]string{
			`["Aakermonde"]`:  "places: here stands a text, here belongs an object {name, and if you like postcode, region}",
			`"Aakermonde"`:    "places: here stands a text, here belongs a list [...]",
			`[{"name": 7}]`:   "places.name: here stands a number, here belongs a text",
			`[{"naam": "A"}]`: "places[0]",
		} {
			if code, said := check(strings.Replace(string(example), place, wrong, 1)); code == exitOK || !strings.Contains(said, want) {
				t.Errorf("%s with %s: %s", name, wrong, said)
			}
		}
	}
}
