package evidence_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// A region whose nodes sign two histories is caught, whichever of the two was seen first and
// however long each is, and stays caught. Both checkpoints are kept.
func TestFollowerCatchesAFork(t *testing.T) {
	for name, grow := range map[string]func(seen, other *evidencetest.Region){
		"same size":     func(*evidencetest.Region, *evidencetest.Region) {},
		"other longer":  func(_, other *evidencetest.Region) { other.Issuer("langer.example", paspoort.Opleiding) },
		"other shorter": func(seen, _ *evidencetest.Region) { seen.Issuer("langer.example", paspoort.Opleiding) },
	} {
		t.Run(name, func(t *testing.T) {
			clock := testkit.NewClock(time.Time{})
			region := evidencetest.New(t, clock.Now)
			region.Issuer("devaart.example", paspoort.Opleiding)
			other := region.Fork()
			region.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Linde"})
			other.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Eik"})
			grow(region, other)

			store := kv.NewMemory()
			config := evidence.FollowerConfig{Genesis: region.Genesis, Sources: []evidence.Source{region}, Store: store, Clock: clock.Now}
			f := newFollower(t, config)
			if err := f.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := facts(t, f)
			// One node alone that signs another history is a liar; it shows nothing about the region.
			f.SetSources([]evidence.Source{&fake{Source: other, note: other.Sign("knoop-2")}}, nil)
			if err := f.Refresh(t.Context()); err == nil || f.Health().Code != evidence.RegionLies {
				t.Errorf("one liar: %v, health %+v", err, f.Health())
			}
			if after := facts(t, f); after != before {
				t.Errorf("one liar changed the copy: %+v", after)
			}
			f.SetSources([]evidence.Source{region, other}, nil)
			if err := f.Refresh(t.Context()); !errors.Is(err, evidence.ErrForked) {
				t.Fatalf("error %v, want %v", err, evidence.ErrForked)
			}
			for _, f := range []*evidence.Follower{f, newFollower(t, config)} { // after a restart too
				h := f.Health()
				if h.Code != paspoort.DoubtForked || facts(t, f).Doubt != paspoort.DoubtForked || h.Fork == nil {
					t.Fatalf("health %+v", h)
				}
				if err := h.Fork.Check(); err != nil {
					t.Errorf("the proof: %v", err)
				}
				_ = f.Read(t.Context(), func(v registry.View, _ paspoort.RegistryFacts) error {
					for _, note := range []string{h.Fork.Smaller, h.Fork.Larger} {
						if _, err := v.CheckCheckpoint([]byte(note)); err != nil {
							t.Errorf("a note of the proof does not count: %v", err)
						}
					}
					return nil
				})
				if err := f.Refresh(t.Context()); !errors.Is(err, evidence.ErrForked) {
					t.Errorf("after the fork: %v", err)
				}
			}
		})
	}
}

// A follower with a store gives a region's log again: another that knows the region's id needs
// nothing else.
func TestFollowerIsAMirror(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	region := evidencetest.New(t, clock.Now)
	freelancer := region.Freelancer("eenpit.example", paspoort.Opleiding)
	for range 4 { // the tree grows in steps, over more than one node level
		region.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Linde " + clock.Now().Format("150405")})
		clock.Advance(time.Minute)
	}
	store := kv.NewMemory()
	config := evidence.FollowerConfig{Genesis: region.Genesis, Sources: []evidence.Source{region}, Store: store, Clock: clock.Now}
	f := newFollower(t, config)
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	region.AddNode("knoop-4")
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	down := &fake{err: errors.New("down")}
	second := newFollower(t, evidence.FollowerConfig{Genesis: region.Genesis, Sources: []evidence.Source{down}, Mirrors: []evidence.Source{f}, Clock: clock.Now})
	if err := second.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, want := facts(t, second), facts(t, f)
	if got != want || down.asked != 1 {
		t.Errorf("by way of the mirror %+v, want %+v; the node was asked %d times", got, want, down.asked)
	}
	if known(t, second, freelancer.URL) == "" {
		t.Error("the one-person firm is not known by way of the mirror")
	}
	region.Erase()
	if err := errors.Join(f.Refresh(t.Context()), second.Refresh(t.Context())); err != nil {
		t.Fatal(err)
	}
	if left, err := f.Payloads(context.Background()); err != nil || len(left) != 0 {
		t.Errorf("the mirror has %d payloads after the erasure, %v", len(left), err)
	}
	for _, f := range []*evidence.Follower{f, second} {
		if name := known(t, f, freelancer.URL); name != "" {
			t.Errorf("after the erasure the firm is called %q", name)
		}
	}
}

// known is the name of the organisation at an address, empty for who is not known.
func known(t *testing.T, c evidence.Copy, url string) (name string) {
	t.Helper()
	err := c.Read(t.Context(), func(v registry.View, _ paspoort.RegistryFacts) error {
		a, err := v.Admission(registry.Question{Lookup: registry.Lookup{URL: url}, Role: registry.Issuer, At: v.State.LogTime()})
		if err == nil && a.Organisation != nil {
			name = a.Organisation.Name
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}
