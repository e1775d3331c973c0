package registry_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/registry"
)

// oneByOne is a log that gives a leaf at a time and tells of each question.
type oneByOne struct {
	registry.Snapshot
	asked func(from uint64)
}

func (l oneByOne) Leaves(_ context.Context, from, _ uint64) ([][]byte, error) {
	l.asked(from)
	return l.Snapshot.Leaves[from : from+1], nil
}
func (l oneByOne) Checkpoint(context.Context) ([]byte, error)  { return l.Snapshot.Checkpoint, nil }
func (l oneByOne) Handovers(context.Context) ([][]byte, error) { return l.Snapshot.Handovers, nil }
func (l oneByOne) Payloads(context.Context) ([]registry.OpenPayload, error) {
	return l.Snapshot.Payloads, nil
}

// TestSnapshotIsWrittenAsItIsRead: the same file as the one from memory, and no more of the
// log at a time in memory than what is written next.
func TestSnapshotIsWrittenAsItIsRead(t *testing.T) {
	raw, snap := goldenSnapshot(t)
	var file bytes.Buffer
	read := 0
	log := oneByOne{snap, func(from uint64) {
		if behind := read - file.Len(); behind > 16<<10 {
			t.Fatalf("at leaf %d %d bytes were read and not written", from, behind)
		}
		read += len(snap.Leaves[from])
	}}
	if err := registry.WriteSnapshot(t.Context(), log, &file); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(raw, file.Bytes()); diff != "" {
		t.Error(diff)
	}
}
