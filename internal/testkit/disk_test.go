package testkit_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"

	"paspoort.example/paspoort/internal/testkit"
)

func readDisk(t *testing.T, d *testkit.Disk, name string, size int) string {
	t.Helper()
	f, err := d.Open(name)
	if err != nil {
		return err.Error()
	}
	p := make([]byte, size)
	n, _ := f.ReadAt(p, 0)
	return string(p[:n])
}

// TestDiskForgets: what was synced is there after a power cut, the rest is not.
func TestDiskForgets(t *testing.T) {
	d := testkit.NewDisk()
	f, err := d.Create("a", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"kept", "lost"} {
		if _, err := f.WriteAt([]byte(text), 0); err != nil {
			t.Fatal(err)
		}
		if text == "kept" {
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := d.Create("b", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Create("a", 0); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
	if got := readDisk(t, d, "a", 9); got != "lost" {
		t.Errorf("before the power cut: %q", got)
	}
	if d.PowerCut(nil) {
		t.Error("the power had failed by itself")
	}
	if got := readDisk(t, d, "a", 9); got != "kept" || !slices.Equal(d.List(), []string{"a"}) {
		t.Errorf("after it: %q, %v", got, d.List())
	}
}

// TestDiskStopsAtAStep: from that step on nothing reaches the disk, and nobody notices.
func TestDiskStopsAtAStep(t *testing.T) {
	for stop, want := range []string{"12", "", "", "", "1", "1", "12"} {
		d := testkit.NewDisk()
		d.StopAt(stop)
		f, err := d.Create("a", 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range []string{"1", "2"} {
			if _, err := f.WriteAt([]byte(text), int64(i)); err != nil {
				t.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		if got := readDisk(t, d, "a", 9); got != "12" {
			t.Errorf("stop at %d: %q while the power is off", stop, got)
		}
		if failed := d.PowerCut(nil); failed != (stop > 0 && stop <= 5) {
			t.Errorf("stop at %d: failed %t", stop, failed)
		}
		if got := readDisk(t, d, "a", 9); got != want && !(want == "" && got == fs.ErrNotExist.Error()) {
			t.Errorf("stop at %d: %q, want %q", stop, got, want)
		}
	}
}

// TestDiskLies is the control: a disk that lies loses what it said was synced, and one that
// tears keeps pieces.
func TestDiskLies(t *testing.T) {
	d := testkit.NewDisk()
	d.Lie()
	f, err := d.Create("a", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	d.PowerCut(nil)
	if len(d.List()) != 0 {
		t.Error("it did not lie")
	}
	pieces := map[int]bool{}
	for seed := range uint64(50) {
		d := testkit.NewDisk()
		f, err := d.Create("a", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(bytes.Repeat([]byte("x"), 4), 0); err != nil {
			t.Fatal(err)
		}
		d.PowerCut(rand.New(rand.NewPCG(seed, 1)))
		pieces[len(readDisk(t, d, "a", 9))] = true
	}
	if len(pieces) < 3 {
		t.Errorf("torn to %v only", pieces)
	}
}
