package node

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

const testEntity = "https://aakermonde.example/regio"

// federated is a region in memory whose first node speaks for it, and the entities of the
// organisations that it knows: one network.
type federated struct {
	*registrytest.Region
	t       *testing.T
	fed     *federation
	hosts   map[string]http.Handler
	down    bool
	age     int64 // since the node heard of a leader
	anchors []openidfed.TrustAnchor
}

func newFederated(t *testing.T) *federated {
	f := &federated{Region: registrytest.New(t), t: t, hosts: map[string]http.Handler{}}
	key := registrytest.NamedKey("federation knoop-1")
	f.Advance(time.Hour)
	f.Do(registry.KindAmended, &registry.Amendment{Entity: testEntity, Reason: "vindbaar voor andere stelsels"}, registrytest.Werkgevers, registrytest.Gemeente)
	for _, id := range []string{"knoop-1", "knoop-2"} {
		f.rekey(id, "federation "+id, 0)
	}
	f.fed = newFederation(federationConfig{Genesis: f.Genesis(), Node: "knoop-1", Key: key, Reader: f, Clock: func() time.Time { return f.Now }, Log: slog.New(slog.DiscardHandler)})
	f.hosts["aakermonde.example"] = f.fed
	keys, err := openidfed.Keys(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	f.anchors = []openidfed.TrustAnchor{{EntityID: testEntity, Keys: keys}}
	return f
}

// rekey gives a node another federation key.
func (f *federated) rekey(node, key string, compromised int64) {
	f.Do(registry.KindNodeKeys, &registry.NodeChange{ID: node, Reason: "tekent verklaringen", CompromisedSince: compromised,
		Keys: &registry.NodeKeys{Federation: registrytest.PublicKey(registrytest.NamedKey(key))}}, registrytest.Werkgevers, registrytest.Gemeente)
}

// View implements registry.Reader over the state as it is.
func (f *federated) View(_ context.Context, c registry.Consistency, fn func(registry.View, registry.ReadInfo) error) error {
	return fn(f.State.View(), registry.ReadInfo{Consistency: c, Node: "knoop-1", Age: f.age})
}

// webOf is f as the doer of requests.
type webOf struct{ *federated }

func (f *federated) network() webOf { return webOf{f} }

func (n webOf) Do(r *http.Request) (*http.Response, error) {
	h := n.hosts[r.URL.Host]
	if h == nil || n.down {
		return nil, errors.New("no route to host")
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// service is an organisation that publishes its own entity configuration.
type service struct {
	f     *federated
	id    string
	key   *ecdsa.PrivateKey
	about openidfed.Metadata
	marks []openidfed.TrustMarkEntry
}

func (e *service) EntityConfiguration(context.Context) (string, error) {
	keys, err := openidfed.Keys(e.key.Public())
	if err != nil {
		return "", err
	}
	s := openidfed.Statement{Issuer: e.id, Subject: e.id, IssuedAt: e.f.Now, ExpiresAt: e.f.Now.Add(24 * time.Hour), Keys: keys,
		AuthorityHints: []string{testEntity}, Metadata: e.about, TrustMarks: e.marks}
	return s.Sign(e.key)
}

// issuer admits an issuer of Opleiding and Werkervaring, whose configuration offers a third
// type and lists a second, unknown key.
func (f *federated) issuer(name string) (*service, string) {
	org := f.Admit(name, registry.Issuer)
	_, key := f.Certificate(org, registry.UsageCredential)
	keys, err := openidfed.Keys(key.Public(), registrytest.NamedKey("nobody").Public())
	if err != nil {
		f.t.Fatal(err)
	}
	vc, err := openidfed.Object(map[string]any{"jwks": keys})
	if err != nil {
		f.t.Fatal(err)
	}
	e := &service{f: f, id: "https://" + name + ".example", key: key, about: openidfed.Metadata{
		openidfed.FederationEntity: {"display_name": "Het Echte Ministerie"},
		openidfed.VCIssuer:         vc,
		"openid_provider":          {"issuer": "https://elders.example"},
		openidfed.CredentialIssuer: {"credential_configurations_supported": map[string]any{
			"opleiding": map[string]any{"format": "dc+sd-jwt", "vct": paspoort.Opleiding.VCT()},
			"w3c":       map[string]any{"format": "vc+sd-jwt", "credential_definition": map[string]any{"type": paspoort.VCTypes(paspoort.Opleiding)}},
			"budget":    map[string]any{"format": "dc+sd-jwt", "vct": paspoort.Ontwikkelbudget.VCT()},
		}},
	}}
	f.hosts[name+".example"] = &openidfed.Server{EntityID: e.id, Entity: e}
	return e, org
}

func (f *federated) refresh() {
	f.t.Helper()
	f.fed.entities.client.HTTP = f.network()
	f.fed.config.HTTP = f.network()
	if err := f.fed.refresh(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *federated) client() *openidfed.Client { return &openidfed.Client{HTTP: f.network()} }

// TestRegionIsATrustAnchor: who pinned one node's key finds out whom the region admitted, with
// the keys and the types that it was admitted for, whatever the issuer says of itself.
func TestRegionIsATrustAnchor(t *testing.T) {
	f := newFederated(t)
	e, org := f.issuer("vaart")
	f.refresh()
	chain, err := f.client().Chain(t.Context(), e.id, f.anchors, f.Now)
	if err != nil {
		t.Fatal(err)
	}
	if got := chain.Metadata.DisplayName(); got != "Organisatie vaart" {
		t.Errorf("got display name %q, want the one that was admitted", got)
	}
	offered, _ := chain.Metadata[openidfed.CredentialIssuer]["credential_configurations_supported"].(map[string]any)
	if len(offered) != 2 || offered["opleiding"] == nil || offered["w3c"] == nil {
		t.Errorf("got %v, want what it was admitted for", offered)
	}
	keys, err := chain.Metadata.Keys(openidfed.VCIssuer)
	if err != nil || len(keys.Keys) != 1 || !jose.SameKey(keys.Keys[0].Public, e.key.Public()) {
		t.Errorf("got %v, %v, want the recorded key alone", keys, err)
	}
	if _, there := chain.Metadata["openid_provider"]; there {
		t.Error("an entity type of another role is still there")
	}
	about := chain.Statements[1]
	log, _ := about.Extra["paspoort_log"].(map[string]any)
	answer := f.Admission(org, f.Now)
	if index, ok := f.State.Leaf(answer.Grant.Event); !ok || log["origin"] != f.Charter.Origin || log["index"] != float64(index) {
		t.Errorf("got %v, want origin and index of the admission", log)
	}
	if len(chain.AnchorConfiguration().Keys.Keys) != 2 {
		t.Error("the configuration does not list the keys of all nodes")
	}

	// Withdrawn: from that moment on there is no statement.
	f.Advance(time.Hour)
	p := f.Do(registry.KindWithdrawn, &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "opgehouden"}, registrytest.Gemeente)
	f.Approve(p.Event.ID(), registrytest.Vakbond)
	if _, err := f.client().Chain(t.Context(), e.id, f.anchors, f.Now); !errors.Is(err, openidfed.ErrNoChain) || !strings.Contains(err.Error(), "not_found") {
		t.Errorf("withdrawn: got %v", err)
	}
}

// TestStatementsOnlyAboutKnownKeys: a configuration signed with a key that the registry does not
// know, or knows as stolen, gets no statement.
func TestStatementsOnlyAboutKnownKeys(t *testing.T) {
	f := newFederated(t)
	e, org := f.issuer("vaart")
	f.refresh()
	if _, err := f.client().Chain(t.Context(), e.id, f.anchors, f.Now); err != nil {
		t.Fatal(err)
	}
	f.Advance(time.Hour)
	for _, c := range f.State.View().Certificates(org) {
		f.Do(registry.KindCertRevoked, &registry.CertificateRevocation{Certificate: c.Fingerprint, Compromised: true, EffectiveFrom: f.Now.Add(-time.Minute).Unix(), Reason: "gestolen"}, registry.OrganisationParty(org))
	}
	if _, err := f.client().Chain(t.Context(), e.id, f.anchors, f.Now); !errors.Is(err, openidfed.ErrNoChain) {
		t.Errorf("stolen key: got %v", err)
	}
	e.key = registrytest.NamedKey("nobody")
	f.Advance(time.Hour)
	f.refresh()
	if _, err := f.fed.SubordinateStatement(t.Context(), e.id); !strings.Contains(err.Error(), "not signed with a key that the registry knows") {
		t.Errorf("a key of nobody: got %v", err)
	}
}

// TestTrustMarksOfTypes: one mark for each type that somebody is admitted for, with a status
// that follows the registry.
func TestTrustMarksOfTypes(t *testing.T) {
	f := newFederated(t)
	e, org := f.issuer("vaart")
	f.refresh()
	c := f.client()
	anchor, err := c.Configuration(t.Context(), testEntity, f.Now)
	if err != nil {
		t.Fatal(err)
	}
	mark := func(typ paspoort.Type) string { return testEntity + "/keurmerk/toegelaten/" + typ.Slug() }
	m, err := c.TrustMark(t.Context(), anchor, mark(paspoort.Opleiding), e.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Validate(e.id, anchor.Keys, anchor, f.Now); err != nil {
		t.Error(err)
	}
	if m.ExpiresAt.After(f.Now.Add(markLife)) || m.Extra["paspoort_log"] == nil || m.Ref == "" {
		t.Errorf("got %+v", m)
	}
	var refused *openidfed.Error
	if _, err := c.TrustMark(t.Context(), anchor, mark(paspoort.Assessment), e.id); !errors.As(err, &refused) || refused.Code != openidfed.NotFound {
		t.Errorf("a type it was not admitted for: got %v", err)
	}
	if list, err := c.TrustMarked(t.Context(), anchor, mark(paspoort.Opleiding)); err != nil || !slices.Equal(list, []string{e.id}) {
		t.Errorf("got %v, %v", list, err)
	}
	e.marks = []openidfed.TrustMarkEntry{{Type: m.Type, Token: m.String()}}
	f.Advance(entityEvery)
	f.refresh()
	resolver := openidfed.ResolveQuery{Subject: e.id, TrustAnchors: []string{testEntity}}
	r, err := c.Resolve(t.Context(), anchor, resolver, f.Now)
	if err != nil || len(r.TrustMarks) != 1 {
		t.Fatalf("resolve: got %v, %v", r, err)
	}
	statements, err := openidfed.ParseChain(r.TrustChain)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := openidfed.ValidateChain(statements, f.anchors, f.Now)
	if err != nil {
		t.Fatal(err)
	}
	if marks := c.TrustMarks(t.Context(), chain, f.anchors, f.Now); len(marks) != 1 {
		t.Errorf("got %d marks that a reader takes for valid, want 1", len(marks))
	}

	status := func(want openidfed.MarkStatus) {
		t.Helper()
		s, err := c.TrustMarkStatus(t.Context(), anchor, m.String(), f.Now)
		if err != nil || s.Status != want {
			t.Errorf("status: got %v, %v, want %s", s, err, want)
		}
	}
	status(openidfed.MarkActive)
	f.rekey("knoop-2", "federation knoop-2 new", 0)
	status(openidfed.MarkActive)
	f.Do(registry.KindSuspended, &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "onderzoek"}, registrytest.Gemeente)
	f.Advance(time.Minute)
	status(openidfed.MarkRevoked)
	f.Advance(markLife)
	status(openidfed.MarkExpired)
	foreign, err := openidfed.TrustMark{Issuer: testEntity, Subject: e.id, Type: m.Type, IssuedAt: f.Now}.Sign(registrytest.NamedKey("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := c.TrustMarkStatus(t.Context(), anchor, foreign, f.Now); err != nil || s.Status != openidfed.MarkInvalid {
		t.Errorf("forged: got %v, %v", s, err)
	}
}

func TestFederationLists(t *testing.T) {
	f := newFederated(t)
	e, _ := f.issuer("vaart")
	f.Admit("linde", registry.Issuer) // publishes nothing
	f.refresh()
	c := f.client()
	anchor, err := c.Configuration(t.Context(), testEntity, f.Now)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	for name, tt := range map[string]struct {
		q    openidfed.ListQuery
		want []string
	}{
		"all":           {openidfed.ListQuery{}, []string{e.id}},
		"issuers":       {openidfed.ListQuery{EntityTypes: []string{openidfed.CredentialIssuer, openidfed.VCIssuer}}, []string{e.id}},
		"verifiers":     {openidfed.ListQuery{EntityTypes: []string{openidfed.CredentialVerifier}}, []string{}},
		"marked":        {openidfed.ListQuery{TrustMarked: true, TrustMarkType: testEntity + "/keurmerk/toegelaten/opleiding"}, []string{e.id}},
		"other mark":    {openidfed.ListQuery{TrustMarkType: "https://x.example"}, []string{}},
		"intermediates": {openidfed.ListQuery{Intermediate: &yes}, []string{}},
	} {
		if got, err := c.Subordinates(t.Context(), anchor, tt.q); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, tt.want)
		}
	}
	var refused *openidfed.Error
	if _, err := c.Resolve(t.Context(), anchor, openidfed.ResolveQuery{Subject: e.id, TrustAnchors: []string{"https://x.example"}}, f.Now); !errors.As(err, &refused) || refused.Code != openidfed.InvalidTrustAnchor {
		t.Errorf("another anchor: got %v", err)
	}
	if _, err := c.Resolve(t.Context(), anchor, openidfed.ResolveQuery{Subject: "https://x.example", TrustAnchors: []string{testEntity}}, f.Now); !errors.As(err, &refused) || refused.Code != openidfed.InvalidSubject {
		t.Errorf("nobody: got %v", err)
	}
}

// TestFederationKeysOfNodes: a node signs with the key that the charter names for it, keys of
// before are published, and a node that heard of nobody for an hour says nothing.
func TestFederationKeysOfNodes(t *testing.T) {
	f := newFederated(t)
	c := f.client()
	f.Advance(24 * time.Hour)
	f.rekey("knoop-2", "federation knoop-2 new", f.Now.Add(-time.Hour).Unix())
	anchor, err := c.Configuration(t.Context(), testEntity, f.Now)
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.HistoricalKeys(t.Context(), anchor, f.Now)
	if err != nil || len(h.Keys) != 1 || h.Keys[0].Reason != openidfed.KeyCompromised || !jose.SameKey(h.Keys[0].Key.Public, registrytest.NamedKey("federation knoop-2").Public()) {
		t.Errorf("got %+v, %v", h, err)
	}
	var refused *openidfed.Error
	f.age = 2 * 3600
	if _, err := c.Configuration(t.Context(), testEntity, f.Now); !errors.As(err, &refused) || refused.Code != openidfed.TemporarilyUnavailable {
		t.Errorf("two hours alone: got %v", err)
	}
	f.age = 0
	f.rekey("knoop-1", "federation knoop-1 new", 0)
	if _, err := c.Configuration(t.Context(), testEntity, f.Now); !errors.As(err, &refused) || refused.Code != openidfed.TemporarilyUnavailable {
		t.Errorf("with a key of before: got %v", err)
	}
}

// TestNoEntityNoFederation: a region whose charter names no entity says so.
func TestNoEntityNoFederation(t *testing.T) {
	f := &federated{Region: registrytest.New(t), t: t, hosts: map[string]http.Handler{}}
	fed := newFederation(federationConfig{Genesis: f.Genesis(), Node: "knoop-1", Reader: f, Clock: func() time.Time { return f.Now }, Log: slog.New(slog.DiscardHandler)})
	r := httptest.NewRequest(http.MethodGet, "https://knoop-1.example"+openidfed.WellKnown, nil)
	rec := httptest.NewRecorder()
	if !fed.matches(r) {
		t.Error("its well-known address is not answered")
	}
	fed.ServeHTTP(rec, r)
	if rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "names no entity") {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
	if fed.matches(httptest.NewRequest(http.MethodGet, "https://knoop-1.example/x/federation/fetch", nil)) {
		t.Error("it answers where nothing is")
	}
}

// TestAcceptedRegionIsAnIntermediate: an accepted region's issuer is found by who pinned this
// region's keys; nobody below that region's own issuers is, and types beyond the acceptance
// carry no mark that counts here.
func TestAcceptedRegionIsAnIntermediate(t *testing.T) {
	f := newFederated(t)
	clock := func() time.Time { return f.Now }
	const there = "https://lindewaard.example"
	key := registrytest.NamedKey("federation lindewaard")
	other := evidencetest.Named(t, clock, "Regio Lindewaard", "lindewaard.example", func(c *registry.Charter) {
		c.Entity = there
		c.Nodes[0].FederationKey = registrytest.PublicKey(key)
	})
	other.Sign()
	follower := other.Follower()
	if err := follower.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	accepted := &registry.PeerAcceptance{Genesis: other.Genesis, Name: "Regio Lindewaard", Origin: other.Charter.Origin, Reason: "buurregio",
		Types: []string{paspoort.Opleiding.VCT()}, Until: f.Now.AddDate(1, 0, 0).Unix(), URLs: []string{"https://knoop.lindewaard.example"}}
	f.Do(registry.KindPeerAccepted, accepted, registrytest.Werkgevers, registrytest.Gemeente)
	f.fed.config.Peers = func() (out []*evidence.Neighbour) {
		for _, p := range f.State.View().Peers(f.Now) {
			out = append(out, &evidence.Neighbour{PeerStanding: p, Follower: follower})
		}
		return out
	}
	c := f.client()
	anchor, err := c.Configuration(t.Context(), testEntity, f.Now)
	if err != nil {
		t.Fatal(err)
	}
	about, err := c.Subordinate(t.Context(), anchor, there, f.Now)
	if err != nil {
		t.Fatal(err)
	}
	if len(about.Keys.Keys) != 1 || !jose.SameKey(about.Keys.Keys[0].Public, key.Public()) || about.Constraints == nil || *about.Constraints.MaxPathLength != 1 {
		t.Errorf("got keys %v, constraints %+v", about.Keys, about.Constraints)
	}
	if anchor.TrustMarkIssuers[there+"/keurmerk/toegelaten/opleiding"] == nil || anchor.TrustMarkIssuers[there+"/keurmerk/toegelaten/assessment"] != nil {
		t.Errorf("got marks %v", anchor.TrustMarkIssuers)
	}
	yes := true
	if list, err := c.Subordinates(t.Context(), anchor, openidfed.ListQuery{Intermediate: &yes}); err != nil || !slices.Equal(list, []string{there}) {
		t.Errorf("got %v, %v", list, err)
	}
	f.Advance(time.Hour)
	f.Do(registry.KindPeerDropped, &registry.PeerDrop{Genesis: other.Genesis, Reason: "twee geschiedenissen"}, registrytest.Vakbond, registrytest.Gemeente)
	var refused *openidfed.Error
	if _, err := c.Subordinate(t.Context(), anchor, there, f.Now); !errors.As(err, &refused) || refused.Code != openidfed.NotFound {
		t.Errorf("dropped: got %v", err)
	}
}
