package wallet_test

import (
	"testing"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/statuslist"
)

// TestStandings: the holder hears what became of a credential: fine, suspended,
// revoked, its issuer withdrawn, or not to be known today.
func TestStandings(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	id := w.accept(holder, configID).ID
	standing := func() (string, paspoort.State) {
		t.Helper()
		w.clock.Advance(time.Hour) // beyond what is remembered of a status list
		all, err := holder.Standings(t.Context())
		must(t, err)
		return all[id].Status, all[id].State
	}
	for _, step := range []struct {
		name   string
		change func()
		status string
		state  paspoort.State
	}{
		{"fine", func() {}, "valid", paspoort.OK},
		{"suspended", func() { must(t, w.issuer.List.Set(0, statuslist.Suspended)) }, "suspended", paspoort.Failed},
		{"reinstated", func() { must(t, w.issuer.List.Set(0, statuslist.Valid)) }, "valid", paspoort.OK},
		{"revoked", func() { must(t, w.issuer.List.Set(0, statuslist.Invalid)) }, "invalid", paspoort.Failed},
		{"issuer withdrawn", func() {
			must(t, w.issuer.List.Set(0, statuslist.Valid))
			w.clock.Advance(24 * time.Hour)
			w.region.Withdraw(w.issuer.ID, false, w.clock.Now())
		}, "valid", paspoort.OK}, // its timestamps are from before
		{"fraud with effect on the past", func() {
			w.clock.Advance(24 * time.Hour)
			w.region.Withdraw(w.issuer.ID, true, w.clock.Now().Add(-72*time.Hour))
		}, "valid", paspoort.Failed},
	} {
		step.change()
		status, state := standing()
		if status != step.status || state != step.state {
			t.Errorf("%s: got %s, %s, want %s, %s", step.name, status, state, step.status, step.state)
		}
	}
}

// TestStandingsWithoutTheWorld: what cannot be asked is unknown, never fine.
func TestStandingsWithoutTheWorld(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	id := w.accept(holder, configID).ID
	w.web.Down, w.stale = true, true
	w.clock.Advance(30 * 24 * time.Hour)
	all, err := holder.Standings(t.Context())
	must(t, err)
	if s := all[id]; s.State != paspoort.Unknown || s.Sentence.NL == "" {
		t.Errorf("got %+v", s)
	}
}
