package evidence_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// roads are addresses with what answers there; others are down.
type roads map[string]evidence.Source

func (r roads) source(url string) evidence.Source { return road{r, url} }

type road struct {
	roads roads
	url   string
}

var errDown = errors.New("nobody answers at this address")

func (r road) to() evidence.Source {
	if s, ok := r.roads[r.url]; ok {
		return s
	}
	return &fake{err: errDown}
}

func (r road) Checkpoint(ctx context.Context) ([]byte, error)  { return r.to().Checkpoint(ctx) }
func (r road) Handovers(ctx context.Context) ([][]byte, error) { return r.to().Handovers(ctx) }
func (r road) Leaves(ctx context.Context, from, to uint64) ([][]byte, error) {
	return r.to().Leaves(ctx, from, to)
}

// Payloads implements registry.PayloadSource.
func (r road) Payloads(ctx context.Context) ([]registry.OpenPayload, error) {
	if from, ok := r.to().(registry.PayloadSource); ok {
		return from.Payloads(ctx)
	}
	return nil, errDown
}

// border is a verifier in one region that is shown what an issuer in another made.
type border struct {
	*stage
	far        *evidencetest.Region
	farIssuer  *evidencetest.Issuer
	roads      roads
	store      kv.Store
	neighbours *evidence.Neighbours
}

func newBorder(t *testing.T) *border {
	t.Helper()
	b := &border{stage: newStage(t), roads: roads{}, store: kv.NewMemory()}
	b.far = evidencetest.Named(t, b.clock.Now, "Regio Maasdal", "maasdal.example")
	b.farIssuer = b.far.Issuer("stroom.example", paspoort.Opleiding, paspoort.Werkervaring)
	b.web.Pages[b.farIssuer.StatusURI] = b.farIssuer.StatusToken
	b.roads["https://knoop-1.example"] = b.far // where the acceptance says it is
	b.start()
	return b
}

