package node

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/specs/lote"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
	"paspoort.example/paspoort/specs/trqp"
)

// copyOf is the state of a region in memory as a copy.
type copyOf struct{ *registrytest.Region }

func (c copyOf) Read(_ context.Context, fn func(registry.View, evidence.RegistryFacts) error) error {
	return fn(c.State.View(), evidence.RegistryFacts{Region: c.Genesis(), Time: c.Now})
}

// TestListOfAStory: the list of a region in which everything happened, under all rules, keeps to
// the standard at every moment.
func TestListOfAStory(t *testing.T) {
	for rules := 1; rules <= registry.RulesVersion; rules++ {
		r, _ := registrytest.StoryUnder(t, &steady{}, rules)
		for size := uint64(1); size <= r.State.Size(); size++ {
			view, err := r.State.AsOf(size)
			if err != nil {
				t.Fatal(err)
			}
			list := newTrustList(view, listSource{node: "knoop-1", checkpoint: "note"}, r.Now)
			if _, err := list.Marshal(); err != nil {
				t.Fatalf("rules %d, %d leaves: %v", rules, size, err)
			}
			if list.Scheme.Sequence != int64(size) || len(list.Entities) < len(view.Organisations(r.Now).Organisations) {
				t.Errorf("rules %d: got number %d and %d entities of %d leaves", rules, list.Scheme.Sequence, len(list.Entities), size)
			}
		}
	}
}

