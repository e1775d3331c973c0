package node

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// keptMachine is a machine with so many applications, whose state is in its store.
func keptMachine(t *testing.T, applications int) (*testRegion, *kv.Memory, *machine) {
	r := newRegion(t, 1, time.Now(), func(int) string { return "knoop-1.example:7000" })
	store := kv.NewMemory()
	m, err := openKept(store, r.genesis)
	if err != nil {
		t.Fatal(err)
	}
	founded(t, m.Apply(entry(1, r.start, r.founding)))
	for i := range applications {
		founded(t, m.Apply(entry(uint64(i)+2, r.start, r.raw(fmt.Sprint("Bedrijf ", i), r.start))))
	}
	return r, store, m
}

// TestKeptState: a node comes back with the state that it had, without its leaves being read;
// without rows, or with those of other leaves, it makes them again.
func TestKeptState(t *testing.T) {
	r, store, m := keptMachine(t, 5)
	want := m.state.Digest()
	for name, spoil := range map[string]func(kv.Tx) error{
		"as it was":          func(kv.Tx) error { return nil },
		"without its head":   func(tx kv.Tx) error { return tx.Delete(keyRow([]byte("\x00state"))) },
		"of another version": func(tx kv.Tx) error { return tx.Set(keyRow([]byte("\x00state")), []byte(`{"version":99}`)) },
		"of more leaves":     func(tx kv.Tx) error { return tx.Set(keyRow([]byte("\x00state")), head(r, 9)) },
		"of fewer leaves":    func(tx kv.Tx) error { return tx.Set(keyRow([]byte("\x00state")), head(r, 2)) },
		"with rows of nowhere": func(tx kv.Tx) error {
			return errors.Join(tx.Delete(keyRow([]byte("\x00state"))), tx.Set(keyRow([]byte("event/x\x00\x00\x00\x00\x00")), []byte("x")))
		},
	} {
		if err := store.Update(spoil); err != nil {
			t.Fatal(err)
		}
		again, err := openKept(store, r.genesis)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := again.state.Digest(); got != want || again.state.Size() != 6 {
			t.Errorf("%s: %d leaves with digest %s, want 6 with %s", name, again.state.Size(), got, want)
		}
		taken, err := again.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		s := taken.(*snapshot)
		if s.Digest, err = registry.DigestOf(s.rows, s.genesis, s.Size); err != nil || s.Digest != want {
			t.Errorf("%s: a snapshot says %s, %v", name, s.Digest, err)
		}
	}
}

func head(r *testRegion, size int) []byte {
	return fmt.Appendf(nil, `{"genesis":%q,"log_time":%d,"rules":2,"size":%d,"version":1}`, r.genesis, r.start.Unix(), size)
}

// TestLostRows: a node whose rows were changed answers nothing from them, and ends.
func TestLostRows(t *testing.T) {
	r, store, m := keptMachine(t, 1)
	var org string
	if err := store.Update(func(tx kv.Tx) error {
		return tx.Scan(keyRow([]byte("organisation/")), func(key, value []byte) error {
			org, _, _ = strings.Cut(string(key[len("r/organisation/"):]), "\x00")
			return tx.Set(bytes.Clone(key), append(bytes.Clone(value), ' '))
		})
	}); err != nil {
		t.Fatal(err)
	}
	m, err := openKept(store, r.genesis)
	if err != nil {
		t.Fatal(err)
	}
	read := func() (err error) {
		defer m.lostRows(&err)
		_, err = m.state.View().Organisation(org, r.start)
		return err
	}
	if err := read(); !errors.Is(err, registry.ErrRows) {
		t.Fatalf("got %v, want %v", err, registry.ErrRows)
	}
	if err := m.broken(t.Context()); !errors.Is(err, registry.ErrRows) {
		t.Errorf("the node goes on: %v", err)
	}
}

// TestAudit: a leaf that rots is found, though nobody asks for it.
func TestAudit(t *testing.T) {
	_, store, m := keptMachine(t, 5)
	if err := m.audit(0, 6); err != nil {
		t.Fatal(err)
	}
	if err := store.Update(func(tx kv.Tx) error {
		raw, err := readLeaf(tx, 3)
		if err != nil {
			return err
		}
		raw[len(raw)/2] ^= 1
		return tx.Set(keyLeaf(3), kv.Value(valueFormat, raw))
	}); err != nil {
		t.Fatal(err)
	}
	if err := m.audit(0, 6); !errors.Is(err, errDamaged) {
		t.Errorf("got %v, want %v", err, errDamaged)
	}
}

// TestRowsInPieces: rows that are too many for one transaction are stored before it, and count
// only when all are there.
func TestRowsInPieces(t *testing.T) {
	r, store, m := keptMachine(t, 1)
	var events [][]byte
	for i := range 500 {
		events = append(events, r.raw(fmt.Sprint("Veel ", i), r.start))
	}
	m.Apply(entry(3, r.start, events...))
	if m.failed != nil || m.state.FreshBytes() != 0 {
		t.Fatalf("%v, %d bytes not stored", m.failed, m.state.FreshBytes())
	}
	again, err := openKept(store, r.genesis)
	if err != nil || again.state.Digest() != m.state.Digest() {
		t.Fatalf("opened again: %v", err)
	}
}
