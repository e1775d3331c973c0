package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// ErrForked says that the region signed two histories: two checkpoints that count, of which the
// one is not the beginning of the other. Nothing of it is followed from there on; people have to
// find out what happened.
var ErrForked = errors.New("the region signed two histories")

// A Fork is the proof, for anybody who knows the region's keys: two checkpoints that count, and
// a consistency path that shows what the tree of the larger one was at the size of the smaller.
type Fork struct {
	Genesis string      `json:"genesis"`
	Seen    time.Time   `json:"seen"`
	Smaller string      `json:"smaller"` // note
	Larger  string      `json:"larger"`  // note, of the same size or a larger one
	Root    tlog.Hash   `json:"root"`    // of the larger one's tree at the size of the smaller; another than its root
	Path    []tlog.Hash `json:"path"`    // from that root to the larger one's
}

// Check holds a fork against itself. Whether the two notes count is to be seen from the keys of
// the region.
func (f Fork) Check() error {
	small, err1 := tlog.PeekCheckpoint([]byte(f.Smaller))
	large, err2 := tlog.PeekCheckpoint([]byte(f.Larger))
	switch err := errors.Join(err1, err2); {
	case err != nil:
		return err
	case small.Origin != large.Origin || small.Size > large.Size || f.Root == small.Root:
		return errors.New("these two checkpoints do not contradict each other")
	}
	return tlog.VerifyConsistency(small.Size, large.Size, f.Path, f.Root, large.Root)
}

// compare holds a checkpoint that is not ahead of ours against our tree. One that fits is no
// news; one of another tree that counts is a fork.
func (f *Follower) compare(note []byte, c tlog.Checkpoint) error {
	ours, err := tlog.PeekCheckpoint(f.replica.Checkpoint()) // under refresh nobody else changes it
	switch {
	case err != nil:
		return err
	case c.Origin != ours.Origin || c.Size == 0:
		return fmt.Errorf("%w: of another log", registry.ErrCheckpoint)
	}
	if c.Size == ours.Size {
		if c.Root == ours.Root {
			return nil
		}
		return f.forkedIf(note, Fork{Smaller: string(f.replica.Checkpoint()), Larger: string(note), Root: c.Root})
	}
	if f.tree == nil || f.behind {
		return nil // without tiles the past is not at hand
	}
	var fork Fork
	err = f.config.Store.View(func(tx kv.Tx) error {
		tiles := storedTiles{tx, f.keys}
		root, err := tlog.RootAt(ours, c.Size, tiles)
		if err != nil || root == c.Root {
			return err
		}
		fork = Fork{Smaller: string(note), Larger: string(f.replica.Checkpoint()), Root: root}
		fork.Path, err = tlog.ProveConsistency(ours, c.Size, tiles)
		return err
	})
	if err != nil || fork.Smaller == "" {
		return err
	}
	return f.forkedIf(note, fork)
}

// suspect looks whether leaves that do not fit are a lie of one source, or belong to another
// history that the region signed. It fetches that whole history, and only when its checkpoint
// counts.
func (f *Follower) suspect(ctx context.Context, source Source, note []byte, c tlog.Checkpoint) error {
	ours, err := tlog.PeekCheckpoint(f.replica.Checkpoint())
	if err != nil || !f.counts(note) || c.Size > maxLeavesAhead {
		return registry.ErrRoot
	}
	fork := Fork{Smaller: string(f.replica.Checkpoint()), Larger: string(note)}
	tiles, tree := memoryTiles{}, tlog.NewTree()
	if err := tiles.fetch(ctx, source, tree, ours.Size); err != nil {
		return fmt.Errorf("%w: %w", registry.ErrRoot, err)
	}
	fork.Root = tree.Root()
	if err := tiles.fetch(ctx, source, tree, c.Size); err != nil {
		return fmt.Errorf("%w: %w", registry.ErrRoot, err)
	}
	if fork.Root == ours.Root || tree.Root() != c.Root {
		return registry.ErrRoot
	}
	if fork.Path, err = tlog.ProveConsistency(c, ours.Size, tiles); err != nil {
		return err
	}
	return f.forkedIf(note, fork)
}

// counts says whether the nodes that we know make a note count.
func (f *Follower) counts(note []byte) bool {
	_, err := f.replica.State().View().CheckCheckpoint(note)
	return err == nil
}

// forkedIf keeps the proof when the other note counts. Otherwise somebody made it up.
func (f *Follower) forkedIf(note []byte, fork Fork) error {
	if !f.counts(note) {
		return fmt.Errorf("%w: another root, signed by too few", registry.ErrCheckpoint)
	}
	if err := fork.Check(); err != nil {
		return err
	}
	fork.Genesis, fork.Seen = f.config.Genesis, f.config.Clock().UTC()
	f.config.Log.Error("the region signed two histories", "region", f.config.Genesis[:8])
	f.told.Lock()
	f.fork = &fork
	f.told.Unlock()
	if f.config.Store == nil {
		return ErrForked
	}
	return errors.Join(ErrForked, f.config.Store.Update(func(tx kv.Tx) error {
		return kv.PutJSON(tx, f.keys.fork(), copyVersion, fork)
	}))
}

func (k regionKeys) fork() []byte { return []byte(k + "fork") }

// loadFork reads a proof that was kept: a region that forked stays forked.
func (f *Follower) loadFork() error {
	return f.config.Store.View(func(tx kv.Tx) error {
		var fork Fork
		err := kv.GetJSON(tx, f.keys.fork(), copyVersion, &fork)
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		f.fork = &fork
		return err
	})
}

// memoryTiles are the tiles of a tree that is looked at once. It implements tlog.TileReader.
type memoryTiles map[[2]uint64][]byte

func (m memoryTiles) grow(tree *tlog.Tree, leaves [][]byte) error {
	tiles, err := tree.Append(leafHashes(leaves)...)
	for _, t := range tiles {
		m[[2]uint64{uint64(t.Level), t.Index}] = bytes.Clone(t.Data)
	}
	return err
}

// fetch grows the tree to a size. Of the leaves only the hashes are kept: they may be as large and
// as many as who forked likes.
func (m memoryTiles) fetch(ctx context.Context, source Source, tree *tlog.Tree, size uint64) error {
	total := 0
	for tree.Size() < size {
		leaves, err := source.Leaves(ctx, tree.Size(), size)
		if err != nil {
			return err
		}
		if len(leaves) == 0 || uint64(len(leaves)) > size-tree.Size() {
			return errLeaves
		}
		for _, leaf := range leaves {
			total += len(leaf)
		}
		if total > maxSpoolBytes {
			return errors.New("leaves: too many bytes at a time")
		}
		if err := m.grow(tree, leaves); err != nil {
			return err
		}
	}
	return nil
}

// ReadTiles implements tlog.TileReader.
func (m memoryTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		data := m[[2]uint64{uint64(t.Level), t.Index}]
		if len(data) < t.Width*tlog.HashSize {
			return nil, fmt.Errorf("tile %s: %w", t.Path(), tlog.ErrTile)
		}
		out[i] = data[:t.Width*tlog.HashSize]
	}
	return out, nil
}
