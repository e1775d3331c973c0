package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"paspoort.example/paspoort/internal/bench"
)

// syncFigures counts what the leader has its disk sync during writes, and of which files: leaves,
// tiles and rows go to a store that is not synced, because raft's log, which is, holds the same.
// The count is by strace; without it there is none.
func (c *cluster) syncFigures(n, workers int) ([]bench.Figure, error) {
	tracer, err := exec.LookPath("strace")
	if err != nil {
		return nil, nil
	}
	events, err := compose(c.genesis, n)
	if err != nil {
		return nil, err
	}
	leader, err := c.leader()
	if err != nil {
		return nil, err
	}
	pid, out := c.nodes[leader].cmd.Process.Pid, filepath.Join(c.dir, "syncs")
	cmd := exec.Command(tracer, "-f", "-y", "-qq", "-e", "trace=fsync,fdatasync,syncfs,sync_file_range,msync", "-o", out, "-p", fmt.Sprint(pid))
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if !traced(pid) { // not allowed here
		return nil, errors.Join(cmd.Process.Kill(), ignore(cmd.Wait()))
	}
	_, err = atOnce(n, workers, func(i int) error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return c.submit(ctx, leader, events[i])
	})
	err = errors.Join(err, cmd.Process.Signal(unix.SIGINT), ignore(cmd.Wait()))
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	by := countSyncs(string(raw))
	f := bench.NewFigure(fmt.Sprintf("write, %d at once: syncs of the leader", workers), float64(by[syncRaft]+by[syncStore]+by[syncRecord]+by[syncOther])/float64(n), "/write", 0, 0)
	f.Note = fmt.Sprintf("%d writes: %d of raft's log, %d of the store with leaves and state, %d of what was cosigned last, %d others (the folder of that file)", n, by[syncRaft], by[syncStore], by[syncRecord], by[syncOther])
	return []bench.Figure{f}, nil
}

// ignore leaves out that a tracer ends with the signal that ended it.
func ignore(error) error { return nil }

// traced waits until a process is traced.
func traced(pid int) bool {
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err == nil && !strings.Contains(string(raw), "TracerPid:\t0\n") {
			return true
		}
	}
	return false
}

const (
	syncRaft   = "/raft/"
	syncStore  = "/store/"
	syncRecord = "cosigned.json" // beside it while it is written
	syncOther  = ""
)

// countSyncs counts lines of strace by the folder of the file.
func countSyncs(trace string) map[string]int {
	by := map[string]int{}
	for line := range strings.Lines(trace) {
		is := func(folder string) bool { return strings.Contains(line, folder) }
		switch {
		case !strings.Contains(line, "sync") || strings.Contains(line, "resumed>"):
		case is(syncRaft):
			by[syncRaft]++
		case is(syncStore):
			by[syncStore]++
		case is(syncRecord):
			by[syncRecord]++
		default:
			by[syncOther]++
		}
	}
	return by
}
