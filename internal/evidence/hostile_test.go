package evidence_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// What an accepted region could do to issuers that are not its own.

// Its nodes can date anything back: that must not save an issuer of the home region that was
// withdrawn for fraud.
func TestNeighbourDoesNotDateForOthers(t *testing.T) {
	b := newBorder(t)
	b.region.Accept(b.far, until(b))
	b.look()
	token := b.issuer.Issue(paspoort.Opleiding, b.holder.Public())
	far := b.farIssuer.Issue(paspoort.Opleiding, b.holder.Public())
	node := func(jwt string) []any {
		return []any{b.far.Timestamp("knoop-1", jwt), b.far.Timestamp("knoop-3", jwt)}
	}
	forHome, forOwn := node(token.IssuerJWT()), node(far.IssuerJWT())
	fraudFrom := b.clock.Now().Add(24 * time.Hour)
	b.clock.Advance(48 * time.Hour)
	b.region.Withdraw(b.issuer.ID, true, fraudFrom)
	b.far.Withdraw(b.farIssuer.ID, true, fraudFrom)
	b.clock.Advance(time.Hour)
	b.look()
	expect(t, b.verify(b.present(token, forHome...)), "outcome=failed", "withdrawal=failed/withdrawn_for_fraud")
	expect(t, b.verify(b.present(far, forOwn...)), "withdrawal=ok/existed_before_fraud") // of its own issuers they do tell
}

// It may have had the address of an issuer here before that was admitted: a date of before does
// not make it speak for that issuer.
func TestNeighbourDoesNotSpeakForIssuersOfHome(t *testing.T) {
	b := newBorder(t)
	b.region.Accept(b.far, until(b))
	taken := b.far.Issuer("nieuw.example", paspoort.Opleiding)
	before := taken.Issue(paspoort.Opleiding, b.holder.Public())
	b.look()
	expect(t, b.verify(b.present(before)), "issuer_admitted=ok/admitted") // nobody here has that address
	b.clock.Advance(10 * 24 * time.Hour)
	moved := b.region.Issuer("nieuw.example", paspoort.Opleiding)
	b.look()
	expect(t, b.verify(b.present(before)), "outcome=failed", "issuer_admitted=failed/issuer_not_in_region")
	// An issuer that came here from there, with its key, keeps what it signed there.
	b.region.Certify(moved.ID, moved.URL, taken.Key.Public(), "credential")
	b.look()
	expect(t, b.verify(b.present(before)), "issuer_admitted=ok/admitted")
}

// A region that was dropped vouches for nobody by way of the one that goes on for it.
func TestDroppedRegionHidesBehindItsSuccessor(t *testing.T) {
	for name, types := range map[string][]paspoort.Type{"dropped": nil, "other types": {paspoort.Werkervaring}} {
		t.Run(name, func(t *testing.T) {
			b := newBorder(t)
			b.region.Accept(b.far, until(b), types...)
			b.look()
			old := b.foreign(paspoort.Opleiding)
			b.clock.Advance(72 * time.Hour)
			root, size := b.far.Root()
			next := evidencetest.Named(t, b.clock.Now, "Regio Maasdal", "maasdal.example/2", func(c *registry.Charter) {
				c.Continues = &registry.Continuation{Genesis: b.far.Genesis, Root: root, Size: size}
				c.Nodes[0].URL = "https://opnieuw.example"
			})
			b.roads["https://opnieuw.example"] = next
			b.region.AcceptAs(next, until(b), func(p *registry.PeerAcceptance) { p.Continues = b.far.Genesis })
			next.Issuer("stroom.example", paspoort.Opleiding) // known there too, with another key
			if name == "dropped" {
				b.region.Drop(b.far, b.clock.Now().Add(-96*time.Hour))
			}
			b.look()
			expect(t, b.verify(old), "outcome=failed", "issuer_admitted=failed")
		})
	}
}

