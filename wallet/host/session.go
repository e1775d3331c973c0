package host

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"sync"
	"time"

	"paspoort.example/paspoort/wallet"
)

// A session is one browser that visits, signed in or not. It lives in memory only: when
// the host starts anew everybody signs in again, and no key was ever on a disk.
type session struct {
	token [32]byte // hash of the cookie; zero while there is none

	// holder is who signed in, and never changes: signing in makes another session.
	holder string

	mu sync.Mutex // guards what follows
	// paspoort is nil as long as it was not unlocked, for a visitor or somebody with a passkey
	// that cannot unlock, and again when the session has ended.
	paspoort *wallet.Wallet
	// own: the holder said that this device is his or her own.
	own           bool
	started, seen time.Time
	// sure is when the holder last showed who it is, by a passphrase, a code or a passkey.
	sure time.Time
	// bring is what the visitor came with and waits until the paspoort is open.
	bring string
	// wish is the page that was asked before signing in.
	wish string
	// held are things in progress, by a random name that stands in the address of a page.
	held map[string]held
	// notice is a sentence to show once, on the next page.
	notice string
	// warned: leaving was held up once, because something would be lost.
	warned bool
	// standings of the credentials, looked up when the paspoort was opened.
	standings *standings
}

// held is something in progress.
type held struct {
	v  any
	at time.Time
}

// maxHeld is how many things may be in progress in a session; the oldest makes room.
const maxHeld = 20

// in says whether the paspoort is open.
func (s *session) in() bool { return s.wallet() != nil }

// wallet is the open paspoort, or nil. Whoever works with it takes it once: the session may
// end in the middle.
func (s *session) wallet() *wallet.Wallet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paspoort
}

// follow is a new session of a holder, with what the visitor came for. The old one does not
// become it: a request that is under way with the cookie of before must not get in with it.
func (s *session) follow(holder string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &session{holder: holder, bring: s.bring, wish: s.wish, notice: s.notice}
}

// isOwn says whether the device is the holder's own.
func (s *session) isOwn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.own
}

// hold keeps something in progress and gives its name.
func (s *session) hold(random io.Reader, now time.Time, v any) (string, error) {
	name, err := newToken(random, 12)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[string]held{}
	}
	if len(s.held) >= maxHeld {
		oldest := ""
		for k, h := range s.held {
			if oldest == "" || h.at.Before(s.held[oldest].at) {
				oldest = k
			}
		}
		delete(s.held, oldest)
	}
	s.held[name] = held{v, now}
	return name, nil
}

// holding gives what is in progress under a name, of the type that is wanted.
func holding[T any](s *session, name string) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.held[name].v.(T)
	return v, ok
}

// drop ends something in progress. It is false when it was not there: somebody pressed a
// button twice.
func (s *session) drop(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.held[name]
	delete(s.held, name)
	return ok
}

// say keeps a notice for the next page.
func (s *session) say(notice string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notice = notice
}

func (s *session) takeNotice() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.notice
	s.notice = ""
	return n
}

// ends is when the session ends if nothing more is done, and when it ends in any case.
func (s *session) ends(idle, longest time.Duration) (soon, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	soon, last = s.seen.Add(idle), s.started.Add(longest)
	if soon.After(last) {
		soon = last
	}
	return soon, last
}

// sessions are all of a host.
type sessions struct {
	mu            sync.Mutex
	clock         func() time.Time
	random        io.Reader
	idle, longest time.Duration
	live          map[[32]byte]*session
	// ended remembers for a day whose session a cookie was, so that a form that was filled
	// in too long can still be kept for its holder.
	ended map[[32]byte]endedSession
}

type endedSession struct {
	holder string
	at     time.Time
}

const (
	maxSessions   = 20_000
	maxEnded      = 50_000
	visitorIdle   = 20 * time.Minute
	rememberEnded = 24 * time.Hour
)

// find is the live session of a cookie, or nil. looking at a page keeps it alive.
func (all *sessions) find(cookie string) *session {
	if cookie == "" {
		return nil
	}
	token := sha256.Sum256([]byte(cookie))
	now := all.clock()
	all.mu.Lock()
	defer all.mu.Unlock()
	s := all.live[token]
	if s == nil {
		return nil
	}
	if all.over(s, now) {
		all.end(s, now)
		return nil
	}
	s.mu.Lock()
	s.seen = now
	s.mu.Unlock()
	return s
}

func (all *sessions) over(s *session, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paspoort == nil {
		return now.Sub(s.seen) > visitorIdle
	}
	return now.Sub(s.seen) > all.idle || now.Sub(s.started) > all.longest
}

// end forgets a session and what it could open. all.mu is held.
func (all *sessions) end(s *session, now time.Time) {
	delete(all.live, s.token)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paspoort != nil && len(all.ended) < maxEnded {
		all.ended[s.token] = endedSession{s.holder, now}
	}
	s.paspoort, s.held, s.bring, s.standings = nil, nil, "", nil
}

// leave ends a session at once.
func (all *sessions) leave(s *session) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.end(s, all.clock())
	delete(all.ended, s.token)
}

// whose is whose session a cookie was, for a day after it ended.
func (all *sessions) whose(cookie string) string {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.ended[sha256.Sum256([]byte(cookie))].holder
}

// start gives a session a new cookie: the first, or another one after signing in, so that a
// cookie that somebody planted opens nothing.
func (all *sessions) start(s *session) (cookie string, err error) {
	if cookie, err = newToken(all.random, 32); err != nil {
		return "", err
	}
	now := all.clock()
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.live, s.token)
	if len(all.live) >= maxSessions {
		all.sweep(now)
	}
	if len(all.live) >= maxSessions && s.holder == "" {
		return "", errBusy
	}
	s.token = sha256.Sum256([]byte(cookie))
	s.mu.Lock()
	s.started, s.seen = now, now
	s.mu.Unlock()
	all.live[s.token] = s
	return cookie, nil
}

// endAll ends every session of a holder but one.
func (all *sessions) endAll(holder string, but *session) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, s := range all.live {
		if s.holder == holder && s != but {
			all.end(s, all.clock())
		}
	}
}

// sweep forgets what is over.
func (all *sessions) sweep(now time.Time) {
	for _, s := range all.live {
		if all.over(s, now) {
			all.end(s, now)
		}
	}
	for token, e := range all.ended {
		if now.Sub(e.at) > rememberEnded {
			delete(all.ended, token)
		}
	}
}

// run sweeps until ctx ends, and then ends every session.
func (all *sessions) run(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			all.mu.Lock()
			for _, s := range all.live {
				all.end(s, all.clock())
			}
			all.mu.Unlock()
			return
		case <-tick.C:
			all.mu.Lock()
			all.sweep(all.clock())
			all.mu.Unlock()
		}
	}
}

func newToken(random io.Reader, size int) (string, error) {
	b := make([]byte, size)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// The cookies. With https their names say that they belong to this very host.
func (h *Host) cookieName(name string) string {
	if h.secure() {
		return "__Host-" + name
	}
	return name
}

const (
	sessionCookie = "paspoort"
	deviceCookie  = "toestel"
)

func (h *Host) setCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	// Lax, not Strict: a person arrives here by a link on the page of an issuer or an asker.
	c := &http.Cookie{Name: h.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode}
	if age != 0 {
		c.MaxAge = int(age.Seconds())
	}
	http.SetCookie(w, c)
}

func (h *Host) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(h.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}
