package host

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/wallet"
)

// Opening a share leads to a page of its own, which may be loaded anew, read in another
// language and taken along as a file for a while: none of that is another opening. What it
// shows is in memory only, for the browser that opened it: its address alone shows nothing.

// tickets are openings of a short while ago.
type tickets struct {
	mu   sync.Mutex
	live map[string]ticket
	size int
}

type ticket struct {
	place   string
	browser [32]byte // hash of the cookie
	text    string   // the file
	page    shareOpenedPage
	until   time.Time
}

const (
	ticketAge = 15 * time.Minute
	// maxTickets is about how much memory they take; the oldest make room.
	maxTickets = 128 << 20
	viewCookie = "inzage"
)

// weight is about what a ticket takes: the proofs as a file, and once more as they are told.
func (t ticket) weight() int { return 8<<10 + 3*len(t.text) }

// give keeps a ticket and gives its name.
func (t *tickets) give(random io.Reader, now time.Time, v ticket) (string, error) {
	name, err := newToken(random, 16)
	if err != nil {
		return "", err
	}
	v.until = now.Add(ticketAge)
	t.sweep(now)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live == nil {
		t.live = map[string]ticket{}
	}
	for len(t.live) > 0 && t.size+v.weight() > maxTickets {
		first := ""
		for k, old := range t.live {
			if first == "" || old.until.Before(t.live[first].until) {
				first = k
			}
		}
		t.drop(first)
	}
	t.live[name] = v
	t.size += v.weight()
	return name, nil
}

func (t *tickets) drop(name string) {
	t.size -= t.live[name].weight()
	delete(t.live, name)
}

// sweep forgets what is over.
func (t *tickets) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, v := range t.live {
		if now.After(v.until) {
			t.drop(name)
		}
	}
}

// take gives a ticket of a share to the browser that has it, as often as it likes.
func (t *tickets) take(name, place, cookie string, now time.Time) (ticket, bool) {
	hash := sha256.Sum256([]byte(cookie))
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.live[name]
	if !ok || v.place != place || now.After(v.until) || subtle.ConstantTimeCompare(hash[:], v.browser[:]) != 1 {
		return ticket{}, false
	}
	return v, true
}

// known says whether a cookie has a ticket.
func (t *tickets) known(cookie string, now time.Time) bool {
	hash := sha256.Sum256([]byte(cookie))
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, v := range t.live {
		if v.browser == hash && !now.After(v.until) {
			return true
		}
	}
	return false
}

// viewCookieName says with https that nobody set it without; a path keeps it from "__Host-".
func (h *Host) viewCookieName() string {
	if h.secure() {
		return "__Secure-" + viewCookie
	}
	return viewCookie
}

func (h *Host) viewCookieOf(r *http.Request) string {
	c, err := r.Cookie(h.viewCookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// giveTicket lets the browser of this request look at an opening for a while. A browser that
// looks at another opening already keeps its cookie: both pages stay.
func (h *Host) giveTicket(w http.ResponseWriter, r *http.Request, t ticket) (string, error) {
	cookie, now := h.viewCookieOf(r), h.c.Clock()
	if cookie == "" || !h.shares.tickets.known(cookie, now) {
		var err error
		if cookie, err = newToken(h.c.Rand, 32); err != nil {
			return "", err
		}
	}
	t.browser = sha256.Sum256([]byte(cookie))
	name, err := h.shares.tickets.give(h.c.Rand, now, t)
	if err != nil {
		return "", err
	}
	// Strict: one comes to the page from the form on this site, and from nowhere else.
	http.SetCookie(w, &http.Cookie{
		Name: h.viewCookieName(), Value: cookie, Path: "/s/", MaxAge: int(ticketAge.Seconds()),
		HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteStrictMode,
	})
	return name, nil
}

// ticketOf is the ticket of this browser by its name. It is over at once when the holder
// withdrew the link or left. errGone.
func (h *Host) ticketOf(r *http.Request, secret wallet.ShareSecret, name string) (ticket, error) {
	place := placeOf(secret)
	t, ok := h.shares.tickets.take(name, place, h.viewCookieOf(r), h.c.Clock())
	if !ok {
		return t, errGone
	}
	row, err := h.share(place)
	switch {
	case errors.Is(err, errNotHere), err == nil && (row.Closed == closedWithdrawn || row.Closed == closedLeft):
		return ticket{}, errGone
	case err != nil:
		return ticket{}, err
	}
	return t, nil
}

// shareOverPage says that the while is over.
type shareOverPage struct{ Path string }

func viewPath(secret wallet.ShareSecret, ticket string) string {
	return readerPath(secret) + "/view/" + ticket
}

// showView shows what was opened; it is no opening.
func (h *Host) showView(w http.ResponseWriter, r *http.Request, s *session, secret wallet.ShareSecret) error {
	name := mux.Vars(r)["ticket"]
	t, err := h.ticketOf(r, secret, name)
	if errors.Is(err, errGone) {
		return h.renderOver(w, r, s, secret)
	}
	if err != nil {
		return err
	}
	data := t.page
	data.Path, data.Ticket, data.ViewEnds = readerPath(secret), name, t.until
	return show(h, h.shares.opened, w, r, s, http.StatusOK, data)
}

func (h *Host) renderOver(w http.ResponseWriter, r *http.Request, s *session, secret wallet.ShareSecret) error {
	return show(h, h.shares.over, w, r, s, http.StatusGone, shareOverPage{readerPath(secret)})
}

// renderBroken is for a link that lost a part on its way: whoever has it can mend that.
func (h *Host) renderBroken(w http.ResponseWriter, r *http.Request, s *session) error {
	return show(h, h.shares.broken, w, r, s, http.StatusNotFound, struct{}{})
}
