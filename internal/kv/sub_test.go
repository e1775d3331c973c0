package kv_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/kv/kvscan"
	"paspoort.example/paspoort/internal/kv/kvtest"
)

// part is a part that ends with its whole, as the contract wants of a store.
type part struct {
	kv.Store
	whole kv.Store
}

func (p part) Close() error { return errors.Join(p.Store.Close(), p.whole.Close()) }

func TestSub(t *testing.T) {
	neighbours := func(t *testing.T, s kv.Store) kv.Store {
		t.Helper()
		err := s.Update(func(tx kv.Tx) error {
			return errors.Join(tx.Set([]byte("h/1"), []byte("x")), tx.Set([]byte("h/1/"), []byte("x")), tx.Set([]byte("h/10/k1"), []byte("x")), tx.Set([]byte("k1"), []byte("x")))
		})
		if err != nil {
			t.Fatal(err)
		}
		return part{kv.Sub(kv.Sub(s, "h/"), "1/"), s}
	}
	t.Run("memory", func(t *testing.T) {
		kvtest.Run(t, false, func(t *testing.T, _ string) kv.Store { return neighbours(t, kv.NewMemory()) })
	})
	t.Run("badger", func(t *testing.T) {
		kvtest.Run(t, true, func(t *testing.T, dir string) kv.Store { return neighbours(t, open(t, dir, kv.Options{})) })
	})
}

// TestPurge: what stood under a prefix is in the files before, and not after; what stood
// beside it stays. Deleted and replaced rows count too.
func TestPurge(t *testing.T) {
	for _, tt := range []struct {
		name, at, prefix string
	}{
		{"a part by itself", "h/1/", ""},
		{"from the whole", "", "h/1/"},
		{"everything", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, kv.Options{MemTable: 1 << 20})
			defer s.Close()
			beside := secret(t)
			put(t, s, "h/2/vault", beside)
			var old [][]byte
			for round := range 3 { // replaced, deleted, in tables and in the log
				old = append(old, secret(t))
				put(t, s, "h/1/vault", old[round])
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, dir, kv.Options{MemTable: 1 << 20})
			}
			if err := s.Update(func(tx kv.Tx) error { return tx.Delete([]byte("h/1/vault")) }); err != nil {
				t.Fatal(err)
			}
			files := filesOf(t, dir)
			for i, o := range old {
				if !bytes.Contains(files, o) {
					t.Fatalf("control: version %d is not in the files before", i)
				}
			}
			if err := kv.Purge(kv.Sub(s, tt.at), tt.prefix); err != nil {
				t.Fatal(err)
			}
			files = filesOf(t, dir)
			for i, o := range old {
				if bytes.Contains(files, o) {
					t.Errorf("version %d is still in the files", i)
				}
			}
			if got, want := bytes.Contains(files, beside), tt.name != "everything"; got != want {
				t.Errorf("the neighbour is there: got %v, want %v", got, want)
			}
			put(t, s, "h/1/vault", []byte("again")) // the store goes on
		})
	}
}

// TestPurgeBesideOthers: reading and writing go on while a part is purged.
func TestPurgeBesideOthers(t *testing.T) {
	s := open(t, t.TempDir(), kv.Options{MemTable: 1 << 20})
	defer s.Close()
	put(t, s, "h/2/a", []byte("1"))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	busy := func(do func(n int) error) {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := do(n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 2 {
		busy(func(int) error {
			return s.View(func(tx kv.Tx) error {
				if v, err := tx.Get([]byte("h/2/a")); err != nil || string(v) != "1" {
					return fmt.Errorf("the neighbour reads %q, %w", v, err)
				}
				return tx.Scan([]byte("h/"), func(_, _ []byte) error { return nil })
			})
		})
	}
	busy(func(n int) error {
		return s.Update(func(tx kv.Tx) error { return tx.Set(fmt.Appendf(nil, "h/3/%04d", n%1000), make([]byte, 2000)) })
	})
	for range 5 {
		put(t, s, "h/1/vault", secret(t))
		if err := kv.Purge(s, "h/1/"); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestPurgeMemory(t *testing.T) {
	s := kv.NewMemory()
	put(t, s, "h/1/a", []byte("1"))
	put(t, s, "h/2/a", []byte("1"))
	if err := kv.Purge(kv.Sub(s, "h/1/"), ""); err != nil {
		t.Fatal(err)
	}
	err := s.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, _ []byte) error {
			if string(k) != "h/2/a" {
				return fmt.Errorf("%q is left", k)
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
	if err := kv.Purge(part{s, s}, ""); !errors.Is(err, kv.ErrNoPurge) {
		t.Errorf("a store that cannot: got %v, want ErrNoPurge", err)
	}
}

// TestForget: of one row the last value stays and the others leave the files; rows beside
// it stay.
func TestForget(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, kv.Options{})
	defer s.Close()
	former, last, beside := secret(t), secret(t), secret(t)
	for _, value := range [][]byte{former, last} {
		put(t, s, "h/1/a", value)
	}
	put(t, s, "h/1/b", beside)
	part1 := kv.Sub(s, "h/1/")
	if err := kv.Forget(part1, "a", "spare"); err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	err := part1.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error { rows[string(k)] = string(v); return nil })
	})
	if err != nil || len(rows) != 2 || rows["a"] != string(last) || rows["b"] != string(beside) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if bytes.Contains(filesOf(t, dir), former) {
		t.Error("the former value is still in the files")
	}
	if err := kv.Forget(part1, "none", "spare"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("no such row: got %v", err)
	}
	if err := kv.Forget(part{s, s}, "a", "spare"); !errors.Is(err, kv.ErrNoPurge) {
		t.Errorf("a store that cannot: got %v, want ErrNoPurge", err)
	}
}

func put(t *testing.T, s kv.Store, key string, value []byte) {
	t.Helper()
	if err := s.Update(func(tx kv.Tx) error { return tx.Set([]byte(key), value) }); err != nil {
		t.Fatal(err)
	}
}

// secret is something that compression leaves as it is.
func secret(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, 64)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// filesOf is everything in the raw files, and what Badger can still read of them.
func filesOf(t *testing.T, dir string) []byte {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		all.Write(bytes.TrimRight(raw, "\x00")) // the log keeps room for more
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = kvscan.Walk(dir, func(_, value []byte) error {
		all.Write(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}
