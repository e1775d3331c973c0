package node

import (
	"errors"

	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
)

// machineRoom is everything that a node writes to, on one disk whose power can fail: raft-wal
// over a file layer that forgets unsynced writes, raft's own snapshot files, a store that was
// synced only when it was asked to, and the small files.
type machineRoom struct {
	t     testing.TB
	disk  *testkit.Disk
	meta  *metaDisk
	log   *heldLog
	store *forgetfulStore
	files *powerFiles
	snaps string
}

// heldLog is a log that can be replaced.
type heldLog struct{ *wal.WAL }

// smallSegment makes raft-wal rotate and delete files after a few entries.
const smallSegment = 8 << 10

// room gives a member such a disk.
func (c *cluster) room(m *member) *machineRoom {
	r := &machineRoom{t: c.t, disk: testkit.NewDisk(), log: &heldLog{}, snaps: c.t.TempDir()}
	r.meta = &metaDisk{disk: r.disk, stable: map[string][]byte{}, keptStable: map[string][]byte{}}
	r.store = &forgetfulStore{Memory: kv.NewMemory(), kept: kv.NewMemory(), disk: r.disk}
	r.files = &powerFiles{disk: r.disk, forget: r.forget}
	m.parts = func(p *parts) {
		r.open()
		files, err := raft.NewFileSnapshotStoreWithLogger(r.snaps, 2, raftLog(testLog(c.t)))
		if err != nil {
			c.t.Fatal(err)
		}
		p.store, p.files, p.logs, p.votes = kv.Sub(r.store, ""), r.files, r.log, r.log
		p.snapshots = &steppedSnaps{files, r.disk}
		p.close = append(p.close, func() error { return r.log.Close() }) // whichever it is by then
	}
	return r
}

// open opens raft's log on the disk as it is.
func (r *machineRoom) open() {
	files := segment.NewFiler("log", diskVFS{r.disk})
	if err := mendLog("log", r.meta, files); err != nil {
		r.t.Fatal(err)
	}
	w, err := wal.Open("log", wal.WithMetaStore(r.meta), wal.WithSegmentFiler(files),
		wal.WithSegmentSize(smallSegment), wal.WithLogger(raftLog(testLog(r.t))))
	if err != nil {
		r.t.Fatalf("raft's log does not open: %v", err)
	}
	r.log.WAL = w
}

// forget is what a new birth does to raft's files.
func (r *machineRoom) forget() {
	if err := r.log.Close(); err != nil {
		r.t.Error(err)
	}
	r.disk.Wipe()
	r.meta.wipe()
	if err := os.RemoveAll(filepath.Join(r.snaps, "snapshots")); err != nil {
		r.t.Error(err)
	}
	if err := os.Mkdir(filepath.Join(r.snaps, "snapshots"), 0o700); err != nil {
		r.t.Error(err)
	}
	r.open()
}

// cut is a power cut while the node is down: what no disk promised to keep is gone, but for
// what chance keeps of it.
func (r *machineRoom) cut(random *rand.Rand) (failed bool) {
	r.store.cut(r.t, random)
	r.meta.cut()
	r.files.cut()
	return r.disk.PowerCut(random)
}

// diskVFS is the disk as raft-wal wants it.
type diskVFS struct{ d *testkit.Disk }

func (v diskVFS) ListDir(string) ([]string, error) { return v.d.List(), nil }

func (v diskVFS) Create(_, name string, size uint64) (types.WritableFile, error) {
	return v.d.Create(name, int(size))
}

func (v diskVFS) Delete(_, name string) error                           { return v.d.Delete(name) }
func (v diskVFS) OpenReader(_, name string) (types.ReadableFile, error) { return v.d.Open(name) }
func (v diskVFS) OpenWriter(_, name string) (types.WritableFile, error) { return v.d.Open(name) }

// metaDisk is raft-wal's own small database, and raft's votes: on the disk when a call returns.
type metaDisk struct {
	disk               *testkit.Disk
	mu                 sync.Mutex
	state, kept        types.PersistentState
	stable, keptStable map[string][]byte
}

func (m *metaDisk) Load(string) (types.PersistentState, error) { return m.state, nil }
func (m *metaDisk) Close() error                               { return nil }

func (m *metaDisk) CommitState(s types.PersistentState) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state = s; m.disk.Step() {
		m.kept = s
	}
	return nil
}

func (m *metaDisk) GetStable(key []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stable[string(key)], nil
}

func (m *metaDisk) SetStable(key, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	value = append([]byte{}, value...)
	if m.stable[string(key)] = value; m.disk.Step() {
		m.keptStable[string(key)] = value
	}
	return nil
}

func (m *metaDisk) cut() { m.state, m.stable = m.kept, maps.Clone(m.keptStable) }

