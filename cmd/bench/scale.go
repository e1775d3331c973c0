package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"paspoort.example/paspoort/internal/bench"
)

// What a country takes, and what is aimed at for the one node that mirrors all of it. See
// specs/scale.md for where the numbers are from.
const (
	snapshotTimes       = 20 // as many organisations in a snapshot as in a region of the simulation
	nationRegions       = 35
	nationOrganisations = 450_000
	aimNationMemory     = 2000 // MB
	aimNationStart      = 60   // s from cold files
)

// scaleCase is how many regions of how many organisations one mirror keeps.
type scaleCase struct{ regions, organisations int }

func (c scaleCase) events() int { return c.regions * (c.organisations*scaleEvents + 1) }

// scaleFigures measures one process that mirrors regions, on disk, at several sizes: so many
// organisations in each region, and one region as large as one is when a country is divided.
func scaleFigures(organisations int) (out []bench.Figure, err error) {
	dir, err := benchFolder()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	l, err := newLimit(dir, 1)
	if err != nil {
		return nil, err
	}
	defer l.close()
	check, err := l.verify()
	if err != nil {
		return nil, err
	}
	// What all processors could check of signatures alone, in events.
	bare := float64(runtime.GOMAXPROCS(0)) / check.Seconds() * scaleEvents / scaleSignatures
	cases := []scaleCase{{1, organisations}, {5, organisations}, {nationRegions, organisations}, {1, nationOrganisations / nationRegions}}
	for _, c := range cases {
		more, err := measureScale(dir, c, bare)
		out = append(out, more...)
		if err = errors.Join(err, bench.Figures(os.Stderr, more)); err != nil { // the whole takes long
			return out, err
		}
	}
	snapshot, err := snapshotFigures(dir, snapshotTimes*organisations, bare)
	return append(out, snapshot...), err
}

// measureScale makes the logs of a case and has a mirror of them begin, start again and catch up.
func measureScale(dir string, c scaleCase, bare float64) ([]bench.Figure, error) {
	dir = filepath.Join(dir, fmt.Sprintf("%d-%d", c.regions, c.organisations))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	later := max(1, c.organisations/100)
	logs, size, err := writeScale(dir, c.regions, c.organisations, later)
	if err != nil {
		return nil, err
	}
	run := func(stage string) (r scaleResult, err error) {
		return r, scaleChild(dir, scaleStage{Logs: logs, Dir: filepath.Join(dir, "mirrors"), Stage: stage}, &r)
	}
	begin, err1 := run(stageBegin)
	disk, err2 := settleFiles(filepath.Join(dir, "mirrors"))
	cold, err3 := run(stageStart)
	warm, err4 := run(stageStart)
	gap, err5 := run(stageGap)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("mirror of %d x %d organisations: ", c.regions, c.organisations)
	events := float64(c.events())
	rate := bench.NewFigure(name+"from nothing, rate", events/begin.Seconds, "1/s", bare, 0)
	rate.Note = fmt.Sprintf("%.0f events in %.1f s, %.0f us of processors each; limit: bare checks of their signatures", events, begin.Seconds, begin.CPU/events*1e6)
	peak := bench.NewFigure(name+"from nothing, memory", begin.Own, "MB", 0, aimNationMemory)
	peak.Note = fmt.Sprintf("%.0f with pages of its files", begin.All)
	start := bench.NewFigure(name+"start from cold files", cold.Seconds, "s", 0, aimNationStart)
	start.Note = fmt.Sprintf("to an answer from each region; %.1f s when the files are in memory", warm.Seconds)
	memory := bench.NewFigure(name+"memory of one that started", warm.Own, "MB", 0, aimNationMemory)
	memory.Note = fmt.Sprintf("%.1f before it answered %d questions, of %.0f us; %.0f with pages of its files", warm.Idle, warm.Asked, warm.Answer*1e6, warm.All)
	lag := bench.NewFigure(name+"after a gap", gap.Seconds, "s", 0, 0)
	lag.Note = fmt.Sprintf("until %d events that came meanwhile are in", c.regions*later*scaleEvents)
	return []bench.Figure{
		rate, peak, start, memory, lag,
		bench.NewFigure(name+"log", float64(size)/float64(c.events()+c.regions*later*scaleEvents), "B/event", 0, 0),
		bench.NewFigure(name+"disk", float64(disk)/events, "B/event", 0, 0),
	}, nil
}

// settleFiles has the files of a folder on the disk and out of memory, and gives their size.
func settleFiles(dir string) (size int64, err error) {
	return size, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		var stat unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &stat); err != nil {
			return err
		}
		size += stat.Blocks * 512
		return errors.Join(f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
	})
}

// scaleChild runs one stage in a process of its own.
func scaleChild(dir string, stage scaleStage, to *scaleResult) error {
	raw, err := json.Marshal(stage)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "stage.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), scaleVariable+"="+path, fmt.Sprintf("%s=%d", scaleBegan, time.Now().UnixNano()))
	cmd.Stderr = os.Stderr
	answer, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	out, err := io.ReadAll(answer)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return fmt.Errorf("%s: %w", stage.Stage, err)
	}
	return json.Unmarshal(out, to)
}
