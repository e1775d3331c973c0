package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// A node that is new to a region knows the founding event, and the nodes of that day may be
// gone. The hint is who the nodes were when it was made, from a snapshot of the registry that
// proves itself. It counts until the node has as many leaves itself: on the way there its own
// leaves name nodes of earlier days, and it would not hear those that bring it the rest.

const fileHint = "nodes.snapshot"

// WriteHint puts a snapshot of the region into the data folder of a node that is about to
// start for the first time, after verifying it against the region's id.
func WriteHint(dir, genesis string, s registry.Snapshot) error {
	if _, _, err := s.Replay(genesis); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".hint-")
	if err != nil {
		return err
	}
	_, err = s.WriteTo(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, fileHint))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("hint: %w", err), keyfile.Remove(f.Name()))
	}
	return nil
}

// hint is who the nodes were after so many leaves.
type hint struct {
	leaves uint64
	nodes  map[string]registry.Node
}

// readHint gives the hint of a folder; an empty one when there is none of more leaves than the
// node has. It is verified again: what lies on a disk is believed by nobody.
func readHint(dir, genesis string, has uint64) (h hint, err error) {
	path := filepath.Join(dir, fileHint)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	defer f.Close()
	s, err := registry.ReadSnapshot(f)
	if err != nil {
		return h, fmt.Errorf("hint: %w", err)
	}
	if uint64(len(s.Leaves)) <= has { // reading it takes time that no later start needs
		return h, os.Remove(path)
	}
	replica, _, err := s.Replay(genesis)
	if err != nil {
		return h, fmt.Errorf("hint: %w", err)
	}
	h = hint{uint64(len(s.Leaves)), map[string]registry.Node{}}
	for _, record := range replica.State().View().ActiveNodes() {
		h.nodes[record.ID] = record.Node
	}
	return h, nil
}

// hintOf is the registry in a store, as far as its newest counting checkpoint goes; false when
// there is none, or when the nodes are those of the founding event anyway.
func hintOf(store kv.Store) (s registry.Snapshot, ok bool, err error) {
	if s.Checkpoint, err = readNote(store, keyPublished); err != nil || s.Checkpoint == nil {
		return s, false, err
	}
	c, err := tlog.PeekCheckpoint(s.Checkpoint)
	if err != nil {
		return s, false, err
	}
	changed := false
	err = store.View(func(tx kv.Tx) error {
		err := tx.Scan([]byte(prefixHandover), func(_, value []byte) error {
			_, note, err := kv.Body(value)
			if changed = true; err == nil && !bytes.Equal(note, s.Checkpoint) {
				s.Handovers = append(s.Handovers, bytes.Clone(note))
			}
			return err
		})
		for i := uint64(0); changed && err == nil && i < c.Size; i++ {
			var raw []byte
			raw, err = readLeaf(tx, i)
			s.Leaves = append(s.Leaves, raw)
		}
		return err
	})
	if err != nil || !changed || c.Size == 0 {
		return s, false, err
	}
	first, err := registry.ParseLeaf(s.Leaves[0])
	s.Genesis = first.Event.ID()
	return s, err == nil, err
}
