package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/bench"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// auditedOrganisations are in the log that is audited: five events each.
const auditedOrganisations = 1000

// tiledLog is a log as files in memory. It implements audit.Source.
type tiledLog map[string][]byte

func (tiledLog) Name() string { return "bench" }

func (l tiledLog) File(_ context.Context, path string, _ int64) ([]byte, error) {
	if raw, ok := l[path]; ok {
		return raw, nil
	}
	return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}

func newTiledLog(leaves [][]byte) (tiledLog, error) {
	out := tiledLog{}
	hashes := make([]tlog.Hash, len(leaves))
	for i, leaf := range leaves {
		hashes[i] = registry.LeafHash(leaf)
	}
	tiles, err := tlog.NewTree().Append(hashes...)
	if err != nil {
		return nil, err
	}
	for _, t := range tiles {
		out[t.Path()] = t.Data
	}
	for from := 0; from < len(leaves); from += tlog.TileWidth {
		part := leaves[from:min(from+tlog.TileWidth, len(leaves))]
		var bundle []byte
		for _, leaf := range part {
			if bundle, err = tlog.AppendEntry(bundle, leaf); err != nil {
				return nil, err
			}
		}
		out[tlog.Tile{Entries: true, Index: uint64(from / tlog.TileWidth), Width: len(part)}.Path()] = bundle
	}
	return out, nil
}

// auditFigures audits a log from its tiles, in turns with bare checks of as many signatures by as
// many processors.
func auditFigures(dir string, l *limit, s size) ([]bench.Figure, error) {
	n := auditedOrganisations
	if s.rounds == 1 {
		n = 20
	}
	log, leaves, err := oneLog(dir, n)
	if err != nil {
		return nil, err
	}
	tiles, err := newTiledLog(leaves)
	if err != nil {
		return nil, err
	}
	var rate, limits []float64
	for range min(s.rounds, 3) {
		start := time.Now()
		replay, err := audit.NewReplay(log.Genesis, nil)
		if err != nil {
			return nil, err
		}
		found, err := replay.Extend(context.Background(), tiles, []byte(log.Notes[0]), nil)
		if err == nil && (len(found) > 0 || replay.Size() != uint64(len(leaves))) {
			err = fmt.Errorf("a good log was refused: %v", found)
		}
		if err != nil {
			return nil, err
		}
		rate = append(rate, float64(len(leaves))/time.Since(start).Seconds())
		start = time.Now()
		if err := l.checks(n * scaleSignatures); err != nil {
			return nil, err
		}
		limits = append(limits, float64(len(leaves))/time.Since(start).Seconds())
	}
	f := bench.NewFigure("audit of a log from its tiles: rate", bench.Median(rate), "1/s", bench.Median(limits), 0)
	f.Note = fmt.Sprintf("%d events with %d signatures; limit: bare checks of those", len(leaves), n*scaleSignatures)
	return []bench.Figure{f}, nil
}

// oneLog is the log of one region with so many organisations.
func oneLog(dir string, organisations int) (*scaleLog, [][]byte, error) {
	r, founding, err := newScaleRegion(0, time.Now().Add(-time.Minute))
	if err != nil {
		return nil, nil, err
	}
	l, err := r.write(filepath.Join(dir, "one.log"), founding, organisations, 0)
	if err == nil {
		err = l.open()
	}
	if err != nil {
		return nil, nil, err
	}
	defer l.file.Close()
	var leaves [][]byte
	for len(leaves) < len(l.Ends) {
		more, err := l.Leaves(context.Background(), uint64(len(leaves)), uint64(len(l.Ends)))
		if err != nil {
			return nil, nil, err
		}
		leaves = append(leaves, more...)
	}
	return l, leaves, nil
}

// snapshotFigures loads a snapshot file of so many organisations, as a verifier without a network
// does at its start.
func snapshotFigures(dir string, organisations int, bare float64) (out []bench.Figure, err error) {
	log, leaves, err := oneLog(dir, organisations)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "snapshot")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	snap := registry.Snapshot{Genesis: log.Genesis, Checkpoint: []byte(log.Notes[0]), Leaves: leaves}
	_, err = snap.WriteTo(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	events := float64(len(leaves))
	snap, leaves = registry.Snapshot{}, nil
	runtime.GC()
	start := time.Now()
	if f, err = os.Open(path); err != nil {
		return nil, err
	}
	defer f.Close()
	copied, err := evidence.ReadSnapshot(f, log.Genesis)
	if err != nil {
		return nil, err
	}
	took := time.Since(start).Seconds()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	runtime.KeepAlive(copied)
	name := fmt.Sprintf("snapshot of %d organisations: ", organisations)
	rate := bench.NewFigure(name+"load, rate", events/took, "1/s", bare, 0)
	rate.Note = fmt.Sprintf("%.0f events in %.1f s; limit: bare checks of their signatures", events, took)
	return []bench.Figure{rate, bench.NewFigure(name+"memory", float64(m.HeapAlloc)/1e6, "MB", 0, 0)}, nil
}
