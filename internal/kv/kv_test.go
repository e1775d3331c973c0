package kv_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/kv/kvtest"
)

func TestMemory(t *testing.T) {
	kvtest.Run(t, false, func(*testing.T, string) kv.Store { return kv.NewMemory() })
}

func TestBadger(t *testing.T) {
	for _, sync := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync=%v", sync), func(t *testing.T) {
			kvtest.Run(t, true, func(t *testing.T, dir string) kv.Store { return open(t, dir, kv.Options{Sync: sync}) })
		})
	}
}

func open(t *testing.T, dir string, o kv.Options) kv.Store {
	t.Helper()
	s, err := kv.OpenBadger(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoreInUse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, kv.Options{})
	defer s.Close()
	if _, err := kv.OpenBadger(dir, kv.Options{}); !errors.Is(err, kv.ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
}

func TestTooLargeStoresNothing(t *testing.T) {
	s := open(t, t.TempDir(), kv.Options{})
	defer s.Close()
	err := s.Update(func(tx kv.Tx) error {
		for i := range 1 << 20 {
			if err := tx.Set(fmt.Append(nil, i), make([]byte, 100)); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, kv.ErrTooLarge) {
		t.Fatalf("got %v, want ErrTooLarge", err)
	}
	err = s.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, _ []byte) error { return fmt.Errorf("%q is stored", k) })
	})
	if err != nil {
		t.Error(err)
	}
}

// TestSmallerTable: a process that was killed left the log of a larger table in memory.
func TestSmallerTable(t *testing.T) {
	dir, value := t.TempDir(), make([]byte, 32<<10)
	s := open(t, dir, kv.Options{})
	defer s.Close()
	for i := range 200 {
		if err := s.Update(func(tx kv.Tx) error { return tx.Set(fmt.Append(nil, i), value) }); err != nil {
			t.Fatal(err)
		}
	}
	left := filepath.Join(t.TempDir(), "left")
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	again := open(t, left, kv.Options{MemTable: 1 << 20})
	defer again.Close()
	err := again.View(func(tx kv.Tx) error {
		for i := range 200 {
			if got, err := tx.Get(fmt.Append(nil, i)); err != nil || len(got) != len(value) {
				return fmt.Errorf("value %d has %d bytes: %w", i, len(got), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestFailNext(t *testing.T) {
	lost := errors.New("lost")
	for _, tt := range []struct {
		name   string
		how    kv.Failure
		stored bool
	}{
		{"not done", kv.NotDone, false},
		{"done but failed", kv.DoneButFailed, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := kv.NewMemory()
			s.FailNext(tt.how, lost)
			put := func(tx kv.Tx) error { return tx.Set([]byte("a"), []byte("1")) }
			if err := s.Update(put); !errors.Is(err, lost) {
				t.Errorf("got %v, want the planted error", err)
			}
			err := s.View(func(tx kv.Tx) error {
				_, err := tx.Get([]byte("a"))
				return err
			})
			if got := err == nil; got != tt.stored {
				t.Errorf("stored: got %v, want %v", got, tt.stored)
			}
			if err := s.Update(put); err != nil {
				t.Errorf("the failure stays: %v", err)
			}
		})
	}
}

func TestCheckFormat(t *testing.T) {
	s := kv.NewMemory()
	for _, tt := range []struct {
		name    string
		version int
		want    error
	}{
		{"issuer", 1, nil},
		{"issuer", 1, nil},
		{"issuer", 2, kv.ErrFormat},
		{"wallet", 1, kv.ErrFormat},
	} {
		if err := kv.CheckFormat(s, tt.name, tt.version); !errors.Is(err, tt.want) {
			t.Errorf("%s %d: got %v, want %v", tt.name, tt.version, err, tt.want)
		}
	}
	unmarked := kv.NewMemory()
	if err := unmarked.Update(func(tx kv.Tx) error { return tx.Set([]byte("a"), nil) }); err != nil {
		t.Fatal(err)
	}
	if err := kv.CheckFormat(unmarked, "issuer", 1); !errors.Is(err, kv.ErrFormat) {
		t.Errorf("a store that says nothing: got %v, want ErrFormat", err)
	}
}

func TestJSONValuesCarryAVersion(t *testing.T) {
	s := kv.NewMemory()
	key := []byte("k")
	err := s.Update(func(tx kv.Tx) error {
		if err := kv.PutJSON(tx, key, 2, []int{1, 2}); err != nil {
			return err
		}
		var got []int
		if err := kv.GetJSON(tx, key, 2, &got); err != nil || len(got) != 2 {
			return fmt.Errorf("got %v, %w", got, err)
		}
		if err := kv.GetJSON(tx, key, 1, &got); !errors.Is(err, kv.ErrFormat) {
			return fmt.Errorf("another version: got %v, want ErrFormat", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, _, err := kv.Body(nil); !errors.Is(err, kv.ErrFormat) {
		t.Errorf("no version: got %v, want ErrFormat", err)
	}
}

func Example() {
	s := kv.NewMemory()
	defer s.Close()
	_ = s.Update(func(tx kv.Tx) error {
		return errors.Join(tx.Set([]byte("offer/1"), []byte("open")), tx.Set([]byte("offer/2"), []byte("taken")))
	})
	_ = s.View(func(tx kv.Tx) error {
		return tx.Scan([]byte("offer/"), func(k, v []byte) error {
			fmt.Printf("%s %s\n", k, v)
			return nil
		})
	})
	// Output:
	// offer/1 open
	// offer/2 taken
}

// TestFolderIsPrivate: also a folder that was there before can be entered by its owner
// only; Badger's files in it are readable by all.
func TestFolderIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := kv.OpenBadger(dir, kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("mode: got %v, want 0700", got)
	}
}
