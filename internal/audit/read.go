package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

const (
	ahead     = 4 // bundles that are fetched at once
	perBatch  = 8 // bundles that are judged at once
	batchSize = perBatch * tlog.TileWidth
)

// entry is one entry of the log with what can be said of it without a state.
type entry struct {
	raw  []byte
	hash tlog.Hash
	leaf registry.Leaf
	err  error // of reading the leaf
}

// fetched is a bundle as it came, with the tile of hashes that the source has for it.
type fetched struct {
	tile    tlog.Tile // of the bundle
	entries [][]byte
	hashes  []byte
	err     error
}

// gone says that a file which the checkpoint covers is not there, or does not hold what it must.
type gone struct {
	path string
	err  error
}

func (g gone) Error() string { return fmt.Sprintf("%s: %v", g.path, g.err) }
func (g gone) Unwrap() error { return g.err }

func isGone(err error) bool {
	_, ok := errors.AsType[gone](err)
	return ok
}

// asGone tells a log that lacks or garbles a file from a source that cannot be reached.
func asGone(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, tlog.ErrTile) {
		return gone{path, err}
	}
	return err
}

// bundles fetches the bundles that hold the entries from one index up to another, a few at a
// time, and hands them over in order. fn's error ends it.
func bundles(ctx context.Context, s Source, from, to uint64, withTiles bool, fn func(fetched) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	first, last := from/tlog.TileWidth, (to-1)/tlog.TileWidth
	waiting := make([]chan fetched, 0, ahead)
	next := first
	start := func() {
		for len(waiting) < ahead && next <= last {
			done, index := make(chan fetched, 1), next
			group.Go(func() { done <- fetchBundle(ctx, s, index, to, withTiles) })
			waiting, next = append(waiting, done), next+1
		}
	}
	for start(); len(waiting) > 0; start() {
		got := <-waiting[0]
		waiting = waiting[1:]
		if got.err != nil {
			return got.err
		}
		if err := fn(got); err != nil {
			return err
		}
	}
	return nil
}

func fetchBundle(ctx context.Context, s Source, index, size uint64, withTile bool) (f fetched) {
	width := int(min(size-index*tlog.TileWidth, tlog.TileWidth))
	f.tile = tlog.Tile{Entries: true, Index: index, Width: width}
	raw, err := readTile(ctx, s, f.tile)
	if err == nil {
		if f.entries, err = tlog.ParseBundle(raw, width); err != nil && !withTile {
			f.entries, err = someEntries(raw, width), nil // who looks where it differs takes what there is
		}
	}
	if err != nil {
		f.err = asGone(f.tile.Path(), err)
		return f
	}
	if withTile {
		tile := tlog.Tile{Index: index, Width: width}
		if f.hashes, err = readTile(ctx, s, tile); err != nil {
			if f.err = asGone(tile.Path(), err); isGone(f.err) {
				f.err = nil // the entries can be judged without it; that it lacks is noticed
			}
		}
	}
	return f
}

// someEntries are the entries at the beginning of a bundle that is cut off or too long.
func someEntries(bundle []byte, width int) (out [][]byte) {
	for len(out) < width && len(bundle) >= 2 {
		n := 2 + int(bundle[0])<<8 + int(bundle[1])
		if len(bundle) < n {
			break
		}
		out, bundle = append(out, bundle[2:n]), bundle[n:]
	}
	return out
}

// prepare reads entries and checks their signatures as far as that goes, with all processors.
func prepare(state *registry.State, raws [][]byte, judge bool) []entry {
	out := make([]entry, len(raws))
	aheads := make([]registry.Ahead, len(raws))
	workers := runtime.GOMAXPROCS(0)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(raws); i += workers {
				e := &out[i]
				e.raw, e.hash = raws[i], registry.LeafHash(raws[i])
				if !judge {
					continue
				}
				if e.leaf, e.err = registry.ParseLeaf(e.raw); e.err == nil {
					aheads[i] = state.LookAhead(e.leaf)
				}
			}
		})
	}
	group.Wait()
	for _, a := range aheads {
		state.Spare(a)
	}
	return out
}
