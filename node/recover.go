package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// When the majority of a region's disks is lost for good, raft cannot go on: whoever is left may
// lack what the others decided. Recovering (D6) is a decision of people. It takes the most that
// anybody can bring, never less than the largest checkpoint that counts, and makes one node the
// whole of a new raft cluster that begins there; the other nodes come back empty and are taken in.
//
// What it must not do is begin a second history. So it refuses while anybody is known to have
// cosigned more than was brought. And raft's index starts far beyond every index that the old
// cluster had: a disk of the old one that turns up later is either brought up to date from
// leaves, or stops because it holds more than the region went on with.

var (
	// ErrMoreIsKnown: a larger tree was cosigned than anybody brought.
	ErrMoreIsKnown = errors.New("more was cosigned than was brought")
	// ErrTwoHistories: what was brought does not belong to one history.
	ErrTwoHistories = errors.New("what was brought does not belong to one history")
	// ErrNothingCounts: no checkpoint that counts was brought.
	ErrNothingCounts = errors.New("no checkpoint that counts was brought")
)

// Source is something that holds leaves of the region: the data folder of a node that does not
// run, or a snapshot of the registry. One of the two is set.
type Source struct {
	Name     string
	Folder   string
	Snapshot []byte // a registry.Snapshot file
}

// Recovery is what Recover did.
type Recovery struct {
	Source   string `json:"source"`   // of the leaves
	Leaves   uint64 `json:"leaves"`   // with which the region goes on
	Counting uint64 `json:"counting"` // of these under the largest counting checkpoint
	Root     string `json:"root"`
	Aside    string `json:"aside"` // folder that the old data was moved to; empty if there was none
}

// Recover makes the data folder of c the beginning of a new cluster of this node alone, from
// the folder itself and the sources. known are checkpoints that others show: each of them must
// be within what was brought. The old folder is moved aside, nothing is deleted. It fails with
// [ErrMoreIsKnown], [ErrTwoHistories] or [ErrNothingCounts].
func Recover(c Config, known map[string][]byte, sources ...Source) (Recovery, error) {
	c = c.withDefaults()
	event, _, err := foundingCharter(c.Founding)
	if err != nil {
		return Recovery{}, err
	}
	b, err := gather(c, event.Event.ID(), sources)
	defer b.close()
	if err != nil {
		return Recovery{}, err
	}
	best, err := b.choose(known)
	if err != nil {
		return Recovery{}, err
	}
	return b.begin(c, best)
}

// CharterNodes are the nodes of the region, as far as the folder of c and the sources know: of
// whoever has the most leaves, or else those of the founding event. Each of them may hold more
// than was brought, so each has to be asked before Recover.
func CharterNodes(c Config, sources ...Source) ([]registry.Node, error) {
	event, charter, err := foundingCharter(c.Founding)
	if err != nil {
		return nil, err
	}
	b, err := gather(c, event.Event.ID(), sources)
	defer b.close()
	if err != nil {
		return nil, err
	}
	nodes, most := regionOfCharter(charter).nodes, uint64(0)
	for _, h := range b.list {
		if known := h.m.charter.Load(); known != nil && h.m.meta.Size > most {
			nodes, most = *known, h.m.meta.Size
		}
	}
	var out []registry.Node
	for _, id := range sortedKeys(nodes) {
		out = append(out, nodes[id])
	}
	return out, nil
}

