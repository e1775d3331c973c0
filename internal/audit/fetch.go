package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"paspoort.example/paspoort/specs/tlog"
)

// Dir is a folder that a log is kept in, to be served or audited later.
type Dir struct{ Path string }

// Put writes a file whole or not at all, also when the power fails. One that is there and the same
// stays.
func (d Dir) Put(path string, data []byte) error {
	name := filepath.Join(d.Path, filepath.FromSlash(path))
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// End writes the checkpoint and the handovers, which say that everything under them is there. They
// come last.
func (d Dir) End(note []byte, handovers [][]byte) error {
	file, err := handoversFile(handovers)
	if err != nil {
		return err
	}
	if err := d.Put(fileHandovers, file); err != nil {
		return err
	}
	return d.Put(fileCheckpoint, note)
}

// Fetch copies a log into a folder, and goes on where a copy ended. It judges nothing: audit the
// folder afterwards. It gives the size of the copy.
func Fetch(ctx context.Context, s Source, d Dir) (uint64, error) {
	note, handovers, err := ReadNotes(ctx, s)
	if err != nil {
		return 0, err
	}
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return 0, err
	}
	if c.Size > maxEntries {
		return 0, fmt.Errorf("%s shows %d entries, more than any region has", s.Name(), c.Size)
	}
	if have, err := os.ReadFile(filepath.Join(d.Path, fileCheckpoint)); err == nil {
		old, err := tlog.PeekCheckpoint(have)
		if err == nil && (old.Origin != c.Origin || old.Size > c.Size || old.Size == c.Size && old.Root != c.Root) {
			return 0, fmt.Errorf("%w: %s has %d entries of %s, %s shows %d of %s", ErrOtherCopy, d.Path, old.Size, old.Origin, s.Name(), c.Size, c.Origin)
		}
	}
	for level := 0; c.Size>>(8*level) > 0 && level < 8; level++ {
		if err := fetchLevel(ctx, s, d, c.Size>>(8*level), tlog.Tile{Level: level}); err != nil {
			return 0, err
		}
	}
	if err := fetchLevel(ctx, s, d, c.Size, tlog.Tile{Entries: true}); err != nil {
		return 0, err
	}
	return c.Size, d.End(note, handovers)
}

// ErrOtherCopy says that a folder holds a copy which the log does not go on from.
var ErrOtherCopy = errors.New("the folder holds another log, or more of this one")

// fetchLevel copies the tiles of one level, or the bundles, that hold n hashes or entries, a few at
// a time.
func fetchLevel(ctx context.Context, s Source, d Dir, n uint64, t tlog.Tile) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	slots := make(chan struct{}, ahead)
	for ; t.Index*tlog.TileWidth < n && ctx.Err() == nil; t.Index++ {
		t.Width = int(min(n-t.Index*tlog.TileWidth, tlog.TileWidth))
		slots <- struct{}{}
		tile := t
		group.Go(func() {
			defer func() { <-slots }()
			if err := fetchTile(ctx, s, d, tile); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// fetchTile copies one, unless it is there and full: those never change.
func fetchTile(ctx context.Context, s Source, d Dir, t tlog.Tile) error {
	if t.Width == tlog.TileWidth {
		if _, err := os.Stat(filepath.Join(d.Path, filepath.FromSlash(t.Path()))); err == nil {
			return nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	raw, err := readTile(ctx, s, t)
	if err != nil {
		return err
	}
	return d.Put(t.Path(), raw)
}
