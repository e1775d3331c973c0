package registry_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func newReplica(t testing.TB, genesis string) *registry.Replica {
	t.Helper()
	r, err := registry.NewReplica(genesis)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReplicaFollows(t *testing.T) {
	r := registrytest.New(t)
	rep := newReplica(t, r.Genesis())
	first := r.Checkpoint()
	if err := rep.Extend(r.Leaves, first); err != nil {
		t.Fatal(err)
	}
	org := r.Admit("vaart", registry.Issuer)
	r.Advance(time.Hour)
	second := r.Checkpoint("knoop-2", "knoop-3")
	if err := rep.Extend(r.Leaves[1:], second); err != nil {
		t.Fatal(err)
	}
	if got, want := rep.State().Digest(), r.State.Digest(); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	if got := rep.Freshness(); got.Size != r.State.Size() || !got.Time.Equal(r.Now) || !got.OwnNodesOnly {
		t.Errorf("freshness %+v", got)
	}
	a, err := rep.State().View().Admission(registry.Question{Lookup: registry.Lookup{Organisation: org}, Role: registry.Issuer, At: r.Now})
	if err != nil || !a.Admitted {
		t.Errorf("admitted %v, %v", a.Admitted, err)
	}
	// A fresher checkpoint of the same tree is taken without leaves.
	r.Advance(time.Hour)
	if err := rep.Extend(nil, r.Checkpoint()); err != nil || !rep.Freshness().Time.Equal(r.Now) {
		t.Errorf("fresher checkpoint: %v, %v", rep.Freshness(), err)
	}
}

func TestReplicaRefuses(t *testing.T) {
	r := registrytest.New(t)
	r.Admit("vaart", registry.Issuer)
	other := registrytest.NewAt(t, registrytest.Start.Add(time.Minute))
	other.Admit("vaart", registry.Issuer)
	good := r.Checkpoint()
	lone := r.Checkpoint("knoop-1")
	swapped := slices.Clone(r.Leaves)
	swapped[2], swapped[3] = swapped[3], swapped[2]
	for _, tt := range []struct {
		name   string
		leaves [][]byte
		note   []byte
		want   error
	}{
		{"too few cosigners", r.Leaves, lone, registry.ErrCheckpoint},
		{"too few leaves", r.Leaves[:2], good, registry.ErrCheckpoint},
		{"leaves in another order", swapped, good, registry.ErrRoot},
		{"no checkpoint", r.Leaves, []byte("hello"), registry.ErrCheckpoint},
		{"a line of the note lost", r.Leaves, bytes.TrimSuffix(good, []byte("\n")), registry.ErrCheckpoint},
		{"another region", other.Leaves, other.Checkpoint(), registry.ErrRegion},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep := newReplica(t, r.Genesis())
			if err := rep.Extend(tt.leaves, tt.note); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if rep.Size() != 0 || rep.Checkpoint() != nil {
				t.Errorf("%d leaves stayed", rep.Size())
			}
			if err := rep.Extend(r.Leaves, good); err != nil {
				t.Errorf("the good log afterwards: %v", err)
			}
		})
	}
}

// A majority of nodes can sign a log that the rules refuse, but nobody who replays follows.
func TestReplicaFreezesOnALogThatTheRulesRefuse(t *testing.T) {
	r := registrytest.New(t)
	rep := newReplica(t, r.Genesis())
	if err := rep.Extend(r.Leaves, r.Checkpoint()); err != nil {
		t.Fatal(err)
	}
	before := rep.State().Digest()
	registry.PlantSelfApproval(r.State) // dishonest nodes
	a := r.Application("vaart", registry.Issuer)
	a.Members = []string{"gemeente-aakermonde"}
	s := r.Do(registry.KindApplied, a, registry.OrganisationParty(a.Organisation))
	r.Approve(s.Event.ID(), gemeente, vakbond)
	err := rep.Extend(r.Leaves[1:], r.Checkpoint())
	if !errors.Is(err, registry.ErrFrozen) || !errors.Is(err, registry.ErrConflict) {
		t.Errorf("error %v, want frozen by a conflict of interest", err)
	}
	if got := rep.State().Digest(); got != before {
		t.Error("the state changed")
	}
	if err := rep.Extend(nil, r.Checkpoint()); !errors.Is(err, registry.ErrFrozen) {
		t.Errorf("afterwards: %v", err)
	}
}