// gather opens the folder of c, if there is one, and the sources. The result is closed by who asks,
// also after an error.
func gather(c Config, genesis string, sources []Source) (*brought, error) {
	b := &brought{genesis: genesis, promises: map[string]string{"this node": c.Dir}}
	if _, err := os.Stat(filepath.Join(c.Dir, dirStore)); err == nil {
		sources = append([]Source{{Name: "this node's own folder", Folder: c.Dir}}, sources...)
	}
	for _, s := range sources {
		if err := b.open(s); err != nil {
			return b, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return b, nil
}

// brought are the sources, opened and verified.
type brought struct {
	genesis  string
	list     []*holding
	promises map[string]string // folders of nodes, whatever is left in them, by who they are of
	notes    map[string][]byte // cosigned by somebody, by who showed it
}

// holding is one source with its leaves replayed.
type holding struct {
	name     string
	folder   string // empty for a snapshot
	store    kv.Store
	m        *machine
	counting tlog.Checkpoint // the largest in it that counts; size 0 when there is none
	note     []byte
}

func (b *brought) close() {
	for _, h := range b.list {
		h.store.Close()
	}
}

func (b *brought) open(s Source) (err error) {
	h := &holding{name: s.Name, folder: s.Folder}
	if s.Folder != "" {
		h.store, err = openFolder(s.Folder)
	} else {
		h.store = kv.NewMemory()
	}
	if err != nil {
		return err
	}
	b.list = append(b.list, h)
	if s.Folder != "" {
		b.promises["the node of "+s.Name] = s.Folder
	} else {
		return h.fromSnapshot(b.genesis, s.Snapshot)
	}
	if h.m, err = openMachine(h.store, b.genesis); err != nil {
		return err
	}
	if h.m.meta.Restoring {
		return errors.New("a restore from other nodes was broken off in it: its leaves were never compared")
	}
	note, err := readNote(h.store, keyPublished)
	if err != nil || note == nil {
		return err
	}
	return h.count(note)
}

// fromSnapshot replays the leaves of a snapshot, which proves itself against the region's id,
// into a store in memory.
func (h *holding) fromSnapshot(genesis string, file []byte) error {
	s, err := registry.ReadSnapshot(bytes.NewReader(file))
	if err != nil {
		return err
	}
	if _, _, err := s.Replay(genesis); err != nil {
		return err
	}
	if err := kv.CheckFormat(h.store, storeName, storeFormat); err != nil {
		return err
	}
	if h.m, err = openMachine(h.store, genesis); err != nil {
		return err
	}
	if _, err := h.m.followAll(s.Leaves); err != nil {
		return err
	}
	h.m.meta.Restoring = false // Replay compared the root
	return h.count(s.Checkpoint)
}

// count notes a checkpoint that counts and is of this holding's tree.
func (h *holding) count(note []byte) error {
	seen, err := h.m.state.View().CheckCheckpoint(note)
	if err != nil {
		return nil // the nodes changed since; a larger one of somebody else will do
	}
	if err := contains(h.m, seen.Checkpoint); err != nil {
		return fmt.Errorf("%w: its leaves are not those under its checkpoint: %w", ErrTwoHistories, err)
	}
	h.counting, h.note = seen.Checkpoint, note
	return nil
}

// choose finds the holding with the most leaves on top of the largest checkpoint that counts,
// and that nobody cosigned more.
func (b *brought) choose(known map[string][]byte) (*holding, error) {
	var counting, best *holding
	for _, h := range b.list {
		if h.counting.Size > 0 && (counting == nil || h.counting.Size > counting.counting.Size) {
			counting = h
		}
	}
	if counting == nil {
		return nil, ErrNothingCounts
	}
	for _, h := range b.list {
		if h.m.meta.Size < counting.counting.Size {
			continue
		}
		if err := contains(h.m, counting.counting); err != nil {
			return nil, fmt.Errorf("%w: %s has other leaves than the checkpoint of %s", ErrTwoHistories, h.name, counting.name)
		}
		if best == nil || h.m.meta.Size > best.m.meta.Size {
			best = h
		}
	}
	best.counting, best.note = counting.counting, counting.note
	return best, b.nothingLarger(best, known)
}

// nothingLarger holds every cosigned checkpoint that is known against the choice: those that
// the nodes showed each other, what they signed last themselves, and those of others.
func (b *brought) nothingLarger(best *holding, known map[string][]byte) error {
	b.notes = map[string][]byte{}
	for who, note := range known {
		b.notes[who] = note
	}
	for who, dir := range b.promises {
		r, err := folder{dir: dir}.loadRecord()
		if err != nil {
			return fmt.Errorf("%s: %w", who, err)
		}
		if r.Size > best.m.meta.Size {
			return fmt.Errorf("%w: %s cosigned %d leaves, %d were brought: find the disk or the copy that has them", ErrMoreIsKnown, who, r.Size, best.m.meta.Size)
		}
	}
	for _, h := range b.list {
		if h.folder == "" {
			continue
		}
		err := h.store.View(func(tx kv.Tx) error {
			return tx.Scan(keyWitnessed(""), func(key, value []byte) error {
				_, note, err := kv.Body(value)
				b.notes[h.name+" of "+string(key[len(keyWitnessed("")):])] = bytes.Clone(note)
				return err
			})
		})
		if err != nil {
			return err
		}
	}
	for who, note := range b.notes {
		c, cosigned := cosignedBy(best.m, note)
		switch {
		case !cosigned:
			continue // anybody can write a number in a file
		case c.Size > best.m.meta.Size:
			return fmt.Errorf("%w: %s knows a checkpoint of %d leaves, %d were brought: find the disk or the copy that has them", ErrMoreIsKnown, who, c.Size, best.m.meta.Size)
		case contains(best.m, c) != nil:
			return fmt.Errorf("%w: %s knows another tree of %d leaves", ErrTwoHistories, who, c.Size)
		}
	}
	return nil
}

// cosignedBy reads a checkpoint and says whether a node of the region signed it.
func cosignedBy(m *machine, note []byte) (tlog.Checkpoint, bool) {
	r := region{origin: m.state.View().Region(m.state.LogTime()).Origin, nodes: map[string]registry.Node{}}
	for _, record := range m.state.View().Nodes() { // those that left as well
		r.nodes[record.ID] = record.Node
	}
	c, opened, err := tlog.OpenCheckpoint(note, r.origin, r.allKeys()...)
	return c, err == nil && len(opened.Signatures) > 0
}

// begin moves the old folder aside and writes the new one.
func (b *brought) begin(c Config, h *holding) (Recovery, error) {
	out := Recovery{Source: h.name, Leaves: h.m.meta.Size, Counting: h.counting.Size, Root: h.m.meta.Root}
	self, ok := (*h.m.charter.Load())[c.ID]
	if !ok {
		return out, fmt.Errorf("the region has no node %s any more: recover on one of its nodes", c.ID)
	}
	at := snapshot{Version: snapshotVersion, Size: h.m.meta.Size, Root: h.m.meta.Root, Digest: h.m.state.Digest(),
		Applied: max(h.m.meta.Applied+1, uint64(c.Clock().UnixMilli()))} // no old index comes near
	for _, other := range b.list {
		if other.folder != "" { // a folder that is open cannot be moved
			if err := other.store.Close(); err != nil {
				return out, err
			}
		}
	}
	b.list = nil
	var err error
	if out.Aside, err = GiveWay(c.Dir, c.Clock()); err != nil {
		return out, err
	}
	if h.folder == c.Dir {
		h.folder = out.Aside
	}
	if err := h.copyTo(c.Dir); err != nil {
		return out, err
	}
	if err := h.rewind(c.Dir, at.Applied); err != nil {
		return out, err
	}
	return out, beginRaft(c, self, at)
}

// copyTo makes a data folder with the rows of this holding.
func (h *holding) copyTo(dir string) error {
	r, w := io.Pipe()
	go func() {
		if h.folder != "" {
			w.CloseWithError(DumpFolder(h.folder, w))
		} else {
			w.CloseWithError(dumpStore(h.store, w))
		}
	}()
	return errors.Join(restore(dir, r), r.Close())
}

// rewind puts raft's new index and the largest counting checkpoint into the new folder.
func (h *holding) rewind(dir string, applied uint64) error {
	store, err := openFolder(dir)
	if err != nil {
		return err
	}
	err = store.Update(func(tx kv.Tx) error {
		m, err := loadMeta(tx)
		if err != nil {
			return err
		}
		m.Applied, m.Restoring = applied, false
		return errors.Join(kv.PutJSON(tx, keyMeta, valueFormat, m), tx.Set(keyPublished, kv.Value(valueFormat, h.note)))
	})
	return errors.Join(err, kv.Sync(store), store.Close())
}

// beginRaft writes the raft side: a cluster of this node alone that starts from a snapshot.
func beginRaft(c Config, self registry.Node, at snapshot) error {
	f := folder{c.Dir, c.Rand}
	birth, err := f.birth()
	if err != nil {
		return err
	}
	// Forgot: the others may remember signatures of this node that its own record does not, of
	// trees that these leaves contain. It then takes them over instead of starting over.
	if err := f.saveMembers(members{Births: map[string]string{c.ID: birth}, Forgot: true}); err != nil {
		return err
	}
	id := raft.ServerID(c.ID + "/" + birth)
	alone := raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: id, Address: raft.ServerAddress(self.RaftAddress)}}}
	return writeRaft(filepath.Join(c.Dir, dirRaft), alone, at)
}

