package evidence

import (
	"errors"
	"fmt"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// The state of a copy is in the follower's store, row by row, and not in memory: so a mirror of
// many regions starts at once. Each row was written by this follower, of leaves that it had
// verified, and is held against its hash when it is read. Rows that are not of the leaves beside
// them are thrown away, and the leaves verified and replayed again.

const (
	// pieceBytes is about how much goes into one transaction.
	pieceBytes = 1 << 20
	// auditedFirst is how many of the newest leaves are held against the tree before a copy is used.
	auditedFirst = 256
	// auditPiece is how many more are looked at in each round of Run.
	auditPiece = 2048
)

// copyRows implements registry.Rows over the part of a store that is one region's.
type copyRows struct {
	store  kv.Store
	prefix string
	tx     kv.Tx // that all is read in; nil: each in one of its own. Only who writes sets it.
}

func (k regionKeys) rows() string { return string(k) + "row/" }

func (r *copyRows) key(key []byte) []byte { return append([]byte(r.prefix), key...) }

func (r *copyRows) view(fn func(kv.Tx) error) error {
	if r.tx != nil {
		return fn(r.tx)
	}
	return r.store.View(fn)
}

// Get implements registry.Rows.
func (r *copyRows) Get(key []byte) (value []byte, err error) {
	err = r.view(func(tx kv.Tx) (err error) {
		value, err = tx.Get(r.key(key))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// Scan implements registry.Rows.
func (r *copyRows) Scan(prefix []byte, fn func(key, value []byte) error) error {
	return r.view(func(tx kv.Tx) error {
		return tx.Scan(r.key(prefix), func(key, value []byte) error { return fn(key[len(r.prefix):], value) })
	})
}

// reading runs fn, which reads many rows, in one transaction: beginning and ending one takes
// longer than reading a row. mu is held for writing.
func (r *copyRows) reading(fn func() error) error {
	if r == nil {
		return fn()
	}
	var failed error
	err := r.store.View(func(tx kv.Tx) error {
		r.tx = tx
		defer func() { r.tx = nil }()
		failed = fn()
		return nil
	})
	return errors.Join(failed, err)
}

// putFirst stores rows but for the last, which makes the others count, and gives that one. Until
// it is stored there is no state: what is broken off is made again from the leaves.
func (r *copyRows) putFirst(rows []registry.Row) ([]registry.Row, error) {
	last := max(len(rows)-1, 0)
	for from := 0; from < last; {
		to, size := from, 0
		for to < last && size < pieceBytes {
			size += len(rows[to].Key) + len(rows[to].Value)
			to++
		}
		err := r.store.Update(func(tx kv.Tx) error {
			return errors.Join(tx.Delete(r.key(rows[last].Key)), r.put(tx, rows[from:to]))
		})
		if err != nil {
			return nil, err
		}
		from = to
	}
	return rows[last:], nil
}

func (r *copyRows) put(tx kv.Tx, rows []registry.Row) error {
	for _, row := range rows {
		if err := tx.Set(r.key(row.Key), row.Value); err != nil {
			return err
		}
	}
	return nil
}

// forget throws all rows away.
func (r *copyRows) forget() error {
	for {
		var keys [][]byte
		err := r.Scan(nil, func(key, _ []byte) error {
			keys = append(keys, r.key(key))
			if len(keys) == 5000 {
				return kv.ErrStop
			}
			return nil
		})
		if err != nil || len(keys) == 0 {
			return err
		}
		err = r.store.Update(func(tx kv.Tx) error {
			for _, key := range keys {
				if err := tx.Delete(key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// start reads what was kept.
func (f *Follower) start() (err error) {
	defer f.lostRows(&err)
	if err := errors.Join(f.open(), f.loadFork()); err != nil {
		return err
	}
	if err := f.loadPayloads(); err != nil {
		return err
	}
	f.replica.State().Lean()
	return nil
}

// open reads the copy that was kept: all but the leaves, unless its rows have to be made again.
func (f *Follower) open() error {
	var note []byte
	var c tlog.Checkpoint
	err := f.config.Store.View(func(tx kv.Tx) (err error) {
		note, c, err = f.stored(tx)
		return err
	})
	switch {
	case errors.Is(err, registry.ErrNoLog):
		return f.fresh()
	case err != nil:
		return err
	}
	if err := f.openTiles(c); err != nil {
		return err
	}
	if err := f.audit(c.Size-min(c.Size, auditedFirst), c.Size); err != nil {
		return err
	}
	replica, err := registry.OpenReplica(f.config.Genesis, f.rows, f.tree.Clone(), note)
	if errors.Is(err, registry.ErrRows) {
		return f.remake(note, c)
	}
	if err == nil {
		f.replica, f.unaudited = replica, c.Size
	}
	return err
}

// fresh begins a copy with nothing.
func (f *Follower) fresh() (err error) {
	if err := f.rows.forget(); err != nil {
		return err
	}
	f.tree = tlog.NewTree()
	f.replica, err = registry.OpenReplica(f.config.Genesis, f.rows, tlog.NewTree(), nil)
	return err
}

// remake makes the rows of the copy again from its leaves, which are verified as if they came now.
func (f *Follower) remake(note []byte, c tlog.Checkpoint) error {
	f.config.Log.Info("the state of a region is made again from its log", "region", f.config.Genesis[:8], "leaves", c.Size)
	if err := f.audit(0, c.Size); err != nil {
		return err
	}
	var handovers [][]byte
	err := f.config.Store.View(func(tx kv.Tx) (err error) {
		handovers, err = f.keptHandovers(tx)
		return err
	})
	tree := f.tree
	if err == nil {
		err = f.fresh()
	}
	f.tree = tree
	if err != nil {
		return err
	}
	for _, step := range append(handovers, note) {
		s, err := tlog.PeekCheckpoint(step)
		if err != nil {
			return err
		}
		have := f.replica.Size()
		switch {
		case s.Size < have || s.Size > c.Size:
			continue // of a batch whose checkpoint was not kept
		case s.Size == have:
			err = f.replica.Extend(nil, step)
		default:
			err = f.replica.Walk(step, f.pieces(have, s.Size), func(apply func() error) error { return f.takePiece(apply, nil) })
		}
		if err != nil {
			return fmt.Errorf("the copy kept here does not verify: %w", err)
		}
	}
	return nil
}

// audit holds the leaves from an index to before another against the tree.
func (f *Follower) audit(from, to uint64) error {
	from -= from % tlog.TileWidth
	var tree, want *tlog.Tree
	err := f.config.Store.View(func(tx kv.Tx) (err error) {
		tiles := storedTiles{tx, f.keys}
		if tree, err = tlog.LoadTree(from, tiles); err != nil {
			return err
		}
		want, err = tlog.LoadTree(to, tiles)
		return err
	})
	if err != nil {
		return err
	}
	for leaves, err := range f.storedLeaves(from, to) {
		if err != nil {
			return err
		}
		if _, err := tree.Append(leafHashes(leaves)...); err != nil {
			return err
		}
	}
	if tree.Root() != want.Root() {
		return fmt.Errorf("the copy kept here does not verify: %w", registry.ErrRoot)
	}
	return nil
}

// auditMore holds some more of the leaves that were there at the start against the tree: what
// nobody asks for could rot unseen. It begins with the newest.
func (f *Follower) auditMore() {
	f.refresh.Lock()
	defer f.refresh.Unlock()
	if f.unaudited == 0 || f.lost.Load() != nil {
		return
	}
	from := f.unaudited - min(f.unaudited, auditPiece)
	if err := f.audit(from, f.unaudited); err != nil {
		f.config.Log.Error("the copy of a region is damaged", "region", f.config.Genesis[:8], "error", err)
		f.lost.Store(&err)
		return
	}
	f.unaudited = from
}

// lostRows turns the panic of a state whose rows cannot be read into an error. The next round makes
// the rows again.
func (f *Follower) lostRows(err *error) {
	p := recover()
	if p == nil {
		return
	}
	lost, ok := p.(error)
	if !ok || !errors.Is(lost, registry.ErrRows) {
		panic(p)
	}
	f.config.Log.Error("the state of a region cannot be read", "region", f.config.Genesis[:8], "error", lost)
	f.lost.Store(&lost)
	*err = lost
}

// damaged is why nothing is answered: see lost.
func (f *Follower) damaged() error {
	if err := f.lost.Load(); err != nil {
		return *err
	}
	return nil
}

// restore makes the state again after it was lost or stopped on the way to a checkpoint. It is
// called under refresh.
func (f *Follower) restore() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.rows.forget()
	if err == nil {
		err = f.open()
	}
	if err != nil {
		f.lost.Store(&err)
		return fmt.Errorf("registry copy: %w", err)
	}
	f.lost.Store(nil)
	return nil
}
