//go:build race

package registry_test

import (
	"flag"
	"testing"
)

// fewerUnderRace keeps the run short where every memory access is watched; without the
// detector the full number of sequences runs.
func fewerUnderRace(t *testing.T) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f == nil || f.Value.String() != f.DefValue {
		return // somebody asked for a number
	}
	if err := f.Value.Set("25"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
}
