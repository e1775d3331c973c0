package registry_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// A golden log is a region's whole story in a snapshot file, with the digest of the state after
// each leaf. No later version of this package may give another digest: that would be two regions
// out of one log. Once a version of the rules is out, its logs are never made again:
//
//	go test ./specs/registry -run TestGoldenLogs -update-golden
var updateGolden = flag.Bool("update-golden", false, "write the golden logs of the newest rules anew")

func goldenFile(name string) string    { return "testdata/golden-" + name + ".snapshot" }
func goldenDigests(name string) string { return "testdata/golden-" + name + ".digests" }

// goldenLog is the one that seeds and examples are taken from.
const goldenLog = "testdata/golden-rules-1.snapshot"

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

func writeGolden(t *testing.T, name string, r *registrytest.Region) {
	t.Helper()
	var file bytes.Buffer
	if _, err := r.Snapshot().WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	digests, err := digestLines(r.Genesis(), r.Leaves)
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{goldenFile(name): file.Bytes(), goldenDigests(name): []byte(digests)} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// readGolden reads a golden log and the digests that go with it.
func readGolden(t testing.TB, name string) (registry.Snapshot, string) {
	t.Helper()
	raw, err := os.ReadFile(goldenFile(name))
	if err != nil {
		t.Fatal(err)
	}
	digests, err := os.ReadFile(goldenDigests(name))
	if err != nil {
		t.Fatal(err)
	}
	snap, err := registry.ReadSnapshot(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return snap, string(digests)
}

func TestGoldenLogs(t *testing.T) {
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			if *updateGolden && g.make != nil {
				writeGolden(t, g.name, g.make(t))
			}
			snap, want := readGolden(t, g.name)
			rep, _, err := snap.Replay(snap.Genesis)
			if err != nil {
				t.Fatal(err)
			}
			// The offline verifier, and what it says afterwards of each leaf.
			for i, line := range strings.Split(strings.TrimSpace(want), "\n") {
				if got := rep.State().DigestAt(uint64(i) + 1); !strings.HasSuffix(line, " "+got) {
					t.Fatalf("leaf %d: the replica says %s, golden is %s", i, got, line)
				}
			}
			onManyMachines(t, snap, want)
			inOtherTimes(t, snap, want)
		})
	}
}

// onManyMachines: the same on one processor and on several, one replica and several at once.
func onManyMachines(t *testing.T, snap registry.Snapshot, want string) {
	t.Helper()
	for _, procs := range []int{1, 4} {
		was := runtime.GOMAXPROCS(procs)
		var wg sync.WaitGroup
		got, errs := make([]string, 2), make([]error, 2)
		for i := range got {
			wg.Go(func() { got[i], errs[i] = digestLines(snap.Genesis, snap.Leaves) })
		}
		wg.Wait()
		runtime.GOMAXPROCS(was)
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if diff := cmp.Diff(want, got[i]); diff != "" {
				t.Fatalf("on %d processors, replica %d (-want +got):\n%s", procs, i, diff)
			}
		}
	}
}

// inOtherTimes: the same whatever the clock says, before the region was founded and long after
// everything in it ended.
func inOtherTimes(t *testing.T, snap registry.Snapshot, want string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		for _, wait := range []time.Duration{0, 60 * 365 * 24 * time.Hour} {
			time.Sleep(wait) // of the bubble's clock, which begins in 2000
			got, err := digestLines(snap.Genesis, snap.Leaves)
			if err != nil {
				t.Fatalf("in %d: %v", time.Now().Year(), err)
			}
			if got != want {
				t.Fatalf("in %d: other digests", time.Now().Year())
			}
		}
	})
}

// The golden logs hold every kind of event that their rules give effect.
func TestGoldenLogsAreWhole(t *testing.T) {
	for name, rules := range map[string]int{"rules-1": 1, "rules-1-to-2": 2, "rules-2": 2, "rules-2-to-3": 3, "rules-3": 3} {
		_, digests := readGolden(t, name)
		var seen []registry.Kind
		if !strings.Contains(name, "-to-") {
			seen = append(seen, registry.KindRules)
		}
		for _, line := range strings.Split(strings.TrimSpace(digests), "\n") {
			seen = append(seen, registry.Kind(strings.Fields(line)[1]))
		}
		active, _ := registry.KindsUnder(rules)
		if missing := slices.DeleteFunc(active, func(k registry.Kind) bool { return slices.Contains(seen, k) }); len(missing) > 0 {
			t.Errorf("%s lacks %v", name, missing)
		}
	}
}

// The control: a log that differs in one second has other digests from there on.
func TestGoldenDigestsNoticeADifference(t *testing.T) {
	snap, want := readGolden(t, "rules-2")
	last := len(snap.Leaves) - 1
	leaf, err := registry.ParseLeaf(snap.Leaves[last])
	if err != nil {
		t.Fatal(err)
	}
	leaf.LogTime++ // which nobody signed
	if snap.Leaves[last], err = leaf.Marshal(); err != nil {
		t.Fatal(err)
	}
	got, err := digestLines(snap.Genesis, snap.Leaves)
	if err != nil {
		t.Fatal(err)
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	if a[last] == b[last] || a[last-1] != b[last-1] {
		t.Errorf("digests\n%s\n%s", a[last], b[last])
	}
}
