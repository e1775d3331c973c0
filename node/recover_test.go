package node

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// bring is a region on disk in which some organisations applied, everywhere under a checkpoint.
func bring(t *testing.T, names ...string) *diskRegion {
	t.Helper()
	r := newDiskRegion(t, 3)
	eventually(t, "the region is founded", func() bool { return r.nodes["knoop-1"].size() == 1 })
	for _, name := range names {
		r.write("knoop-1", name)
	}
	r.settled(uint64(len(names)) + 1)
	return r
}

func (r *diskRegion) write(id, name string) {
	r.t.Helper()
	event := registry.Submission{Event: r.application(name, time.Now())}
	var o registry.Outcome
	var err error
	eventually(r.t, id+" answers", func() bool { // on a busy machine nodes choose a leader at any time
		o, err = r.nodes[id].Submit(context.Background(), event)
		return !chooses(err)
	})
	if err != nil || o.Err() != nil {
		r.t.Fatalf("write at %s: %+v, %v", id, o, err)
	}
}

func (r *diskRegion) settled(size uint64) {
	r.t.Helper()
	for id, n := range r.nodes {
		eventually(r.t, id+" has everything under a checkpoint", func() bool { return n.covered() == size })
	}
}

func (r *diskRegion) stopAll() {
	for _, node := range r.charter.Nodes {
		if r.nodes[node.ID] != nil {
			r.stop(node.ID)
		}
	}
}

func (r *diskRegion) offline(id string) Config {
	cfg := r.config(id)
	cfg.Dir = r.dirs[id]
	return cfg
}

func (r *diskRegion) inspect(id string) Inspection {
	r.t.Helper()
	i, err := Inspect(r.offline(id))
	if err != nil {
		r.t.Fatal(err)
	}
	return i
}

func (r *diskRegion) snapshot(id string) []byte {
	r.t.Helper()
	var out bytes.Buffer
	if err := registry.WriteSnapshot(context.Background(), r.nodes[id], &out); err != nil {
		r.t.Fatal(err)
	}
	return out.Bytes()
}

func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestMajorityIsLost: two of three disks are gone. One node goes on with what it has, one of
// the others comes back empty and one from a backup of the old cluster, and nothing that was
// committed is missing.
func TestMajorityIsLost(t *testing.T) {
	r := bring(t, "Zorggroep Linde", "Machinefabriek Ossekamp")
	var backup bytes.Buffer
	if err := r.nodes["knoop-2"].Dump(&backup); err != nil {
		t.Fatal(err)
	}
	r.write("knoop-1", "Bakkerij De Halm")
	r.settled(4)
	r.stopAll()
	r.dirs["knoop-2"], r.dirs["knoop-3"] = filepath.Join(t.TempDir(), "data"), t.TempDir()
	if err := Restore(r.dirs["knoop-2"], &backup); err != nil {
		t.Fatal(err)
	}
	// Of what it signed, knoop-1 forgot everything as well; the backup remembers.
	if err := os.Remove(filepath.Join(r.dirs["knoop-1"], fileRecord)); err != nil {
		t.Fatal(err)
	}
	out, err := Recover(r.offline("knoop-1"), nil)
	if err != nil || out.Leaves != 4 || out.Counting != 4 || out.Aside == "" {
		t.Fatalf("got %+v, %v", out, err)
	}
	if i := r.inspect("knoop-1"); !i.OK() || i.Leaves != 4 {
		t.Errorf("what was recovered: %+v", i)
	}
	for _, node := range r.charter.Nodes {
		r.again(node.ID)
	}
	eventually(t, "the others were taken in and have a vote", func() bool {
		for _, p := range r.nodes["knoop-1"].Status().Peers {
			if p.Member != "voter" {
				return false
			}
		}
		return true
	})
	r.write("knoop-3", "Opleidingshuis Vaart")
	r.settled(5)
	if _, err := os.Stat(filepath.Join(out.Aside, dirStore)); err != nil {
		t.Errorf("the old folder is not kept: %v", err)
	}
}

