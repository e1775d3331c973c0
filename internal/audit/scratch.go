package audit

import (
	"errors"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// A replay of a large log needs more memory than an auditor has; then the state is rows in a store
// that lives as long as the replay.

// scratchBytes is how large rows grow in memory before they go to the store, scratchPiece how many
// go at a time.
const (
	scratchBytes = 8 << 20
	scratchPiece = 1 << 20
)

// scratch implements registry.Rows over a store of its own.
type scratch struct {
	store kv.Store
	most  int // bytes of rows in memory
}

// Get implements registry.Rows.
func (s scratch) Get(key []byte) (value []byte, err error) {
	err = s.store.View(func(tx kv.Tx) (err error) {
		value, err = tx.Get(key)
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// Scan implements registry.Rows.
func (s scratch) Scan(prefix []byte, fn func(key, value []byte) error) error {
	return s.store.View(func(tx kv.Tx) error { return tx.Scan(prefix, fn) })
}

// put stores what is fresh in a state, if it is much.
func (s scratch) put(state *registry.State) error {
	if state.FreshBytes() < s.most {
		return nil
	}
	rows := state.Fresh()
	for len(rows) > 0 {
		n, size := 0, 0
		for n < len(rows) && size < scratchPiece {
			size += len(rows[n].Key) + len(rows[n].Value)
			n++
		}
		err := s.store.Update(func(tx kv.Tx) error {
			for _, r := range rows[:n] {
				if err := tx.Set(r.Key, r.Value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	state.Stored()
	return nil
}
