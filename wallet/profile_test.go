package wallet_test

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// TestEverything: each thing with its id and what it says, without asking anybody.
func TestEverything(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	got := w.accept(holder, configID).ID
	own, err := holder.Declare(map[string]any{"evidence": "self", "title": "Over mij", "can_do": []any{"Ik spreek Berbers."}, "skills": []any{map[string]any{"label": "Koken"}}})
	must(t, err)
	w.web.Down, w.stale = true, true
	all, err := holder.Everything()
	must(t, err)
	entries := map[string]wallet.Entry{}
	for _, e := range all {
		entries[e.ID] = e
	}
	if e := entries[got]; len(all) != 2 || !e.Read || !e.Proves || e.Person() != "Samira Voorbeeld-Idrissi" || len(e.Skills) == 0 || len(e.CanDo) == 0 || e.Day == "" || e.Expires.IsZero() {
		t.Errorf("got %+v", e)
	}
	if e := entries[own]; !e.OwnWords || e.Name != "Over mij" || e.Skills[0].Label != "Koken" || e.CanDo[0] != "Ik spreek Berbers." || e.Claims["title"] != "Over mij" {
		t.Errorf("got %+v", e)
	}
}

// TestLookAndJudge: what something says is there at once, how it stands is asked.
func TestLookAndJudge(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	id := w.accept(holder, configID).ID
	own, err := holder.Declare(map[string]any{"evidence": "self", "talents": []any{"Rustig"}})
	must(t, err)
	d, err := holder.Look(id)
	must(t, err)
	if d.Verdict != nil || !d.Renewable || d.Unused != 10 || len(d.Lines) == 0 {
		t.Errorf("got %+v", d)
	}
	v, err := holder.Judge(t.Context(), id)
	must(t, err)
	standing := wallet.StandingOf(v.Credentials[0])
	if standing.State != paspoort.OK || standing.Level == nil || *standing.Level != paspoort.LevelSomeone || standing.Code != "" {
		t.Errorf("got %+v", standing)
	}
	if all, err := holder.Standings(t.Context()); err != nil || *all[id].Level != paspoort.LevelSomeone {
		t.Errorf("got %+v, %v", all, err)
	}
	if _, err := holder.Judge(t.Context(), own); !errors.Is(err, wallet.ErrNotHere) {
		t.Errorf("own words: got %v", err)
	}
	if _, err := holder.Look("aaaaaaaa"); !errors.Is(err, wallet.ErrNotHere) {
		t.Errorf("nothing: got %v", err)
	}
}
