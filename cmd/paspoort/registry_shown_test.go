package main

import (
	"os"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/registry"
)

// TestRegistryShowsWhatIsSigned: every command that signs shows all of it before it asks, also to
// who wants the answer as JSON, with the id of whom it is about: the name comes from a node.
func TestRegistryShowsWhatIsSigned(t *testing.T) {
	c := newCouncil(t)
	id := c.applies()
	org := c.asks("vaart", "subject", "status", id)
	c.ok("vakbond", "approve", id, "--yes")
	c.ok("gemeente", "approve", id, "--yes")
	for _, tt := range []struct {
		who  string
		args []string
		want []string
	}{
		{"kring", []string{"withdraw", "Opleidingshuis De Vaart", "--fraud", "--since", "2026-03-01", "--reason", "vals"}, []string{org, "fraude", "2026-03-01", "vals"}},
		{"vaart", []string{"alias", "--add", "https://nieuw.example", "--end", "https://vaart.example"}, []string{org, "https://nieuw.example", "https://vaart.example"}},
		{"kring", []string{"rotate-key", "--member", "beraad", "--lost", "--reason", "kwijt"}, []string{"member/beraad", "kwijt"}},
		{"gemeente", []string{"rotate-key", "--new-key", c.path("gemeente2.key"), "--reason", "jaarlijks"}, []string{"member/gemeente", "Nieuwe sleutel", "jaarlijks"}},
		{"kring", []string{"propose", "region.amended", c.write("criteria.json", map[string]any{"criteria": "criteria-2", "reason": "strenger"})}, []string{"criteria-2", "strenger"}},
		{"kring", []string{"refuse", id, "--reason", "te laat", "--json"}, []string{id, "https://vaart.example"}},
		{"kring", []string{"apply", "--one-person", "--role", "verifier", "--name", "Jansen Advies", "--purpose", "werving", "--json"}, []string{"Regio Aakermonde", "werving"}},
	} {
		code, out, errs := c.types(tt.who, tt.args...)
		if code == exitOK {
			t.Errorf("%v: signed without asking: %s", tt.args, out)
		}
		for _, want := range tt.want {
			if !strings.Contains(errs, want) {
				t.Errorf("%v: %q is not shown in\n%s", tt.args, want, errs)
			}
		}
	}
}

// TestTextsStayOnTheirLine: what somebody else wrote, or a node made up, passes for nothing else.
func TestTextsStayOnTheirLine(t *testing.T) {
	var said strings.Builder
	p := &registryPrinter{w: &said, lang: "nl"}
	p.fact("Reden", "Reason", "goed\n  Nummer                   a\x1b[2Jb")
	if got := said.String(); strings.Count(got, "\n") != 1 || strings.ContainsRune(got, 0x1b) {
		t.Errorf("got %q", got)
	}
}

// TestNamesOfNodesAreMarked: a proposal holds an id; which name goes with it a node says.
func TestNamesOfNodesAreMarked(t *testing.T) {
	for _, x := range []registry.Progress{
		{Name: "Een ander", Event: registry.Event{Kind: registry.KindWithdrawn, Body: []byte(`{}`)}},
		{Name: "Een ander", Event: registry.Event{Kind: registry.KindApplied, Body: []byte(`{"name":"De Vaart"}`)}},
	} {
		x.Kind = x.Event.Kind
		var said strings.Builder
		(&registryPrinter{w: &said, lang: "nl"}).progress(x)
		title, _, _ := strings.Cut(said.String(), "\n")
		if strings.Contains(title, "Een ander") != strings.Contains(title, "zegt het knooppunt") || x.Kind == registry.KindApplied && !strings.HasSuffix(title, ": De Vaart") {
			t.Errorf("got %q", title)
		}
	}
}

// TestSecretsOfOthers: what opens a key is for its owner's eyes, and a file that cannot be used is
// no wrong passphrase: after a few of those a token locks itself.
func TestSecretsOfOthers(t *testing.T) {
	c := newCouncil(t)
	c.ok("vaart", "init", "--pin", c.genesis+"="+c.url)
	alias := []string{"alias", "--add", "https://nieuw.example", "--yes"}
	if err := os.Chmod(c.secret, 0o644); err != nil {
		t.Fatal(err)
	}
	c.refused("key_open_to_others", "vaart", alias...)
	if err := os.Remove(c.secret); err != nil {
		t.Fatal(err)
	}
	c.refused("no_passphrase_file", "vaart", alias...)
}
