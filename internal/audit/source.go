package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// The files of a log.
const (
	fileCheckpoint = "checkpoint"
	fileHandovers  = "v1/handovers"
)

// Limits on files. A bundle holds 256 entries, each below 64 KiB and here at most
// registry.MaxLeaf.
const (
	maxHandovers = 16 << 20
	maxBundle    = tlog.TileWidth * (registry.MaxLeaf + 2)

	// MaxFile is the most bytes of any file of a log: what an HTTP client has to allow.
	MaxFile = maxHandovers
)

// Source is where the files of a log are read. What they say is believed for its signatures only.
type Source interface {
	// Name is what people call it: an address or a folder.
	Name() string
	// File reads a file of at most limit bytes. One that is not there fails with
	// [fs.ErrNotExist].
	File(ctx context.Context, path string, limit int64) ([]byte, error)
}

// Doer sends HTTP requests, as registry.Doer.
type Doer = registry.Doer

// Web is a log behind an address, such as a node or a mirror.
func Web(client Doer, url string) Source { return web{client, strings.TrimSuffix(url, "/")} }

type web struct {
	client Doer
	url    string
}

func (w web) Name() string { return w.url }

// File implements Source.
func (w web) File(ctx context.Context, path string, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/"+path, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.url, err)
	}
	res, err := w.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.url, err)
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s/%s: %w", w.url, path, fs.ErrNotExist)
	default:
		return nil, fmt.Errorf("%s/%s: %w", w.url, path, &outbound.StatusError{Code: res.StatusCode})
	}
	return readAll(res.Body, w.url+"/"+path, limit)
}

// Folder is a log in a folder, as [Fetch] makes it.
func Folder(dir string) Source { return folder{dir} }

type folder struct{ dir string }

func (f folder) Name() string { return f.dir }

// File implements Source.
func (f folder) File(_ context.Context, path string, limit int64) ([]byte, error) {
	file, err := os.Open(filepath.Join(f.dir, filepath.FromSlash(path)))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file, path, limit)
}

func readAll(r io.Reader, name string, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s: %w", name, outbound.ErrTooLarge)
	}
	return raw, nil
}

// readTile reads a tile or a bundle. A partial one may be gone once it is full (tlog-tiles:
// "Partial tiles MAY be deleted"); then the full one begins with it.
func readTile(ctx context.Context, s Source, t tlog.Tile) ([]byte, error) {
	limit := int64(tlog.TileWidth * tlog.HashSize)
	if t.Entries {
		limit = maxBundle
	}
	raw, err := s.File(ctx, t.Path(), limit)
	if err == nil || t.Width == tlog.TileWidth || !errors.Is(err, fs.ErrNotExist) {
		return raw, err
	}
	full := t
	full.Width = tlog.TileWidth
	raw, fullErr := s.File(ctx, full.Path(), limit)
	if fullErr != nil {
		return nil, err
	}
	if !t.Entries {
		return raw[:min(len(raw), t.Width*tlog.HashSize)], nil
	}
	entries, err := tlog.ParseBundle(raw, tlog.TileWidth)
	if err != nil {
		return nil, err
	}
	return bundleOf(entries[:t.Width])
}

func bundleOf(entries [][]byte) (out []byte, err error) {
	for _, entry := range entries {
		if out, err = tlog.AppendEntry(out, entry); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// tileReader implements tlog.TileReader over a source.
type tileReader struct {
	ctx context.Context
	s   Source
}

// ReadTiles implements tlog.TileReader.
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		raw, err := readTile(r.ctx, r.s, t)
		if err != nil {
			return nil, err
		}
		out[i] = raw
	}
	return out, nil
}

// ReadNotes reads the newest checkpoint and the handovers of a log.
func ReadNotes(ctx context.Context, s Source) (newest []byte, handovers [][]byte, err error) {
	if newest, err = s.File(ctx, fileCheckpoint, tlog.MaxNote); err != nil {
		return nil, nil, err
	}
	raw, err := s.File(ctx, fileHandovers, maxHandovers)
	if errors.Is(err, fs.ErrNotExist) {
		return newest, nil, nil // a region whose nodes never changed needs none
	}
	if err != nil {
		return nil, nil, err
	}
	var list registry.HandoversAnswer
	if err := ijson.Unmarshal(raw, &list); err != nil {
		return nil, nil, fmt.Errorf("%s: handovers: %w", s.Name(), err)
	}
	for _, note := range list.Handovers {
		handovers = append(handovers, []byte(note))
	}
	return newest, handovers, nil
}
