package host

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Limits on guessing. They stand in memory only, under keyed hashes of addresses, and are
// forgotten when the host starts anew: an address is nobody's business for longer.

// A limiter counts what went wrong per key.
type limiter struct {
	mu    sync.Mutex
	clock func() time.Time
	free  int           // so many are free
	first time.Duration // the first wait; it doubles each time
	most  time.Duration // the longest wait
	seen  map[[32]byte]*tries
}

type tries struct {
	n     int
	until time.Time
	last  time.Time
}

// maxTries bounds the memory. When it is full, what is oldest is forgotten.
const maxTries = 100_000

func newLimiter(clock func() time.Time, free int, first, most time.Duration) *limiter {
	return &limiter{clock: clock, free: free, first: first, most: most, seen: map[[32]byte]*tries{}}
}

// wait is how long the key has to wait; zero means that it may try.
func (l *limiter) wait(key [32]byte) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.seen[key]
	if t == nil {
		return 0
	}
	return max(t.until.Sub(l.clock()), 0)
}

// take counts an attempt and lets it be made, or says how long to wait for it. What failed
// stays counted; what did not is given back with undo or forgotten with well.
func (l *limiter) take(key [32]byte) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.seen[key]; t != nil {
		if wait := t.until.Sub(l.clock()); wait > 0 {
			return wait
		}
	}
	l.count(key)
	return 0
}

// undo takes one attempt back.
func (l *limiter) undo(key [32]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.seen[key]; t != nil && t.n > 0 {
		t.n--
		t.until = time.Time{}
	}
}

// failed counts one more.
func (l *limiter) failed(key [32]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count(key)
}

// remembered is for how long attempts are counted. It is longer than any wait, so that
// patience does not make guesses free.
const remembered = 24 * time.Hour

// count is called with the lock.
func (l *limiter) count(key [32]byte) {
	now := l.clock()
	if len(l.seen) >= maxTries {
		l.forget(now)
	}
	t := l.seen[key]
	if t == nil || now.Sub(t.last) > remembered {
		t = &tries{}
		l.seen[key] = t
	}
	t.n++
	t.last = now
	if over := t.n - l.free; over >= 0 {
		t.until = now.Add(min(l.first<<min(over, 20), l.most))
	}
}

// well forgets a key that showed who it is.
func (l *limiter) well(key [32]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.seen, key)
}

// forget makes room: what is old, and when that is nothing, everything.
func (l *limiter) forget(now time.Time) {
	for k, t := range l.seen {
		if now.Sub(t.last) > remembered {
			delete(l.seen, k)
		}
	}
	if len(l.seen) >= maxTries {
		clear(l.seen)
	}
}

// limits are those of one host.
type limits struct {
	key      []byte // for the hashes
	proxies  int
	accounts *limiter // unknown devices that try one account
	devices  *limiter // a known device that tries its own account
	places   *limiter // one network, whatever it tries
	founders *limiter // new accounts from one network
	visitors *limiter // visits from one network that the host has to remember
	uploads  chan struct{}
	heavy    chan struct{}
	waiting  chan struct{}
}

func newLimits(clock func() time.Time, key []byte, proxies int) *limits {
	return &limits{
		key: key, proxies: proxies,
		accounts: newLimiter(clock, 5, 30*time.Second, time.Hour),
		devices:  newLimiter(clock, 5, 10*time.Second, 10*time.Minute),
		places:   newLimiter(clock, 200, time.Minute, 30*time.Minute),
		founders: newLimiter(clock, 200, time.Minute, time.Hour),
		visitors: newLimiter(clock, 5000, time.Minute, 10*time.Minute),
		uploads:  make(chan struct{}, 2),
		heavy:    make(chan struct{}, 2),
		waiting:  make(chan struct{}, 40),
	}
}

// of is the key of something in a kind of limit.
func (l *limits) of(kind, what string) [32]byte {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(kind + "\x00" + what))
	return [32]byte(mac.Sum(nil))
}

// place is the network that a request comes from: the address, or for IPv6 its /64, which
// one customer has.
func (l *limits) place(r *http.Request) [32]byte {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if l.proxies > 0 {
		host = forwarded(r, l.proxies, host)
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Unmap().Is6() {
		if p, err := addr.Prefix(64); err == nil {
			host = p.String()
		}
	}
	return l.of("place", host)
}

// derive lets few key derivations run at once: each takes 64 MiB. It is false when too many
// wait already.
func (l *limits) derive(ctx context.Context, fn func()) bool {
	select {
	case l.waiting <- struct{}{}:
		defer func() { <-l.waiting }()
	default:
		return false
	}
	select {
	case l.heavy <- struct{}{}:
		defer func() { <-l.heavy }()
	case <-ctx.Done():
		return false
	}
	fn()
	return true
}

// upload lets few large bodies be read and unpacked at once: each takes memory that all
// share. It is false when the others take too long.
func (l *limits) upload(ctx context.Context, fn func()) bool {
	ctx, cancel := context.WithTimeout(ctx, uploadWait)
	defer cancel()
	select {
	case l.uploads <- struct{}{}:
		defer func() { <-l.uploads }()
	case <-ctx.Done():
		return false
	}
	fn()
	return true
}

// uploadWait is how long somebody waits for the uploads of others.
const uploadWait = 10 * time.Second
