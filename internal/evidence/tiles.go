package evidence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// A follower with a store keeps the tiles of the log beside its leaves, so that it can serve
// the log again, and tell any checkpoint of the past from one of another history.

func (k regionKeys) tile(level int, index uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(k+"tile/"), byte(level)), index)
}

// storedTiles implements tlog.TileReader. A wider tile begins with each narrower one.
type storedTiles struct {
	tx   kv.Tx
	keys regionKeys
}

// ReadTiles implements tlog.TileReader.
func (s storedTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		raw, err := s.tx.Get(s.keys.tile(t.Level, t.Index))
		if err != nil {
			return nil, fmt.Errorf("tile %s: %w", t.Path(), err)
		}
		data, err := body(raw)
		if err != nil {
			return nil, fmt.Errorf("tile %s: %w", t.Path(), err)
		}
		if len(data) < t.Width*tlog.HashSize {
			return nil, fmt.Errorf("tile %s: %w", t.Path(), kv.ErrNotFound)
		}
		out[i] = data[:t.Width*tlog.HashSize]
	}
	return out, nil
}

func leafHashes(leaves [][]byte) []tlog.Hash {
	out := make([]tlog.Hash, len(leaves))
	for i, leaf := range leaves {
		out[i] = registry.LeafHash(leaf)
	}
	return out
}

// grow appends leaves to the tree, and to the tiles in the transaction.
func (k regionKeys) grow(tx kv.Tx, tree *tlog.Tree, leaves [][]byte) error {
	tiles, err := tree.Append(leafHashes(leaves)...)
	if err != nil {
		return err
	}
	for _, t := range tiles {
		if err := tx.Set(k.tile(t.Level, t.Index), kv.Value(copyVersion, t.Data)); err != nil {
			return err
		}
	}
	return nil
}

// openTiles reads the edge of the tree of the copy that was kept. Stores of before there were
// tiles get them now.
func (f *Follower) openTiles(c tlog.Checkpoint) (err error) {
	err = f.config.Store.View(func(tx kv.Tx) error {
		f.tree, err = tlog.LoadTree(c.Size, storedTiles{tx, f.keys})
		return err
	})
	if err == nil && f.tree.Root() == c.Root {
		return nil
	}
	f.tree = tlog.NewTree()
	for leaves, err := range f.storedLeaves(0, c.Size) {
		if err != nil {
			return err
		}
		if err := f.config.Store.Update(func(tx kv.Tx) error { return f.keys.grow(tx, f.tree, leaves) }); err != nil {
			return fmt.Errorf("keep tiles: %w", err)
		}
	}
	if f.tree.Root() != c.Root {
		return fmt.Errorf("the copy kept here does not verify: %w", registry.ErrRoot)
	}
	return nil
}

// stored is the newest checkpoint in the store, under which all leaves and tiles are.
func (f *Follower) stored(tx kv.Tx) (note []byte, c tlog.Checkpoint, err error) {
	raw, err := tx.Get(f.keys.checkpoint())
	if errors.Is(err, kv.ErrNotFound) {
		return nil, c, registry.ErrNoLog
	}
	if err != nil {
		return nil, c, err
	}
	if note, err = body(raw); err == nil {
		c, err = tlog.PeekCheckpoint(note)
	}
	return note, c, err
}

func (f *Follower) storedLeaf(tx kv.Tx, i uint64) ([]byte, error) {
	raw, err := tx.Get(f.keys.leaf(i))
	if err != nil {
		return nil, fmt.Errorf("leaf %d: %w", i, err)
	}
	return body(raw)
}

// Tile gives a tile or an entry bundle of the log, as far as the newest checkpoint goes. It
// fails with kv.ErrNotFound for any other.
func (f *Follower) Tile(t tlog.Tile) (out []byte, err error) {
	if f.config.Store == nil {
		return nil, kv.ErrNotFound
	}
	err = f.config.Store.View(func(tx kv.Tx) error {
		_, c, err := f.stored(tx)
		if errors.Is(err, registry.ErrNoLog) || err == nil && !t.InTree(c.Size) {
			return kv.ErrNotFound
		}
		if err != nil {
			return err
		}
		if !t.Entries {
			data, err := storedTiles{tx, f.keys}.ReadTiles([]tlog.Tile{t})
			if err == nil {
				out = bytes.Clone(data[0])
			}
			return err
		}
		for i := range uint64(t.Width) {
			leaf, err := f.storedLeaf(tx, t.Index*tlog.TileWidth+i)
			if err == nil {
				out, err = tlog.AppendEntry(out, leaf)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
