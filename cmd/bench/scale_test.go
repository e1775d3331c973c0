package main

import (
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

// The simulation's regions are logs that a mirror accepts, at once and in two steps.
func TestScaleRegions(t *testing.T) {
	dir := t.TempDir()
	path, size, err := writeScale(dir, 2, 60, 2)
	if err != nil || size == 0 {
		t.Fatal(err)
	}
	var logs []*scaleLog
	if err := readJSON(path, &logs); err != nil {
		t.Fatal(err)
	}
	store := kv.NewMemory()
	for _, stage := range []string{stageBegin, stageStart, stageGap} {
		r, err := scaleStage{Stage: stage}.run(store, logs, time.Now())
		if err != nil || stage == stageStart && r.Asked != 2*askedEach {
			t.Fatalf("%s: %+v, %v", stage, r, err)
		}
		for _, l := range logs {
			l.note = 0
		}
	}
}

func TestCountSyncs(t *testing.T) {
	got := countSyncs(`12 fdatasync(7</d/knoop-1/raft/1.wal>) = 0
13 fsync(9</d/knoop-1/.cosigned.json.12>) = 0
12 fdatasync(7</d/knoop-1/raft/1.wal> <unfinished ...>
12 <... fdatasync resumed>) = 0
14 msync(0x7f00, 100, MS_SYNC) = 0
`)
	if got[syncRaft] != 2 || got[syncRecord] != 1 || got[syncOther] != 1 || got[syncStore] != 0 {
		t.Errorf("%v", got)
	}
}
