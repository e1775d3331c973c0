package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft-wal/types"
)

// mendTail finishes what raft-wal leaves when the power fails while it goes on to a next
// file: the last file is sealed on the disk, and its own record of files does not say so yet.
// raft-wal v0.4.0 opens such a log, reads it, and refuses every write with "segment is
// sealed" for ever after.
func mendTail(dir string, meta types.MetaStore, files types.SegmentFiler) error {
	state, err := meta.Load(dir)
	if err != nil || len(state.Segments) == 0 {
		return err
	}
	last := &state.Segments[len(state.Segments)-1]
	if !last.SealTime.IsZero() {
		return nil
	}
	tail, err := files.RecoverTail(*last)
	if err != nil {
		return nil // it was not made yet, or raft-wal says what is wrong with it
	}
	sealed, index, err := tail.Sealed()
	end := tail.LastIndex()
	if err := errors.Join(err, tail.Close()); err != nil {
		return fmt.Errorf("the last file of raft's log: %w", err)
	}
	if !sealed {
		return nil
	}
	last.SealTime, last.MaxIndex, last.IndexStart = time.Now(), end, index
	next := types.SegmentInfo{ID: state.NextSegmentID, BaseIndex: end + 1, MinIndex: end + 1, SizeLimit: last.SizeLimit, Codec: last.Codec, CreateTime: time.Now()}
	state.Segments = append(state.Segments, next)
	state.NextSegmentID++
	return meta.CommitState(state)
}
