package evidence_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/statuslist"
)

// restart is the service as a new process has it: nothing in memory, the same store.
func (s *stage) restart(store kv.Store) {
	s.service = s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web, StatusStore: store})
}

// TestStatusSurvivesRestart: with the issuer down, the last list counts until its exp; after
// that the answer is unknown, with what was last known.
func TestStatusSurvivesRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	open := func() kv.Store {
		store, err := kv.OpenBadger(dir, kv.Options{Log: testkit.Logger(t)})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	s := newStage(t)
	store := open()
	s.restart(store)
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	seen := s.clock.Now()
	expect(t, s.verify(s.present(token)), "status=ok/status_valid")
	holdsOnly(t, store, s.issuer.StatusURI)

	again := func() {
		t.Helper()
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		store = open()
		s.restart(store)
	}
	again()
	expect(t, s.verify(s.present(token)), "status=ok/status_valid")
	if n := s.web.Fetched[s.issuer.StatusURI]; n != 1 {
		t.Errorf("fetched %d times: what was fetched a moment ago still counts", n)
	}

	s.web.Down = true
	s.clock.Advance(5 * time.Hour)
	again()
	v := s.verify(s.present(token))
	expect(t, v, "status=ok/status_valid")
	if c := v.Credentials[0]; c.StatusAsOf != seen.UTC().Format(time.RFC3339) {
		t.Errorf("status as of %s, want %s", c.StatusAsOf, seen.UTC())
	}
	if n := s.web.Fetched[s.issuer.StatusURI]; n != 2 {
		t.Errorf("fetched %d times, want 2: the kept list should be refreshed", n)
	}

	s.clock.Advance(20 * time.Hour)
	s.refresh()
	again()
	v = s.verify(s.present(token))
	expect(t, v, "status=unknown/status_too_old")
	if c := v.Credentials[0]; c.Status != "valid" || c.StatusAsOf == "" {
		t.Errorf("last known is %q as of %q", c.Status, c.StatusAsOf)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestStatusDoesNotGoBackOverRestart: an older list, served again, undoes no revocation.
func TestStatusDoesNotGoBackOverRestart(t *testing.T) {
	s := newStage(t)
	store := kv.NewMemory()
	s.restart(store)
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	old := s.issuer.StatusToken()
	s.clock.Advance(time.Minute)
	if err := s.issuer.List.Set(0, statuslist.Invalid); err != nil {
		t.Fatal(err)
	}
	expect(t, s.verify(s.present(token)), "status=failed/revoked")
	s.web.Pages[s.issuer.StatusURI] = func() string { return old }
	s.clock.Advance(time.Hour)
	s.restart(store)
	expect(t, s.verify(s.present(token)), "status=failed/revoked")
}

// TestStatusKeptIsVerifiedAnew: who changed the store changes no answer.
func TestStatusKeptIsVerifiedAnew(t *testing.T) {
	s := newStage(t)
	store := kv.NewMemory()
	s.restart(store)
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	s.verify(s.present(token))
	err := store.Update(func(tx kv.Tx) error {
		return tx.Scan([]byte("status/token/"), func(k, v []byte) error {
			changed := append([]byte(nil), v...)
			changed[len(changed)-5] ^= 1
			return tx.Set(append([]byte(nil), k...), changed)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.web.Down = true
	s.restart(store)
	expect(t, s.verify(s.present(token)), "status=unknown/status_not_available")
}

// holdsOnly: the store has the list and its address, and nothing of a credential.
func holdsOnly(t *testing.T, store kv.Store, uri string) {
	t.Helper()
	found := false
	err := store.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error {
			found = found || strings.Contains(string(v), uri)
			if !strings.HasPrefix(string(k), "status/") {
				t.Errorf("key %q", k)
			}
			if strings.Contains(string(v), `"idx"`) || strings.Contains(string(v), `"index"`) {
				t.Errorf("%s names an index", k)
			}
			return nil
		})
	})
	if err != nil || !found {
		t.Errorf("the list is not kept: %v", err)
	}
}
