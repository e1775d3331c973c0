package desk

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
)

const (
	cookieName = "desk"
	idle       = 30 * time.Minute // without a page
	longest    = 12 * time.Hour   // whatever one does
)

// sessions is who is in: one browser at a time, because one member sits here. Opening the
// desk elsewhere ends what was open.
type sessions struct {
	mu    sync.Mutex
	code  string // of the link that opens the desk; "" once it was used
	token string // of the open session; "" when there is none
	began time.Time
	seen  time.Time
}

func newSecret() (string, error) {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("desk: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// announce tells the person a link, unless one that was not used yet stands there.
func (d *Desk) announce() error {
	code, err := newSecret()
	if err != nil {
		return err
	}
	d.mu.Lock()
	waiting := d.code != ""
	if !waiting {
		d.code = code
	}
	d.mu.Unlock()
	if !waiting {
		d.c.Announce("http://" + d.c.Host + "/open?code=" + code)
	}
	return nil
}

// open lets in who has the link, once.
func (d *Desk) open(w http.ResponseWriter, r *http.Request) {
	token, err := newSecret()
	if err != nil {
		d.shown(d.kit.Fault(w, r, page.Fault{Kind: page.Broken}))
		return
	}
	d.mu.Lock()
	ok := d.code != "" && same(r.URL.Query().Get("code"), d.code)
	if ok {
		d.code, d.token, d.began, d.seen = "", token, d.c.Clock(), d.c.Clock()
	}
	d.mu.Unlock()
	if !ok {
		http.Redirect(w, r, "/in", http.StatusSeeOther)
		return
	}
	// The desk speaks plain http on this machine only, so the cookie cannot ask for more.
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// in lets through who is in, with the frame of the session around the page.
func (d *Desk) in(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		frame, ok := d.alive(r)
		if !ok {
			if strings.Contains(r.Header.Get("Accept"), "application/json") {
				web.WriteError(w, http.StatusUnauthorized, "no_session", "the session has ended")
				return
			}
			http.Redirect(w, r, "/in", http.StatusSeeOther)
			return
		}
		next(w, page.WithFrame(r, frame))
	}
}

// alive says whether the request is of the open session, and moves its end on.
func (d *Desk) alive(r *http.Request) (page.Frame, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return page.Frame{}, false
	}
	now := d.c.Clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.token == "" || !same(cookie.Value, d.token) {
		return page.Frame{}, false
	}
	if now.Sub(d.seen) > idle || now.Sub(d.began) > longest {
		d.token = ""
		return page.Frame{}, false
	}
	d.seen = now
	return page.Frame{SignedIn: true, Ends: now.Add(idle), Last: d.began.Add(longest), Now: now, Notice: r.URL.Query().Get("done")}, true
}

// leave ends the session.
func (d *Desk) leave(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.token = ""
	d.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/in", http.StatusSeeOther)
}

// stay keeps the session: being let in moved its end on already.
func (d *Desk) stay(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		frame, _ := d.alive(r)
		web.WriteJSON(w, http.StatusOK, map[string]int{"left": frame.Left()})
		return
	}
	back := r.PostFormValue("back")
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.Contains(back, `\`) {
		back = "/"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

type closedPage struct{}

// showClosed is for who is not in. It has a new link announced when the last one was used.
func (d *Desk) showClosed(w http.ResponseWriter, r *http.Request) {
	if err := d.announce(); err != nil {
		d.shown(d.kit.Fault(w, r, page.Fault{Kind: page.Broken}))
		return
	}
	d.shown(d.closed.Render(w, r, http.StatusOK, closedPage{}))
}
