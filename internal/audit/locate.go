package audit

import (
	"context"
	"errors"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// locateWindow is how many entries after the first that differs are looked at, to tell what was
// removed from what was moved.
const locateWindow = 2 * tlog.TileWidth

// locate tells which entry is not what a checkpoint covers: by the tiles of hashes that belong to
// it, of the source itself or of another.
func (w *walk) locate(c step) Finding {
	base := w.Size()
	f := Finding{Code: Altered, Leaf: at(base), Until: at(c.Size - 1), Since: w.held, Text: textAltered}
	if w.broken != nil {
		f.Detail = w.broken.Detail
	}
	for _, ref := range append([]Source{w.source}, w.others()...) {
		if found, ok := compareTrees(w.ctx, w.source, c.Size, ref, c.Checkpoint, base); ok {
			found.Detail = f.Detail
			return found
		}
	}
	if w.broken != nil { // the rules met it first, and nobody is at hand who has it right
		f.Leaf, f.Kind, f.Since = w.broken.Leaf, w.broken.Kind, w.broken.Since
	}
	return f
}

// others are further sources of the same log, to hold this one against.
func (r *Replay) others() []Source {
	if r.Others == nil {
		return nil
	}
	return r.Others(r.state.View())
}

// compareTrees finds the first of the entries of a log from one index up to another that is not the
// one in the tree c, whose tiles ref has. It is false when ref does not have them, or no difference
// is found.
func compareTrees(ctx context.Context, s Source, to uint64, ref Source, c tlog.Checkpoint, from uint64) (Finding, bool) {
	tiles := tileReader{ctx, ref}
	var f Finding
	last, found := time.Time{}, false
	err := bundles(ctx, s, from, to, false, func(b fetched) error {
		first := b.tile.Index * tlog.TileWidth
		if first >= c.Size {
			return errOver
		}
		hashes, err := hashesOf(tiles, c, b.tile.Index)
		if err != nil {
			return err
		}
		for i, raw := range b.entries[:min(len(b.entries), len(hashes))] {
			leaf, err := registry.ParseLeaf(raw)
			if registry.LeafHash(raw) != hashes[i] {
				if index := first + uint64(i); proves(tiles, c, index, hashes[i]) {
					f, found = differs(ctx, s, tiles, c, index), true
					if f.Since = last; err == nil {
						f.Kind, f.Since = leaf.Event.Kind, time.Unix(leaf.LogTime, 0).UTC()
					}
				}
				return errOver
			}
			if err == nil {
				last = time.Unix(leaf.LogTime, 0).UTC()
			}
		}
		if n := len(b.entries); n < b.tile.Width && n < len(hashes) && proves(tiles, c, first+uint64(n), hashes[n]) {
			f, found = Finding{Code: Removed, Leaf: at(first + uint64(n)), Until: at(c.Size - 1), Since: last, Text: textRemoved}, true
			return errOver
		}
		return nil
	})
	return f, found && (err == nil || errors.Is(err, errOver))
}

// hashesOf are the leaf hashes of a bundle of the tree c.
func hashesOf(tiles tlog.TileReader, c tlog.Checkpoint, index uint64) ([]tlog.Hash, error) {
	width := int(min(c.Size-index*tlog.TileWidth, tlog.TileWidth))
	raw, err := tiles.ReadTiles([]tlog.Tile{{Index: index, Width: width}})
	if err != nil {
		return nil, err
	}
	if len(raw[0]) != width*tlog.HashSize {
		return nil, tlog.ErrTile
	}
	out := make([]tlog.Hash, width)
	for i := range out {
		copy(out[i][:], raw[0][i*tlog.HashSize:])
	}
	return out, nil
}

// proves says whether a hash is that of an entry of the tree c.
func proves(tiles tlog.TileReader, c tlog.Checkpoint, index uint64, leaf tlog.Hash) bool {
	path, err := tlog.ProveInclusion(c, index, tiles)
	return err == nil && tlog.VerifyInclusion(index, c.Size, leaf, path, c.Root) == nil
}

// differs tells how the entries from one index on differ from those of the tree.
func differs(ctx context.Context, s Source, tiles tlog.TileReader, c tlog.Checkpoint, index uint64) Finding {
	f := Finding{Code: Changed, Leaf: at(index), Text: textChanged}
	end := min(c.Size, index+locateWindow)
	var ours, theirs []tlog.Hash
	_ = bundles(ctx, s, index, end, false, func(b fetched) error { // fewer entries are less to compare, no more
		hashes, err := hashesOf(tiles, c, b.tile.Index)
		if err != nil {
			return err
		}
		for i, raw := range b.entries {
			if b.tile.Index*tlog.TileWidth+uint64(i) >= index {
				ours, theirs = append(ours, registry.LeafHash(raw)), append(theirs, hashes[i])
			}
		}
		return nil
	})
	if len(ours) == 0 {
		return f
	}
	mine, other := indexOf(theirs, ours[0]), indexOf(ours, theirs[0])
	switch {
	case mine > 0 && other > 0:
		f.Code, f.Text, f.Until = Reordered, textReordered, at(index+uint64(max(mine, other)))
	case mine > 0:
		f.Code, f.Text, f.Until = Removed, textRemoved, at(index+uint64(mine)-1)
	case other > 0:
		f.Code, f.Text, f.Until = Inserted, textInserted, at(index+uint64(other)-1)
	}
	return f
}

func indexOf(list []tlog.Hash, h tlog.Hash) int {
	for i := range list {
		if list[i] == h {
			return i
		}
	}
	return -1
}
