package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft-wal/types"
)

// raft-wal v0.4.0 leaves two things behind that it cannot live with when it is opened again.
// Both are mended before it opens the log.
//
// When the power fails while it goes on to a next file, the last file is sealed on the disk
// and its own record of files does not say so: it opens such a log, reads it, and refuses
// every write with "segment is sealed" for ever after.
//
// When entries are cut off the end of the log, as a leader does that was cut off from the
// others, it records the file they were in as sealed without sealing it: until it is closed
// it reads the file, and afterwards "sealed segment has no index block". A node would have to
// forget its log, and two such nodes a region.

func mendLog(dir string, meta types.MetaStore, files types.SegmentFiler) error {
	state, err := meta.Load(dir)
	if err != nil || len(state.Segments) == 0 {
		return err
	}
	changed, err := mendTail(&state, files)
	if err != nil {
		return err
	}
	for i, s := range state.Segments {
		if s.SealTime.IsZero() || s.IndexStart > 0 || s.MaxIndex < s.MinIndex {
			continue
		}
		sealed, err := sealAnew(s, state.NextSegmentID, files)
		if err != nil {
			return fmt.Errorf("a file of raft's log: %w", err)
		}
		state.Segments[i], changed = sealed, true // raft-wal deletes the former one when it opens the log
		state.NextSegmentID++
	}
	if !changed {
		return nil
	}
	return meta.CommitState(state)
}

// mendTail records that the last file is sealed, if it is, and that another follows.
func mendTail(state *types.PersistentState, files types.SegmentFiler) (changed bool, err error) {
	last := &state.Segments[len(state.Segments)-1]
	if !last.SealTime.IsZero() {
		return false, nil
	}
	tail, err := files.RecoverTail(*last)
	if err != nil {
		return false, nil // it was not made yet, or raft-wal says what is wrong with it
	}
	sealed, index, err := tail.Sealed()
	end := tail.LastIndex()
	if err := errors.Join(err, tail.Close()); err != nil || !sealed {
		return false, err
	}
	last.SealTime, last.MaxIndex, last.IndexStart = time.Now(), end, index
	state.Segments = append(state.Segments, types.SegmentInfo{ID: state.NextSegmentID, BaseIndex: end + 1, MinIndex: end + 1,
		SizeLimit: last.SizeLimit, Codec: last.Codec, CreateTime: time.Now()})
	state.NextSegmentID++
	return true, nil
}

// sealAnew copies what counts of a file that was not sealed into one that is.
func sealAnew(s types.SegmentInfo, id uint64, files types.SegmentFiler) (types.SegmentInfo, error) {
	from := s
	from.SealTime, from.MaxIndex = time.Time{}, 0
	old, err := files.RecoverTail(from)
	if err != nil {
		return s, err
	}
	defer old.Close()
	var entries []types.LogEntry
	for i := s.MinIndex; i <= s.MaxIndex; i++ {
		raw, err := old.GetLog(i)
		if err != nil {
			return s, fmt.Errorf("entry %d: %w", i, err)
		}
		entries = append(entries, types.LogEntry{Index: i, Data: append([]byte{}, raw.Bs...)})
		raw.Close()
	}
	to := types.SegmentInfo{ID: id, BaseIndex: s.MinIndex, MinIndex: s.MinIndex, Codec: s.Codec, CreateTime: s.CreateTime}
	// What an earlier try left is of no use. It may be absent.
	_ = files.Delete(to.BaseIndex, to.ID)
	w, err := files.Create(to) // without room it is sealed by the first entries that come
	if err != nil {
		return s, err
	}
	err = w.Append(entries)
	sealed, index, sealErr := w.Sealed()
	if err := errors.Join(err, sealErr, w.Close()); err != nil {
		return s, err
	}
	if !sealed {
		return s, errors.New("it does not let itself be sealed")
	}
	to.SealTime, to.MaxIndex, to.IndexStart, to.SizeLimit = s.SealTime, s.MaxIndex, index, s.SizeLimit
	return to, nil
}
