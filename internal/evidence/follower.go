package evidence

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// A Copy is a copy of one region's registry that was verified: a follower's, a
// snapshot's, or a node's own state.
type Copy interface {
	// Genesis is the id of the region.
	Genesis() string
	// Read lets fn ask questions of the state, with how much of the log it is from and
	// how fresh. The view is not to be used after fn returned. It fails with
	// [ErrNoCopy] before there is anything to read, and with the error of fn.
	Read(ctx context.Context, fn func(registry.View, paspoort.RegistryFacts) error) error
}

// ErrNoCopy says that nothing of the region is known here yet.
var ErrNoCopy = errors.New("no copy of the region's registry yet")

// A Source is where the log of a region can be read, such as a node. What it says is
// believed for its signatures only. registry.Client is one; the HTTP client inside must
// allow answers of some tens of megabytes, which is what 1024 leaves can be.
type Source interface {
	Checkpoint(ctx context.Context) ([]byte, error)
	Handovers(ctx context.Context) ([][]byte, error)
	Leaves(ctx context.Context, from, to uint64) ([][]byte, error) // [from, to), or a shorter part from its beginning
}

// FollowerConfig says which region to follow and where.
type FollowerConfig struct {
	Genesis string   // pinned: the one thing that is believed beforehand
	Sources []Source // the nodes; one that answers is enough, more keep each other honest
	Mirrors []Source // others that have a copy, asked when none of the nodes answers
	Store   kv.Store // keeps the copy; nil keeps it in memory only
	// Room fails when the disk of Store has no room for more; nil means that it has.
	Room func() error
	// Turns, when set, is shared by followers: as many of them as it has room for apply a long
	// stretch at once. More would take memory and bring nothing.
	Turns chan struct{}
	Every time.Duration
	Clock func() time.Time
	Log   *slog.Logger
}

// A Follower keeps a verified copy of a region's registry by following the logs of its
// nodes. It never goes back: not to a smaller log and not to an older checkpoint.
type Follower struct {
	config FollowerConfig
	keys   regionKeys

	where   sync.Mutex      // guards Sources and Mirrors in config; nobody waits for a source to answer
	refresh sync.Mutex      // one refresh at a time
	behind  bool            // under refresh: the store missed leaves, so it must not get later ones
	asked   question        // under refresh: when payloads were last asked for
	tree    *tlog.Tree      // under refresh: of the leaves in the store; nil without one
	round   context.Context // under refresh: until when there is time, however slow a source is
	stuck   error           // under refresh: the region signed what its rules refuse
	rows    *copyRows       // where the state is; nil without a store

	unaudited uint64                // under refresh: leaves that were there at the start and were not looked at yet
	lost      atomic.Pointer[error] // why the state cannot be read; the next round makes it again

	mu       sync.RWMutex // held for writing while the replica changes
	walking  atomic.Bool  // that takes long: see readLock
	replica  *registry.Replica
	payloads *registry.Payloads
	source   string

	told   sync.RWMutex // guards what follows; it is held for a moment only
	health Health
	fork   *Fork // the region signed two histories
	frozen error // the region signed what is not to be followed
}