func writeRaft(dir string, alone raft.Configuration, at snapshot) (err error) {
	logs := filepath.Join(dir, "log")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return err
	}
	votes := &metadb.BoltMetaDB{}
	w, err := wal.Open(logs, wal.WithLogger(raftLog(quiet)), wal.WithMetaStore(votes))
	if err != nil {
		return errors.Join(err, votes.Close())
	}
	defer func() { err = errors.Join(err, w.Close(), votes.Close()) }()
	if err := w.SetUint64([]byte("CurrentTerm"), 1); err != nil {
		return err
	}
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(dir, 2, raftLog(quiet))
	if err != nil {
		return err
	}
	_, addresses := raft.NewInmemTransport(alone.Servers[0].Address)
	sink, err := snapshots.Create(1, at.Applied, 1, alone, at.Applied, addresses)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(io.Writer(sink)).Encode(at); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// regained says whether a node that was recovered has what it once signed, whoever tells of it.
// Its own record may be gone; its raft id is new, and it began the cluster with those leaves.
func (n *Node) regained(r record) bool {
	return n.recovered && n.publisher.holds(r) == nil
}

// GiveWay moves the data folder of a node that does not run aside, so that the node comes back
// empty and is taken in by the others. What it cosigned last stays: that is its promise. It
// gives the new name, or "" when there was no folder.
func GiveWay(dir string, now time.Time) (aside string, err error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
		return "", nil
	}
	f := folder{dir: dir}
	record, err := f.loadRecord()
	if err != nil {
		return "", err
	}
	aside = filepath.Clean(dir) + ".before-" + now.UTC().Format("20060102T150405Z")
	var hint registry.Snapshot
	known := false
	if store, err := openFolder(dir); err == nil { // its lock is what tells that no node runs
		hint, known, _ = hintOf(store) // a folder that is damaged gives way as well
		if err := store.Close(); err != nil {
			return "", err
		}
	} else if errors.Is(err, kv.ErrInUse) {
		return "", err
	}
	if err := os.Rename(dir, aside); err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return aside, err
	}
	if known {
		_ = WriteHint(dir, hint.Genesis, hint) // without it the nodes of the founding event are asked
	}
	if record.Size == 0 {
		return aside, nil
	}
	return aside, f.saveRecord(record)
}
