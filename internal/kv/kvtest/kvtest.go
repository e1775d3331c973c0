// Package kvtest is the contract of kv.Store as a suite of tests. Every
// implementation passes it, the ones in memory too.
package kvtest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/kv"
)

// Run holds the store that open makes to the contract. open gets a fresh folder for
// each test, and is called with the same one again when reopen is true: then the
// contents must have survived.
func Run(t *testing.T, reopen bool, open func(t *testing.T, dir string) kv.Store) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, kv.Store)
	}{
		{"set, get, delete", setGetDelete},
		{"scan in byte order", scanOrder},
		{"scan sees own writes as they were at its start", scanOwnWrites},
		{"an error undoes everything", atomic},
		{"view is read-only", readOnly},
		{"view keeps its picture", snapshot},
		{"updates follow one another", serial},
		{"values are copies", copies},
		{"bad keys", badKeys},
		{"against a model", model},
		{"closed", closed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, t.TempDir())
			t.Cleanup(func() { s.Close() })
			tt.test(t, s)
		})
	}
	if reopen {
		t.Run("contents survive", func(t *testing.T) { survive(t, open) })
	}
}

func set(t *testing.T, s kv.Store, pairs ...string) {
	t.Helper()
	err := s.Update(func(tx kv.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := tx.Set([]byte(pairs[i]), []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, s kv.Store, prefix string) []string {
	t.Helper()
	var got []string
	if err := s.View(func(tx kv.Tx) error { return collect(tx, prefix, &got) }); err != nil {
		t.Fatal(err)
	}
	return got
}

func collect(tx kv.Tx, prefix string, into *[]string) error {
	return tx.Scan([]byte(prefix), func(k, v []byte) error {
		*into = append(*into, string(k)+"="+string(v))
		return nil
	})
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("contents (-want +got):\n%s", d)
	}
}

func setGetDelete(t *testing.T, s kv.Store) {
	set(t, s, "a", "1", "b", "")
	same(t, list(t, s, ""), []string{"a=1", "b="})
	err := s.Update(func(tx kv.Tx) error {
		return errors.Join(tx.Delete([]byte("a")), tx.Delete([]byte("absent")))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(func(tx kv.Tx) error {
		_, err := tx.Get([]byte("a"))
		return err
	})
	if !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func scanOrder(t *testing.T, s kv.Store) {
	set(t, s, "b/2", "x", "b/10", "x", "a", "x", "b/\xff", "x", "c", "x", "b", "x")
	same(t, list(t, s, "b/"), []string{"b/10=x", "b/2=x", "b/\xff=x"})
	n := 0
	err := s.View(func(tx kv.Tx) error {
		return tx.Scan([]byte("b"), func(_, _ []byte) error {
			n++
			return kv.ErrStop
		})
	})
	if err != nil || n != 1 {
		t.Errorf("stopped scan: got %d calls and %v, want 1 and nil", n, err)
	}
}

func scanOwnWrites(t *testing.T, s kv.Store) {
	set(t, s, "k1", "old", "k2", "old", "k4", "old")
	err := s.Update(func(tx kv.Tx) error {
		if err := errors.Join(tx.Set([]byte("k2"), []byte("new")), tx.Set([]byte("k3"), []byte("new")), tx.Delete([]byte("k4"))); err != nil {
			return err
		}
		var got []string
		err := tx.Scan([]byte("k"), func(k, v []byte) error {
			got = append(got, string(k)+"="+string(v))
			return errors.Join(tx.Delete(bytes.Clone(k)), tx.Set([]byte("k9"), []byte("late")))
		})
		same(t, got, []string{"k1=old", "k2=new", "k3=new"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, list(t, s, "k"), []string{"k9=late"})
}

func atomic(t *testing.T, s kv.Store) {
	set(t, s, "a", "1")
	sour := errors.New("sour")
	err := s.Update(func(tx kv.Tx) error {
		return errors.Join(tx.Set([]byte("a"), []byte("2")), tx.Set([]byte("b"), []byte("2")), sour)
	})
	if !errors.Is(err, sour) {
		t.Errorf("got %v, want the error of the function", err)
	}
	same(t, list(t, s, ""), []string{"a=1"})
}

func readOnly(t *testing.T, s kv.Store) {
	err := s.View(func(tx kv.Tx) error { return tx.Set([]byte("a"), nil) })
	if !errors.Is(err, kv.ErrReadOnly) {
		t.Errorf("set: got %v, want ErrReadOnly", err)
	}
	err = s.View(func(tx kv.Tx) error { return tx.Delete([]byte("a")) })
	if !errors.Is(err, kv.ErrReadOnly) {
		t.Errorf("delete: got %v, want ErrReadOnly", err)
	}
}

func snapshot(t *testing.T, s kv.Store) {
	set(t, s, "a", "1")
	done := make(chan error, 1)
	err := s.View(func(tx kv.Tx) error {
		go func() { // may wait for the view to end, or not
			done <- s.Update(func(tx kv.Tx) error { return tx.Set([]byte("a"), []byte("2")) })
		}()
		for range 3 {
			if v, err := tx.Get([]byte("a")); err != nil || string(v) != "1" {
				return fmt.Errorf("got %q, %w", v, err)
			}
		}
		return nil
	})
	if err := errors.Join(err, <-done); err != nil {
		t.Error(err)
	}
	same(t, list(t, s, ""), []string{"a=2"})
}

func serial(t *testing.T, s kv.Store) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				err := s.Update(func(tx kv.Tx) error {
					v, err := tx.Get([]byte("n"))
					if err != nil && !errors.Is(err, kv.ErrNotFound) {
						return err
					}
					return tx.Set([]byte("n"), append(v, '.'))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	same(t, list(t, s, "n"), []string{"n=" + strings.Repeat(".", 200)})
}

func copies(t *testing.T, s kv.Store) {
	key, value := []byte("a"), []byte("1")
	err := s.Update(func(tx kv.Tx) error {
		defer func() { key[0], value[0] = 'x', 'x' }()
		return tx.Set(key, value)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(func(tx kv.Tx) error {
		v, err := tx.Get([]byte("a"))
		if err == nil {
			v[0] = 'y'
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, list(t, s, ""), []string{"a=1"})
}

func badKeys(t *testing.T, s kv.Store) {
	for name, key := range map[string][]byte{"empty": nil, "long": make([]byte, kv.MaxKey+1)} {
		err := s.Update(func(tx kv.Tx) error { return tx.Set(key, nil) })
		if !errors.Is(err, kv.ErrKey) {
			t.Errorf("%s: got %v, want ErrKey", name, err)
		}
	}
}

// model runs random transactions against the store and a plain map.
func model(t *testing.T, s kv.Store) {
	rnd := rand.New(rand.NewPCG(1, 2))
	want := map[string]string{}
	undo := errors.New("undo")
	for round := range 60 {
		next := map[string]string{}
		for k, v := range want {
			next[k] = v
		}
		fail := rnd.IntN(4) == 0
		err := s.Update(func(tx kv.Tx) error {
			for range rnd.IntN(6) {
				k, v := fmt.Sprintf("k%02d", rnd.IntN(12)), fmt.Sprint(rnd.IntN(1000))
				if rnd.IntN(3) == 0 {
					delete(next, k)
					if err := tx.Delete([]byte(k)); err != nil {
						return err
					}
					continue
				}
				next[k] = v
				if err := tx.Set([]byte(k), []byte(v)); err != nil {
					return err
				}
			}
			if fail {
				return undo
			}
			return nil
		})
		if fail != errors.Is(err, undo) || (!fail && err != nil) {
			t.Fatalf("round %d: got %v", round, err)
		}
		if !fail {
			want = next
		}
		same(t, list(t, s, ""), flat(want))
	}
}

func closed(t *testing.T, s kv.Store) {
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	nothing := func(kv.Tx) error { return nil }
	if err := s.View(nothing); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("view: got %v, want ErrClosed", err)
	}
	if err := s.Update(nothing); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("update: got %v, want ErrClosed", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: got %v, want nil", err)
	}
}

func survive(t *testing.T, open func(*testing.T, string) kv.Store) {
	dir := t.TempDir()
	s := open(t, dir)
	big := strings.Repeat("x", 200<<10)
	set(t, s, "a", "1", "big", big)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	same(t, list(t, s, ""), []string{"a=1", "big=" + big})
}

func flat(m map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return out
}
