package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// donor is a machine with some leaves, its snapshot, and the leaves as others give them.
func donor(t *testing.T) (*testRegion, snapshot, [][]byte) {
	r, store, m := aloneMachine(t)
	for i := range uint64(6) {
		founded(t, m.Apply(entry(2+i, r.start, r.raw(fmt.Sprint("Organisatie ", i), r.start))))
	}
	taken, err := m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var leaves [][]byte
	if err := store.View(func(tx kv.Tx) error {
		for i := range m.meta.Size {
			raw, err := readLeaf(tx, i)
			if err != nil {
				return err
			}
			leaves = append(leaves, raw)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return r, *taken.(*snapshot), leaves
}

func reader(t *testing.T, s snapshot) io.ReadCloser {
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return io.NopCloser(strings.NewReader(string(raw)))
}

// lagging is a machine that has the founding event only.
func lagging(t *testing.T, r *testRegion, fetch func(from, to uint64) ([][]byte, error)) (*kv.Memory, *machine) {
	store := kv.NewMemory()
	m, err := openMachine(store, r.genesis)
	if err != nil {
		t.Fatal(err)
	}
	m.fetch = fetch
	founded(t, m.Apply(entry(1, r.start, r.founding)))
	return store, m
}

// TestInterruptedRestore: what came in is kept and verified, nothing is signed from it, and
// the next start finishes it.
func TestInterruptedRestore(t *testing.T) {
	r, s, leaves := donor(t)
	gone := errors.New("all others went away")
	calls := 0
	store, m := lagging(t, r, func(from, to uint64) ([][]byte, error) {
		if calls++; calls == 3 {
			return nil, gone
		}
		return leaves[from : from+2], nil
	})
	if err := m.Restore(reader(t, s)); !errors.Is(err, gone) {
		t.Fatalf("got %v, want %v", err, gone)
	}
	again, err := openMachine(store, r.genesis)
	if err != nil {
		t.Fatal(err)
	}
	if again.meta.Size != 5 || !again.meta.Restoring || again.head().Size != 0 {
		t.Errorf("after the interruption: %+v, signs %d leaves", again.meta, again.head().Size)
	}
	again.fetch = func(from, to uint64) ([][]byte, error) { return leaves[from:to], nil }
	if err := again.Restore(reader(t, s)); err != nil {
		t.Fatal(err)
	}
	if again.meta.Restoring || again.meta.Applied != s.Applied || again.head().Root.String() != s.Root || again.state.Digest() != s.Digest {
		t.Errorf("after the restore: %+v", again.meta)
	}
	founded(t, again.Apply(entry(s.Applied+1, r.start, r.raw("Daarna", r.start))))
}

func TestRestoreRefuses(t *testing.T) {
	r, s, leaves := donor(t)
	whole := func(from, to uint64) ([][]byte, error) { return leaves[from:to], nil }
	other := s
	other.Root = r.genesis
	digest := s
	digest.Digest = r.genesis
	small := s
	small.Size = 0
	version := s
	version.Version = 2
	swapped := slices.Clone(leaves)
	swapped[2], swapped[3] = swapped[3], swapped[2]
	for name, c := range map[string]struct {
		snapshot snapshot
		fetch    func(from, to uint64) ([][]byte, error)
	}{
		"another root": {other, whole}, "another state": {digest, whole}, "fewer leaves than here": {small, whole}, "another version": {version, whole},
		"leaves in another order": {s, func(from, to uint64) ([][]byte, error) { return swapped[from:to], nil }},
		"a leaf that is none":     {s, func(from, to uint64) ([][]byte, error) { return [][]byte{[]byte("{}")}, nil }},
		"the founding again":      {s, func(from, to uint64) ([][]byte, error) { return leaves[:1], nil }},
		"nothing":                 {s, func(from, to uint64) ([][]byte, error) { return nil, nil }},
	} {
		t.Run(name, func(t *testing.T) {
			_, m := lagging(t, r, c.fetch)
			if err := m.Restore(reader(t, c.snapshot)); err == nil {
				t.Error("restored")
			}
			if m.head().Size == s.Size {
				t.Error("the tree would be signed")
			}
		})
	}
	_, m := lagging(t, r, whole)
	if err := m.Restore(io.NopCloser(strings.NewReader("{"))); err == nil {
		t.Error("a snapshot that is cut off was restored")
	}
	if leaf, err := registry.ParseLeaf(leaves[1]); err != nil || leaf.LogTime != r.start.Truncate(time.Second).Unix() {
		t.Errorf("%+v, %v", leaf, err)
	}
}
