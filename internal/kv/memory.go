package kv

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Failure is a way in which the next Update of a [Memory] fails.
type Failure int

const (
	// NotDone: nothing is stored and the error is returned.
	NotDone Failure = iota + 1
	// DoneButFailed: all is stored and the error is returned all the same, as when
	// the answer of a disk gets lost.
	DoneButFailed
)

// Memory is a store in memory, for tests. It can be told to fail.
type Memory struct {
	mu     sync.RWMutex
	values map[string][]byte // nil after Close; values are never changed in place
	next   Failure
	err    error
}

// NewMemory gives an empty store in memory.
func NewMemory() *Memory { return &Memory{values: map[string][]byte{}} }

// FailNext makes the next Update whose function returns nil fail with err.
func (m *Memory) FailNext(how Failure, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next, m.err = how, err
}

// View implements Store.
func (m *Memory) View(fn func(Tx) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.values == nil {
		return ErrClosed
	}
	return fn(&memoryTx{base: m.values})
}

// Update implements Store.
func (m *Memory) Update(fn func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		return ErrClosed
	}
	tx := &memoryTx{base: m.values, writes: map[string][]byte{}}
	if err := fn(tx); err != nil {
		return err
	}
	how, failure := m.next, m.err
	m.next, m.err = 0, nil
	if how == NotDone {
		return failure
	}
	for k, v := range tx.writes {
		if v == nil {
			delete(m.values, k)
		} else {
			m.values[k] = v
		}
	}
	return failure
}

// Close implements Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values = nil
	return nil
}

type memoryTx struct {
	base   map[string][]byte
	writes map[string][]byte // nil in a View; a nil value is a deletion
}

func (tx *memoryTx) Get(key []byte) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	v, written := tx.writes[string(key)]
	if !written {
		v = tx.base[string(key)]
	}
	if v == nil {
		return nil, ErrNotFound
	}
	return bytes.Clone(v), nil
}

func (tx *memoryTx) Set(key, value []byte) error {
	return tx.write(key, append([]byte{}, value...)) // never nil: nil is a deletion
}

func (tx *memoryTx) Delete(key []byte) error { return tx.write(key, nil) }

func (tx *memoryTx) write(key, value []byte) error {
	if tx.writes == nil {
		return ErrReadOnly
	}
	if err := checkKey(key); err != nil {
		return err
	}
	tx.writes[string(key)] = value
	return nil
}

func (tx *memoryTx) Scan(prefix []byte, fn func(key, value []byte) error) error {
	found := map[string][]byte{}
	for _, layer := range []map[string][]byte{tx.base, tx.writes} {
		for k, v := range layer {
			if strings.HasPrefix(k, string(prefix)) {
				found[k] = v
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(found)) {
		if found[k] == nil {
			continue
		}
		if err := fn([]byte(k), bytes.Clone(found[k])); err != nil {
			return endScan(err)
		}
	}
	return nil
}
