package issuer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/openid4vci"
)

// TestScheduleAfterAClockThatWasAhead: a publication that is dated next year does not
// hold up revocations until then.
func TestScheduleAfterAClockThatWasAhead(t *testing.T) {
	r := newRig(t)
	r.clock.Advance(365 * 24 * time.Hour)
	if err := r.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.clock.Set(r.clock.Now().AddDate(-1, 0, 0))
	i, err := New(r.config)
	if err != nil {
		t.Fatal(err)
	}
	r.Issuer = i
	if wait := i.nextPublication().Sub(r.clock.Now()); wait > 0 {
		t.Errorf("the next publication is in %v, want now", wait)
	}
	response, err := r.http.Client().Get(testURL + "/status/1")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got, want := response.Header.Get("Cache-Control"), "public, max-age=900"; got != want {
		t.Errorf("Cache-Control: got %q, want %q", got, want)
	}
}

// TestReservedAndNotPublished: after a crash between reserving entries and publishing
// them, giving one out asks for a publication: until then the copy would look revoked.
func TestReservedAndNotPublished(t *testing.T) {
	r := newRig(t, func(c *Config) { c.StatusReserve = 20 })
	r.accept(r.offer(opleiding, false), 10)
	r.clock.Advance(time.Minute)
	if err := r.store.Update(func(tx kv.Tx) error { return r.reserve(tx, r.clock.Now()) }); err != nil {
		t.Fatal(err)
	}
	i, err := New(r.config)
	if err != nil {
		t.Fatal(err)
	}
	r.Issuer = i
	for n, want := range []int{0, 1} {
		r.accept(r.offer(opleiding, false), 10)
		if got := len(i.wake); got != want {
			t.Errorf("batch %d: publications asked for: got %d, want %d", n+1, got, want)
		}
	}
}

// TestSweepOfLargeCredentials: claims are deleted on time also when many copies of
// many credentials were had.
func TestSweepOfLargeCredentials(t *testing.T) {
	store, err := kv.OpenBadger(t.TempDir(), kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := newRig(t, func(c *Config) { c.Store = store })
	r.store = store
	for n := range 80 {
		err := store.Update(func(tx kv.Tx) error {
			// The long link stands for the entries of thousands of copies.
			c := &record{ID: fmt.Sprintf("%06d", n), ConfigurationID: opleiding, State: Valid, KeepUntil: r.clock.Now().Add(time.Hour),
				Entries: []entry{{1, n}}, Link: strings.Repeat("x", 50000)}
			if err := tx.Set(key(prefixDataset, c.ID), kv.Value(valueVersion, []byte("sealed"))); err != nil {
				return err
			}
			return putRecord(tx, c)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r.clock.Advance(time.Hour)
	if err := r.sweep(); err != nil {
		t.Fatal(err)
	}
	if left := r.keys(prefixDataset); len(left) > 0 {
		t.Errorf("claims that are past their term: %d", len(left))
	}
}

// TestDeletesAlsoWhenNothingIsPublished: terms do not wait for status lists.
func TestDeletesAlsoWhenNothingIsPublished(t *testing.T) {
	r := newRig(t)
	r.offer(opleiding, true)
	r.clock.Advance(r.config.OfferLifetime + 8*24*time.Hour)
	r.store.(*kv.Memory).FailNext(kv.NotDone, errors.New("no room"))
	if wait := r.turn(t.Context()); wait != time.Minute {
		t.Errorf("the next turn is in %v, want a minute", wait)
	}
	if left := r.keys(prefixDataset); len(left) > 0 {
		t.Errorf("claims that are past their term: %v", left)
	}
}

// TestIdempotencyKeepsNoHashOfClaims: who has the disk and not the secret cannot try
// out whose claims were sent.
func TestIdempotencyKeepsNoHashOfClaims(t *testing.T) {
	r := newRig(t)
	body, err := json.Marshal(r.sample(opleiding, true))
	if err != nil {
		t.Fatal(err)
	}
	const name = "sheet-of-somebody"
	if status, answer := r.call(http.MethodPost, "/api/v1/offers", string(body), "Idempotency-Key", name); status != http.StatusCreated {
		t.Fatalf("%d %v", status, answer)
	}
	var all strings.Builder
	err = r.store.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error {
			all.Write(k)
			all.Write(v)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"name": name, "request": "POST /api/v1/offers\n" + string(body)} {
		sum := sha256.Sum256([]byte(text))
		for _, form := range []string{hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(sum[:])} {
			if strings.Contains(all.String(), form) {
				t.Errorf("the store holds the hash of the %s", what)
			}
		}
	}
}

// TestStolenTokensEndAtOnce: when a refresh token that was replaced comes back, the
// access tokens that were had with its successors are good no more either.
func TestStolenTokensEndAtOnce(t *testing.T) {
	r := newRig(t)
	h := r.accept(r.offer(opleiding, false), 1)
	first, token := h.token.RefreshToken, h.token
	for range 2 {
		var err error
		if token, err = h.session.Refresh(t.Context(), token.RefreshToken); err != nil {
			t.Fatal(err)
		}
	}
	wanted := openid4vci.Wanted{ConfigurationID: opleiding, Keys: newKeys(t, 1)}
	if _, err := h.session.Credentials(t.Context(), token, wanted); err != nil {
		t.Fatal(err)
	}
	if _, err := h.session.Refresh(t.Context(), first); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Fatalf("got %v, want %v", err, openid4vci.InvalidGrant)
	}
	if _, err := h.session.Credentials(t.Context(), token, wanted); !errors.Is(err, openid4vci.InvalidToken) {
		t.Errorf("got %v, want %v", err, openid4vci.InvalidToken)
	}
}
