package registry_test

import (
	"errors"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// TestCheckedIsNotTrusted: that an event was looked at lets nothing else in. Each change is
// refused as it is without, and the event itself is taken.
func TestCheckedIsNotTrusted(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	event := r.Compose(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	other := r.Compose(registry.KindApplied, r.Application("kade", registry.Issuer), registry.OrganisationParty(registrytest.OrganisationID("kade")))
	for _, e := range []registry.SignedEvent{event, other} {
		if err := registry.Check(r.State, e, r.Now); err != nil {
			t.Fatal(err)
		}
	}
	for name, spoil := range map[string]func(*registry.SignedEvent){
		"signature of another event": func(e *registry.SignedEvent) { e.Signatures = other.Signatures },
		"other content":              func(e *registry.SignedEvent) { e.Event.Expires++ },
		"high s":                     func(e *registry.SignedEvent) { e.Signatures = []string{registry.HighS(t, e.Signatures[0])} },
	} {
		bad := event
		spoil(&bad)
		if _, err := registry.Apply(r.State, registry.NewLeaf(bad, r.Now)); !errors.Is(err, registry.ErrSignature) {
			t.Errorf("%s: got %v, want %v", name, err, registry.ErrSignature)
		}
	}
	before := r.State.Digest()
	if _, err := registry.Apply(r.State, registry.NewLeaf(event, r.Now)); err != nil {
		t.Fatal(err)
	}
	if r.State.Digest() == before {
		t.Error("the event changed nothing")
	}
}

// TestLeafOf: a leaf that is put together is the leaf that is encoded.
func TestLeafOf(t *testing.T) {
	for _, g := range goldens {
		snap, _ := readGolden(t, g.name)
		for i, want := range snap.Leaves {
			leaf, err := registry.ParseLeaf(want)
			if err != nil {
				t.Fatal(err)
			}
			event, err := leaf.Signed().Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := registry.LeafOf(event, time.Unix(leaf.LogTime, 0)); err != nil || string(got) != string(want) {
				t.Errorf("%s, leaf %d: %s, %v", g.name, i, got, err)
			}
		}
	}
	if _, err := registry.LeafOf([]byte("{}"), time.Unix(1, 0)); !errors.Is(err, registry.ErrMalformed) {
		t.Errorf("not an event: got %v", err)
	}
}