// TestRecoverFromCopies: this node's own disk is gone too. A copy of another disk and a
// snapshot that somebody downloaded bring the leaves; the one with the most counts.
func TestRecoverFromCopies(t *testing.T) {
	r := bring(t, "Zorggroep Linde")
	old := r.snapshot("knoop-2")
	r.write("knoop-2", "Bakkerij De Halm")
	r.settled(3)
	fresh := r.snapshot("knoop-2")
	r.stopAll()
	lost := r.dirs["knoop-3"]
	for name, tt := range map[string]struct {
		known   map[string][]byte
		sources []Source
		want    error
		leaves  uint64
	}{
		"a snapshot":       {nil, []Source{{Name: "download", Snapshot: fresh}}, nil, 3},
		"a folder":         {nil, []Source{{Name: "download", Snapshot: old}, {Name: "disk of knoop-3", Folder: lost}}, nil, 3},
		"nothing":          {nil, nil, ErrNothingCounts, 0},
		"an old snapshot":  {map[string][]byte{"a mirror": checkpointOf(t, fresh)}, []Source{{Name: "download", Snapshot: old}}, ErrMoreIsKnown, 0},
		"a stranger's lie": {map[string][]byte{"a liar": []byte("aakermonde.example/register\n999\nAAAA\n")}, []Source{{Name: "download", Snapshot: fresh}}, nil, 3},
		"another region":   {nil, []Source{{Name: "download", Snapshot: newOther(t)}}, registry.ErrRegion, 0},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := r.offline("knoop-1")
			cfg.Dir = filepath.Join(t.TempDir(), "data")
			out, err := Recover(cfg, tt.known, tt.sources...)
			if !errors.Is(err, tt.want) || out.Leaves != tt.leaves {
				t.Fatalf("got %+v, %v, want %d leaves, %v", out, err, tt.leaves, tt.want)
			}
			if tt.want != nil {
				if _, err := os.Stat(filepath.Join(cfg.Dir, dirRaft)); err == nil {
					t.Error("something was written after a refusal")
				}
				return
			}
			if i, err := Inspect(cfg); err != nil || !i.OK() || i.Leaves != tt.leaves {
				t.Errorf("what was recovered: %+v, %v", i, err)
			}
		})
	}
}

