package host

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
)

// TestLimiter: the wait begins after what is free, doubles, has an end, and is forgotten.
func TestLimiter(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	l := newLimiter(clock.Now, 3, time.Minute, 8*time.Minute)
	key := [32]byte{1}
	var waits []time.Duration
	for range 8 {
		l.failed(key)
		waits = append(waits, l.wait(key))
	}
	for i, want := range []time.Duration{0, 0, 1, 2, 4, 8, 8, 8} {
		if waits[i] != want*time.Minute {
			t.Errorf("after %d: got %v, want %v minutes", i+1, waits[i], int(want))
		}
	}
	if got := l.wait([32]byte{2}); got != 0 {
		t.Errorf("another key waits %v", got)
	}
	clock.Advance(remembered + time.Minute)
	l.failed(key)
	if got := l.wait(key); got != 0 {
		t.Errorf("after a pause: got %v", got)
	}
	l.failed(key)
	l.failed(key)
	l.well(key)
	if got := l.wait(key); got != 0 {
		t.Errorf("after success: got %v", got)
	}
}

// TestLimiterIsBounded: many keys do not fill the memory.
func TestLimiterIsBounded(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	l := newLimiter(clock.Now, 1, time.Second, time.Minute)
	for i := range maxTries + 10 {
		l.failed([32]byte{byte(i), byte(i >> 8), byte(i >> 16), 1})
	}
	if len(l.seen) > maxTries {
		t.Errorf("%d keys are kept", len(l.seen))
	}
}

// TestPlace: one network is one place; what a stranger writes in a header counts for nothing.
func TestPlace(t *testing.T) {
	direct := newLimits(time.Now, []byte("k"), 0)
	proxied := newLimits(time.Now, []byte("k"), 1)
	of := func(l *limits, remote, forwarded string) [32]byte {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		return l.place(r)
	}
	for _, tt := range []struct {
		name string
		a, b [32]byte
		same bool
	}{
		{"ports", of(direct, "192.0.2.1:1", ""), of(direct, "192.0.2.1:2", ""), true},
		{"addresses", of(direct, "192.0.2.1:1", ""), of(direct, "192.0.2.2:1", ""), false},
		{"one customer's IPv6", of(direct, "[2001:db8::1]:1", ""), of(direct, "[2001:db8::2]:1", ""), true},
		{"two customers' IPv6", of(direct, "[2001:db8::1]:1", ""), of(direct, "[2001:db8:0:1::1]:1", ""), false},
		{"a header without a proxy", of(direct, "192.0.2.1:1", "198.51.100.1"), of(direct, "192.0.2.1:1", ""), true},
		{"behind a proxy", of(proxied, "10.0.0.1:1", "198.51.100.1"), of(proxied, "10.0.0.1:1", "198.51.100.2"), false},
		{"a header that lies to the proxy", of(proxied, "10.0.0.1:1", "9.9.9.9, 198.51.100.1"), of(proxied, "10.0.0.1:1", "198.51.100.1"), true},
	} {
		if (tt.a == tt.b) != tt.same {
			t.Errorf("%s: same is %v, want %v", tt.name, tt.a == tt.b, tt.same)
		}
	}
}

// TestDerive: few derivations run at once, and who comes when too many wait is told so.
func TestDerive(t *testing.T) {
	l := newLimits(time.Now, []byte("k"), 0)
	hold, running := make(chan struct{}), make(chan struct{}, cap(l.heavy))
	for range cap(l.heavy) {
		go l.derive(context.Background(), func() {
			running <- struct{}{}
			<-hold
		})
	}
	for range cap(l.heavy) {
		<-running
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if l.derive(ctx, func() { t.Error("it ran all the same") }) {
		t.Error("a third ran beside two")
	}
	close(hold)
	if !l.derive(t.Context(), func() {}) {
		t.Error("nothing runs any more")
	}
}
