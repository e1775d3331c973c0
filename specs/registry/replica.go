package registry

import (
	"fmt"
	"iter"
	"slices"

	"paspoort.example/paspoort/specs/tlog"
)

// Replica follows a region's log from outside raft: a mirror, an issuer, a verifier, the
// reader of a snapshot. It takes leaves with a checkpoint that covers them, checks signatures
// and Merkle root, and replays through [Apply]. It stores and fetches nothing: who keeps its state
// in rows ([OpenReplica]) stores what [State.Fresh] gives. Use it from one goroutine at a time.
type Replica struct {
	// Ahead, when set, is called with the leaves that are applied next, some at a time, by who has
	// processors for [State.LookAhead]. It may read the state and [State.Spare] signatures.
	Ahead func(*State, [][]byte)

	state  *State
	tree   *tlog.Tree
	note   []byte // newest checkpoint
	fresh  Freshness
	frozen error
}

// NewReplica is an empty copy of the region with this id.
func NewReplica(genesis string) (*Replica, error) {
	if !isHash(genesis) {
		return nil, ErrRegion.with("a region's id is a SHA-256 in hexadecimal")
	}
	return &Replica{state: NewState(genesis), tree: tlog.NewTree()}, nil
}

// OpenReplica is the copy whose state is in rows, with the tree of its leaves and the newest
// checkpoint that was taken; without a note it is one before the first leaf. That the rows are of
// these leaves is the word of whoever stored them. It fails with [ErrRows] when they are of another
// number of leaves, and with [ErrRoot] when tree and checkpoint differ; both can be made again from
// the leaves.
func OpenReplica(genesis string, rows Rows, tree *tlog.Tree, note []byte) (*Replica, error) {
	r, err := NewReplica(genesis)
	if err != nil {
		return nil, err
	}
	if r.state, err = OpenState(genesis, rows); err != nil {
		return nil, err
	}
	r.tree = tree
	if r.state.size != tree.Size() {
		return nil, fmt.Errorf("%w: they are of %d leaves, not of %d", ErrRows, r.state.size, tree.Size())
	}
	if note == nil {
		return r, nil
	}
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if c.Size != tree.Size() || c.Root != tree.Root() {
		return nil, ErrRoot
	}
	view := r.state.View()
	seen, err := view.CheckCheckpoint(note)
	if err != nil {
		return nil, err
	}
	r.note, r.fresh = slices.Clone(note), view.freshness(seen, note)
	return r, nil
}

// State is the replayed state; it changes at the next [Replica.Extend].
func (r *Replica) State() *State { return r.state }

// Size is the number of leaves replayed.
func (r *Replica) Size() uint64 { return r.state.size }

// Checkpoint is the newest checkpoint note that was taken; nil before the first.
func (r *Replica) Checkpoint() []byte { return slices.Clone(r.note) }

// Freshness tells how recent the copy is, and whether a witness stands behind it; zero before
// the first checkpoint.
func (r *Replica) Freshness() Freshness { return r.fresh }

// Extend takes the leaves that follow, up to the size of the checkpoint. With no leaves it
// takes a fresher checkpoint of the same tree. On failure nothing changed:
//
//   - [ErrCheckpoint]: the checkpoint does not count, or is of another size;
//   - [ErrRoot]: the leaves are not those of the checkpoint;
//   - [ErrRegion], [ErrGenesis]: the log of another region;
//   - [ErrHandover]: the nodes changed, and those before or in between do not stand behind the
//     checkpoint; take the handover checkpoints first;
//   - [ErrFrozen]: the region signed what its rules refuse. The replica takes nothing more.
func (r *Replica) Extend(leaves [][]byte, note []byte) error {
	if r.frozen != nil {
		return r.frozen
	}
	tree, c, err := r.checkRoot(leaves, note)
	if err != nil {
		return err
	}
	size, genesis, logTime := r.state.size, r.state.genesis, r.state.logTime
	seen, err := r.extend(leaves, note, c)
	if err != nil {
		r.state.rollback(size, genesis, logTime)
		return err
	}
	r.tree, r.note, r.fresh = tree, slices.Clone(note), r.state.View().freshness(seen, note)
	return nil
}

