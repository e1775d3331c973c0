package node

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/metadb"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Inspection is what a data folder holds and whether it holds together, found while the node
// does not run. Nothing in the folder is changed, and nothing in it is believed.
type Inspection struct {
	Node       string    `json:"node"`
	Region     string    `json:"region"`
	Leaves     uint64    `json:"leaves"`
	Root       string    `json:"root"`
	State      string    `json:"state"`      // digest of the registry's state
	RaftIndex  uint64    `json:"raft_index"` // that the store has applied
	LogTime    time.Time `json:"log_time"`   // of the last leaf
	Counting   uint64    `json:"counting"`   // leaves under the largest counting checkpoint in it
	Freshest   time.Time `json:"freshest"`   // when a quorum stood behind that
	Payloads   int       `json:"payloads"`   // of one-person firms
	Findings   []Finding `json:"findings"`
	TookMillis int64     `json:"took_millis"`

	note []byte // the counting checkpoint
}

// Finding is one thing that was looked at.
type Finding struct {
	What   string `json:"what"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"` // what helps, when that is not a backup or an empty folder
}

// OK says whether everything held.
func (i Inspection) OK() bool {
	for _, f := range i.Findings {
		if !f.OK {
			return false
		}
	}
	return len(i.Findings) > 0
}

// quiet is for libraries that want to say something.
var quiet = slog.New(slog.DiscardHandler)

func (i *Inspection) found(what string, err error, detail string, args ...any) {
	f := Finding{What: what, OK: err == nil, Detail: fmt.Sprintf(detail, args...)}
	if err != nil {
		f.Detail = err.Error()
	}
	i.Findings = append(i.Findings, f)
}

// Inspect looks at the data folder of c, which needs ID, Founding and Dir; keys that are set
// are held against the charter. It fails only when there is nothing to look at: no such
// folder, or a node that runs on it (kv.ErrInUse).
func Inspect(c Config) (i Inspection, err error) {
	c = c.withDefaults()
	start := c.Clock()
	event, charter, err := foundingCharter(c.Founding)
	if err != nil {
		return i, err
	}
	i.Node, i.Region = c.ID, event.Event.ID()
	store, err := openFolder(c.Dir)
	if err != nil {
		return i, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	m, err := openMachine(store, i.Region)
	if err != nil {
		i.found("leaves", err, "")
		return i, nil
	}
	i.read(m)
	i.checkpoint(m)
	i.record(m, folder{dir: c.Dir})
	i.raftLog(m, c.Dir)
	i.keys(m, c, regionOfCharter(charter))
	i.TookMillis = c.Clock().Sub(start).Milliseconds()
	return i, nil
}

// read notes what openMachine replayed: each signature, rule and hash was checked by that.
func (i *Inspection) read(m *machine) {
	i.Leaves, i.Root, i.RaftIndex = m.meta.Size, m.meta.Root, m.meta.Applied
	i.State, i.LogTime = m.state.Digest(), m.state.LogTime()
	err := m.store.View(func(tx kv.Tx) error { // openMachine opened each of them
		return tx.Scan([]byte(prefixPayload), func(_, _ []byte) error { i.Payloads++; return nil })
	})
	if m.meta.Restoring {
		err = errors.New("a restore from other nodes was broken off here: start the node, it goes on by itself")
	} else if i.Leaves == 0 {
		err = errors.New("there are no leaves: the region was not founded here yet")
	}
	i.found("leaves", err, "%d leaves, replayed by the registry's rules; root %s", i.Leaves, i.Root)
}

// checkpoint holds the newest published checkpoint against policy and tree.
func (i *Inspection) checkpoint(m *machine) {
	note, err := readNote(m.store, keyPublished)
	if note == nil {
		i.found("checkpoint", errors.Join(err, errors.New("none that counts is in the folder")), "")
		return
	}
	seen, err := m.state.View().CheckCheckpoint(note)
	if err == nil {
		err = contains(m, seen.Checkpoint)
	}
	if err == nil {
		i.Counting, i.Freshest, i.note = seen.Checkpoint.Size, seen.Freshest().UTC(), note
	}
	i.found("checkpoint", err, "counts for %d leaves, a quorum stood behind it at %s", i.Counting, i.Freshest.Format(time.RFC3339))
}

// readNote is the checkpoint under a key, nil when there is none.
func readNote(store kv.Store, key []byte) (note []byte, err error) {
	err = store.View(func(tx kv.Tx) error {
		raw, err := tx.Get(key)
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err == nil {
			_, note, err = kv.Body(raw)
		}
		return err
	})
	return note, err
}

// contains compares the tree with a checkpoint of no larger size.
func contains(m *machine, c tlog.Checkpoint) error {
	head := m.head()
	if c.Size > head.Size {
		return fmt.Errorf("it is of %d leaves, the folder has %d", c.Size, head.Size)
	}
	return compareTree(m.store, head, c)
}

// record holds what this node cosigned last against the tree: a promise that it has to keep.
func (i *Inspection) record(m *machine, f folder) {
	r, err := f.loadRecord()
	if err == nil && r.Size > 0 {
		var root tlog.Hash
		if root, err = tlog.ParseHash(r.Root); err == nil {
			err = contains(m, tlog.Checkpoint{Size: r.Size, Root: root})
		}
	}
	i.found("own cosignature", err, "the last one was of %d leaves, all of them here", r.Size)
	if errors.Is(err, errFork) {
		i.Findings[len(i.Findings)-1].Detail = fmt.Sprintf("it signed another history of %d leaves than is here", r.Size)
		i.Findings[len(i.Findings)-1].Advice = "compare with a copy from outside. " + adviceTorn
	}
}

// raftLog reads every entry of raft's log. A folder that was restored has none yet.
func (i *Inspection) raftLog(m *machine, dir string) {
	path := filepath.Join(dir, dirRaft)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		joined, err := folder{dir: dir}.loadMembers()
		if err == nil && (joined == nil || !joined.Joined) {
			err = errors.New("raft's log is missing: the node comes back under a new id")
		}
		i.found("raft log", err, "none yet: the node asks the others to be taken in")
		return
	}
	first, last, err := readRaftLog(filepath.Join(path, "log"))
	snapshots, err2 := raft.NewFileSnapshotStoreWithLogger(path, 2, raftLog(quiet))
	if err = errors.Join(err, err2); err == nil {
		list, err2 := snapshots.List()
		err = err2
		if len(list) > 0 {
			last = max(last, list[0].Index)
		}
	}
	if err == nil && m.meta.Applied > last {
		err = fmt.Errorf("it ends at %d and the store has applied %d: the disk lost what it promised to keep; the node comes back under a new id", last, m.meta.Applied)
	}
	i.found("raft log", err, "entries %d to %d can be read, %d applied", first, last, m.meta.Applied)
}