// dripping is a region that sends one leaf at a time and never ends, or does something worse.
type dripping struct {
	evidence.Source
	asked chan struct{} // closed at the first leaf that is asked for
	worse func()
}

func (s *dripping) Leaves(ctx context.Context, _, _ uint64) ([][]byte, error) {
	if s.worse != nil {
		s.worse()
	}
	select {
	case <-s.asked:
	default:
		close(s.asked)
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// A source that drips keeps the next from being asked for minutes, and nobody from saying that the
// region was dropped.
func TestSourceThatDrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := evidencetest.Named(t, time.Now, "Regio Maasdal", "maasdal.example")
		drip := &dripping{Source: far, asked: make(chan struct{})}
		f := newFollower(t, evidence.FollowerConfig{Genesis: far.Genesis, Sources: []evidence.Source{drip, far}, Store: kv.NewMemory(), Clock: time.Now})
		began, done := time.Now(), make(chan error)
		go func() { done <- f.Refresh(t.Context()) }()
		<-drip.asked
		f.SetSources(nil, nil)
		if !time.Now().Equal(began) {
			t.Error("who says where the region is waited for a source")
		}
		if err := <-done; err != nil || time.Since(began) > 5*time.Minute {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

// A region on which this program breaks off stands alone.
func TestNeighbourThatBreaksTheReader(t *testing.T) {
	b := newBorder(t)
	b.region.Accept(b.far, until(b))
	b.roads["https://knoop-1.example"] = &dripping{Source: b.far, asked: make(chan struct{}), worse: func() { panic("a leaf that nobody thought of") }}
	b.look()
	expect(t, b.verify(b.foreign(paspoort.Opleiding)), "issuer_admitted=failed/issuer_not_in_region")
	expect(t, b.verify(b.present(b.issuer.Issue(paspoort.Opleiding, b.holder.Public()))), "outcome=ok")
}

// A full disk is the region's own trouble, not that of the node which keeps the copy.
func TestNeighbourThatFillsTheDisk(t *testing.T) {
	far := evidencetest.Named(t, time.Now, "Regio Maasdal", "maasdal.example")
	var full error
	f := newFollower(t, evidence.FollowerConfig{Genesis: far.Genesis, Sources: []evidence.Source{far}, Store: kv.NewMemory(), Clock: time.Now, Room: func() error { return full }})
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, before := far.Root()
	far.Issuer("stroom.example", paspoort.Opleiding)
	full = errors.New("no room")
	if err := f.Refresh(t.Context()); !errors.Is(err, full) {
		t.Errorf("on a full disk: %v", err)
	}
	if err := f.Read(t.Context(), func(v registry.View, _ paspoort.RegistryFacts) error {
		if v.AsOf != before {
			t.Errorf("%d leaves, %d were there before", v.AsOf, before)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// Cosignatures of a day that is still to come make no copy look fresh, and what they were on is
// replaced by what is signed today.
func TestRegionThatSignsTomorrow(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	ahead := 365 * 24 * time.Hour
	far := evidencetest.Named(t, func() time.Time { return clock.Now().Add(ahead) }, "Regio Maasdal", "maasdal.example")
	f := newFollower(t, evidence.FollowerConfig{Genesis: far.Genesis, Sources: []evidence.Source{far}, Store: kv.NewMemory(), Clock: clock.Now})
	at := func() (at time.Time) {
		t.Helper()
		if err := f.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = f.Read(t.Context(), func(_ registry.View, facts paspoort.RegistryFacts) error { at = facts.Time; return nil })
		return at
	}
	if got := at(); !got.Equal(clock.Now().Add(ahead).Truncate(time.Second)) {
		t.Fatalf("the first is from %s", got)
	}
	ahead = 0
	if got := at(); !got.Equal(clock.Now().Truncate(time.Second)) {
		t.Errorf("signed today, the copy is from %s", got)
	}
	ahead = 25 * time.Hour
	if got := at(); got.After(clock.Now()) {
		t.Errorf("signed tomorrow, the copy is from %s", got)
	}
}
