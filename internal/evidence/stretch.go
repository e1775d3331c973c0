package evidence

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// A follower that is far behind does not hold all that it lacks in memory. The leaves go to the
// store as they come, behind those that count; there they are nothing until their tree is the
// checkpoint's and the nodes that are known by then stand behind that. Then they are applied
// piece by piece, with the signatures checked ahead by all processors.

const (
	longStretch = 256  // leaves; fewer are taken at once
	pieceLeaves = 1024 // applied at a time
)

// take brings a copy far ahead, to a checkpoint.
func (f *Follower) take(ctx context.Context, source Source, note []byte, c tlog.Checkpoint) error {
	have := f.size()
	if err := f.mayCount(ctx, source, note, have); err != nil {
		return err
	}
	root, err := f.spool(ctx, source, have, c.Size)
	if err != nil {
		return err
	}
	if root != c.Root {
		if have > 0 {
			return f.suspect(ctx, source, note, c)
		}
		return registry.ErrRoot
	}
	erased, torn, err := f.walk(note, have, c.Size)
	switch {
	case torn && f.round.Err() != nil:
		f.lost.Store(&err) // the program ends; the next one makes the rows again
	case torn:
		err = errors.Join(err, f.restore())
	}
	if err != nil {
		return err
	}
	if err := f.destroy(erased); err != nil {
		f.behind = true
		return err
	}
	return nil
}

// mayCount refuses a checkpoint that nobody stands behind before anything is fetched for it.
func (f *Follower) mayCount(ctx context.Context, source Source, note []byte, have uint64) error {
	f.mu.RLock()
	state := f.replica.State()
	f.mu.RUnlock()
	if have == 0 {
		first, err := fetchLeaves(ctx, source, 0, 1)
		if err != nil {
			return err
		}
		leaf, err := registry.ParseLeaf(first[0])
		if err != nil {
			return err
		}
		state = registry.NewState(f.config.Genesis)
		if _, err := registry.Apply(state, leaf); err != nil {
			return err
		}
	}
	view := state.View() // under refresh nobody changes it
	file, err := view.Policy(view.AsOf)
	if err != nil {
		return err
	}
	policy, err := tlog.ParsePolicy([]byte(file))
	if err != nil {
		return err
	}
	if _, err := policy.Check(note); err != nil {
		return fmt.Errorf("%w: %w", registry.ErrCheckpoint, err)
	}
	return nil
}

// spool puts leaves into the store, where nothing counts yet beyond the checkpoint, and gives the
// root of the tree with them.
func (f *Follower) spool(ctx context.Context, source Source, from, to uint64) (root tlog.Hash, err error) {
	tree, total := f.tree.Clone(), 0
	for from < to {
		leaves, err := source.Leaves(ctx, from, to)
		if err != nil {
			return root, err
		}
		if len(leaves) == 0 || uint64(len(leaves)) > to-from {
			return root, errLeaves
		}
		for _, leaf := range leaves {
			total += len(leaf)
		}
		if total > maxSpoolBytes {
			return root, errors.New("leaves: too many bytes at a time")
		}
		if err := f.room(); err != nil {
			return root, err
		}
		if _, err := tree.Append(leafHashes(leaves)...); err != nil {
			return root, err
		}
		for len(leaves) > 0 {
			n := inOne(leaves)
			err := f.config.Store.Update(func(tx kv.Tx) error { return f.keys.setLeaves(tx, from, leaves[:n]) })
			if err != nil {
				return root, fmt.Errorf("keep registry copy: %w", err)
			}
			from, leaves = from+uint64(n), leaves[n:]
		}
	}
	return tree.Root(), nil
}

// walk applies leaves that are in the store up to the checkpoint, and makes that the one that
// counts. torn says that the state stopped on the way.
func (f *Follower) walk(note []byte, from, to uint64) (erased []string, torn bool, err error) {
	if turns := f.config.Turns; turns != nil {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-f.round.Done():
			return nil, false, f.round.Err()
		}
	}
	f.walking.Store(true)
	defer f.walking.Store(false)
	f.mu.Lock()
	defer f.mu.Unlock()
	handovers := f.handovers()
	err = f.replica.Walk(note, f.pieces(from, to), func(apply func() error) error { return f.takePiece(apply, f.tree) })
	if err != nil {
		if errors.Is(err, registry.ErrFrozen) {
			f.stuck = err
		}
		return nil, f.replica.Size() != from, err
	}
	erased = f.payloads.Retain(f.replica.State().View().Awaits)
	err = f.config.Store.Update(func(tx kv.Tx) error { return f.keepNote(tx, to, note, f.handovers() > handovers) })
	if err != nil {
		f.behind = true // the next start makes the rows again, up to the checkpoint of before
		return erased, false, fmt.Errorf("keep registry copy: %w", err)
	}
	return erased, false, nil
}

// takePiece applies a piece and stores its rows and, with a tree, its tiles. mu is held.
func (f *Follower) takePiece(apply func() error, tree *tlog.Tree) error {
	if err := f.rows.reading(apply); err != nil {
		return err
	}
	state := f.replica.State()
	last, err := f.rows.putFirst(state.Fresh())
	if err != nil {
		return err
	}
	var leaves [][]byte
	if tree != nil {
		for more, err := range f.storedLeaves(tree.Size(), state.Size()) {
			if err != nil {
				return err
			}
			leaves = append(leaves, more...)
		}
	}
	err = f.config.Store.Update(func(tx kv.Tx) error {
		if tree != nil {
			if err := f.keys.grow(tx, tree, leaves); err != nil {
				return err
			}
		}
		return f.rows.put(tx, last)
	})
	if err != nil {
		return err
	}
	state.Stored()
	state.Lean() // what comes next is about others
	return nil
}

// pieces are stored leaves in pieces, whose signatures were looked at.
func (f *Follower) pieces(from, to uint64) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		for leaves, err := range f.storedLeaves(from, to) {
			if err == nil && f.round != nil {
				err = f.round.Err()
			}
			if err == nil {
				lookAhead(f.replica.State(), leaves)
			}
			if !yield(leaves, err) {
				return
			}
		}
	}
}

// storedLeaves are leaves in the store, also those that do not count yet.
func (f *Follower) storedLeaves(from, to uint64) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		for from < to {
			var leaves [][]byte
			err := f.config.Store.View(func(tx kv.Tx) error {
				for size := 0; from < to && size < pieceBytes && len(leaves) < pieceLeaves; from++ {
					leaf, err := f.storedLeaf(tx, from)
					if err != nil {
						return err
					}
					leaves, size = append(leaves, leaf), size+len(leaf)
				}
				return nil
			})
			if !yield(leaves, err) || err != nil {
				return
			}
		}
	}
}

// lookAhead checks the signatures of leaves that come next, with all processors.
func lookAhead(state *registry.State, leaves [][]byte) {
	aheads := make([]registry.Ahead, len(leaves))
	workers := min(runtime.GOMAXPROCS(0), len(leaves))
	var group sync.WaitGroup
	lost := make([]any, workers)
	for w := range workers {
		group.Go(func() {
			defer func() { lost[w] = recover() }() // rows that cannot be read: for who called
			for i := w; i < len(leaves); i += workers {
				if leaf, err := registry.ParseLeaf(leaves[i]); err == nil {
					aheads[i] = state.LookAhead(leaf)
				}
			}
		})
	}
	group.Wait()
	for _, p := range lost {
		if p != nil {
			panic(p)
		}
	}
	for _, a := range aheads {
		state.Spare(a)
	}
}