func checkpointOf(t *testing.T, file []byte) []byte {
	t.Helper()
	s, err := registry.ReadSnapshot(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return s.Checkpoint
}

// newOther is a snapshot that says it is of another region.
func newOther(t *testing.T) []byte {
	t.Helper()
	r := bring(t)
	defer r.stopAll()
	file := r.snapshot("knoop-1")
	s, err := registry.ReadSnapshot(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	s.Genesis = strings.Repeat("a", 64)
	var out bytes.Buffer
	if _, err := s.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestOwnSignatureForbidsLess: a node that signed more than it can bring does not begin again
// with less, also when nothing but that promise is left of its disk.
func TestOwnSignatureForbidsLess(t *testing.T) {
	r := bring(t, "Zorggroep Linde")
	old := r.snapshot("knoop-1")
	r.write("knoop-1", "Bakkerij De Halm")
	r.settled(3)
	r.stopAll()
	cfg := r.offline("knoop-1")
	if err := os.RemoveAll(filepath.Join(cfg.Dir, dirStore)); err != nil { // the store is lost, the record is not
		t.Fatal(err)
	}
	if _, err := Recover(cfg, nil, Source{Name: "download", Snapshot: old}); !errors.Is(err, ErrMoreIsKnown) {
		t.Errorf("with less than it signed: got %v, want ErrMoreIsKnown", err)
	}
	if _, err := Recover(cfg, nil, Source{Name: "download", Snapshot: old}, Source{Name: "disk of knoop-2", Folder: r.dirs["knoop-2"]}); err != nil {
		t.Fatalf("with a disk that has everything: %v", err)
	}
	f := folder{dir: cfg.Dir}
	if kept, err := f.loadRecord(); err != nil || kept.Size != 3 {
		t.Errorf("the promise was forgotten: %+v, %v", kept, err)
	}
}

// TestDumpComesBack: a dump of a running node, put on an empty disk, is taken in again and ends
// with the same state; what is cut off or changed is refused.
func TestDumpComesBack(t *testing.T) {
	r := bring(t, "Zorggroep Linde", "Machinefabriek Ossekamp")
	var dump bytes.Buffer
	if err := r.nodes["knoop-2"].Dump(&dump); err != nil {
		t.Fatal(err)
	}
	if err := DumpFolder(r.dirs["knoop-2"], &bytes.Buffer{}); !errors.Is(err, kv.ErrInUse) {
		t.Errorf("dumping the folder of a running node: got %v, want ErrInUse", err)
	}
	if _, err := Inspect(r.offline("knoop-2")); !errors.Is(err, kv.ErrInUse) {
		t.Errorf("inspecting the folder of a running node: got %v, want ErrInUse", err)
	}
	r.write("knoop-1", "Bakkerij De Halm")
	r.settled(4)
	r.stop("knoop-2")
	if i := r.inspect("knoop-2"); !i.OK() || i.Counting != 4 {
		t.Errorf("a healthy folder: %+v", i)
	}
	r.dirs["knoop-2"] = filepath.Join(t.TempDir(), "data")
	if err := Restore(r.dirs["knoop-2"], bytes.NewReader(dump.Bytes())); err != nil {
		t.Fatal(err)
	}
	if i := r.inspect("knoop-2"); !i.OK() || i.Leaves != 3 {
		t.Errorf("what was restored: %+v", i)
	}
	if err := Restore(r.dirs["knoop-2"], bytes.NewReader(dump.Bytes())); err == nil {
		t.Error("a folder was overwritten")
	}
	r.again("knoop-2")
	eventually(t, "the restored node has every leaf", func() bool { r.manage("knoop-2"); return r.nodes["knoop-2"].size() == 4 })
	r.settled(4)
	digest := func(id string) string {
		m := r.nodes[id].machine
		m.mu.RLock()
		defer m.mu.RUnlock()
		return m.state.Digest()
	}
	if digest("knoop-1") != digest("knoop-2") {
		t.Error("another state came back")
	}
	for name, bad := range map[string][]byte{"cut off": dump.Bytes()[:dump.Len()-5], "empty": nil, "something else": []byte("hallo")} {
		if err := Restore(filepath.Join(t.TempDir(), "x"), bytes.NewReader(bad)); !errors.Is(err, ErrDump) {
			t.Errorf("%s: got %v, want ErrDump", name, err)
		}
	}
}

// TestInspectFinds is the control of Inspect: each damage is found.
func TestInspectFinds(t *testing.T) {
	r := bring(t, "Zorggroep Linde")
	r.stopAll()
	for name, tt := range map[string]struct {
		damage func(t *testing.T, cfg *Config)
		what   string
	}{
		"a changed leaf": {func(t *testing.T, c *Config) {
			change(t, c.Dir, func(tx kv.Tx) error {
				raw, err := tx.Get(keyLeaf(1))
				if err != nil {
					return err
				}
				return tx.Set(keyLeaf(1), bytes.Replace(raw, []byte("Linde"), []byte("Iepen"), 1))
			})
		}, "leaves"},
		"a lost leaf": {func(t *testing.T, c *Config) {
			change(t, c.Dir, func(tx kv.Tx) error { return tx.Delete(keyLeaf(0)) })
		}, "leaves"},
		"no checkpoint": {func(t *testing.T, c *Config) {
			change(t, c.Dir, func(tx kv.Tx) error { return tx.Delete(keyPublished) })
		}, "checkpoint"},
		"a larger promise": {func(t *testing.T, c *Config) {
			if err := (folder{dir: c.Dir}).saveRecord(record{9, strings.Repeat("A", 43) + "=", 1}); err != nil {
				t.Fatal(err)
			}
		}, "own cosignature"},
		"a lost raft log": {func(t *testing.T, c *Config) {
			if err := os.RemoveAll(filepath.Join(c.Dir, dirRaft)); err != nil {
				t.Fatal(err)
			}
		}, "raft log"},
		"another key": {func(_ *testing.T, c *Config) { c.LogKey = namedEd25519("another") }, "keys"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := r.offline("knoop-1")
			cfg.Dir = copyFolder(t, cfg.Dir)
			tt.damage(t, &cfg)
			i, err := Inspect(cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range i.Findings {
				if f.What == tt.what && !f.OK {
					return
				}
			}
			t.Errorf("not found: %+v", i.Findings)
		})
	}
}

func change(t *testing.T, dir string, fn func(kv.Tx) error) {
	t.Helper()
	store, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(store.Update(fn), store.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestHint: a node without leaves knows today's nodes from a snapshot, which has to be of its
// own region; who gives way keeps its promise, and leaves itself a hint if nodes changed.
func TestHint(t *testing.T) {
	r := bring(t, "Zorggroep Linde")
	file := r.snapshot("knoop-1")
	r.stopAll()
	s, err := registry.ReadSnapshot(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := WriteHint(dir, strings.Repeat("a", 64), s); !errors.Is(err, registry.ErrRegion) {
		t.Errorf("of another region: got %v, want ErrRegion", err)
	}
	if err := WriteHint(dir, r.genesis, s); err != nil {
		t.Fatal(err)
	}
	if h, err := readHint(dir, r.genesis, 0); err != nil || len(h.nodes) != 3 || h.leaves != 2 || h.nodes["knoop-2"].RaftAddress == "" {
		t.Errorf("got %v, %v", h, err)
	}
	if _, err := readHint(dir, strings.Repeat("a", 64), 0); !errors.Is(err, registry.ErrRegion) {
		t.Errorf("read by a node of another region: got %v, want ErrRegion", err)
	}
	if h, err := readHint(t.TempDir(), r.genesis, 0); err != nil || h.nodes != nil {
		t.Errorf("no hint: got %v, %v", h, err)
	}
	if h, err := readHint(dir, r.genesis, 2); err != nil || h.nodes != nil {
		t.Errorf("a hint of no more leaves than the node has: got %v, %v", h, err)
	}
	aside, err := GiveWay(r.dirs["knoop-1"], time.Now())
	if err != nil || aside == "" {
		t.Fatal(err)
	}
	if h, err := readHint(r.dirs["knoop-1"], r.genesis, 0); err != nil || h.nodes != nil {
		t.Errorf("after giving way, with the nodes of the founding: got %v, %v", h, err)
	}
	if kept, err := (folder{dir: r.dirs["knoop-1"]}).loadRecord(); err != nil || kept.Size != 2 {
		t.Errorf("the promise of a node that gave way: %+v, %v", kept, err)
	}
}

func TestProfiles(t *testing.T) {
	for name, want := range map[string]time.Duration{"": defaultElection, "lan": 200 * time.Millisecond, "wan": 2 * time.Second} {
		var c Config
		if err := c.SetProfile(name); err != nil {
			t.Fatal(err)
		}
		if got := c.withDefaults().Election; got != want {
			t.Errorf("%q: got an election time of %v, want %v", name, got, want)
		}
	}
	own := Config{Election: time.Second}
	if err := own.SetProfile("wan"); err != nil || own.Election != time.Second || own.PeerTimeout != 6*time.Second {
		t.Errorf("what is set by hand stays: %v %v %v", own.Election, own.PeerTimeout, err)
	}
	if err := own.SetProfile("moon"); err == nil {
		t.Error("an unknown profile was taken")
	}
}

// TestGivingWayAfterAChange: where nodes changed since the founding, who gives way remembers who
// they are now.
func TestGivingWayAfterAChange(t *testing.T) {
	r := bring(t)
	r.stopAll()
	dir := r.dirs["knoop-2"]
	change(t, dir, func(tx kv.Tx) error { // as if a checkpoint handed over
		raw, err := tx.Get(keyPublished)
		if err != nil {
			return err
		}
		return tx.Set(keyHandover(1), raw)
	})
	if _, err := GiveWay(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	if h, err := readHint(dir, r.genesis, 0); err != nil || len(h.nodes) != 3 {
		t.Errorf("got %v, %v, want the three nodes", h, err)
	}
}

// TestHintCountsOnTheWay: a node that has its first leaves goes by the nodes of the hint still,
// until it has as many leaves as the hint is of.
func TestHintCountsOnTheWay(t *testing.T) {
	n := &Node{machine: newMachine(kv.NewMemory(), ""), hint: hint{5, map[string]registry.Node{"knoop-9": {}}}}
	n.machine.charter.Store(&map[string]registry.Node{"knoop-1": {}})
	for leaves, want := range map[uint64]string{0: "knoop-9", 4: "knoop-9", 5: "knoop-1", 9: "knoop-1"} {
		n.machine.stored.Store(leaves)
		if got := n.nodeIDs(); len(got) != 1 || got[0] != want {
			t.Errorf("with %d leaves: got %v, want %s", leaves, got, want)
		}
	}
}