// NewFollower reads the copy that was kept and starts nothing. A copy on disk that does
// not verify any more is an error, not a reason to begin again: somebody changed it. Of its leaves
// the newest are looked at now, the others while it runs.
func NewFollower(c FollowerConfig) (*Follower, error) {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Every <= 0 {
		c.Every = 30 * time.Second
	}
	replica, err := registry.NewReplica(c.Genesis)
	if err != nil {
		return nil, fmt.Errorf("follow region: %w", err)
	}
	f := &Follower{config: c, keys: regionKeys("region/" + c.Genesis + "/"), replica: replica, payloads: &registry.Payloads{}, source: "own copy"}
	if c.Store == nil {
		f.replica.Ahead = lookAhead
		return f, nil
	}
	f.rows = &copyRows{store: c.Store, prefix: f.keys.rows()}
	err = f.start()
	if errors.Is(err, registry.ErrRows) {
		if err = f.restore(); err == nil {
			err = f.start()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("follow region: %w", err)
	}
	return f, nil
}

// ReadSnapshot reads a copy from a snapshot file and verifies it against the pinned
// region. It fails with registry.ErrRegion for the file of another region.
func ReadSnapshot(r io.Reader, genesis string) (*Follower, error) {
	snapshot, err := registry.ReadSnapshot(r)
	if err != nil {
		return nil, err
	}
	replica, payloads, err := snapshot.ReplayAhead(genesis, lookAhead)
	if err != nil {
		return nil, err
	}
	return &Follower{
		config:  FollowerConfig{Genesis: genesis, Clock: time.Now, Log: slog.New(slog.DiscardHandler)},
		replica: replica, payloads: payloads, source: "snapshot",
	}, nil
}

// Genesis implements [Copy].
func (f *Follower) Genesis() string { return f.config.Genesis }

// Read implements [Copy].
func (f *Follower) Read(ctx context.Context, fn func(registry.View, paspoort.RegistryFacts) error) (err error) {
	if err := f.readLock(ctx); err != nil {
		return err
	}
	defer f.mu.RUnlock()
	if err := f.damaged(); err != nil {
		return err
	}
	defer f.lostRows(&err)
	if f.replica.Size() == 0 {
		return ErrNoCopy
	}
	view := f.replica.State().View()
	view.Payloads = f.payloads
	fresh := f.replica.Freshness()
	facts := paspoort.RegistryFacts{
		Region: f.config.Genesis, Name: view.Region(f.replica.State().LogTime()).Name,
		Leaves: view.AsOf, Time: fresh.Time, Trust: paspoort.Witnessed, Source: f.source, Doubt: f.doubt(),
	}
	if fresh.OwnNodesOnly {
		facts.Trust = paspoort.OwnNodes
	}
	return fn(view, facts)
}

// Run follows the region until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	for {
		if err := f.Refresh(ctx); err != nil && ctx.Err() == nil {
			f.config.Log.Warn("region could not be followed", "region", f.config.Genesis[:8], "error", err)
		}
		f.auditMore()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(f.config.Every):
		}
	}
}

// SetSources says where the region's log is from now on: see [FollowerConfig].
func (f *Follower) SetSources(nodes, mirrors []Source) {
	f.where.Lock()
	defer f.where.Unlock()
	f.config.Sources, f.config.Mirrors = nodes, mirrors
}

// Refresh asks every node once, and mirrors when no node was of use. It succeeds when one of
// them had a checkpoint that counts, new or known; otherwise it says why none had. It fails
// with [ErrForked] once the region signed two histories.
func (f *Follower) Refresh(ctx context.Context) (err error) {
	f.refresh.Lock()
	defer f.refresh.Unlock()
	defer f.lostRows(&err)
	f.round = ctx
	if f.damaged() != nil {
		if err := f.restore(); err != nil {
			return err
		}
	}
	nodes, mirrors := f.sources()
	good, errs := f.ask(ctx, nodes)
	own := good
	if !good {
		fromMirror, more := f.ask(ctx, mirrors)
		good, errs = fromMirror, append(errs, more...)
	}
	if ctx.Err() == nil {
		f.note(good, own, errs)
	}
	if good {
		f.followPayloads(ctx)
		return nil
	}
	if len(errs) == 0 {
		return errors.New("follow region: no node to ask")
	}
	return errors.Join(errs...)
}

// ask asks sources one after another. What two of them say can show a fork, and then no answer
// of any is good.
func (f *Follower) ask(ctx context.Context, sources []Source) (good bool, errs []error) {
	for _, source := range sources {
		if err := f.follow(ctx, source); err != nil {
			errs = append(errs, err)
			continue
		}
		good = true
	}
	return good && f.fork == nil, errs
}

