package kv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Options say how a store on disk behaves.
type Options struct {
	// Sync makes every Update wait until the disk has it. Without it, a power cut
	// may lose the last Updates, whole ones and in order; a killed process loses
	// nothing.
	Sync bool

	// MemTable is the size in bytes of the table that is filled in memory.
	// Zero means 16 MiB: a role on a small machine, not a database server. An Update
	// takes 15 % of it at most.
	MemTable int64

	// Log gets the warnings of the store. Nil means none.
	Log *slog.Logger
}

const (
	defaultMemTable = 16 << 20
	// Values above this live in the value log, outside the tables.
	valueThreshold = 64 << 10
	valueLogFile   = 64 << 20
	collectEvery   = 10 * time.Minute
	closeWait      = 30 * time.Second
)

type badgerStore struct {
	db    *badger.DB
	write sync.Mutex // one Update at a time, so that fn runs once and no conflict exists

	stop    context.CancelFunc
	stopped chan struct{}

	patience time.Duration // how long Close waits; tests wait less
}

// OpenBadger opens the store in dir, which is made when absent and gets mode 0700:
// Badger's own files can be read by whoever gets into the folder. ErrInUse when
// another process has it. The store tidies its files by itself until Close.
func OpenBadger(dir string, o Options) (Store, error) {
	if err := makePrivate(dir); err != nil {
		return nil, fmt.Errorf("kv: %w", err)
	}
	mem, err := memTable(dir, o.MemTable)
	if err != nil {
		return nil, fmt.Errorf("kv: %w", err)
	}
	db, err := badger.Open(badgerOptions(dir, mem, o))
	if err != nil {
		return nil, openError(dir, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &badgerStore{db: db, stop: stop, stopped: make(chan struct{}), patience: closeWait}
	go s.collect(ctx)
	return s, nil
}

// makePrivate makes a folder that only its owner can enter.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// memTable is how large the table in memory is made. A process that was killed may have left
// the log of a larger one, which Badger reads back into one table.
func memTable(dir string, size int64) (int64, error) {
	if size == 0 {
		size = defaultMemTable
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && filepath.Ext(e.Name()) == ".mem" {
			size = max(size, info.Size()/2) // Badger makes the file twice as large as the table
		}
	}
	return size, err
}

func badgerOptions(dir string, mem int64, o Options) badger.Options {
	small := badger.DefaultOptions(dir)
	small.TableSizeMultiplier = 1 // making a large table of an old level takes twice its size in memory
	return small.
		WithSyncWrites(o.Sync).
		WithLogger(badgerLog{o.Log}).
		WithMemTableSize(mem).
		WithNumMemtables(1).
		WithBaseTableSize(2 << 20).
		WithValueThreshold(valueThreshold).
		WithValueLogFileSize(valueLogFile).
		WithBlockCacheSize(8 << 20).
		WithIndexCacheSize(0).
		WithNumCompactors(2).
		// Making a table takes a third of the memory without compression, and many are made at
		// once; the disk holds 1.8 times as much of what a node keeps.
		WithCompression(options.None).
		WithChecksumVerificationMode(options.OnBlockRead). // when it opens would read all there is
		WithDetectConflicts(false).                        // Updates are serialised above
		WithMetricsEnabled(false)
}

func openError(dir string, err error) error {
	// Badger has no sentinel for a held lock; the text is the only sign.
	if strings.Contains(err.Error(), "Cannot acquire directory lock") {
		return fmt.Errorf("%w: %s", ErrInUse, dir)
	}
	return fmt.Errorf("kv: the store in %s cannot be opened; it may be damaged: %w", dir, err)
}

// collect gives the disk back what deleted large values held.
func (s *badgerStore) collect(ctx context.Context) {
	defer close(s.stopped)
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for ctx.Err() == nil && s.db.RunValueLogGC(0.5) == nil {
			}
		}
	}
}

func (s *badgerStore) View(fn func(Tx) error) error {
	return translate(s.view(fn))
}

