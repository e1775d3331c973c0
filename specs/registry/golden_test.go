package registry_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// The golden log is a region's whole story in a snapshot file, with the digest of the state
// after each leaf. No later version of this package may give another digest: that would be
// two regions out of one log. Make new files only for a new rules version:
//
//	go test ./specs/registry -run TestGoldenLog -update-golden
var updateGolden = flag.Bool("update-golden", false, "write the golden log anew")

const (
	goldenLog     = "testdata/golden-rules-1.snapshot"
	goldenDigests = "testdata/golden-rules-1.digests"
)

// digestLines replays leaves and tells the digest after each.
func digestLines(genesis string, leaves [][]byte) (string, error) {
	s := registry.NewState(genesis)
	var out strings.Builder
	for i, raw := range leaves {
		leaf, err := registry.ParseLeaf(raw)
		if err != nil {
			return "", fmt.Errorf("leaf %d: %w", i, err)
		}
		if _, err := registry.Apply(s, leaf); err != nil {
			return "", fmt.Errorf("leaf %d, %s: %w", i, leaf.Event.Kind, err)
		}
		fmt.Fprintf(&out, "%d %s %s\n", i, leaf.Event.Kind, s.Digest())
	}
	return out.String(), nil
}

func writeGolden(t *testing.T) {
	r, _ := registrytest.Story(t, testkit.Rand(7))
	var file bytes.Buffer
	if _, err := r.Snapshot().WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	digests, err := digestLines(r.Genesis(), r.Leaves)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		goldenLog: file.Bytes(), goldenDigests: []byte(digests),
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGoldenLog(t *testing.T) {
	if *updateGolden {
		writeGolden(t)
	}
	raw, err := os.ReadFile(goldenLog)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(goldenDigests)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := registry.ReadSnapshot(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	rep, _, err := snap.Replay(snap.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(want), " "+rep.State().Digest()+"\n") {
		t.Error("the replica has another digest in the end")
	}
	seen := map[registry.Kind]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(want)), "\n") {
		seen[registry.Kind(strings.Fields(line)[1])] = true
	}
	active, _ := registry.KindsUnder(1)
	seen[registry.KindRules] = true // came later: TestRulesAreRaised
	if missing := slices.DeleteFunc(active, func(k registry.Kind) bool { return seen[k] }); len(missing) > 0 {
		t.Errorf("kinds that the golden log lacks: %v", missing)
	}
	// The same on one processor and on many, one replica and several at once.
	for _, procs := range []int{1, 8} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		var wg sync.WaitGroup
		got, errs := make([]string, 2), make([]error, 2)
		for i := range got {
			wg.Go(func() { got[i], errs[i] = digestLines(snap.Genesis, snap.Leaves) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if diff := cmp.Diff(string(want), got[i]); diff != "" {
				t.Fatalf("on %d processors, replica %d (-want +got):\n%s", procs, i, diff)
			}
		}
	}
}