func (m *metaDisk) wipe() {
	m.state, m.stable = types.PersistentState{}, map[string][]byte{}
	if !m.disk.Off() {
		m.kept, m.keptStable = types.PersistentState{}, map[string][]byte{}
	}
}

// steppedSnaps are raft's snapshot files, to which nothing comes when the power is off.
type steppedSnaps struct {
	raft.SnapshotStore
	disk *testkit.Disk
}

func (s *steppedSnaps) Create(v raft.SnapshotVersion, index, term uint64, c raft.Configuration, at uint64, trans raft.Transport) (raft.SnapshotSink, error) {
	if !s.disk.Step() {
		return raft.NewDiscardSnapshotStore().Create(v, index, term, c, at, trans)
	}
	sink, err := s.SnapshotStore.Create(v, index, term, c, at, trans)
	return &steppedSink{sink, s.disk}, err
}

type steppedSink struct {
	raft.SnapshotSink
	disk *testkit.Disk
}

func (s *steppedSink) Write(p []byte) (int, error) {
	if !s.disk.Step() {
		return len(p), nil
	}
	return s.SnapshotSink.Write(p)
}

func (s *steppedSink) Close() error {
	if !s.disk.Step() {
		return nil // what was written lies about under a temporary name
	}
	return s.SnapshotSink.Close()
}

// forgetfulStore keeps what was there at the last Sync; of what came after, chance keeps
// whole transactions in order, which is what kv promises.
type forgetfulStore struct {
	*kv.Memory
	disk *testkit.Disk

	mu    sync.Mutex
	kept  *kv.Memory
	since []map[string][]byte
	lies  bool
}

type recorder struct {
	kv.Tx
	changes map[string][]byte // nil: deleted
}

func (r recorder) Set(key, value []byte) error {
	r.changes[string(key)] = append([]byte{}, value...)
	return r.Tx.Set(key, value)
}

func (r recorder) Delete(key []byte) error {
	r.changes[string(key)] = nil
	return r.Tx.Delete(key)
}

func (s *forgetfulStore) Update(fn func(kv.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := map[string][]byte{}
	err := s.Memory.Update(func(tx kv.Tx) error { return fn(recorder{tx, changes}) })
	if err == nil && s.disk.Step() {
		s.since = append(s.since, changes)
	}
	return err
}

func (s *forgetfulStore) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.disk.Step() && !s.lies {
		return s.keep(len(s.since))
	}
	return nil
}

// keep makes so many transactions survive. mu is held.
func (s *forgetfulStore) keep(n int) error {
	for _, changes := range s.since[:n] {
		if err := s.kept.Update(func(tx kv.Tx) error {
			var all error
			for key, value := range changes {
				if value == nil {
					all = errors.Join(all, tx.Delete([]byte(key)))
				} else {
					all = errors.Join(all, tx.Set([]byte(key), value))
				}
			}
			return all
		}); err != nil {
			return err
		}
	}
	s.since = s.since[n:]
	return nil
}

func (s *forgetfulStore) Close() error { return nil }

func (s *forgetfulStore) cut(t testing.TB, random *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if random != nil {
		if err := s.keep(random.IntN(len(s.since) + 1)); err != nil {
			t.Error(err)
		}
	}
	s.since, s.lies = nil, false
	s.Memory = copyStore(t, s.kept).(*kv.Memory)
}

// powerFiles are the small files, each on the disk when a call returns.
type powerFiles struct {
	disk      *testkit.Disk
	forget    func()
	mu        sync.Mutex
	now, kept smallFiles
}

type smallFiles struct {
	id      string
	members *members
	record  record
}

func (f *powerFiles) change(how func(*smallFiles)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if how(&f.now); f.disk.Step() {
		f.kept = f.now
	}
}

func (f *powerFiles) get() smallFiles {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *powerFiles) cut() { f.now = f.kept }

func (f *powerFiles) birth() (string, error) {
	if id := f.get().id; id != "" {
		return id, nil
	}
	id, err := newBirth(nil)
	f.change(func(s *smallFiles) { s.id = id })
	return id, err
}

func (f *powerFiles) rebirth() error {
	f.forget()
	f.change(func(s *smallFiles) { s.id, s.members = "", nil })
	return nil
}

func (f *powerFiles) loadMembers() (*members, error) { return f.get().members, nil }
func (f *powerFiles) loadRecord() (record, error)    { return f.get().record, nil }

func (f *powerFiles) saveMembers(m members) error {
	f.change(func(s *smallFiles) { s.members = &m })
	return nil
}

func (f *powerFiles) saveRecord(r record) error {
	f.change(func(s *smallFiles) { s.record = r })
	return nil
}
