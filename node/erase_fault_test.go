package node

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/privacyscan"
	"paspoort.example/paspoort/specs/registry"
)

// accept brings an event that members sign into the log of a region on disk.
func (r *diskRegion) accept(kind registry.Kind, body registry.Body, members ...string) {
	r.t.Helper()
	for id := range r.nodes {
		n := r.nodes[id]
		e := r.compose(n, time.Now(), kind, body, r.parties(members...)...)
		if o, err := n.Submit(context.Background(), registry.Submission{Event: e}); err != nil || o.Err() != nil {
			r.t.Fatalf("%s: %+v, %v", kind, o, err)
		}
		return
	}
}

// holders are the nodes whose raw files hold one of the words: tables, logs and snapshots,
// as they stand, with older versions and deleted rows.
func (r *diskRegion) holders(words ...string) map[string]string {
	r.t.Helper()
	scan, err := privacyscan.New(words...)
	if err != nil {
		r.t.Fatal(err)
	}
	found := map[string]string{}
	for id, dir := range r.dirs {
		report, err := scan.Tree(dir)
		if err != nil {
			r.t.Fatal(err)
		}
		if report.Stores == 0 || report.Files < 5 {
			r.t.Fatalf("%s: only %d files and %d stores were looked through", id, report.Files, report.Stores)
		}
		for _, f := range report.Findings {
			found[id] = f.String()
		}
	}
	return found
}

func (r *diskRegion) everywhere(what string, ok func(*Node) bool) {
	r.t.Helper()
	for id, n := range r.nodes {
		eventually(r.t, id+" "+what, func() bool { return ok(n) })
	}
}

func (r *diskRegion) restartAll() {
	for _, id := range sortedKeys(r.dirs) {
		r.stop(id)
	}
	for _, id := range sortedKeys(r.dirs) {
		r.again(id)
	}
	r.everywhere("runs", (*Node).running)
}

func erased(n *Node) bool {
	due, err := n.erasuresDue()
	list, listErr := n.Payloads(context.Background())
	return err == nil && listErr == nil && len(due) == 0 && len(list) == 0
}

// TestErasedPayloadLeavesTheFiles (D4): a payload and its key are in the raw files of every
// node before the erasure, as the scan shows, and in none after it: tables, logs of tables,
// raft's log, snapshots, and a disk that was put back to before. Who replays the log later
// comes to the same state.
func TestErasedPayloadLeavesTheFiles(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := newDiskRegion(t, 3)
	r.everywhere("is founded", func(n *Node) bool { return n.size() == 1 })
	s, organisation := r.onePerson()
	if o, err := r.nodes["knoop-1"].Submit(context.Background(), s); err != nil || o.Err() != nil {
		t.Fatalf("%+v, %v", o, err)
	}
	for _, member := range []string{"lid-2", "lid-3"} {
		r.accept(registry.KindApproved, &registry.Decision{Proposal: s.Event.Event.ID(), Voter: registry.MemberParty(member)}, member)
	}
	r.everywhere("has the payload under a checkpoint", func(n *Node) bool {
		list, err := n.Payloads(context.Background())
		return err == nil && len(list) == 1 && n.covered() == 4
	})
	r.restartAll() // into the tables
	r.everywhere("makes a snapshot", func(n *Node) bool { return n.raft.Snapshot().Error() == nil })
	words := []string{s.Payloads[0].Key, s.Payloads[0].Sealed}
	if found := r.holders(words...); len(found) != 3 {
		t.Fatalf("control: the scan finds the payload at %v only", found)
	}
	if !r.dumped("knoop-1", words...) {
		t.Fatal("control: a backup does not hold the payload")
	}
	r.stop("knoop-3")
	before := t.TempDir()
	if err := os.CopyFS(before, os.DirFS(r.dirs["knoop-3"])); err != nil {
		t.Fatal(err)
	}
	r.again("knoop-3")
	r.everywhere("runs", (*Node).running)

	r.accept(registry.KindErased, &registry.Erasure{Commitments: []string{s.Payloads[0].Commitment}, Reason: "Op verzoek"}, "lid-1", "lid-2")
	r.everywhere("erased it", erased)
	if found := r.holders(append(words, firmName)...); len(found) != 0 {
		t.Errorf("after the erasure: %v", found)
	}
	if r.dumped("knoop-1", append(words, firmName)...) {
		t.Error("a backup made after the erasure holds the payload")
	}
	r.everywhere("published the erasure", func(n *Node) bool { return n.covered() == 5 })
	r.mirrorAgrees(organisation, append(words, firmName)...)

	// Back from before: what was erased since is erased again.
	r.stop("knoop-3")
	r.dirs["knoop-3"] = before
	if found := r.holders(words...); len(found) != 1 {
		t.Fatalf("control: the scan finds the payload at %v", found)
	}
	r.again("knoop-3")
	eventually(t, "the node that was put back erased it", func() bool {
		r.manage("knoop-3")
		n := r.nodes["knoop-3"]
		return n.size() == 5 && erased(n)
	})
	r.restartAll()
	if found := r.holders(append(words, firmName)...); len(found) != 0 {
		t.Errorf("after a disk was put back: %v", found)
	}
}

