package kv

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestCloseGivesUpOnADeadDisk takes the folder away under an open store.
func TestCloseGivesUpOnADeadDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s, err := OpenBadger(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.(*badgerStore).patience = 200 * time.Millisecond
	if err := s.Update(func(tx Tx) error { return tx.Set([]byte("a"), []byte("1")) }); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); !errors.Is(err, ErrStuck) {
		t.Errorf("got %v, want ErrStuck", err)
	}
}
