package testkit

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestVectorsReadsTheNamedFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sub", "one.json"), []byte(`{"a":1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PASPOORT_VECTORS", dir)
	f := Vectors(t, "sub")
	if got := f.Glob(t, "*.json"); len(got) != 1 || got[0] != "one.json" {
		t.Fatalf("got %v, want [one.json]", got)
	}
	var v map[string]int
	f.JSON(t, "one.json", &v)
	if v["a"] != 1 {
		t.Errorf("got %v, want a = 1", v)
	}
}

// TestAbsentVectorsAreLoudInCI runs the missing case against a recorder: on a desk
// it skips, in CI it fails.
func TestAbsentVectorsAreLoudInCI(t *testing.T) {
	for _, tt := range []struct {
		name, ci      string
		skip, failing bool
	}{
		{"desk", "", true, false},
		{"ci", "true", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("CI", tt.ci)
			t.Setenv("PASPOORT_VECTORS", t.TempDir())
			r := &recorder{TB: t}
			done := make(chan struct{})
			go func() { // Fatal and Skip end the goroutine they run in
				defer close(done)
				Vectors(r, "absent")
			}()
			<-done
			if r.skipped != tt.skip || r.failed != tt.failing {
				t.Errorf("got skipped %v failed %v, want %v %v", r.skipped, r.failed, tt.skip, tt.failing)
			}
		})
	}
}

type recorder struct {
	testing.TB
	skipped, failed bool
}

func (r *recorder) Helper() {}
func (r *recorder) Skipf(string, ...any) {
	r.skipped = true
	runtime.Goexit()
}
func (r *recorder) Fatalf(string, ...any) {
	r.failed = true
	runtime.Goexit()
}

func TestClockMovesOnlyWhenTold(t *testing.T) {
	c := NewClock(time.Time{})
	if got := c.Now(); !got.Equal(Noon) {
		t.Errorf("got %v, want %v", got, Noon)
	}
	c.Advance(time.Hour)
	if got := c.Now(); !got.Equal(Noon.Add(time.Hour)) {
		t.Errorf("got %v, want an hour later", got)
	}
}

func TestRandRepeats(t *testing.T) {
	read := func() string {
		b := make([]byte, 40)
		if _, err := io.ReadFull(Rand(7), b); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if a, b := read(), read(); a != b {
		t.Error("two runs with one seed differ")
	}
}

func TestLoggerOutlivesItsTest(t *testing.T) {
	var log = func() func() {
		var f func()
		t.Run("inner", func(t *testing.T) {
			l := Logger(t)
			f = func() { l.Info("late") }
		})
		return f
	}()
	log() // must not panic
}