// readRaftLog reads all entries; a log that cannot be opened while a node runs is an error.
func readRaftLog(dir string) (first, last uint64, err error) {
	votes := &metadb.BoltMetaDB{}
	w, err := wal.Open(dir, wal.WithLogger(raftLog(quiet)), wal.WithMetaStore(votes))
	if err != nil {
		return 0, 0, errors.Join(err, votes.Close())
	}
	defer func() { err = errors.Join(err, w.Close(), votes.Close()) }()
	if first, err = w.FirstIndex(); err != nil {
		return 0, 0, err
	}
	if last, err = w.LastIndex(); err != nil {
		return 0, 0, err
	}
	var entry raft.Log
	for at := first; at <= last && last > 0; at++ {
		if err := w.GetLog(at, &entry); err != nil {
			return first, last, fmt.Errorf("entry %d: %w", at, err)
		}
	}
	return first, last, nil
}

// keys compares the node's keys with those that the region knows.
func (i *Inspection) keys(m *machine, c Config, founding region) {
	if c.TLSKey == nil {
		return
	}
	known, ok := founding.nodes[c.ID]
	if m.charter.Load() != nil {
		known, ok = (*m.charter.Load())[c.ID]
	}
	if !ok {
		i.found("keys", fmt.Errorf("the region has no node %s", c.ID), "")
		return
	}
	err := c.hasKeysOf(known)
	i.found("keys", err, "the keys are those that the region knows of %s", c.ID)
	if err != nil {
		i.Findings[len(i.Findings)-1].Advice = "put the key files of " + c.ID + " back, from a backup; no other keys can be this node"
	}
}

// hasKeysOf holds the keys against those of a node in the charter.
func (c Config) hasKeysOf(known registry.Node) error {
	text := func(k crypto.Signer) string {
		raw, _ := k.Public().(ed25519.PublicKey)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	timestamp, err := registry.NewPublicKey(c.TimestampKey.Public())
	for _, key := range []struct {
		name string
		same bool
	}{
		{"peer", registry.SPKIHash(c.TLSKey.Public()) == known.TLSKey}, {"log", text(c.LogKey) == known.LogKey},
		{"cosigner", text(c.CosignerKey) == known.CosignerKey}, {"timestamp", timestamp == known.TimestampKey},
	} {
		if !key.same {
			err = errors.Join(err, fmt.Errorf("the %s key is not the one that the region knows", key.name))
		}
	}
	if c.FederationKey != nil && known.FederationKey != "" { // a node without one signs no statements
		if federation, bad := registry.NewPublicKey(c.FederationKey.Public()); bad != nil || federation != known.FederationKey {
			err = errors.Join(err, errors.New("the federation key is not the one that the region knows"))
		}
	}
	return err
}