// follow takes what one source has beyond our copy.
func (f *Follower) follow(ctx context.Context, source Source) error {
	if f.fork != nil {
		return ErrForked
	}
	note, err := source.Checkpoint(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := f.patience(ctx, note)
	defer cancel()
	if !f.far(note) {
		err = f.advance(ctx, source, note)
		if !errors.Is(err, registry.ErrHandover) {
			return err
		}
	}
	// The nodes changed in between (D7): walk over the checkpoints at which they did.
	handovers, err := source.Handovers(ctx)
	if err != nil {
		return err
	}
	if len(handovers) > maxHandovers {
		return errManyHandovers
	}
	for _, step := range append(handovers, note) {
		if err := f.advance(ctx, source, step); err != nil {
			return err
		}
	}
	return nil
}

// far says whether a checkpoint is so far ahead that the nodes may well have changed on the way:
// then it is not tried first.
func (f *Follower) far(note []byte) bool {
	c, err := tlog.PeekCheckpoint(note)
	return err == nil && f.config.Store != nil && c.Size > f.size()+longStretch
}

// advance brings the copy to a checkpoint, if that is ahead of it.
func (f *Follower) advance(ctx context.Context, source Source, note []byte) error {
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	have := f.size()
	if c.Size <= have {
		if err := f.compare(note, c); err != nil || c.Size < have || !f.fresher(note) {
			return err
		}
	}
	// Peek believes the note as it stands; a size beyond reason must not make us fetch for
	// ever. What is fetched is held against the root before anything of it is kept.
	if c.Size-have > maxLeavesAhead {
		return fmt.Errorf("checkpoint: %d leaves ahead, at most %d at a time", c.Size-have, uint64(maxLeavesAhead))
	}
	if f.stuck != nil {
		return f.stuck
	}
	if err := f.room(); err != nil {
		return err
	}
	if f.far(note) && !f.behind {
		return f.take(ctx, source, note, c)
	}
	if c.Size > have+longStretch { // it goes into memory: not before somebody stands behind it
		if err := f.mayCount(ctx, source, note, have); err != nil {
			return errors.Join(registry.ErrHandover, err) // perhaps nodes that came later do
		}
	}
	leaves, err := fetchLeaves(ctx, source, have, c.Size)
	if err != nil {
		return err
	}
	err = f.extend(leaves, note)
	if errors.Is(err, registry.ErrRoot) && have > 0 {
		return f.suspect(ctx, source, note, c)
	}
	return err
}

// errLeaves says that a source did not send the leaves that it was asked for.
var errLeaves = errors.New("leaves: none came, or more than asked")

const (
	maxLeavesAhead = 1 << 20
	maxAheadBytes  = 512 << 20
	maxSpoolBytes  = 2 << 30 // on disk
)

func fetchLeaves(ctx context.Context, source Source, from, to uint64) ([][]byte, error) {
	var leaves [][]byte
	total := 0
	for from < to {
		part, err := source.Leaves(ctx, from, to)
		if err != nil {
			return nil, err
		}
		if len(part) == 0 || uint64(len(part)) > to-from {
			return nil, errLeaves
		}
		for _, leaf := range part {
			total += len(leaf)
		}
		if total > maxAheadBytes {
			return nil, errors.New("leaves: too many bytes at a time")
		}
		leaves, from = append(leaves, part...), from+uint64(len(part))
	}
	return leaves, nil
}

func (f *Follower) size() uint64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.replica.Size()
}

// fresher says whether a checkpoint of the size that we have says more than ours: it was
// cosigned later, or by a witness too.
func (f *Follower) fresher(note []byte) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.replica.Size() == 0 || bytes.Equal(note, f.replica.Checkpoint()) {
		return false
	}
	fresh, err := f.replica.State().View().Freshness(note)
	return err == nil && f.newer(fresh, f.replica.Freshness())
}

// witnessedAgain is within what time a witness is to be heard again. A node that did not reach
// the witness serves what only nodes of the region signed, later; that does not outdo what a
// witness signed a moment ago.
const witnessedAgain = 2 * time.Hour

func better(fresh, have registry.Freshness) bool {
	switch {
	case fresh.OwnNodesOnly == have.OwnNodesOnly:
		return fresh.Time.After(have.Time)
	case have.OwnNodesOnly:
		return fresh.Time.After(have.Time.Add(-witnessedAgain))
	}
	return fresh.Time.After(have.Time.Add(witnessedAgain))
}

// extend verifies and takes leaves, and keeps them. It is called under refresh, so nobody
// else changes the replica between the two.
func (f *Follower) extend(leaves [][]byte, note []byte) error {
	from, crossed, erased, err := f.replay(leaves, note)
	if err != nil || f.config.Store == nil {
		return err
	}
	if err := f.destroy(erased); err != nil {
		f.behind = true
		return err
	}
	if f.behind {
		return nil
	}
	if err := f.keep(from, leaves, note, crossed); err != nil {
		// The copy in memory is good. The one on disk stays as it was, because it may have
		// no holes; the next start goes on from there.
		f.behind = true
		return fmt.Errorf("keep registry copy: %w", err)
	}
	return nil
}

// replay takes leaves into the copy in memory. crossed says that the nodes changed on the
// way, so that the checkpoint has to be kept; erased are the payloads that may not be.
func (f *Follower) replay(leaves [][]byte, note []byte) (from uint64, crossed bool, erased []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from = f.replica.Size()
	handovers := f.handovers()
	if err := f.rows.reading(func() error { return f.replica.Extend(leaves, note) }); err != nil {
		return from, false, nil, err
	}
	erased = f.payloads.Retain(f.replica.State().View().Awaits)
	return from, f.handovers() > handovers, erased, nil
}

