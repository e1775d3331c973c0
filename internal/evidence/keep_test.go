package evidence

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

// TestKeptTokensAreBounded: in number and in age.
func TestKeptTokensAreBounded(t *testing.T) {
	k := keptTokens{kv.NewMemory()}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	count := func() (n int) {
		err := k.store.View(func(tx kv.Tx) error {
			return tx.Scan([]byte("status/"), func(_, _ []byte) error { n++; return nil })
		})
		if err != nil || n%2 != 0 {
			t.Fatalf("%d values, %v", n, err)
		}
		return n / 2
	}
	for i := range maxKept + 5 {
		if err := k.put(fmt.Sprintf("https://devaart.example/status/%d", i), "token", now.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if got := count(); got != maxKept {
		t.Errorf("%d tokens kept, want %d", got, maxKept)
	}
	if _, _, err := k.get("https://devaart.example/status/4"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("the oldest is still there: %v", err)
	}
	if err := k.put("https://devaart.example/status/new", "token", now.Add(keptFor+time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 1 {
		t.Errorf("%d tokens kept after %s, want 1", got, keptFor)
	}
	if err := k.put("https://devaart.example/status/huge", strings.Repeat("x", maxKeptBytes+1), now); err != nil || count() != 1 {
		t.Errorf("too large: %v, %d kept", err, count())
	}
}
