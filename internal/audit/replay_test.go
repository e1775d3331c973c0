package audit_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/audit/audittest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// handedOver is a region whose nodes changed five times, with the checkpoints of each handover.
func handedOver(t testing.TB) (*registrytest.Region, [][]byte) {
	t.Helper()
	r := registrytest.New(t)
	nodes := []string{"knoop-1", "knoop-2", "knoop-3"}
	var handovers [][]byte
	for i := range 5 {
		n, keys := registrytest.Node(fmt.Sprintf("nieuw-%d", i), "opleidersberaad")
		r.Nodes[n.ID] = keys
		r.Do(registry.KindNodeAdded, &registry.NodeChange{Node: &n, Reason: "nieuwe machine"}, registrytest.Werkgevers, registrytest.Opleiders)
		was := slices.Clone(nodes)
		nodes = append(nodes, n.ID)
		r.Admit(fmt.Sprintf("organisatie-%d", i), registry.WalletHost)
		handovers = append(handovers, audittest.Signed(t, r, r.Leaves, slices.Compact(slices.Sorted(slices.Values(append(was, n.ID))))...))
		// The oldest node goes.
		r.Do(registry.KindNodeRemoved, &registry.NodeChange{ID: nodes[0], Reason: "oude machine"}, registrytest.Werkgevers, registrytest.Opleiders)
		was, nodes = nodes, nodes[1:]
		r.Admit(fmt.Sprintf("instelling-%d", i), registry.WalletHost)
		handovers = append(handovers, audittest.Signed(t, r, r.Leaves, was...))
	}
	r.Admit("linde", registry.Verifier)
	return r, handovers
}

// TestHandoversAreWalked: who pinned the genesis comes to nodes of which none was there in the
// beginning, from a folder too; without the checkpoints on the way it does not.
func TestHandoversAreWalked(t *testing.T) {
	r, handovers := handedOver(t)
	var today []string
	for _, n := range r.State.View().ActiveNodes() {
		today = append(today, n.ID)
	}
	note := audittest.Signed(t, r, r.Leaves, today...)
	web := audittest.Internet{"log.example": audittest.Serve(t, r.Leaves, note, handovers...)}
	dir := audit.Dir{Path: t.TempDir()}
	size, err := audit.Fetch(t.Context(), audit.Web(web, "https://log.example"), dir)
	if err != nil || size != uint64(len(r.Leaves)) {
		t.Fatalf("fetched %d: %v", size, err)
	}
	for name, s := range map[string]audit.Source{"web": audit.Web(web, "https://log.example"), "folder": audit.Folder(dir.Path)} {
		if report := run(t, r, nil, s); report.Verdict() != audit.InOrder || report.Size != uint64(len(r.Leaves)) {
			t.Errorf("%s: %+v", name, report.Findings)
		}
	}
	web["log.example"] = audittest.Serve(t, r.Leaves, note, handovers[:4]...)
	report := run(t, r, nil, audit.Web(web, "https://log.example"))
	if len(report.Findings) != 1 || report.Findings[0].Code != audit.Handover || report.Size == 0 {
		t.Errorf("without handovers: %+v", report.Findings)
	}
}