// handovers counts the changes of nodes that the newest checkpoint lies beyond. It needs mu.
func (f *Follower) handovers() (n int) {
	for _, size := range f.replica.State().View().Handovers() {
		if size < f.replica.Size() {
			n++
		}
	}
	return n
}

// regionKeys are the keys of one region in the store:
//
//	region/GENESIS/leaf/INDEX      8 bytes big endian: the leaf
//	region/GENESIS/handover/SIZE   8 bytes big endian: a checkpoint note that is kept (D7)
//	region/GENESIS/checkpoint      the newest checkpoint note
//	region/GENESIS/tile/LEVEL INDEX   1 byte and 8 bytes big endian: a tile of hashes, as wide as it became
//	region/GENESIS/fork            [Fork]: the region signed two histories
//	region/GENESIS/row/KEY         a row of the state, as registry.Rows has it
//	region/GENESIS/payload/COMMITMENT   a payload of a one-person firm with its key, until erased
type regionKeys string

func (k regionKeys) leaf(i uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(k+"leaf/"), i)
}

func (k regionKeys) handover(size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(k+"handover/"), size)
}

func (k regionKeys) payload(commitment string) []byte {
	return []byte(string(k) + "payload/" + commitment)
}

func (k regionKeys) checkpoint() []byte { return []byte(k + "checkpoint") }

// copyVersion is the format version of every value above.
const copyVersion = 1

// keptPerUpdate bounds the payloads in one batch of the store.
const keptPerUpdate = 1000

// keep writes the leaves first, then the rows of the state, and the checkpoint last with the one row
// that makes the others count: a copy that was cut off in between is a shorter copy.
func (f *Follower) keep(from uint64, leaves [][]byte, note []byte, crossed bool) error {
	for n := inOne(leaves); n < len(leaves); n = inOne(leaves) {
		if err := f.keepBatch(from, leaves[:n], nil); err != nil {
			return err
		}
		from, leaves = from+uint64(n), leaves[n:]
	}
	state := f.replica.State()
	rows := state.Fresh()
	if state.FreshBytes() > pieceBytes {
		var err error
		if rows, err = f.rows.putFirst(rows); err != nil {
			return err
		}
	}
	err := f.keepBatch(from, leaves, func(tx kv.Tx) error {
		if err := f.rows.put(tx, rows); err != nil {
			return err
		}
		return f.keepNote(tx, from+uint64(len(leaves)), note, crossed)
	})
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		state.Stored()
	}
	return err
}

// inOne is how many leaves go into one transaction.
func inOne(leaves [][]byte) (n int) {
	for size := 0; n < len(leaves) && size < pieceBytes; n++ {
		size += len(leaves[n])
	}
	return n
}

// keepBatch stores leaves with their tiles, and what more there is, in one transaction.
func (f *Follower) keepBatch(from uint64, leaves [][]byte, more func(kv.Tx) error) error {
	return f.config.Store.Update(func(tx kv.Tx) error {
		if err := f.keys.setLeaves(tx, from, leaves); err != nil {
			return err
		}
		if err := f.keys.grow(tx, f.tree, leaves); err != nil {
			return err
		}
		if more == nil {
			return nil
		}
		return more(tx)
	})
}

func (k regionKeys) setLeaves(tx kv.Tx, from uint64, leaves [][]byte) error {
	for i, leaf := range leaves {
		if err := tx.Set(k.leaf(from+uint64(i)), kv.Value(copyVersion, leaf)); err != nil {
			return err
		}
	}
	return nil
}

// keepNote stores a checkpoint that was taken.
func (f *Follower) keepNote(tx kv.Tx, size uint64, note []byte, crossed bool) error {
	if crossed {
		if err := tx.Set(f.keys.handover(size), kv.Value(copyVersion, note)); err != nil {
			return err
		}
	}
	return tx.Set(f.keys.checkpoint(), kv.Value(copyVersion, note))
}

// keptHandovers are the checkpoints at which the nodes changed.
func (f *Follower) keptHandovers(tx kv.Tx) (notes [][]byte, err error) {
	return notes, tx.Scan([]byte(f.keys+"handover/"), func(_, v []byte) error {
		note, err := body(v)
		notes = append(notes, note)
		return err
	})
}

// body is a copy of a stored value without its version.
func body(value []byte) ([]byte, error) {
	version, b, err := kv.Body(value)
	if err == nil && version != copyVersion {
		err = fmt.Errorf("%w: version %d of a registry copy", kv.ErrFormat, version)
	}
	return bytes.Clone(b), err
}
