// Package kv is the ordered key-value store on which every role keeps its state:
// byte keys in byte order, transactions that happen whole or not at all.
//
// It is the only door to Badger: no type of Badger appears in a signature, and its
// errors are translated here. It is not a query engine, has no schema and knows no
// role. Two implementations pass the contract in kvtest: Badger on disk, and
// memory for tests.
//
//	s, err := kv.OpenBadger(dir, kv.Options{Sync: true})
//	err = kv.CheckFormat(s, "issuer", 1)
//	err = s.Update(func(tx kv.Tx) error {
//		return tx.Set([]byte("offer/7"), kv.Value(1, body))
//	})
//
// Each role lists its keys in one file, and starts every stored value with a format
// version ([Value], [PutJSON]).
package kv

import "errors"

var (
	// ErrNotFound: the key has no value.
	ErrNotFound = errors.New("kv: not found")
	// ErrReadOnly: a write inside View.
	ErrReadOnly = errors.New("kv: write in a read-only transaction")
	// ErrClosed: the store is closed.
	ErrClosed = errors.New("kv: store is closed")
	// ErrTooLarge: the transaction does not fit in one batch; split it. Nothing of
	// it was stored.
	ErrTooLarge = errors.New("kv: transaction is too large")
	// ErrInUse: another process has the store open.
	ErrInUse = errors.New("kv: store is in use by another process")
	// ErrStuck: Close gave up, because the disk does not take what is left to write. With
	// Sync nothing is lost by that.
	ErrStuck = errors.New("kv: store does not close, its disk does not answer")
	// ErrKey: an empty key, or one longer than MaxKey.
	ErrKey = errors.New("kv: key is empty or too long")
	// ErrStop, returned by the function given to Scan, ends the scan without error.
	ErrStop = errors.New("kv: stop scanning")
)

// MaxKey is the longest key in bytes.
const MaxKey = 1024

// Store is an ordered key-value store. All methods may be called from many
// goroutines; a transaction belongs to the goroutine that was given it.
type Store interface {
	// View runs fn over one unchanging picture of the store.
	View(fn func(Tx) error) error

	// Update runs fn and, when fn returns nil, stores everything it wrote at once.
	// Updates follow one another: fn sees all that went before, and is called
	// once. When Update returns nil the change is stored (and on disk, for a store
	// opened with Sync). When it returns an error from fn nothing is stored; after
	// any other error the caller cannot know and has to look.
	// A transaction inside a transaction deadlocks.
	Update(fn func(Tx) error) error

	// Close ends the store. It waits for running transactions.
	Close() error
}

// Tx is a running transaction. It must not be kept after the function returns.
type Tx interface {
	// Get returns a copy of the value, or ErrNotFound.
	Get(key []byte) ([]byte, error)

	// Set stores a value; key and value are copied. ErrReadOnly in a View.
	Set(key, value []byte) error

	// Delete removes a key; one that is absent is no error. ErrReadOnly in a View.
	Delete(key []byte) error

	// Scan calls fn for each key that starts with prefix, in byte order, as they
	// were when the scan began, this transaction's writes included. The slices are
	// valid until fn returns. An error from fn ends the scan and is returned,
	// except ErrStop.
	Scan(prefix []byte, fn func(key, value []byte) error) error
}

// Sync makes everything that Update stored so far survive a power cut, for a store
// that was opened without Sync. A store in memory has nothing to do.
func Sync(s Store) error {
	if syncer, ok := s.(interface{ Sync() error }); ok {
		return syncer.Sync()
	}
	return nil
}

func checkKey(key []byte) error {
	if len(key) == 0 || len(key) > MaxKey {
		return ErrKey
	}
	return nil
}

func endScan(err error) error {
	if errors.Is(err, ErrStop) {
		return nil
	}
	return err
}
