package node

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/entity"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// neighbourhood is regions that know each other by their logs, and the network of what they and
// their organisations publish.
type neighbourhood struct {
	t     *testing.T
	clock *testkit.Clock
	hosts map[string]http.Handler
}

// Do is the network.
func (n *neighbourhood) Do(r *http.Request) (*http.Response, error) {
	h := n.hosts[r.URL.Host]
	if h == nil {
		return nil, errors.New("no route to host")
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// federatedRegion is one of them.
type federatedRegion struct {
	*evidencetest.Region
	*evidence.Follower
	fed    *federation
	anchor openidfed.TrustAnchor
}

// View implements registry.Reader over the region's own log.
func (r *federatedRegion) View(ctx context.Context, _ registry.Consistency, fn func(registry.View, registry.ReadInfo) error) error {
	return r.Follower.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error { return fn(v, registry.ReadInfo{}) })
}

func (n *neighbourhood) region(name, host string) *federatedRegion {
	key := registrytest.NamedKey("federation " + host)
	r := &federatedRegion{Region: evidencetest.Named(n.t, n.clock.Now, name, host, func(c *registry.Charter) {
		c.Entity, c.Nodes[0].FederationKey = "https://"+host, registrytest.PublicKey(key)
	})}
	r.Follower = r.Region.Follower()
	r.fed = newFederation(federationConfig{
		Genesis: r.Region.Genesis, Node: r.Charter.Nodes[0].ID, Key: key, Reader: r, HTTP: n, Clock: n.clock.Now, Log: slog.New(slog.DiscardHandler),
	})
	keys, err := openidfed.Keys(key.Public())
	if err != nil {
		n.t.Fatal(err)
	}
	r.anchor = openidfed.TrustAnchor{EntityID: "https://" + host, Keys: keys}
	n.hosts[host] = r.fed
	return r
}

// knows gives a region copies of others.
func (r *federatedRegion) knows(n *neighbourhood, others ...*federatedRegion) {
	r.fed.config.Peers = func() (out []*evidence.Neighbour) {
		err := r.View(n.t.Context(), registry.Stale, func(v registry.View, _ registry.ReadInfo) error {
			for _, p := range v.Peers(n.clock.Now()) {
				for _, other := range others {
					if other.Region.Genesis == p.Genesis {
						out = append(out, &evidence.Neighbour{PeerStanding: p, Follower: other.Follower})
					}
				}
			}
			return nil
		})
		if err != nil {
			n.t.Fatal(err)
		}
		return out
	}
}

func (n *neighbourhood) refresh(regions ...*federatedRegion) {
	n.t.Helper()
	for _, r := range regions {
		r.Sign()
		if err := r.Follower.Refresh(n.t.Context()); err != nil {
			n.t.Fatal(err)
		}
	}
	for _, r := range regions {
		if err := r.fed.refresh(n.t.Context()); err != nil {
			n.t.Fatal(err)
		}
	}
}

// issuer admits an issuer below a region and publishes its configuration.
func (n *neighbourhood) issuer(r *federatedRegion, host string) *evidencetest.Issuer {
	n.t.Helper()
	i := r.Issuer(host, paspoort.Opleiding)
	keys, err := openidfed.Keys(i.Key.Public())
	if err != nil {
		n.t.Fatal(err)
	}
	vc, err := openidfed.Object(map[string]any{"jwks": keys})
	if err != nil {
		n.t.Fatal(err)
	}
	e, err := entity.New(entity.Config{ID: i.URL, Key: i.Key, Authorities: []string{r.anchor.EntityID}, Clock: n.clock.Now,
		Metadata: openidfed.Metadata{openidfed.FederationEntity: {"display_name": host}, openidfed.VCIssuer: vc}})
	if err != nil {
		n.t.Fatal(err)
	}
	u, err := url.Parse(i.URL)
	if err != nil {
		n.t.Fatal(err)
	}
	n.hosts[u.Host] = e
	return i
}

// TestChainsThroughAcceptedRegions: two regions accept each other, and one of them a third. Who
// pinned the first finds issuers of the second, and none of the third: acceptance is not
// transitive (D10).
func TestChainsThroughAcceptedRegions(t *testing.T) {
	n := &neighbourhood{t: t, clock: testkit.NewClock(time.Time{}), hosts: map[string]http.Handler{}}
	a, b, c := n.region("Regio Aakermonde", "aakermonde.example"), n.region("Regio Lindewaard", "lindewaard.example"), n.region("Regio Verweg", "verweg.example")
	until := n.clock.Now().AddDate(1, 0, 0)
	a.Accept(b.Region, until)
	b.Accept(a.Region, until)
	b.Accept(c.Region, until)
	c.Accept(b.Region, until)
	a.knows(n, b)
	b.knows(n, a, c)
	c.knows(n, b)
	near, far := n.issuer(b, "school.example"), n.issuer(c, "verre-school.example")
	n.clock.Advance(time.Hour)
	n.refresh(a, b, c)

	client := openidfed.Client{HTTP: n}
	chain, err := client.Chain(t.Context(), near.URL, []openidfed.TrustAnchor{a.anchor}, n.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := chain.Metadata.Keys(openidfed.VCIssuer)
	if err != nil || len(chain.Statements) != 4 || len(keys.Keys) != 1 || !jose.SameKey(keys.Keys[0].Public, near.Key.Public()) {
		t.Errorf("got %d statements, keys %v, %v", len(chain.Statements), keys, err)
	}
	if _, err := client.Chain(t.Context(), far.URL, []openidfed.TrustAnchor{b.anchor}, n.clock.Now()); err != nil {
		t.Errorf("one step away: %v", err)
	}
	if _, err := client.Chain(t.Context(), far.URL, []openidfed.TrustAnchor{a.anchor}, n.clock.Now()); !errors.Is(err, openidfed.ErrConstraints) {
		t.Errorf("two steps away: got %v, want %v", err, openidfed.ErrConstraints)
	}
	n.clock.Advance(time.Hour)
	a.Drop(b.Region, n.clock.Now())
	n.clock.Advance(time.Hour)
	n.refresh(a, b, c)
	if _, err := client.Chain(t.Context(), near.URL, []openidfed.TrustAnchor{a.anchor}, n.clock.Now()); !errors.Is(err, openidfed.ErrNoChain) {
		t.Errorf("dropped: got %v, want %v", err, openidfed.ErrNoChain)
	}
}