// checkRoot compares leaves and checkpoint, before any signature is looked at.
func (r *Replica) checkRoot(leaves [][]byte, note []byte) (*tlog.Tree, tlog.Checkpoint, error) {
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return nil, c, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if c.Size == 0 || c.Size != r.state.size+uint64(len(leaves)) {
		return nil, c, ErrCheckpoint.with("%d leaves are here and %d came, the checkpoint is of %d", r.state.size, len(leaves), c.Size)
	}
	tree := r.tree.Clone()
	hashes := make([]tlog.Hash, len(leaves))
	for i, leaf := range leaves {
		hashes[i] = LeafHash(leaf)
	}
	if _, err := tree.Append(hashes...); err != nil {
		return nil, c, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	if tree.Root() != c.Root {
		return nil, c, ErrRoot
	}
	return tree, c, nil
}

// extend replays the leaves and checks the checkpoint under the nodes that were known before
// and, if they changed, under the new ones too.
func (r *Replica) extend(leaves [][]byte, note []byte, c tlog.Checkpoint) (*tlog.Seen, error) {
	if r.state.size == 0 {
		if err := r.apply(leaves[0]); err != nil {
			return nil, err // not the region that was pinned; nothing vouches for it yet
		}
		leaves = leaves[1:]
	}
	from := r.state.size // the newest checkpoint that was taken is of this size
	seen, err := r.vouched(from, note, c)
	if err != nil {
		if r.state.currentCharter().Origin != c.Origin {
			return nil, err
		}
		return nil, r.whyNot(leaves, from, c.Size, err)
	}
	if err := r.applyAll(leaves); err != nil {
		return nil, err
	}
	return r.handedOver(from, seen, note)
}

// vouched checks a checkpoint under the nodes of a size.
func (r *Replica) vouched(size uint64, note []byte, c tlog.Checkpoint) (*tlog.Seen, error) {
	if origin := r.state.currentCharter().Origin; c.Origin != origin {
		return nil, ErrCheckpoint.with("the checkpoint is of another log")
	}
	file, err := r.state.View().Policy(size)
	if err != nil {
		return nil, err
	}
	return checkNote(file, note)
}

// applyAll applies leaves that the region signed.
func (r *Replica) applyAll(leaves [][]byte) error {
	const piece = 1024
	for i, leaf := range leaves {
		if r.Ahead != nil && i%piece == 0 && len(leaves) > 1 {
			r.Ahead(r.state, leaves[i:min(i+piece, len(leaves))])
		}
		index := r.state.size
		if err := r.apply(leaf); err != nil {
			r.frozen = fmt.Errorf("%w: leaf %d: %w", ErrFrozen, index, err)
			return r.frozen
		}
	}
	return nil
}

// handedOver: each set of nodes since a size has to stand behind the first checkpoint beyond it.
func (r *Replica) handedOver(from uint64, seen *tlog.Seen, note []byte) (*tlog.Seen, error) {
	for _, change := range r.crossed(from, r.state.size) {
		file, err := r.state.View().Policy(change + 1)
		if err != nil {
			return nil, err
		}
		if seen, err = checkNote(file, note); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrHandover, err)
		}
	}
	return seen, nil
}

// crossed lists the sizes of the changes of nodes that a checkpoint of this size lies beyond, and the one
// before it, of size from, does not. D7: "checkpoints up to and including a policy change need
// the old policy, the first larger one needs old and new".
func (r *Replica) crossed(from, size uint64) (changes []uint64) {
	for _, change := range r.state.View().Handovers() {
		if from <= change && change < size {
			changes = append(changes, change)
		}
	}
	return changes
}

// whyNot tells a checkpoint that nobody vouches for from one by nodes that came later, as
// leaves that are not believed yet say. What it applies, Extend takes back.
func (r *Replica) whyNot(leaves [][]byte, from, size uint64, err error) error {
	for _, leaf := range leaves {
		if r.apply(leaf) != nil {
			return err
		}
	}
	if len(r.crossed(from, size)) > 0 {
		return fmt.Errorf("%w: %w", ErrHandover, err)
	}
	return err
}

func (r *Replica) apply(raw []byte) error {
	leaf, err := ParseLeaf(raw)
	if err != nil {
		return err
	}
	_, err = Apply(r.state, leaf)
	return err
}

// Walk is [Replica.Extend] for more leaves than memory should hold: they come in pieces. For each of
// them take is called with what applies it; it calls that once, and keeps then what [State.Fresh]
// gives. Whoever gives the leaves has held them against the checkpoint's root already; Walk does so
// again at the end. It fails as Extend does. When a state in rows was changed by then, the replica is
// of no more use: its rows have to be made again from the leaves up to the last checkpoint taken.
func (r *Replica) Walk(note []byte, pieces iter.Seq2[[][]byte, error], take func(apply func() error) error) error {
	if r.frozen != nil {
		return r.frozen
	}
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	w := &stretch{Replica: r, note: note, end: c, from: r.state.size, tree: r.tree.Clone(), take: take}
	size, genesis, logTime := r.state.size, r.state.genesis, r.state.logTime
	err = w.through(pieces)
	switch {
	case err == nil:
		r.tree, r.note, r.fresh = w.tree, slices.Clone(note), r.state.View().freshness(w.seen, note)
	case w.torn:
		r.frozen = err
	default:
		r.state.rollback(size, genesis, logTime)
	}
	return err
}

// stretch is one Walk.
type stretch struct {
	*Replica
	note []byte
	end  tlog.Checkpoint
	from uint64
	tree *tlog.Tree
	seen *tlog.Seen // nil until it is known whether the checkpoint counts
	take func(func() error) error
	torn bool // a piece may be stored
}

func (w *stretch) through(pieces iter.Seq2[[][]byte, error]) (err error) {
	if w.from > 0 {
		if w.seen, err = w.vouched(w.from, w.note, w.end); err != nil {
			return err
		}
	}
	for leaves, err := range pieces {
		if err != nil {
			return err
		}
		err = w.take(func() error {
			err := w.piece(leaves)
			w.torn = w.torn || err == nil && w.state.kept != nil
			return err
		})
		if err != nil {
			return err
		}
	}
	if w.tree.Size() != w.end.Size || w.seen == nil {
		return ErrCheckpoint.with("%d leaves came, the checkpoint is of %d", w.tree.Size(), w.end.Size)
	}
	if w.tree.Root() != w.end.Root {
		return ErrRoot
	}
	w.seen, err = w.handedOver(max(w.from, 1), w.seen, w.note)
	return err
}

func (w *stretch) piece(leaves [][]byte) (err error) {
	hashes := make([]tlog.Hash, len(leaves))
	for i, leaf := range leaves {
		hashes[i] = LeafHash(leaf)
	}
	if _, err := w.tree.Append(hashes...); err != nil {
		return fmt.Errorf("%w: %w", ErrRoot, err)
	}
	if w.seen == nil && len(leaves) > 0 {
		if err := w.apply(leaves[0]); err != nil {
			return err // not the region that was pinned
		}
		if w.seen, err = w.vouched(1, w.note, w.end); err != nil {
			return err
		}
		leaves = leaves[1:]
	}
	return w.applyAll(leaves)
}
