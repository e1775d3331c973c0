package registry_test

import (
	"errors"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
)

// TestPreparedIsJudgedAlike: events that are prepared once, looked at and then applied give the
// same state after each leaf as leaves that are applied by themselves, and are as they were.
func TestPreparedIsJudgedAlike(t *testing.T) {
	for _, g := range goldens {
		snap, _ := readGolden(t, g.name)
		one, other := registry.NewState(""), registry.NewState("")
		for i, raw := range snap.Leaves {
			leaf, err := registry.ParseLeaf(raw)
			if err != nil {
				t.Fatal(err)
			}
			event, err := leaf.Signed().Marshal()
			if err != nil {
				t.Fatal(err)
			}
			p, err := registry.Prepare(event)
			if err != nil {
				t.Fatal(err)
			}
			at := time.Unix(leaf.LogTime, 0)
			if err := p.Check(one, at); err != nil {
				t.Fatalf("%s, leaf %d is not taken: %v", g.name, i, err)
			}
			got, err := p.Apply(one, at)
			if err != nil {
				t.Fatalf("%s, leaf %d: %v", g.name, i, err)
			}
			want, err := registry.Apply(other, leaf)
			if err != nil {
				t.Fatal(err)
			}
			if got.Event != want.Event || p.ID() != want.Event || one.Digest() != other.Digest() {
				t.Fatalf("%s, leaf %d of kind %s: prepared it gives another state", g.name, i, leaf.Event.Kind)
			}
			if body, err := ijson.Canonical(p.TestingBody()); err != nil || string(body) != string(leaf.Event.Body) {
				t.Errorf("%s, leaf %d of kind %s: applying it changed its body: %s, %v", g.name, i, leaf.Event.Kind, body, err)
			}
		}
	}
	if _, err := registry.Prepare([]byte("{}")); !errors.Is(err, registry.ErrMalformed) {
		t.Errorf("not an event: got %v", err)
	}
}
