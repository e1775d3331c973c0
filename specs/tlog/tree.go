package tlog

import (
	"fmt"
	"slices"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Tree is the right edge of a growing log: what is needed to append, and nothing
// else. It is a value of its owner: no locks, no storage. Compute an append on a
// [Tree.Clone], store what it returns, then keep the clone.
type Tree struct {
	edge  *compact.Range
	right [][]byte // per tile level the bytes of the rightmost, unfinished tile
}

var factory = &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// NewTree is the empty log.
func NewTree() *Tree { return &Tree{edge: factory.NewEmptyRange(0)} }

// TileData is a tile with its bytes.
type TileData struct {
	Tile
	Data []byte
}

// LoadTree reads the right edge of a stored log with size leaves. The tiles are
// believed: compare [Tree.Root] with what was signed.
func LoadTree(size uint64, r TileReader) (*Tree, error) {
	t := NewTree()
	var tiles []Tile
	for level := 0; size>>(level*tileHeight) > 0; level++ {
		have := size >> (level * tileHeight)
		t.right = append(t.right, nil)
		if w := have % TileWidth; w > 0 {
			tiles = append(tiles, Tile{Level: level, Index: have / TileWidth, Width: int(w)})
		}
	}
	data, err := readTiles(r, tiles)
	if err != nil {
		return nil, err
	}
	var hashes [][]byte
	for i := len(tiles) - 1; i >= 0; i-- { // compact ranges list their hashes left to right
		hashes = append(hashes, perfect(data[i])...)
		t.right[tiles[i].Level] = slices.Clone(data[i])
	}
	if t.edge, err = factory.NewRange(0, size, hashes); err != nil {
		return nil, fmt.Errorf("load tree of %d: %w", size, err)
	}
	return t, nil
}

// perfect hashes the hashes of a partial tile into the roots of its perfect subtrees,
// widest first: the binary digits of its width.
func perfect(tile []byte) [][]byte {
	width := len(tile) / HashSize
	var out [][]byte
	for at, size := 0, TileWidth/2; size > 0; size /= 2 {
		if width&size != 0 {
			out = append(out, subtree(tile[at*HashSize:(at+size)*HashSize]))
			at += size
		}
	}
	return out
}

func subtree(hashes []byte) []byte {
	if len(hashes) == HashSize {
		return hashes
	}
	half := len(hashes) / 2
	return rfc6962.DefaultHasher.HashChildren(subtree(hashes[:half]), subtree(hashes[half:]))
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 { return t.edge.End() }

// Root is the RFC 6962 tree hash.
func (t *Tree) Root() Hash {
	if t.Size() == 0 {
		return EmptyRoot()
	}
	root, err := t.edge.GetRootHash(nil)
	if err != nil { // only for a range that does not begin at 0, and every Tree's does
		panic(err)
	}
	return Hash(root)
}

// Clone is a copy that shares nothing that changes.
func (t *Tree) Clone() *Tree {
	edge, err := factory.NewRange(0, t.edge.End(), slices.Clone(t.edge.Hashes()))
	if err != nil { // the hashes come from a valid range of this size
		panic(err)
	}
	out := &Tree{edge: edge, right: make([][]byte, len(t.right))}
	for i, tile := range t.right {
		out.right[i] = slices.Clone(tile)
	}
	return out
}

// Append adds leaf hashes and returns each tile that changed, once, as it is
// afterwards: full tiles are final, a partial one replaces its narrower self.
func (t *Tree) Append(leaves ...Hash) ([]TileData, error) {
	var out []TileData
	for _, leaf := range leaves {
		visit := func(id compact.NodeID, hash []byte) { // the leaf, then each node it completes
			if id.Level%tileHeight == 0 {
				out = t.put(out, int(id.Level)/tileHeight, id.Index, hash)
			}
		}
		if err := t.edge.Append(leaf[:], visit); err != nil {
			return nil, fmt.Errorf("append to tree of %d: %w", t.Size(), err)
		}
	}
	for level, tile := range t.right {
		if len(tile) > 0 {
			have := t.Size() >> (level * tileHeight)
			partial := Tile{Level: level, Index: have / TileWidth, Width: len(tile) / HashSize}
			out = append(out, TileData{partial, slices.Clone(tile)})
		}
	}
	return out, nil
}

// put adds one hash to the unfinished tile of its level, and hands the tile out when
// that makes it full.
func (t *Tree) put(out []TileData, level int, index uint64, hash []byte) []TileData {
	for len(t.right) <= level {
		t.right = append(t.right, nil)
	}
	t.right[level] = append(t.right[level], hash...)
	if len(t.right[level]) == TileWidth*HashSize {
		out = append(out, TileData{Tile{Level: level, Index: index / TileWidth, Width: TileWidth}, t.right[level]})
		t.right[level] = nil
	}
	return out
}
