package registry

import (
	"fmt"
	"slices"

	"paspoort.example/paspoort/specs/tlog"
)

// Replica follows a region's log from outside raft: a mirror, an issuer, a verifier, the
// reader of a snapshot. It takes leaves with a checkpoint that covers them, checks signatures
// and Merkle root, and replays through [Apply]. It stores and fetches nothing. Use it from
// one goroutine at a time.
type Replica struct {
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
	if origin := r.state.currentCharter().Origin; c.Origin != origin {
		return nil, ErrCheckpoint.with("the checkpoint is of another log")
	}
	from := r.state.size // the newest checkpoint that was taken is of this size
	file, err := r.state.View().Policy(from)
	if err != nil {
		return nil, err
	}
	seen, err := checkNote(file, note)
	if err != nil {
		return nil, r.whyNot(leaves, from, c.Size, err)
	}
	for i, leaf := range leaves {
		if err := r.apply(leaf); err != nil {
			r.frozen = fmt.Errorf("%w: leaf %d: %w", ErrFrozen, c.Size-uint64(len(leaves)-i), err)
			return nil, r.frozen
		}
	}
	// Each set of nodes on the way has to stand behind the first checkpoint beyond it.
	for _, change := range r.crossed(from, c.Size) {
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