// dumped says whether a backup of a node, made now, holds one of the words.
func (r *diskRegion) dumped(id string, words ...string) bool {
	r.t.Helper()
	var dump bytes.Buffer
	if err := r.nodes[id].Dump(&dump); err != nil {
		r.t.Fatal(err)
	}
	for _, word := range words {
		if bytes.Contains(dump.Bytes(), []byte(word)) {
			return true
		}
	}
	return false
}

// mirrorAgrees follows each node's log from the founding event, without payloads, to that
// node's state; the file it reads holds none of the words.
func (r *diskRegion) mirrorAgrees(organisation string, words ...string) {
	r.t.Helper()
	scan, err := privacyscan.New(words...)
	if err != nil {
		r.t.Fatal(err)
	}
	for id, n := range r.nodes {
		snapshot, err := registry.BuildSnapshot(context.Background(), n)
		if err != nil {
			r.t.Fatal(err)
		}
		var file bytes.Buffer
		if _, err := snapshot.WriteTo(&file); err != nil {
			r.t.Fatal(err)
		}
		if found := scan.Bytes("the registry in one file", file.Bytes()); len(found) != 0 {
			r.t.Errorf("%s: %v", id, found)
		}
		mirror, _, err := snapshot.Replay(r.genesis)
		if err != nil {
			r.t.Fatal(err)
		}
		n.machine.mu.RLock()
		want := n.machine.state.Digest()
		n.machine.mu.RUnlock()
		if got := mirror.State().Digest(); got != want {
			r.t.Errorf("a new mirror of %s has digest %s, the node has %s", id, got, want)
		}
		if o, err := mirror.State().View().Organisation(organisation, time.Now()); err != nil || !o.Erased || o.Name != "" {
			r.t.Errorf("the mirror of %s says %+v, %v", id, o, err)
		}
	}
}

// unwilling is a disk that does not rewrite its files.
type unwilling struct{ kv.Store }

// TestErasureIsFinishedAfterARestart: the traces stay due until the files were rewritten.
func TestErasureIsFinishedAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		c.leader()
		s, _ := c.onePerson()
		if o, err := c.get("knoop-1").Submit(context.Background(), s); err != nil || o.Err() != nil {
			t.Fatalf("%+v, %v", o, err)
		}
		c.stopNode("knoop-1")
		m := c.nodes["knoop-1"]
		disk := m.store
		m.store = unwilling{disk}
		c.startNode(m)
		c.leader()
		c.erase(s.Payloads[0].Commitment)
		time.Sleep(time.Minute)
		if due, err := c.get("knoop-1").erasuresDue(); err != nil || len(due) != 1 || due[0] != s.Payloads[0].Commitment {
			t.Errorf("due while the files cannot be rewritten: %v, %v", due, err)
		}
		if err := c.get("knoop-1").eraseTraces(); !errors.Is(err, kv.ErrNoPurge) {
			t.Errorf("got %v, want %v", err, kv.ErrNoPurge)
		}
		c.stopNode("knoop-1")
		m.store = disk
		c.startNode(m)
		c.leader()
		eventually(t, "nothing is due", func() bool { return erased(c.get("knoop-1")) })
	})
}
