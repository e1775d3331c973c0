package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// snapshot is what raft ships instead of its log (D8): how many leaves, with which root
// and state. The leaves themselves live in the log; the restorer fetches what it lacks.
type snapshot struct {
	Version int    `json:"version"`
	Applied uint64 `json:"applied"` // raft index
	Size    uint64 `json:"size"`
	Root    string `json:"root"`
	Digest  string `json:"state"` // registry.State.Digest after Size leaves

	store   kv.Store
	rows    registry.Rows // to make the digest of when it is written; nil: it is made
	genesis string
}

const snapshotVersion = 1

// maxSnapshot bounds what a snapshot can be on the wire.
const maxSnapshot = 64 << 10

// Snapshot implements raft.FSM.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.failed != nil {
		return nil, m.failed
	}
	s := &snapshot{Version: snapshotVersion, Applied: m.meta.Applied, Size: m.meta.Size, Root: m.meta.Root,
		store: m.store, genesis: m.state.Genesis()}
	if m.kept == nil {
		s.Digest = m.state.Digest()
	} else {
		s.rows = &storeRows{store: m.store}
	}
	return s, nil
}

// Persist implements raft.FSMSnapshot. The state is on the disk before the snapshot is
// reported done, because raft then cuts the log that could bring it back after a power cut.
func (s *snapshot) Persist(sink raft.SnapshotSink) error {
	err := kv.Sync(s.store)
	if err == nil && s.rows != nil {
		// Here, because it takes seconds of a long log: raft applies meanwhile.
		s.Digest, err = registry.DigestOf(s.rows, s.genesis, s.Size)
	}
	if err == nil {
		err = json.NewEncoder(sink).Encode(s)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("snapshot: %w", err), sink.Cancel())
	}
	return sink.Close()
}

// Release implements raft.FSMSnapshot.
func (s *snapshot) Release() {}

// Restore implements raft.FSM. A snapshot of the same log is ahead of this node: it fetches
// the missing leaves, replays them and compares root and state before it stores anything.
func (m *machine) Restore(r io.ReadCloser) error {
	defer r.Close()
	var s snapshot
	if err := json.NewDecoder(io.LimitReader(r, maxSnapshot)).Decode(&s); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if s.Version != snapshotVersion {
		return fmt.Errorf("restore: snapshot of version %d", s.Version)
	}
	m.mu.RLock()
	applied, size, failed := m.meta.Applied, m.meta.Size, m.failed
	m.mu.RUnlock()
	switch {
	case failed != nil:
		return failed
	case s.Applied <= applied:
		return m.within(s)
	case s.Size < size:
		return m.poisoned(fmt.Errorf("it has %d leaves and this node has %d; if people recovered the region with fewer, give this node an empty data folder", s.Size, size))
	}
	for size < s.Size {
		// Without the lock: others may ask this node something meanwhile.
		batch, err := m.fetch(size, s.Size)
		if err == nil && len(batch) == 0 {
			err = errors.New("no node gave the missing leaves")
		}
		if err != nil {
			return m.stop(fmt.Errorf("restore: %w", err))
		}
		if size, err = m.followAll(batch); err != nil {
			return m.poisoned(err)
		}
	}
	return m.restored(s)
}

// stop makes an error final.
func (m *machine) stop(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail(err)
	return m.failed
}

// followAll applies and stores leaves on the way to a snapshot. Until root and state were
// compared with it, the tree may be one that nobody agreed on: it is not signed (head).
func (m *machine) followAll(batch [][]byte) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for part := range slices.Chunk(batch, maxHeldEvents) {
		p := m.newPending()
		if !p.meta.Restoring {
			p.meta.Restoring, p.meta.Before = true, p.meta.Size
		}
		for _, raw := range part {
			if err := m.follow(p, raw); err != nil {
				return 0, err
			}
		}
		m.flush(p)
		m.letReaders()
	}
	return m.meta.Size, m.failed
}

// restored compares what was fetched with the snapshot and takes over its raft index.
func (m *machine) restored(s snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.announce()
	if got := m.tree.Root().String(); got != s.Root {
		return m.poison(fmt.Errorf("leaves give root %s, snapshot says %s", got, s.Root))
	} else if m.state.Digest() != s.Digest {
		return m.poison(errors.New("leaves give another state than the snapshot says"))
	}
	p := m.newPending()
	p.meta.Applied, p.meta.Restoring, p.meta.Before = s.Applied, false, 0
	m.flush(p)
	return m.failed
}

// follow applies a leaf that others accepted.
func (m *machine) follow(p *pending, raw []byte) error {
	leaf, err := registry.ParseLeaf(raw)
	if err != nil {
		return fmt.Errorf("leaf %d: %w", p.meta.Size, err)
	}
	effect, err := registry.Apply(m.state, leaf)
	if err != nil {
		return fmt.Errorf("leaf %d: %w", p.meta.Size, err)
	}
	p.nodes = p.nodes || effect.Nodes || effect.Index == 0
	p.erased = append(p.erased, effect.Erased...)
	p.append(effect.Index, raw) // its own canonical form: ParseLeaf saw to that
	return nil
}

// head is the tree as a checkpoint without origin; the empty tree in the middle of a
// restore. mu is held.
func (m *machine) head() tlog.Checkpoint {
	if m.meta.Restoring {
		return tlog.Checkpoint{Root: tlog.EmptyRoot()}
	}
	return tlog.Checkpoint{Size: m.tree.Size(), Root: m.tree.Root()}
}
