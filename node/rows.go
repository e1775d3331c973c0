package node

import (
	"errors"
	"fmt"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// The state of a node that runs is in its store, row by row, and not in memory: so it starts at
// once, however long the log is. Each row was written by this node, in the transaction of the
// leaf that it had verified for it, and is held against its hash when it is read. Rows that are
// not of the leaves beside them are thrown away, and the leaves replayed; a dump has none. Who
// checks a folder, or brings one to a recovery, replays all leaves: see openMachine.

// rowsInline is how many bytes of rows and leaves go into the one transaction.
const rowsInline = 1 << 20

// storeRows implements registry.Rows.
type storeRows struct {
	store kv.Store
	tx    kv.Tx // that all is read in; nil: each in one of its own. Only who has the machine to itself sets it.
}

// view runs fn in the transaction that there is, or in one of its own.
func (r *storeRows) view(fn func(kv.Tx) error) error {
	if r.tx != nil {
		return fn(r.tx)
	}
	return r.store.View(fn)
}

// reading runs fn, which reads many rows, and has them read in one transaction: beginning and
// ending one takes longer than reading a row. mu is held.
func (m *machine) reading(fn func()) error {
	if m.kept == nil {
		fn()
		return nil
	}
	return m.store.View(func(tx kv.Tx) error {
		m.kept.tx = tx
		defer func() { m.kept.tx = nil }()
		fn()
		return nil
	})
}

// Get implements registry.Rows.
func (r *storeRows) Get(key []byte) (value []byte, err error) {
	err = r.view(func(tx kv.Tx) (err error) {
		value, err = tx.Get(keyRow(key))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// Scan implements registry.Rows.
func (r *storeRows) Scan(prefix []byte, fn func(key, value []byte) error) error {
	return r.view(func(tx kv.Tx) error {
		return tx.Scan(keyRow(prefix), func(key, value []byte) error { return fn(key[len(prefixRow):], value) })
	})
}

func keyRow(key []byte) []byte { return append([]byte(prefixRow), key...) }

// openKept opens the machine of a node that runs.
func openKept(store kv.Store, region string) (*machine, error) {
	m := newMachine(store, region)
	m.kept = &storeRows{store: store}
	if err := m.loadTree(); err != nil {
		return nil, err
	}
	var err error
	if m.state, err = registry.OpenState(region, m.kept); err != nil {
		return nil, err
	}
	if size := m.state.Size(); size == 0 || size > m.meta.Size {
		// None, or not those of these leaves.
		if err := forgetRows(store); err != nil {
			return nil, err
		}
		if m.state, err = registry.OpenState(region, m.kept); err != nil {
			return nil, err
		}
	}
	if err := m.catchUp(); err != nil {
		return nil, err
	}
	if err := m.audit(m.meta.Size-min(m.meta.Size, auditedFirst), m.meta.Size); err != nil {
		return nil, err
	}
	if m.meta.Size > 0 {
		m.noteNodes()
	}
	return m, store.View(m.loadPayloads)
}

// catchUp replays the leaves that the rows lack, all when there are no rows.
func (m *machine) catchUp() error {
	if m.state.Size() == m.meta.Size {
		return nil
	}
	check, err := m.treeAt(m.state.Size())
	if err != nil {
		return err
	}
	for next := m.state.Size(); next < m.meta.Size; next = m.state.Size() {
		leaves, err := m.leaves(next, min(next+maxHeldEvents, m.meta.Size))
		if err != nil {
			return err
		}
		for i, raw := range leaves {
			if err := replayLeaf(m.state, check, raw); err != nil {
				return fmt.Errorf("stored leaf %d: %w", next+uint64(i), err)
			}
		}
		rows, err := m.storeFirst(0)
		if err != nil {
			return err
		}
		if err := m.store.Update(func(tx kv.Tx) error { return setRows(tx, rows) }); err != nil {
			return err
		}
		m.state.Stored()
	}
	if check.Root() != m.tree.Root() {
		return errDamaged
	}
	return nil
}

// treeAt is the stored tree when it had so many leaves.
func (m *machine) treeAt(size uint64) (tree *tlog.Tree, err error) {
	err = m.store.View(func(tx kv.Tx) error {
		tree, err = tlog.LoadTree(size, txTiles{tx})
		return err
	})
	return tree, err
}

// leaves are stored leaves, to before an index.
func (m *machine) leaves(from, to uint64) (out [][]byte, err error) {
	return out, m.store.View(func(tx kv.Tx) error {
		for i := from; i < to; i++ {
			raw, err := readLeaf(tx, i)
			if err != nil {
				return err
			}
			out = append(out, raw)
		}
		return nil
	})
}

// storeFirst gives the rows that the last leaves brought, for the transaction of the leaves,
// which has so many bytes already. Where those are too many for one, they are stored before it;
// until it is done the store has no state then: what was broken off is replayed from leaves.
func (m *machine) storeFirst(bytes int) ([]registry.Row, error) {
	rows := m.state.Fresh()
	if bytes+m.state.FreshBytes() <= rowsInline || len(rows) == 0 {
		return rows, nil
	}
	last := len(rows) - 1
	for from := 0; from < last; {
		to, size := from, 0
		for to < last && size < rowsInline/2 {
			size += len(rows[to].Key) + len(rows[to].Value)
			to++
		}
		err := m.store.Update(func(tx kv.Tx) error {
			return errors.Join(tx.Delete(keyRow(rows[last].Key)), setRows(tx, rows[from:to]))
		})
		if err != nil {
			return nil, err
		}
		from = to
	}
	return rows[last:], nil
}

func setRows(tx kv.Tx, rows []registry.Row) error {
	for _, r := range rows {
		if err := tx.Set(keyRow(r.Key), r.Value); err != nil {
			return err
		}
	}
	return nil
}

// forgetRows throws away the state in a store.
func forgetRows(store kv.Store) error {
	some := false
	err := (&storeRows{store: store}).Scan(nil, func(_, _ []byte) error { some = true; return kv.ErrStop })
	if err != nil || !some {
		return err
	}
	return kv.Purge(store, prefixRow)
}

// lostRows turns the panic of a state whose rows cannot be read into an error, and ends the node.
func (m *machine) lostRows(err *error) {
	p := recover()
	if p == nil {
		return
	}
	lost, ok := p.(error)
	if !ok || !errors.Is(lost, registry.ErrRows) {
		panic(p)
	}
	select {
	case m.lost <- lost:
	default:
	}
	*err = lost
}
