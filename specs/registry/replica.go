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
	seen   *tlog.Seen
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

// Freshness tells how recent the copy is; zero before the first checkpoint. Peer regions do
// not cosign under rules version 1, so it is always "own nodes only".
func (r *Replica) Freshness() Freshness {
	if r.seen == nil {
		return Freshness{}
	}
	return Freshness{Size: r.seen.Checkpoint.Size, Time: r.seen.Freshest().UTC(), OwnNodesOnly: true}
}

// Extend takes the leaves that follow, up to the size of the checkpoint. With no leaves it
// takes a fresher checkpoint of the same tree. On failure nothing changed:
//
//   - [ErrCheckpoint]: the checkpoint does not count, or is of another size;
//   - [ErrRoot]: the leaves are not those of the checkpoint;
//   - [ErrRegion], [ErrGenesis]: the log of another region;
//   - [ErrHandover]: the nodes changed more than once, or the checkpoint is signed by the new
//     ones only; take the handover checkpoints first;
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
	r.tree, r.note, r.seen = tree, slices.Clone(note), seen
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
	known := len(r.state.View().Handovers())
	file, err := r.state.View().Policy(r.state.size + 1)
	if err != nil {
		return nil, err
	}
	seen, err := checkNote(file, note)
	if err != nil {
		return nil, err
	}
	for i, leaf := range leaves {
		if err := r.apply(leaf); err != nil {
			r.frozen = fmt.Errorf("%w: leaf %d: %w", ErrFrozen, c.Size-uint64(len(leaves)-i), err)
			return nil, r.frozen
		}
	}
	var crossed []uint64
	for _, size := range r.state.View().Handovers()[known:] {
		if size < c.Size {
			crossed = append(crossed, size)
		}
	}
	switch {
	case len(crossed) > 1:
		return nil, ErrHandover
	case len(crossed) == 1:
		if seen, err = r.state.View().CheckCheckpoint(note); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrHandover, err)
		}
	}
	return seen, nil
}

func (r *Replica) apply(raw []byte) error {
	leaf, err := ParseLeaf(raw)
	if err != nil {
		return err
	}
	_, err = Apply(r.state, leaf)
	return err
}