// changeNodes lets knoop-4 take the place of a node.
func changeNodes(r *registrytest.Region, add, remove string) {
	n, keys := registrytest.Node(add, "opleidersberaad")
	r.Nodes[add] = keys
	r.Do(registry.KindNodeAdded, &registry.NodeChange{Node: &n, Reason: "nieuwe knoop"}, werkgevers, opleiders)
	r.Do(registry.KindNodeRemoved, &registry.NodeChange{ID: remove, Reason: "oude knoop"}, werkgevers, opleiders)
}

func TestNodesHandOver(t *testing.T) {
	r := registrytest.New(t)
	genesis := r.Checkpoint()
	changeNodes(r, "knoop-4", "knoop-1")
	if got := r.State.View().Handovers(); !slices.Equal(got, []uint64{2, 3}) {
		t.Fatalf("handovers after sizes %v", got)
	}
	for _, tt := range []struct {
		name  string
		nodes []string
		want  error
	}{
		// Three nodes, then four, then three others.
		{"old and new nodes", []string{"knoop-1", "knoop-2", "knoop-3", "knoop-4"}, nil},
		{"only new nodes", []string{"knoop-4", "knoop-3"}, registry.ErrHandover},
		{"too few old nodes", []string{"knoop-1"}, registry.ErrHandover},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep := newReplica(t, r.Genesis())
			if err := rep.Extend(r.Leaves[:1], genesis); err != nil {
				t.Fatal(err)
			}
			if err := rep.Extend(r.Leaves[1:], r.Checkpoint(tt.nodes...)); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// A copy that stands exactly at a change still needs the old nodes for the next checkpoint.
func TestHandOverFromTheChangeItself(t *testing.T) {
	r := registrytest.New(t)
	n, keys := registrytest.Node("knoop-4", "opleidersberaad")
	r.Nodes["knoop-4"] = keys
	r.Do(registry.KindNodeAdded, &registry.NodeChange{Node: &n, Reason: "erbij"}, werkgevers, opleiders)
	rep := newReplica(t, r.Genesis())
	if err := rep.Extend(r.Leaves, r.Checkpoint("knoop-1", "knoop-2")); err != nil {
		t.Fatalf("up to and including the change, by the old nodes: %v", err)
	}
	r.Advance(time.Hour)
	if err := rep.Extend(nil, r.Checkpoint("knoop-1", "knoop-3")); err != nil {
		t.Errorf("the same again, fresher: %v", err)
	}
	r.Admit("vaart", registry.Issuer)
	next := r.Leaves[2:]
	if err := rep.Extend(next, r.Checkpoint("knoop-1", "knoop-2")); !errors.Is(err, registry.ErrHandover) {
		t.Errorf("beyond it, by half of the new nodes: %v", err)
	}
	if err := rep.Extend(next, r.Checkpoint("knoop-1", "knoop-4")); !errors.Is(err, registry.ErrHandover) {
		t.Errorf("beyond it, by a minority of the old nodes: %v", err)
	}
	if err := rep.Extend(next, r.Checkpoint("knoop-1", "knoop-2", "knoop-4")); err != nil {
		t.Errorf("beyond it, by both: %v", err)
	}
}

// Two changes between two checkpoints: the next one needs the nodes before, between and after.
func TestTwoChangesHandOverTogether(t *testing.T) {
	r := registrytest.New(t)
	genesis := r.Checkpoint()
	changeNodes(r, "knoop-4", "knoop-1")
	r.Admit("vaart", registry.Issuer)
	if got := r.State.View().Handovers(); !slices.Equal(got, []uint64{2, 3}) {
		t.Fatalf("handovers after sizes %v", got)
	}
	for _, tt := range []struct {
		nodes []string
		want  error
	}{
		{[]string{"knoop-1", "knoop-2"}, registry.ErrHandover},      // the old ones
		{[]string{"knoop-2", "knoop-3"}, registry.ErrHandover},      // half of those in between
		{[]string{"knoop-1", "knoop-3", "knoop-4"}, nil},            // a majority of each
		{[]string{"knoop-1", "knoop-2", "knoop-3", "knoop-4"}, nil}, // everybody
	} {
		rep := newReplica(t, r.Genesis())
		if err := rep.Extend(r.Leaves[:1], genesis); err != nil {
			t.Fatal(err)
		}
		if err := rep.Extend(r.Leaves[1:], r.Checkpoint(tt.nodes...)); !errors.Is(err, tt.want) {
			t.Errorf("%v: %v, want %v", tt.nodes, err, tt.want)
		}
	}
}

func TestSnapshotWalksTheHandovers(t *testing.T) {
	r := registrytest.New(t)
	all := []string{"knoop-1", "knoop-2", "knoop-3", "knoop-4", "knoop-5"}
	n4, keys4 := registrytest.Node("knoop-4", "opleidersberaad")
	n5, keys5 := registrytest.Node("knoop-5", "opleidersberaad")
	r.Nodes["knoop-4"], r.Nodes["knoop-5"] = keys4, keys5
	r.Do(registry.KindNodeAdded, &registry.NodeChange{Node: &n4, Reason: "erbij"}, werkgevers, opleiders)
	r.Handover(all[:4]...) // size 2: still the old nodes' business
	r.Do(registry.KindNodeAdded, &registry.NodeChange{Node: &n5, Reason: "erbij"}, werkgevers, opleiders)
	r.Handover(all...) // size 3: the first beyond 2
	for _, gone := range all[:3] {
		r.Do(registry.KindNodeRemoved, &registry.NodeChange{ID: gone, Reason: "weg"}, werkgevers, opleiders)
		r.Handover(all...)
	}
	r.Admit("vaart", registry.Issuer)
	r.Handover(all...) // beyond the last change: old and new
	r.Admit("linde", registry.Issuer)
	last := r.Checkpoint("knoop-4", "knoop-5")
	snap := r.Snapshot()

	rep, _, err := snap.Replay(r.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	if rep.State().Digest() != r.State.Digest() || !bytes.Equal(rep.Checkpoint(), last) {
		t.Error("the snapshot gives another state")
	}
	snap.Handovers = nil
	if _, _, err := snap.Replay(r.Genesis()); !errors.Is(err, registry.ErrHandover) {
		t.Errorf("without handovers: %v", err)
	}
}

// The same tree is cosigned again every while, after a handover by the new nodes only.
func TestSnapshotAtAHandover(t *testing.T) {
	r := registrytest.New(t)
	n, keys := registrytest.Node("knoop-3-b", "opleidersberaad")
	change := &registry.NodeChange{ID: "knoop-3", Keys: &registry.NodeKeys{Cosigner: n.CosignerKey, Log: n.LogKey}, Reason: "nieuw"}
	r.Do(registry.KindNodeKeys, change, werkgevers, opleiders)
	r.Nodes["knoop-3"] = keys
	r.Admit("vaart", registry.Issuer)
	r.Handover("knoop-1", "knoop-2")
	r.Advance(time.Hour)
	r.Checkpoint("knoop-1", "knoop-3")
	rep, _, err := r.Snapshot().Replay(r.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Freshness().Time.Equal(r.Now) || rep.State().Digest() != r.State.Digest() {
		t.Errorf("freshness %+v", rep.Freshness())
	}
}

func TestSnapshotFile(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	var file bytes.Buffer
	n, err := r.Snapshot().WriteTo(&file)
	if err != nil || n != int64(file.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, file.Len(), err)
	}
	snap, err := registry.ReadSnapshot(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	rep, _, err := snap.Replay(r.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	a, err := rep.State().View().Admission(registry.Question{Lookup: registry.Lookup{URL: "https://vaart.example"}, Role: registry.Issuer, At: r.Now})
	if err != nil || !a.Admitted || a.Organisation.ID != org {
		t.Errorf("answer %+v, %v", a, err)
	}
	other := registrytest.NewAt(t, registrytest.Start.Add(time.Minute))
	if _, _, err := snap.Replay(other.Genesis()); !errors.Is(err, registry.ErrRegion) {
		t.Errorf("asked for another region: %v", err)
	}
	// A file that claims to be of the region, with the leaves of another.
	forged := other.Snapshot()
	forged.Genesis = r.Genesis()
	if _, _, err := forged.Replay(r.Genesis()); !errors.Is(err, registry.ErrRegion) {
		t.Errorf("a forged file: %v", err)
	}
	for i := 1; i < file.Len(); i += 97 {
		if _, err := registry.ReadSnapshot(bytes.NewReader(file.Bytes()[:i])); !errors.Is(err, registry.ErrSnapshot) {
			t.Fatalf("cut off at %d: %v", i, err)
		}
	}
	if _, err := registry.ReadSnapshot(bytes.NewReader(append(file.Bytes(), 0))); !errors.Is(err, registry.ErrSnapshot) {
		t.Errorf("a byte too many: %v", err)
	}
}
