package registry_test

import (
	"errors"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// A region of older rules goes to the next version when two groups agree. What was under way
// is decided under the rules that it was made under.
func TestRulesAreRaised(t *testing.T) {
	r := registrytest.NewUnder(t, registrytest.Start, 1)
	if got := r.State.Rules(); got != 1 {
		t.Fatalf("founded under %d", got)
	}
	underway, org := applied(r)
	up := &registry.RulesChange{Version: 2, Reason: "alle knopen zijn bijgewerkt"}
	if err := r.Try(registry.KindRules, &registry.RulesChange{Version: 3, Reason: "x"}, vakbond, gemeente); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("two versions at a time: %v", err)
	}
	s := r.Do(registry.KindRules, up, vakbond)
	if got := r.State.Rules(); got != 1 {
		t.Errorf("one member: rules %d", got)
	}
	old := approval(r, underway, vakbond)
	effect := r.Must(r.Compose(registry.KindApproved, &registry.Decision{Proposal: s.Event.ID(), Voter: gemeente}, gemeente))
	if effect.Rules != 2 || r.State.Rules() != 2 || r.State.View().Region(r.Now).Rules != 2 {
		t.Errorf("effect %+v, rules %d", effect, r.State.Rules())
	}
	if err := submit(r, old); !errors.Is(err, registry.ErrRules) {
		t.Errorf("signed before, came after: %v", err)
	}
	if err := r.Try(registry.KindRules, up, vakbond, gemeente); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("again: %v", err)
	}
	r.Approve(underway, vakbond, gemeente)
	if a := r.Admission(org, r.Now); !a.Admitted {
		t.Errorf("what was under way: %s", a.Code)
	}
	again := registry.NewState(r.Genesis())
	for i, raw := range r.Leaves {
		leaf, err := registry.ParseLeaf(raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := registry.Apply(again, leaf); err != nil {
			t.Fatalf("leaf %d: %v", i, err)
		}
	}
	if again.Digest() != r.State.Digest() {
		t.Error("another digest after a replay")
	}
}

// A program that does not know the rules stops, and says what to do.
func TestNewerRulesAreNotJudged(t *testing.T) {
	r := registrytest.New(t)
	beyond := &registry.RulesChange{Version: registry.RulesVersion + 1, Reason: "van later"}
	s := r.Do(registry.KindRules, beyond, vakbond) // a proposal alone changes nothing
	before := r.State.Digest()
	vote := r.Compose(registry.KindApproved, &registry.Decision{Proposal: s.Event.ID(), Voter: gemeente}, gemeente)
	if err := submit(r, vote); !errors.Is(err, registry.ErrNewer) || !strings.Contains(err.Error(), "version") {
		t.Errorf("the vote that completes it: %v", err)
	}
	if r.State.Digest() != before {
		t.Error("the state changed")
	}
	// A mirror of such a region freezes at the leaves before.
	rep, err := registry.NewReplica(r.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	if err := rep.Extend(r.Leaves, r.Checkpoint()); err != nil {
		t.Fatal(err)
	}
	leaf, err := registry.NewLeaf(vote, r.Now).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	note := r.CheckpointOver(leaf)
	if err := rep.Extend([][]byte{leaf}, note); !errors.Is(err, registry.ErrFrozen) || !errors.Is(err, registry.ErrNewer) {
		t.Errorf("a mirror: %v", err)
	}
	if rep.Size() != uint64(len(r.Leaves)) || rep.State().Digest() != before {
		t.Error("the mirror does not stand where it stopped")
	}
	if err := rep.Extend(nil, note); !errors.Is(err, registry.ErrNewer) {
		t.Errorf("a mirror afterwards: %v", err)
	}
}
