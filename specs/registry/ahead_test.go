package registry_test

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/registry"
)

// TestLookAhead: who looked ahead comes to the same state, and a bad signature is found good by
// nobody.
func TestLookAhead(t *testing.T) {
	snap, _ := readGolden(t, "rules-2")
	plain, spared := registry.NewState(snap.Genesis), registry.NewState(snap.Genesis)
	found := 0
	for i, raw := range snap.Leaves {
		leaf, err := registry.ParseLeaf(raw)
		if err != nil {
			t.Fatal(err)
		}
		ahead := spared.LookAhead(leaf)
		found += len(ahead)
		bad := leaf
		bad.Signatures = append([]string(nil), leaf.Signatures...)
		bad.Signatures[0] = flipFirst(bad.Signatures[0])
		spared.Spare(spared.LookAhead(bad))
		if _, err := registry.Apply(spared, bad); err == nil || errors.Is(err, registry.ErrFrozen) {
			t.Fatalf("leaf %d with a bad signature: %v", i, err)
		}
		spared.Spare(ahead)
		for _, s := range []*registry.State{plain, spared} {
			if _, err := registry.Apply(s, leaf); err != nil {
				t.Fatalf("leaf %d: %v", i, err)
			}
		}
	}
	if plain.Digest() != spared.Digest() {
		t.Error("another state")
	}
	if found < len(snap.Leaves) {
		t.Errorf("only %d signatures of %d leaves were checked ahead", found, len(snap.Leaves))
	}
}

func flipFirst(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}