// start makes the verifier as a new process has it, over the same store.
func (b *border) start() {
	b.t.Helper()
	var err error
	b.neighbours, err = evidence.NewNeighbours(evidence.NeighboursConfig{
		Home: b.follow, Source: b.roads.source, Clock: b.clock.Now, Store: func() (kv.Store, error) { return b.store, nil },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.service = b.serve(evidence.Config{Copies: []evidence.Copy{b.follow}, Neighbours: b.neighbours, Fetch: b.web})
}

// look brings home and neighbours up to date.
func (b *border) look() {
	b.t.Helper()
	b.refresh()
	if err := b.neighbours.Refresh(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *border) health() evidence.Health {
	b.t.Helper()
	peer, ok := b.neighbours.Get(b.far.Genesis)
	if !ok || peer.Follower == nil {
		b.t.Fatal("the neighbour is not followed")
	}
	return peer.Follower.Health()
}

// foreign is a credential of the other region's issuer, as it is shown.
func (b *border) foreign(kind paspoort.Type) string {
	return b.present(b.farIssuer.Issue(kind, b.holder.Public()))
}

func until(b *border) time.Time { return b.clock.Now().AddDate(2, 0, 0) }

func TestAcceptedRegionCounts(t *testing.T) {
	b := newBorder(t)
	b.look()
	expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted=failed/issuer_not_in_region")

	b.region.Accept(b.far, until(b))
	b.look()
	own, shown := b.present(b.issuer.Issue(paspoort.Opleiding, b.holder.Public())), b.foreign(paspoort.Opleiding)
	v := b.verify(shown)
	expect(t, v, "outcome=ok", "issuer_admitted=ok/admitted", "status=ok/status_valid")
	r := v.Registry
	if r == nil || r.Region != b.far.Genesis || r.Name != "Regio Maasdal" || r.AsOf == 0 || r.Via == nil || r.Via.Region != b.region.Genesis || r.Via.Name != "Regio Aakermonde" {
		t.Errorf("registry of the verdict: %+v", r)
	}
	if v.Credentials[0].Issuer.Region != b.far.Genesis {
		t.Errorf("the issuer is of region %s", v.Credentials[0].Issuer.Region)
	}
	// Both regions in one answer: each judges its own.
	v = b.verify(own, shown)
	if len(v.Registries) != 1 || v.Registry.Via != nil || v.Registries[0].Via == nil || v.Outcome != paspoort.OK {
		t.Errorf("two regions: %s, %+v and %+v", v.Outcome, v.Registry, v.Registries)
	}
	standing, err := b.service.Admission(t.Context(), registry.Question{Lookup: registry.Lookup{URL: b.farIssuer.URL}, Role: registry.Issuer, At: b.clock.Now()})
	if err != nil || !standing.Admitted || standing.Registry.Region != b.far.Genesis || standing.Registry.Via == nil {
		t.Errorf("who is that: %+v, %v", standing, err)
	}
}

func TestAcceptanceIsLimited(t *testing.T) {
	t.Run("to types", func(t *testing.T) {
		b := newBorder(t)
		b.region.Accept(b.far, until(b), paspoort.Opleiding)
		b.look()
		expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted=ok/admitted")
		expect(t, b.verify(b.foreign(paspoort.Werkervaring)), "issuer_admitted=failed/region_other_types")
	})
	t.Run("to a time", func(t *testing.T) {
		b := newBorder(t)
		b.region.Accept(b.far, b.clock.Now().Add(48*time.Hour))
		b.look()
		old := b.foreign(paspoort.Opleiding)
		b.clock.Advance(72 * time.Hour)
		b.look()
		expect(t, b.verify(old), "issuer_admitted=unknown/region_ended_day_unknown")
		expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted=failed/region_ended_before")
		b.region.Accept(b.far, until(b)) // renewed
		b.look()
		expect(t, b.verify(old), "issuer_admitted=ok/admitted")
	})
	t.Run("until it is dropped", func(t *testing.T) {
		b := newBorder(t)
		b.region.Accept(b.far, until(b))
		b.look()
		old := b.foreign(paspoort.Opleiding)
		b.clock.Advance(72 * time.Hour)
		b.region.Drop(b.far, b.clock.Now().Add(-24*time.Hour))
		b.look()
		expect(t, b.verify(old), "issuer_admitted=unknown/region_dropped_day_unknown")
		expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted=failed/region_dropped_before")
		if s, err := b.service.Admission(t.Context(), registry.Question{Lookup: registry.Lookup{URL: b.farIssuer.URL}, Role: registry.Issuer, At: b.clock.Now()}); err != nil || s.Organisation != nil {
			t.Errorf("who is that, from a dropped region: %+v, %v", s, err)
		}
	})
	t.Run("to that region, not to whom it accepts", func(t *testing.T) {
		b := newBorder(t)
		third := evidencetest.Named(t, b.clock.Now, "Regio Duinrand", "duinrand.example")
		issuer := third.Issuer("duinen.example", paspoort.Opleiding)
		b.far.Accept(third, until(b))
		b.region.Accept(b.far, until(b))
		b.look()
		expect(t, b.verify(b.present(issuer.Issue(paspoort.Opleiding, b.holder.Public()))), "issuer_admitted=failed/issuer_not_in_region")
		if _, ok := b.neighbours.Get(third.Genesis); ok {
			t.Error("the neighbour of a neighbour is followed")
		}
	})
	t.Run("to its own issuers", func(t *testing.T) {
		b := newBorder(t)
		taken := b.far.Issuer("devaart.example", paspoort.Opleiding) // the address of an issuer here
		b.region.Accept(b.far, until(b))
		b.look()
		expect(t, b.verify(b.present(taken.Issue(paspoort.Opleiding, b.holder.Public()))), "outcome=failed", "issuer_admitted=failed/key_not_recorded")
	})
}

// A region that is down is known by its mirrors, then by the copy that is here, until that is too
// old to say anything.
func TestRegionThatIsDown(t *testing.T) {
	b := newBorder(t)
	mirror := newFollower(t, evidence.FollowerConfig{Genesis: b.far.Genesis, Sources: []evidence.Source{b.far}, Store: kv.NewMemory(), Clock: b.clock.Now})
	if err := mirror.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.region.Accept(b.far, until(b))
	delete(b.roads, "https://knoop-1.example")
	b.look()
	if h := b.health(); h.Code != evidence.RegionDown {
		t.Errorf("health %+v", h)
	}
	expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted=failed/issuer_not_in_region")
	b.roads["https://knoop-2.example/regions/"+b.far.Genesis] = mirror // of a node here
	b.look()
	if h := b.health(); h.Code != evidence.RegionDown || h.Answered.IsZero() || h.Err != nil {
		t.Errorf("by way of the mirror: health %+v", h)
	}
	expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted=ok/admitted")

	clear(b.roads)
	b.clock.Advance(6 * 24 * time.Hour)
	b.look()
	b.start() // and the copy is there after a restart
	b.look()
	v := b.verify(b.foreign(paspoort.Opleiding))
	expect(t, v, "issuer_admitted=ok/admitted")
	if v.Registry.AgeSeconds < 6*24*3600 {
		t.Errorf("the verdict says that the copy is %d seconds old", v.Registry.AgeSeconds)
	}
	b.clock.Advance(2 * 24 * time.Hour)
	b.look()
	expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted=unknown/registry_too_old")
}

func TestRegionThatForks(t *testing.T) {
	b := newBorder(t)
	b.region.Accept(b.far, until(b))
	other := b.far.Fork()
	b.far.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Linde"})
	other.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Eik"})
	b.look()
	expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted=ok/admitted")
	b.roads["https://knoop-2.example"] = other // its log says that this is one of its nodes
	b.look()
	v := b.verify(b.foreign(paspoort.Opleiding))
	expect(t, v, "issuer_admitted=unknown/region_forked", "withdrawal=unknown/region_forked")
	if v.Registry.Doubt != paspoort.DoubtForked || !strings.Contains(v.Registry.Note.NL, "Regio Maasdal heeft twee verschillende registers ondertekend") {
		t.Errorf("registry of the verdict: %+v", v.Registry)
	}
	if h := b.health(); h.Fork == nil || h.Fork.Check() != nil {
		t.Errorf("no proof is kept: %+v", h)
	}
}

// A region that lost its quorum for good goes on under a new genesis. What its predecessor's
// members decided still counts, as far as the new one knows the same history.
func TestRegionThatIsContinued(t *testing.T) {
	b := newBorder(t)
	b.region.Accept(b.far, until(b))
	b.look()
	old := b.foreign(paspoort.Opleiding)
	root, size := b.far.Root()
	clear(b.roads)
	b.clock.Advance(30 * 24 * time.Hour)
	b.look()
	expect(t, b.verify(old), "issuer_admitted=unknown/registry_too_old")

	next := evidencetest.Named(t, b.clock.Now, "Regio Maasdal", "maasdal.example/2", func(c *registry.Charter) {
		c.Continues = &registry.Continuation{Genesis: b.far.Genesis, Root: root, Size: size}
		c.Nodes[0].URL = "https://opnieuw.example"
	})
	b.roads["https://opnieuw.example"] = next
	b.region.AcceptAs(next, until(b), func(p *registry.PeerAcceptance) { p.Continues = b.far.Genesis })
	b.look()
	expect(t, b.verify(old), "issuer_admitted=ok/admitted")

	// What the new one decides about the same organisation counts beside it.
	again := next.Issuer("stroom.example", paspoort.Opleiding)
	next.Withdraw(again.ID, true, b.clock.Now().AddDate(0, 0, -60))
	b.look()
	expect(t, b.verify(old), "withdrawal=failed/withdrawn_for_fraud")
}

func TestNeighboursRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		home, far := evidencetest.New(t, time.Now), evidencetest.Named(t, time.Now, "Regio Maasdal", "maasdal.example")
		follow := home.Follower()
		n, err := evidence.NewNeighbours(evidence.NeighboursConfig{
			Home: follow, Source: roads{"https://knoop-1.example": far}.source, Every: time.Minute, Clock: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- n.Run(ctx) }()
		home.Accept(far, time.Now().AddDate(1, 0, 0))
		if err := follow.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // of the bubble
		synctest.Wait()
		peer, ok := n.Get(far.Genesis)
		if !ok || facts(t, peer.Follower).Leaves == 0 {
			t.Errorf("the neighbour is not followed: %+v", peer)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

// A region that follows newer rules, or breaks its own, is not followed any further. The first
// counts until the copy is too old; the second counts no more at once.
func TestRegionThatGoesBeyondItsRules(t *testing.T) {
	for name, tt := range map[string]struct {
		change      func(*evidencetest.Region)
		doubt       string
		now, inDays string // what is said of an issuer there, now and after nine days
	}{
		"newer rules":     {(*evidencetest.Region).NewerRules, paspoort.DoubtNewer, "ok/admitted", "unknown/region_newer_rules"},
		"against its own": {(*evidencetest.Region).BreakRules, paspoort.DoubtFrozen, "unknown/region_frozen", "unknown/region_frozen"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBorder(t)
			b.region.Accept(b.far, until(b))
			b.look()
			before := b.health()
			tt.change(b.far)
			b.far.Sign()
			b.look()
			if h := b.health(); h.Code != tt.doubt || before.Code != "" {
				t.Errorf("health %+v, before %+v", h, before)
			}
			expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted="+tt.now)
			b.clock.Advance(9 * 24 * time.Hour)
			b.start() // a restart forgets nothing of it
			b.look()
			v := b.verify(b.foreign(paspoort.Opleiding))
			expect(t, v, "issuer_admitted="+tt.inDays)
			if v.Registry.Doubt != tt.doubt {
				t.Errorf("the verdict says %+v", v.Registry)
			}
		})
	}
}

// Personal data that a region erased is gone from its mirrors too, and reads so.
func TestRegionThatErases(t *testing.T) {
	b := newBorder(t)
	b.farIssuer = b.far.Freelancer("eenpit.example", paspoort.Opleiding)
	b.web.Pages[b.farIssuer.StatusURI] = b.farIssuer.StatusToken
	b.region.Accept(b.far, until(b))
	b.look()
	shown := b.foreign(paspoort.Opleiding)
	expect(t, b.verify(shown), "issuer_admitted=ok/admitted")
	b.far.Erase()
	b.look()
	peer, _ := b.neighbours.Get(b.far.Genesis)
	if v := b.verify(shown); v.Outcome == paspoort.OK || v.Credentials[0].Issuer.Name != "" || known(t, peer.Follower, b.farIssuer.URL) != "" {
		t.Errorf("after the erasure: %s, issuer %+v", v.Outcome, v.Credentials[0].Issuer)
	}
	expect(t, b.verify(shown), "issuer_admitted=unknown/perhaps_erased")
	if left, err := peer.Follower.Payloads(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("the mirror keeps %d payloads, %v", len(left), err)
	}
	erased := false
	err := peer.Follower.Read(t.Context(), func(v registry.View, _ paspoort.RegistryFacts) error {
		o, err := v.Organisation(b.farIssuer.ID, b.clock.Now())
		erased = o.Erased
		return err
	})
	if err != nil || !erased {
		t.Errorf("the organisation does not read as erased: %v", err)
	}
}
