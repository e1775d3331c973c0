package node

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/openidfed"
)

// TestWhatIsSaidLaterIsNotVouchedFor: an issuer shows the nodes one configuration and everybody
// else another, with keys and types that the registry knows nothing of. The statement leaves
// nothing of them.
func TestWhatIsSaidLaterIsNotVouchedFor(t *testing.T) {
	f := newFederated(t)
	e, _ := f.issuer("vaart")
	later := e.about
	for name, first := range map[string]openidfed.Metadata{
		"nothing":     {openidfed.FederationEntity: {"display_name": "vaart"}},
		"other types": {openidfed.CredentialIssuer: {"credential_issuer": e.id}, openidfed.VCIssuer: later[openidfed.VCIssuer]},
	} {
		t.Run(name, func(t *testing.T) {
			e.about = first
			f.Advance(entityEvery)
			f.refresh()
			e.about = later
			e.about[openidfed.VCIssuer] = maps.Clone(later[openidfed.VCIssuer])
			e.about[openidfed.VCIssuer]["jwks_uri"] = "https://elders.example/sleutels"
			e.about[openidfed.VCIssuer]["signed_jwks_uri"] = "https://elders.example/sleutels.jwt"
			chain, err := f.client().Chain(t.Context(), e.id, f.anchors, f.Now)
			if err != nil {
				t.Fatal(err)
			}
			if offered, _ := chain.Metadata[openidfed.CredentialIssuer]["credential_configurations_supported"].(map[string]any); len(offered) != 0 {
				t.Errorf("types that nobody looked at: %v", offered)
			}
			keys, err := chain.Metadata.Keys(openidfed.VCIssuer)
			if want := len(first[openidfed.VCIssuer]); err != nil || len(keys.Keys) != want {
				t.Errorf("got %d keys, %v, want %d", len(keys.Keys), err, want)
			}
			for _, by := range []string{"jwks_uri", "signed_jwks_uri"} {
				if at, there := chain.Metadata[openidfed.VCIssuer][by]; there {
					t.Errorf("keys at an address: %v", at)
				}
			}
		})
	}
}

// TestNobodyIsTwoEntities: a region whose charter names the entity of another, or of the one that
// accepted it, is no entity: there would be two that sign for one name.
func TestNobodyIsTwoEntities(t *testing.T) {
	n := &neighbourhood{t: t, clock: testkit.NewClock(time.Time{}), hosts: map[string]http.Handler{}}
	a, b := n.region("Regio Aakermonde", "aakermonde.example"), n.region("Regio Lindewaard", "lindewaard.example")
	a.Accept(b.Region, n.clock.Now().AddDate(1, 0, 0))
	a.knows(n, b)
	n.clock.Advance(time.Hour)
	n.refresh(a, b)
	honest := a.fed.config.Peers()
	if got := a.fed.peers(t.Context(), n.clock.Now()); len(got) != 1 {
		t.Fatalf("got %d regions", len(got))
	}
	a.fed.config.Peers = func() []*evidence.Neighbour { return append(honest, honest...) }
	if got := a.fed.peers(t.Context(), n.clock.Now()); len(got) != 0 {
		t.Errorf("two regions with one entity: got %d", len(got))
	}
	a.fed.config.Peers = func() []*evidence.Neighbour { return honest }
	got := a.fed.peers(t.Context(), n.clock.Now())
	for _, own := range []string{"https://lindewaard.example", "https://lindewaard.example/", "https://LINDEWAARD.example"} {
		if left := distinct(own, got); len(left) != 0 {
			t.Errorf("one's own entity as %s: got %d", own, len(left))
		}
	}
}
