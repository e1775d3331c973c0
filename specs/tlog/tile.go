package tlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// TileWidth is the number of hashes in a full tile, and of entries in a full bundle
// (tlog-tiles: "Full tiles MUST be exactly 256 hashes wide").
const TileWidth = 256

const tileHeight = 8

// MaxEntry is the most bytes an entry can have: its length prefix is a uint16.
const MaxEntry = 1<<16 - 1

// ErrTile says that a tile path, a tile or an entry bundle is malformed.
var ErrTile = errors.New("malformed tile")

// Tile names a tile of hashes or an entry bundle.
type Tile struct {
	Entries bool   // an entry bundle; then Level is 0
	Level   int    // 0 to 63
	Index   uint64 // counts within the level
	Width   int    // 1 to TileWidth; less for a partial tile
}

// Path is the path under the log's prefix, e.g. "tile/0/x001/x234/067.p/5" or
// "tile/entries/000".
func (t Tile) Path() string {
	level := strconv.Itoa(t.Level)
	if t.Entries {
		level = "entries"
	}
	// "zero-padded 3-digit path elements. All but the last path element MUST begin with an x"
	n := fmt.Sprintf("%03d", t.Index%1000)
	for rest := t.Index / 1000; rest > 0; rest /= 1000 {
		n = fmt.Sprintf("x%03d/%s", rest%1000, n)
	}
	path := "tile/" + level + "/" + n
	if t.Width < TileWidth {
		path += ".p/" + strconv.Itoa(t.Width)
	}
	return path
}

// ParseTilePath reads a path as [Tile.Path] writes it, and refuses any other spelling.
func ParseTilePath(path string) (Tile, error) {
	t, err := parseTilePath(path)
	if err != nil || t.Path() != path { // one spelling for one tile: caches and logs depend on it
		return Tile{}, fmt.Errorf("%w: path", ErrTile)
	}
	return t, nil
}

func parseTilePath(path string) (Tile, error) {
	t := Tile{Width: TileWidth}
	rest, ok := strings.CutPrefix(path, "tile/")
	level, rest, cut := strings.Cut(rest, "/")
	if !ok || !cut || len(path) > 64 {
		return t, ErrTile
	}
	var err error
	if level == "entries" {
		t.Entries = true
	} else if t.Level, err = strconv.Atoi(level); err != nil || t.Level < 0 || t.Level > 63 {
		return t, ErrTile
	}
	if n, width, partial := strings.Cut(rest, ".p/"); partial {
		rest = n
		if t.Width, err = strconv.Atoi(width); err != nil || t.Width < 1 || t.Width >= TileWidth {
			return t, ErrTile
		}
	}
	digits := strings.ReplaceAll(strings.ReplaceAll(rest, "x", ""), "/", "")
	if t.Index, err = strconv.ParseUint(digits, 10, 56); err != nil {
		return t, ErrTile
	}
	return t, nil
}

// InTree reports whether a log with size leaves has this tile: "Empty tiles MUST NOT
// be served", and a partial tile only as far as it is filled. Smaller partial tiles
// belonged to smaller trees and stay allowed.
func (t Tile) InTree(size uint64) bool {
	if t.Level*tileHeight > 63 {
		return false
	}
	have := size >> (t.Level * tileHeight) // complete subtrees at this level
	return t.Index <= have/TileWidth && have-t.Index*TileWidth >= uint64(t.Width)
}

// TileReader gives the bytes of tiles: from a store or from the network, one result
// per tile in the same order, each Width*HashSize bytes. Its errors are passed on.
type TileReader interface {
	ReadTiles(tiles []Tile) ([][]byte, error)
}

// AppendEntry appends an entry to a bundle: "big-endian uint16 length-prefixed log
// entries". It fails with [ErrTile] for an entry longer than [MaxEntry].
func AppendEntry(bundle, entry []byte) ([]byte, error) {
	if len(entry) > MaxEntry {
		return nil, fmt.Errorf("%w: entry of %d bytes", ErrTile, len(entry))
	}
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(entry)))
	return append(bundle, entry...), nil
}

// ParseBundle splits a bundle of exactly width entries. The entries share memory with
// the bundle.
func ParseBundle(bundle []byte, width int) ([][]byte, error) {
	var out [][]byte
	for len(bundle) > 0 && len(out) < width {
		if len(bundle) < 2 {
			return nil, fmt.Errorf("%w: bundle is cut off", ErrTile)
		}
		n := int(binary.BigEndian.Uint16(bundle))
		if bundle = bundle[2:]; len(bundle) < n {
			return nil, fmt.Errorf("%w: bundle is cut off", ErrTile)
		}
		out, bundle = append(out, bundle[:n:n]), bundle[n:]
	}
	if len(bundle) > 0 || len(out) != width {
		return nil, fmt.Errorf("%w: bundle does not hold %d entries", ErrTile, width)
	}
	return out, nil
}
