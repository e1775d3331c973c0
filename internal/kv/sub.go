package kv

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// ErrNoPurge: the store cannot take traces out of its files.
var ErrNoPurge = errors.New("kv: this store cannot purge")

// Sub is the part of a store whose keys start with prefix, as a store of its own: its
// keys come and go without the prefix, and nothing outside the part can be reached
// through it. A transaction of the part is one of the whole, so the two must not be put
// inside one another. Close does nothing: the part ends with the whole. A key may be
// len(prefix) shorter than MaxKey.
func Sub(s Store, prefix string) Store { return &subStore{s, []byte(prefix)} }

// Purge removes every row whose key starts with one of the prefixes, and what is left of
// them in the files of the store: older versions, deleted rows, logs. Values above 64 KiB leave the
// files later, when their log is tidied. It does not reach what the disk itself or a
// backup keeps.
//
// No Update runs meanwhile. A View that began before may miss the rows. Purging is not
// all or nothing: when it fails or is broken off, do it again. ErrNoPurge when the store
// cannot.
func Purge(s Store, prefixes ...string) error {
	p, ok := s.(purger)
	if !ok {
		return ErrNoPurge
	}
	list := make([][]byte, len(prefixes))
	for i, prefix := range prefixes {
		list[i] = []byte(prefix)
	}
	return p.purge(list...)
}

// Forget removes what the files keep of older versions of one row, to the same measure as
// Purge. Meanwhile its value stands under spare too; when it is broken off it may stand
// there only, so whoever reads the row looks there when it is absent. No other row may
// start with either key. ErrNoPurge when the store cannot.
func Forget(s Store, key, spare string) error {
	f, ok := s.(forgetter)
	if !ok {
		return ErrNoPurge
	}
	return f.forget([]byte(key), []byte(spare))
}

type forgetter interface{ forget(key, spare []byte) error }

type purger interface {
	purge(prefixes ...[]byte) error
}

type subStore struct {
	whole  Store
	prefix []byte
}

func (s *subStore) View(fn func(Tx) error) error {
	return s.whole.View(func(tx Tx) error { return fn(subTx{tx, s.prefix}) })
}

func (s *subStore) Update(fn func(Tx) error) error {
	return s.whole.Update(func(tx Tx) error { return fn(subTx{tx, s.prefix}) })
}

func (s *subStore) Close() error { return nil }

// Sync is that of the whole.
func (s *subStore) Sync() error { return Sync(s.whole) }

func (s *subStore) purge(prefixes ...[]byte) error {
	list := make([]string, len(prefixes))
	for i, prefix := range prefixes {
		list[i] = string(s.prefix) + string(prefix)
	}
	return Purge(s.whole, list...)
}

func (s *subStore) forget(key, spare []byte) error {
	return Forget(s.whole, string(s.prefix)+string(key), string(s.prefix)+string(spare))
}

type subTx struct {
	tx     Tx
	prefix []byte
}

// key is the key in the whole. An empty one stays refused: in the whole it would be the
// prefix itself.
func (tx subTx) key(key []byte) ([]byte, error) {
	if len(key) == 0 {
		return nil, ErrKey
	}
	return slices.Concat(tx.prefix, key), nil
}

func (tx subTx) Get(key []byte) ([]byte, error) {
	k, err := tx.key(key)
	if err != nil {
		return nil, err
	}
	return tx.tx.Get(k)
}

func (tx subTx) Set(key, value []byte) error {
	k, err := tx.key(key)
	if err != nil {
		return err
	}
	return tx.tx.Set(k, value)
}

func (tx subTx) Delete(key []byte) error {
	k, err := tx.key(key)
	if err != nil {
		return err
	}
	return tx.tx.Delete(k)
}

func (tx subTx) Scan(prefix []byte, fn func(key, value []byte) error) error {
	whole := slices.Concat(tx.prefix, prefix)
	return tx.tx.Scan(whole, func(key, value []byte) error {
		if len(key) == len(tx.prefix) {
			return nil // the prefix itself is a key of the whole, not of the part
		}
		return fn(key[len(tx.prefix):], value)
	})
}

func (m *Memory) purge(prefixes ...[]byte) error {
	return m.Update(func(tx Tx) error {
		for _, prefix := range prefixes {
			if err := tx.Scan(prefix, func(key, _ []byte) error { return tx.Delete(key) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// purgeMark is a row that is there only while a purge runs.
const purgeMark = "\x00purge"

func (s *badgerStore) purge(prefixes ...[]byte) error {
	if len(prefixes) == 0 {
		return nil // Badger would drop everything
	}
	s.write.Lock()
	defer s.write.Unlock()
	if s.db.IsClosed() {
		return ErrClosed
	}
	if err := s.drop(prefixes...); err != nil {
		return fmt.Errorf("kv: purge: %w", translate(err))
	}
	for s.db.RunValueLogGC(0.01) == nil {
	}
	return nil
}

// forget has nothing to do: memory keeps no older versions.
func (m *Memory) forget(_, _ []byte) error { return nil }

func (s *badgerStore) forget(key, spare []byte) error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.db.IsClosed() {
		return ErrClosed
	}
	for _, move := range [][2][]byte{{key, spare}, {spare, key}} {
		if err := s.move(move[0], move[1]); err != nil {
			return fmt.Errorf("kv: forget: %w", translate(err))
		}
	}
	return nil
}

// move puts a value under another key, on the disk, before it drops the first.
func (s *badgerStore) move(from, to []byte) error {
	err := s.db.Update(func(t *badger.Txn) error {
		item, err := t.Get(from)
		if err != nil {
			return err
		}
		value, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		return t.Set(to, value)
	})
	if err = errors.Join(err, s.db.Sync()); err != nil {
		return err
	}
	return s.drop(from)
}