// TestLongLog: over many bundles, at once and as it grows, in memory and in a store, with a copy
// that can be served again.
func TestLongLog(t *testing.T) {
	r := registrytest.New(t)
	for i := range 180 {
		r.Admit(fmt.Sprintf("organisatie-%d", i), registry.WalletHost)
	}
	sizes := []int{1, 200, 256, 300, len(r.Leaves)}
	copied, store := audit.Dir{Path: t.TempDir()}, kv.NewMemory()
	grown, err := audit.NewReplay(r.Genesis(), store)
	if err != nil {
		t.Fatal(err)
	}
	grown.Keep = copied.Put
	grown.StoreOften()
	for _, size := range sizes {
		web := audittest.Internet{"log.example": audittest.Serve(t, r.Leaves[:size], audittest.Signed(t, r, r.Leaves[:size]))}
		found, err := grown.Extend(t.Context(), audit.Web(web, "https://log.example"), audittest.Signed(t, r, r.Leaves[:size]), nil)
		if err != nil || len(found) > 0 || grown.Size() != uint64(size) {
			t.Fatalf("up to %d: %+v, %v", size, found, err)
		}
		if err := copied.End(audittest.Signed(t, r, r.Leaves[:size]), nil); err != nil {
			t.Fatal(err)
		}
	}
	if grown.State().Digest() != r.State.Digest() {
		t.Error("another state in the store")
	}
	report := run(t, r, nil, audit.Folder(copied.Path), func(c *audit.Config) {
		c.Scratch = func() (kv.Store, error) { return kv.NewMemory(), nil }
	})
	if report.Verdict() != audit.InOrder || report.Digest != r.State.Digest() {
		t.Errorf("the copy that was kept: %+v", report.Findings)
	}

	// An entry deep in the log, changed; and a bundle that is not there.
	raw := bytes.Clone(r.Leaves[400])
	raw[len(raw)/3] ^= 1
	leaves := slices.Clone(r.Leaves)
	leaves[400] = raw
	log := audittest.Serve(t, r.Leaves, audittest.Signed(t, r, r.Leaves))
	good := maps.Clone(log)
	log.Entries(t, leaves)
	report = run(t, r, nil, audit.Web(audittest.Internet{"log.example": log}, "https://log.example"))
	if len(report.Findings) != 1 || report.Findings[0].Code != audit.Changed || *report.Findings[0].Leaf != 400 {
		t.Errorf("changed: %+v", report.Findings)
	}
	delete(good, "tile/entries/001")
	report = run(t, r, nil, audit.Web(audittest.Internet{"log.example": good}, "https://log.example"))
	if len(report.Findings) != 1 || report.Findings[0].Code != audit.Removed || report.Findings[0].Since.IsZero() {
		t.Errorf("removed: %+v", report.Findings)
	}
}

// TestFetchGoesOn: a copy is brought up to date, and another log does not go over it.
func TestFetchGoesOn(t *testing.T) {
	r := audittest.Everything(t)
	dir := audit.Dir{Path: t.TempDir()}
	fetch := func(leaves [][]byte) (uint64, error) {
		web := audittest.Internet{"log.example": audittest.Serve(t, leaves, audittest.Signed(t, r, leaves))}
		return audit.Fetch(t.Context(), audit.Web(web, "https://log.example"), dir)
	}
	for _, n := range []int{20, 40, 40} {
		if size, err := fetch(r.Leaves[:n]); err != nil || size != uint64(n) {
			t.Fatalf("%d: %v", size, err)
		}
	}
	if _, err := fetch(r.Leaves[:30]); err == nil {
		t.Error("a smaller log went over a larger one")
	}
	if _, err := os.Stat(filepath.Join(dir.Path, "tile", "entries", "000.p", "40")); err != nil {
		t.Error(err)
	}
}

// TestBoundless: a checkpoint that promises more than there can be is not followed.
func TestBoundless(t *testing.T) {
	r := registrytest.New(t)
	note := []byte("aakermonde.example/register\n9000000000000000000\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— a AAAAAAAA\n")
	web := audit.Web(audittest.Internet{"log.example": audittest.Serve(t, r.Leaves, note)}, "https://log.example")
	if report := run(t, r, nil, web); report.Verdict() != audit.Wrong {
		t.Errorf("verdict %s", report.Verdict())
	}
	if _, err := audit.Fetch(t.Context(), web, audit.Dir{Path: t.TempDir()}); err == nil {
		t.Error("fetched without end")
	}
}

func FuzzParseFork(f *testing.F) {
	f.Add([]byte(`{"smaller":"a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n","larger":"","root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","path":[]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fork, err := audit.ParseFork(raw)
		if err == nil && fork.Check() == nil && fork.Smaller == fork.Larger {
			t.Error("a checkpoint contradicts itself")
		}
	})
}