func (s *badgerStore) view(fn func(Tx) error) error {
	if s.db.IsClosed() {
		return ErrClosed
	}
	return s.db.View(func(t *badger.Txn) error { return fn(badgerTx{t, false}) })
}

func (s *badgerStore) Update(fn func(Tx) error) error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.db.IsClosed() {
		return ErrClosed
	}
	return translate(s.db.Update(func(t *badger.Txn) error { return fn(badgerTx{t, true}) }))
}

// drop takes all rows under the prefixes out of the tables. Badger does nothing for a prefix
// without living rows, and logs instead of failing when it cannot compact: so one row is
// put there first, and it is looked whether all are gone.
func (s *badgerStore) drop(prefixes ...[]byte) error {
	err := s.db.Update(func(t *badger.Txn) error {
		for _, prefix := range prefixes {
			if err := t.Set(append(append([]byte{}, prefix...), purgeMark...), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.db.DropPrefix(prefixes...); err != nil {
		return err
	}
	return s.view(func(tx Tx) error {
		for _, prefix := range prefixes {
			if err := tx.Scan(prefix, func(_, _ []byte) error { return errors.New("rows are left; try again") }); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sync waits until the disk has every Update.
func (s *badgerStore) Sync() error {
	if s.db.IsClosed() {
		return ErrClosed
	}
	return translate(s.db.Sync())
}

func (s *badgerStore) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.db.IsClosed() {
		return nil
	}
	s.stop()
	<-s.stopped
	// Badger tries to write for ever when the disk is gone, which would keep a process
	// from ending.
	closed := make(chan error, 1)
	go func() { closed <- s.db.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(s.patience):
		return ErrStuck
	}
}

// translate turns Badger's errors into ours; others pass unchanged.
func translate(err error) error {
	switch {
	case errors.Is(err, badger.ErrKeyNotFound):
		return ErrNotFound
	case errors.Is(err, badger.ErrTxnTooBig):
		return ErrTooLarge
	case errors.Is(err, badger.ErrReadOnlyTxn):
		return ErrReadOnly
	case errors.Is(err, badger.ErrDBClosed), errors.Is(err, badger.ErrBlockedWrites):
		return ErrClosed
	}
	return err
}

type badgerTx struct {
	txn   *badger.Txn
	write bool
}

func (tx badgerTx) Get(key []byte) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	item, err := tx.txn.Get(key)
	if err != nil {
		return nil, translate(err)
	}
	return item.ValueCopy(nil)
}

func (tx badgerTx) Set(key, value []byte) error {
	if err := tx.writable(key); err != nil {
		return err
	}
	// Badger keeps the slices until the commit.
	return translate(tx.txn.Set(append([]byte{}, key...), append([]byte{}, value...)))
}

func (tx badgerTx) Delete(key []byte) error {
	if err := tx.writable(key); err != nil {
		return err
	}
	return translate(tx.txn.Delete(append([]byte{}, key...)))
}

func (tx badgerTx) writable(key []byte) error {
	if !tx.write {
		return ErrReadOnly
	}
	return checkKey(key)
}

func (tx badgerTx) Scan(prefix []byte, fn func(key, value []byte) error) error {
	it := tx.txn.NewIterator(badger.IteratorOptions{Prefix: prefix, PrefetchValues: true, PrefetchSize: 16})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		key := item.Key()
		if err := item.Value(func(v []byte) error { return fn(key, v) }); err != nil {
			return endScan(err)
		}
	}
	return nil
}

// badgerLog hands Badger's warnings and errors on; its chatter about levels is for
// its own developers.
type badgerLog struct{ log *slog.Logger }

func (l badgerLog) Errorf(format string, args ...any)   { l.say(slog.LevelError, format, args) }
func (l badgerLog) Warningf(format string, args ...any) { l.say(slog.LevelWarn, format, args) }
func (l badgerLog) Infof(string, ...any)                {}
func (l badgerLog) Debugf(string, ...any)               {}

func (l badgerLog) say(level slog.Level, format string, args []any) {
	if l.log != nil {
		l.log.Log(context.Background(), level, "store", "says", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}
