package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Fork is the proof that two histories were signed: two checkpoints, and a consistency path that
// shows what the tree of the larger one was at the size of the smaller.
type Fork struct {
	Genesis string      `json:"genesis,omitempty"` // of the region
	Seen    time.Time   `json:"seen,omitzero"`
	Smaller string      `json:"smaller"` // note
	Larger  string      `json:"larger"`  // note, of the same size or a larger one
	Root    tlog.Hash   `json:"root"`    // of the larger one's tree at the size of the smaller; another than its root
	Path    []tlog.Hash `json:"path"`    // from that root to the larger one's
}

// MaxFork is the most bytes of the file of a proof.
const MaxFork = 4 * tlog.MaxNote

// ErrNoFork says that two checkpoints do not contradict each other.
var ErrNoFork = errors.New("these two checkpoints do not contradict each other")

// ParseFork reads the file of a proof; nothing of it is checked.
func ParseFork(raw []byte) (f Fork, err error) {
	if len(raw) > MaxFork {
		return f, fmt.Errorf("proof of a fork: more than %d bytes", MaxFork)
	}
	if err = ijson.Unmarshal(raw, &f); err != nil {
		return f, fmt.Errorf("proof of a fork: %w", err)
	}
	if len(f.Path) > tlog.MaxProof {
		return f, fmt.Errorf("proof of a fork: more than %d hashes", tlog.MaxProof)
	}
	return f, nil
}

// Check holds the two checkpoints against each other. Whose they are is another question: see
// [Fork.Signers]. It fails with [ErrNoFork].
func (f Fork) Check() error {
	small, err1 := tlog.PeekCheckpoint([]byte(f.Smaller))
	large, err2 := tlog.PeekCheckpoint([]byte(f.Larger))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if small.Origin != large.Origin || small.Size == 0 || small.Size > large.Size || f.Root == small.Root {
		return ErrNoFork
	}
	if small.Size == large.Size {
		if f.Root != large.Root {
			return ErrNoFork
		}
		return nil
	}
	if err := tlog.VerifyConsistency(small.Size, large.Size, f.Path, f.Root, large.Root); err != nil {
		return fmt.Errorf("%w: %w", ErrNoFork, err)
	}
	return nil
}

// Sides are the nodes of a region that signed the one and the other checkpoint of a fork.
type Sides struct {
	Smaller []string `json:"smaller"`
	Larger  []string `json:"larger"`
	Both    []string `json:"both"` // who signed two histories
	// Counts says that both checkpoints count: not one node lied, but the region.
	Counts bool `json:"counts"`
}

// Signers tells who stands behind the two sides, by the keys that the nodes of the region ever had.
func (f Fork) Signers(v registry.View) (s Sides) {
	s.Smaller, s.Larger, s.Both = signers(v, []byte(f.Smaller)), signers(v, []byte(f.Larger)), []string{}
	for _, id := range s.Smaller {
		if slices.Contains(s.Larger, id) {
			s.Both = append(s.Both, id)
		}
	}
	_, err1 := v.CheckCheckpoint([]byte(f.Smaller))
	_, err2 := v.CheckCheckpoint([]byte(f.Larger))
	s.Counts = err1 == nil && err2 == nil
	return s
}

// signers are the nodes whose signature, as log or as cosigner, stands under a note.
func signers(v registry.View, note []byte) []string {
	region := v.Region(v.State.LogTime())
	var keys []tlog.VerifierKey
	owner := map[string]string{}
	for _, n := range region.Nodes {
		for _, k := range nodeKeys(region.Origin, n) {
			if _, twice := owner[k.String()]; !twice {
				keys, owner[k.String()] = append(keys, k), n.ID
			}
		}
	}
	out := []string{}
	// One bad signature refuses a whole note, so each key is tried by itself.
	for _, k := range keys {
		if opened, err := tlog.Open(note, k); err == nil && len(opened.Signatures) > 0 && !slices.Contains(out, owner[k.String()]) {
			out = append(out, owner[k.String()])
		}
	}
	slices.Sort(out)
	return out
}

// ForkOf makes the proof from the tiles of the larger tree. It fails with [ErrNoFork] when the
// smaller one is its beginning.
func ForkOf(ctx context.Context, genesis string, smaller, larger []byte, tilesOfLarger Source) (Fork, error) {
	f := Fork{Genesis: genesis, Smaller: string(smaller), Larger: string(larger)}
	small, err1 := tlog.PeekCheckpoint(smaller)
	large, err2 := tlog.PeekCheckpoint(larger)
	if err := errors.Join(err1, err2); err != nil {
		return f, err
	}
	if small.Size == large.Size {
		f.Root = large.Root
		return f, f.Check()
	}
	tiles := tileReader{ctx, tilesOfLarger}
	var err error
	if f.Root, err = tlog.RootAt(large, small.Size, tiles); err != nil {
		return f, err
	}
	if f.Root == small.Root {
		return f, ErrNoFork
	}
	if f.Path, err = tlog.ProveConsistency(large, small.Size, tiles); err != nil {
		return f, err
	}
	return f, f.Check()
}

// SidesOf judges who signed a fork by the keys in a log of the region, which is replayed as far as
// it is in order.
func SidesOf(ctx context.Context, f Fork, genesis string, s Source) (Sides, error) {
	replay, err := NewReplay(genesis, nil)
	if err != nil {
		return Sides{}, err
	}
	newest, handovers, err := ReadNotes(ctx, s)
	if err != nil {
		return Sides{}, err
	}
	if _, err := replay.Extend(ctx, s, newest, handovers); err != nil {
		return Sides{}, err
	}
	if replay.state.Size() == 0 {
		return Sides{}, errors.New("the log is not of this region")
	}
	return f.Signers(replay.state.View()), nil
}
