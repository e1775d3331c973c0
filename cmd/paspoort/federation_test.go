package main

import (
	"path/filepath"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
)

// TestFederationsOfAFile: what an operator writes in a file comes back as pinned anchors, and a
// federation that would count for nothing is refused with a sentence.
func TestFederationsOfAFile(t *testing.T) {
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := openidfed.Keys(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	good := conf.Federation{Entity: "https://stelsel.example", Name: "Het Stelsel", Keys: keys, Types: map[string]string{paspoort.Opleiding.VCT(): ""}}
	path := filepath.Join(t.TempDir(), "verifier.json")
	if err := conf.Write(path, conf.Verifier{Region: conf.Region{Genesis: "ab", Federations: []conf.Federation{good}}}); err != nil {
		t.Fatal(err)
	}
	var read conf.Verifier
	if err := conf.Load(path, &read); err != nil {
		t.Fatal(err)
	}
	if f, err := federations(read.Region.Federations, outbound.Policy{}, testkit.Logger(t)); err != nil || f == nil {
		t.Errorf("got %v, %v", f, err)
	}
	if f, err := federations(nil, outbound.Policy{}, testkit.Logger(t)); err != nil || f != nil {
		t.Errorf("none: got %v, %v", f, err)
	}
	for want, change := range map[string]func(*conf.Federation){
		"name the credential types": func(f *conf.Federation) { f.Types = nil },
		"has no keys":               func(f *conf.Federation) { f.Keys = jose.KeySet{} },
		"not an entity identifier":  func(f *conf.Federation) { f.Entity = "stelsel" },
	} {
		bad := good
		change(&bad)
		if _, err := federations([]conf.Federation{bad}, outbound.Policy{}, testkit.Logger(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
