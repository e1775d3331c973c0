package tlog

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// ProveInclusion computes the path for entry index in the tree c from its tiles. The
// tiles are checked against c.Root on the way, so r may be the network. It fails with
// [ErrTile] when they do not belong to c.
func ProveInclusion(c Checkpoint, index uint64, r TileReader) ([]Hash, error) {
	if index >= c.Size {
		return nil, fmt.Errorf("%w: entry %d is not in a tree of %d", ErrTile, index, c.Size)
	}
	path, err := tlog.ProveRecord(int64(c.Size), int64(index), hashReader(c, r))
	if err != nil {
		return nil, fmt.Errorf("prove entry %d in %d: %w", index, c.Size, err)
	}
	return path, nil
}

// ProveConsistency computes the path that shows that the tree c begins with the tree
// of its first oldSize leaves. From size 0 the path is empty.
func ProveConsistency(c Checkpoint, oldSize uint64, r TileReader) ([]Hash, error) {
	if oldSize > c.Size {
		return nil, fmt.Errorf("%w: tree of %d is smaller than %d", ErrTile, c.Size, oldSize)
	}
	if oldSize == 0 || oldSize == c.Size {
		return nil, nil
	}
	path, err := tlog.ProveTree(int64(c.Size), int64(oldSize), hashReader(c, r))
	if err != nil {
		return nil, fmt.Errorf("prove %d in %d: %w", oldSize, c.Size, err)
	}
	return path, nil
}

// RootAt computes the root of the first size leaves of the tree c from its tiles.
func RootAt(c Checkpoint, size uint64, r TileReader) (Hash, error) {
	switch {
	case size > c.Size:
		return Hash{}, fmt.Errorf("%w: tree of %d is smaller than %d", ErrTile, c.Size, size)
	case size == 0:
		return EmptyRoot(), nil
	}
	root, err := tlog.TreeHash(int64(size), hashReader(c, r))
	if err != nil {
		return Hash{}, fmt.Errorf("root of %d: %w", size, err)
	}
	return root, nil
}

func hashReader(c Checkpoint, r TileReader) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: int64(c.Size), Hash: c.Root}, tileAdapter{r})
}

// tileAdapter gives x/mod our tiles. Its paths hold the tile height; C2SP's do not.
type tileAdapter struct{ r TileReader }

func (tileAdapter) Height() int { return tileHeight }

func (a tileAdapter) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	ours := make([]Tile, len(tiles))
	for i, t := range tiles {
		ours[i] = Tile{Level: t.L, Index: uint64(t.N), Width: t.W}
	}
	return readTiles(a.r, ours)
}

func (tileAdapter) SaveTiles([]tlog.Tile, [][]byte) {}

func readTiles(r TileReader, tiles []Tile) ([][]byte, error) {
	if len(tiles) == 0 {
		return nil, nil
	}
	data, err := r.ReadTiles(tiles)
	if err != nil {
		return nil, err
	}
	if len(data) != len(tiles) {
		return nil, fmt.Errorf("%w: %d tiles instead of %d", ErrTile, len(data), len(tiles))
	}
	for i, t := range tiles {
		if len(data[i]) != t.Width*HashSize {
			return nil, fmt.Errorf("%w: %s has %d bytes", ErrTile, t.Path(), len(data[i]))
		}
	}
	return data, nil
}
