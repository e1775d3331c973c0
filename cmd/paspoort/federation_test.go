package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// federates: who pins the keys of the region's nodes finds its opleider by the public means of
// OpenID Federation, with the key that signs its credentials, what it was admitted for, and its
// trust marks.
func federates(t *testing.T, r *region) {
	t.Helper()
	policy, err := outbound.Settings{CAFile: r.ready.CAFile, LoopbackHTTP: true, AllowPrivate: thisComputer}.Policy()
	if err != nil {
		t.Fatal(err)
	}
	c := openidfed.Client{HTTP: outbound.New(policy), AllowHTTP: true}
	entity, opleider := r.ready.Regions[0].Nodes[0].URL, r.ready.Issuers[0]
	own, err := c.Configuration(t.Context(), entity, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pinned := []openidfed.TrustAnchor{{EntityID: entity, Keys: own.Keys}}
	var chain *openidfed.Chain
	until(t, time.Minute, "the node knows the entity configuration of the opleider, and that its trust marks", func() bool {
		chain, err = c.Chain(t.Context(), opleider.URL, pinned, time.Now())
		return err == nil && len(chain.Subject().TrustMarks) > 0
	})
	if marks := c.TrustMarks(t.Context(), chain, pinned, time.Now()); len(marks) != 2 {
		t.Errorf("got %d valid trust marks, want one for each type it was admitted for", len(marks))
	}
	offered, _ := chain.Metadata[openidfed.CredentialIssuer]["credential_configurations_supported"].(map[string]any)
	keys, err := chain.Metadata.Keys(openidfed.VCIssuer)
	if err != nil || len(keys.Keys) != 1 || len(offered) != len(opleider.Configurations) {
		t.Errorf("got keys %v, %v, configurations %v", keys, err, offered)
	}
}