// TestListNamesNoOnePersonFirm: the list travels and is kept, and such a name must stay erasable.
func TestListNamesNoOnePersonFirm(t *testing.T) {
	r := evidencetest.New(t, time.Now)
	firm := r.Freelancer("eenmanszaak.example", paspoort.Opleiding)
	err := r.Follower().Read(t.Context(), func(v registry.View, _ evidence.RegistryFacts) error {
		o, err := v.Organisation(firm.ID, time.Now())
		if err != nil || o.Name == "" || len(o.Aliases) == 0 {
			t.Errorf("the copy does not know its name itself: %+v, %v", o, err)
		}
		raw, err := newTrustList(v, listSource{}, time.Now()).Marshal()
		if err != nil || !bytes.Contains(raw, []byte(o.ID)) || bytes.Contains(raw, []byte("eenmanszaak")) {
			t.Errorf("got %s and %v", raw, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestListTellsHistory: for each organisation and type, at any moment, the list says what the
// registry says.
func TestListTellsHistory(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	r.Certificate(org, registry.UsageCredential)
	start := r.Now
	measure := func(kind registry.Kind, from time.Time) {
		t.Helper()
		m := &registry.Measure{Organisation: org, Role: registry.Issuer, Reason: "onderzoek"}
		if !from.IsZero() {
			m.EffectiveFrom = from.Unix()
		}
		proposed := r.Do(kind, m, registrytest.Werkgevers)
		if p, err := r.State.View().Proposal(proposed.Event.ID()); err == nil && p.Status == registry.Pending {
			r.Approve(proposed.Event.ID(), registrytest.Vakbond)
		}
	}
	r.Advance(10 * 24 * time.Hour)
	measure(registry.KindSuspended, time.Time{})
	r.Advance(10 * 24 * time.Hour)
	measure(registry.KindReinstated, time.Time{})
	r.Advance(10 * 24 * time.Hour)
	measure(registry.KindWithdrawn, r.Now.Add(-3*24*time.Hour))
	r.Advance(24 * time.Hour)
	list := newTrustList(r.State.View(), listSource{node: "knoop-1"}, r.Now)
	services := list.Find("https://vaart.example")
	if len(services) == 0 {
		t.Fatal("the issuer is not found by its address")
	}
	for _, tt := range []struct {
		day  int
		want string
	}{{-1, ""}, {5, loteGranted}, {15, loteStatus + "suspended"}, {25, loteGranted}, {28, loteWithdrawn}, {30, loteWithdrawn}} {
		got, _ := services[0].StatusAt(start.Add(time.Duration(tt.day)*24*time.Hour + time.Hour))
		if got != tt.want {
			t.Errorf("day %d: got %q, want %q", tt.day, got, tt.want)
		}
	}
	if len(services[0].History) != 3 || services[0].Now.Type != loteIssuance || !slices.Contains(services[0].Now.Identity.SubjectNames, "CN="+org) {
		t.Errorf("got %+v", services[0])
	}
	anchors := list.Entities[0].Services[0].Now
	if anchors.Type != loteCertificates || !bytes.Equal(anchors.Identity.Certificates[0].DER, r.Anchor().Raw) {
		t.Errorf("the region's authority: got %+v", anchors)
	}
}

func TestTRQP(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	linde := r.Admit("linde", registry.Verifier)
	r.Advance(24 * time.Hour)
	vctOfType := paspoort.Opleiding.VCT()
	other := strings.Repeat("ab", 32)
	r.Do(registry.KindPeerAccepted, &registry.PeerAcceptance{Genesis: other, Name: "Regio Berkelo", Origin: "berkelo.example/register", Reason: "buurregio",
		Types: []string{vctOfType}, Until: r.Now.AddDate(1, 0, 0).Unix(), URLs: []string{"https://berkelo.example"}}, registrytest.Werkgevers, registrytest.Gemeente)
	first := r.State.View()
	granted, err := first.Organisation(org, r.Now)
	if err != nil {
		t.Fatal(err)
	}
	vct := granted.Roles[0].Standing.Grants[0].Types[0]
	lookup, err := first.Organisation(linde, r.Now)
	if err != nil {
		t.Fatal(err)
	}
	purpose := lookup.Roles[0].Standing.Grants[0].Purposes[0]
	asked := trustRegistry{copyOf{r}, nil, func() time.Time { return r.Now }, func() string { return "https://knoop-1.example" }}
	region := regionURN(r.Genesis())
	for _, tt := range []struct {
		name, entity, authority, action, resource string
		at                                        time.Time
		recognition                               bool
		want                                      string
	}{
		{"an issuer", "https://vaart.example", region, "issue", vct, time.Time{}, false, "yes"},
		{"by its id", org, r.Genesis(), "issue", vct, time.Time{}, false, "yes"},
		{"another type", org, region, "issue", "urn:x:other", time.Time{}, false, "no"},
		{"before it was admitted", org, region, "issue", vct, registrytest.Start.AddDate(-1, 0, 0), false, "no"},
		{"later", org, region, "issue", vct, r.Now.Add(time.Hour), false, "400"},
		{"a stranger", "https://nobody.example", region, "issue", vct, time.Time{}, false, "404"},
		{"another action", org, region, "sell", vct, time.Time{}, false, "404"},
		{"another authority", org, "https://berkelo.example", "issue", vct, time.Time{}, false, "404"},
		{"a verifier", "https://linde.example", region, "verify", purpose, time.Time{}, false, "yes"},
		{"for another purpose", linde, region, "verify", "gokken", time.Time{}, false, "no"},
		{"an issuer as verifier", org, region, "verify", purpose, time.Time{}, false, "no"},
		{"a host of nothing", org, region, "host", "diamonds", time.Time{}, false, "404"},
		{"another region", regionURN(other), region, "issue", vctOfType, time.Time{}, true, "yes"},
		{"another region by its node", "https://berkelo.example", region, "issue", vctOfType, time.Time{}, true, "yes"},
		{"another region for another type", other, region, "issue", "urn:x:other", time.Time{}, true, "no"},
		{"another region before", other, region, "issue", vctOfType, registrytest.Start, true, "404"},
		{"an unknown region", strings.Repeat("cd", 32), region, "issue", vctOfType, time.Time{}, true, "404"},
		{"another region as verifier", other, region, "verify", vctOfType, time.Time{}, true, "404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ask := asked.Authorized
			if tt.recognition {
				ask = asked.Recognized
			}
			a, err := ask(t.Context(), trqp.Query{Entity: tt.entity, Authority: tt.authority, Action: tt.action, Resource: tt.resource, Time: tt.at})
			var p *trqp.Problem
			got := map[bool]string{true: "yes", false: "no"}[a.Yes]
			switch {
			case errors.As(err, &p):
				got = map[int]string{400: "400", 404: "404"}[p.Status]
			case err != nil:
				t.Fatal(err)
			case a.Message == "" || a.Log == nil || a.Log.Size != r.State.Size() || a.Yes != (a.Log.Index != nil) || a.Yes && !strings.HasPrefix(a.Log.Proof, "https://knoop-1.example/v1/proof/"):
				t.Errorf("got %+v, %+v", a, a.Log)
			}
			if got != tt.want {
				t.Errorf("got %s (%s, %v), want %s", got, a.Message, err, tt.want)
			}
		})
	}
}

// TestListsOfANode: a node signs the list with the key that the charter names, and the reader who
// pinned its certificate reads it.
func TestListsOfANode(t *testing.T) {
	key := namedP256("federation knoop-1")
	s := newAPIStage(t, func(c *Config) { c.FederationKey = key })
	if w := s.call(http.MethodGet, "/v1/lote", "", ""); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "signs no statements") {
		t.Errorf("without a key in the charter: got %d %s", w.Code, w.Body)
	}
	s.cluster.event(registry.KindNodeKeys, &registry.NodeChange{ID: "knoop-1", Reason: "tekent", Keys: &registry.NodeKeys{Federation: publicText(t, key)}}, "lid-1", "lid-4")
	n := s.node()
	size := n.size()
	eventually(t, "a checkpoint covers the key", func() bool { return n.covered() == size })
	made := &lists{}
	l, err := made.current(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	var from time.Time
	n.machine.mu.RLock()
	from = n.signsListsSince(n.machine.state.View())
	n.machine.mu.RUnlock()
	pinned, err := ca.ListSigner(key, s.cluster.charter.Name, from)
	if err != nil {
		t.Fatal(err)
	}
	read, err := (lote.Reader{Operators: []*x509.Certificate{pinned}, Seen: int64(size)}).Read(l.signed, n.cfg.Clock())
	if err != nil || read.Scheme.Distribution[0] != "https://knoop-1.example/v1/lote" {
		t.Errorf("got %+v and %v", read, err)
	}
	if again, _ := made.current(t.Context(), n); again != l {
		t.Error("the list was made twice within a minute")
	}
	question := `{"entity_id":"%s","authority_id":"` + s.cluster.genesis + `","action":"issue","resource":"urn:x:y"}`
	for _, c := range []struct {
		target, media, entity string
		want                  int
	}{
		{"/trqp/authorization", "application/json", "https://nobody.example", 404},
		{"/trqp/recognition", "application/json", strings.Repeat("cd", 32), 404},
		{"/trqp/recognition", "text/plain", "x", 415},
		{"/trqp/authorization", "application/json", "x y", 400},
	} {
		if w := s.call(http.MethodPost, c.target, c.media, strings.Replace(question, "%s", c.entity, 1)); w.Code != c.want {
			t.Errorf("%s about %s: got %d %s, want %d", c.target, c.entity, w.Code, w.Body, c.want)
		}
	}
}

// TestTRQPByEntity: another region is found by the entity identifier that stands in its own log.
func TestTRQPByEntity(t *testing.T) {
	r := registrytest.New(t)
	const there = "https://lindewaard.example"
	other := evidencetest.Named(t, func() time.Time { return r.Now }, "Regio Lindewaard", "lindewaard.example", func(c *registry.Charter) { c.Entity = there })
	other.Sign()
	r.Do(registry.KindPeerAccepted, &registry.PeerAcceptance{Genesis: other.Genesis, Name: "Regio Lindewaard", Origin: other.Charter.Origin, Reason: "buurregio",
		Until: r.Now.AddDate(1, 0, 0).Unix(), URLs: []string{"https://knoop.lindewaard.example"}}, registrytest.Werkgevers, registrytest.Gemeente)
	follower := other.Follower()
	peers := func() (out []*evidence.Neighbour) {
		for _, p := range r.State.View().Peers(r.Now) {
			out = append(out, &evidence.Neighbour{PeerStanding: p}, &evidence.Neighbour{PeerStanding: p, Follower: follower})
		}
		return out
	}
	asked := trustRegistry{copyOf{r}, peers, func() time.Time { return r.Now }, func() string { return "https://knoop-1.example" }}
	q := trqp.Query{Entity: there, Authority: r.Genesis(), Action: "issue", Resource: paspoort.Opleiding.VCT()}
	if a, err := asked.Recognized(t.Context(), q); err != nil || !a.Yes {
		t.Errorf("got %+v, %v", a, err)
	}
	var p *trqp.Problem
	q.Entity = "https://elders.example"
	if _, err := asked.Recognized(t.Context(), q); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("another entity: got %v", err)
	}
}

// BenchmarkTrustList: what a list of a thousand issuers costs.
func BenchmarkTrustList(b *testing.B) {
	r := registrytest.New(b)
	for i := range 1000 {
		r.Admit(fmt.Sprintf("org-%d", i), registry.Issuer)
	}
	view := r.State.View()
	size := 0
	for b.Loop() {
		raw, err := newTrustList(view, listSource{node: "knoop-1"}, r.Now).Marshal()
		if err != nil {
			b.Fatal(err)
		}
		size = len(raw)
	}
	b.ReportMetric(float64(size)/1000, "bytes/organisation")
}
