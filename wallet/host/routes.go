package host

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/wallet"
)

// maxBody is what a browser may send: a photograph of a QR code, or an archive.
const maxBody = 64 << 20

// maxForm is what every other form may be.
const maxForm = 256 << 10

// A handler shows a page or does what a form asks. What it returns is turned into a page
// that says what to do.
type handler func(w http.ResponseWriter, r *http.Request, s *session) error

func (h *Host) routes() {
	h.site = web.New(web.Options{Role: "wallet", Log: h.c.Log, Clock: h.c.Clock, MaxBody: maxBody, Ready: h.ready})
	p := h.site.Pages
	p.PathPrefix(page.AssetPath).Handler(h.kit.Assets()).Name("file:assets")
	p.NotFoundHandler = h.kit.NotFound()
	h.accountRoutes()
	h.collectRoutes()
	h.answerRoutes()
	h.paspoortRoutes()
	h.shareRoutes()
	h.careRoutes()
	h.handler = h.site.Handler()
}

// get adds a page for everybody. name is the page that it shows, or "file:..." when it
// shows none: a test holds every route to that.
func (h *Host) get(path, name string, fn handler) {
	h.site.Pages.Handle(path, h.serve(fn)).Methods(http.MethodGet, http.MethodHead).Name(name)
}

func (h *Host) post(path string, fn handler) {
	h.site.Pages.Handle(path, h.serve(withForm(fn))).Methods(http.MethodPost)
}

// getMember and postMember are for holders whose paspoort is open; others are asked to sign
// in and come back.
func (h *Host) getMember(path, name string, fn handler) { h.get(path, name, h.member(fn)) }
func (h *Host) postMember(path string, fn handler)      { h.post(path, h.member(fn)) }

// postLarge is postMember for a body that is no small form; fn reads it itself.
func (h *Host) postLarge(path string, fn handler) {
	h.site.Pages.Handle(path, h.serve(h.member(fn))).Methods(http.MethodPost)
}

// back is for who loads an address anew that takes forms only: the page with the form.
func (h *Host) back(path, to string) {
	h.get(path, "file:redirect"+strings.ReplaceAll(path, "/", "-"), func(w http.ResponseWriter, r *http.Request, _ *session) error {
		return see(w, r, to)
	})
}

// withForm reads a form of an ordinary size.
func withForm(fn handler) handler {
	return func(w http.ResponseWriter, r *http.Request, s *session) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return errBadForm
		}
		return fn(w, r, s)
	}
}

var errBadForm = errors.New("the form cannot be read")

// serve finds the session and turns errors into pages.
func (h *Host) serve(fn handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := h.sessions.find(h.cookie(r, sessionCookie))
		if s == nil {
			s = &session{}
		}
		if err := fn(w, r, s); err != nil {
			h.failed(w, r, s, err)
		}
	})
}

// openKey is where a request carries the open paspoort. It is taken once: the session may
// end while the request is answered.
type openKey struct{}

// member lets holders through whose paspoort is open. Others come to the sign-in page. A
// form of a session that has ended is sealed for its holder first.
func (h *Host) member(fn handler) handler {
	return func(w http.ResponseWriter, r *http.Request, s *session) error {
		if paspoort := s.wallet(); paspoort != nil {
			return fn(w, r.WithContext(context.WithValue(r.Context(), openKey{}, paspoort)), s)
		}
		notice := ""
		if r.Method == http.MethodPost {
			notice = h.keepForm(r)
		}
		s.mu.Lock()
		s.notice = notice
		if r.Method == http.MethodGet {
			s.wish = r.URL.EscapedPath()
		}
		s.mu.Unlock()
		if err := h.remember(w, r, s); err != nil {
			return err
		}
		http.Redirect(w, r, "/in", http.StatusSeeOther)
		return nil
	}
}

// remember gives a visitor a cookie, for what waits until the paspoort is open.
func (h *Host) remember(w http.ResponseWriter, r *http.Request, s *session) error {
	if s.token != [32]byte{} {
		return nil
	}
	place := h.limits.place(r)
	if h.limits.visitors.wait(place) > 0 {
		return errBusy
	}
	h.limits.visitors.failed(place) // it counts visits
	cookie, err := h.sessions.start(s)
	if err != nil {
		return err
	}
	h.setCookie(w, sessionCookie, cookie, 0)
	return nil
}

// frame is what stands around a page for this session.
func (h *Host) frame(r *http.Request, s *session) *http.Request {
	f := page.Frame{Notice: s.takeNotice()}
	if s.in() {
		f.SignedIn, f.Private, f.Now = true, !s.isOwn(), h.c.Clock()
		f.Ends, f.Last = s.ends(h.c.Idle, h.c.Longest)
	}
	return page.WithFrame(r, f)
}

// show renders a page of this host with its frame.
func show[T any](h *Host, v page.View[T], w http.ResponseWriter, r *http.Request, s *session, status int, data T) error {
	return v.Render(w, h.frame(r, s), status, data)
}

// see sends the browser on after a form, so that loading the page anew does nothing twice.
func see(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// open is the paspoort of a member's request, in the language of the reader.
func (h *Host) open(r *http.Request, _ *session) *wallet.Wallet {
	return r.Context().Value(openKey{}).(*wallet.Wallet).In(languages(h.kit.Language(r))...)
}

// sureFor is how long after showing who one is a holder may do what a stranger at an open
// browser must not: take everything along, or change how the paspoort is opened.
const sureFor = 5 * time.Minute

// sure asks the holder for the passphrase once more when that was some time ago.
func (h *Host) sure(fn handler) handler {
	return h.member(func(w http.ResponseWriter, r *http.Request, s *session) error {
		if h.isSure(s) {
			return fn(w, r, s)
		}
		if wantsJSON(r) {
			web.WriteError(w, http.StatusForbidden, "again", "show who you are once more")
			return nil
		}
		return see(w, r, "/again?to="+url.QueryEscape(whereOf(r)))
	})
}

func (h *Host) isSure(s *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return h.c.Clock().Sub(s.sure) < sureFor
}

// whereOf is the page that a request belongs to: itself, or for a form the page it is on.
func whereOf(r *http.Request) string {
	if r.Method == http.MethodGet || r.URL.Path == "/take" || r.URL.Path == "/passphrase" {
		return r.URL.EscapedPath()
	}
	return "/care"
}

// failed answers with the page of what went wrong.
func (h *Host) failed(w http.ResponseWriter, r *http.Request, s *session, err error) {
	kind, next := page.Broken, "/"
	if s.in() {
		next = "/paspoort"
	}
	switch {
	case errors.Is(err, errBadForm):
		kind = page.BadInput
	case errors.Is(err, errBusy):
		kind = page.Busy
	case errors.Is(err, wallet.ErrNotHere), errors.Is(err, errNotHere):
		kind = page.NotFound
	case errors.Is(err, errGone):
		kind = page.Gone
	case r.Context().Err() != nil:
		return // nobody reads the answer any more
	default:
		// The text of an error may repeat what a stranger sent; its type never does.
		h.c.Log.Error("a page failed", "route", routeOf(r), "kind", errorKinds(err))
	}
	if err := h.kit.Fault(w, h.frame(r, s), page.Fault{Kind: kind, Next: next}); err != nil {
		h.c.Log.Error("the page about a fault failed", "kind", errorKinds(err))
	}
}

var (
	errNotHere = errors.New("there is nothing here")
	errGone    = errors.New("this is over")
)

func routeOf(r *http.Request) string {
	if route := mux.CurrentRoute(r); route != nil {
		if pattern, err := route.GetPathTemplate(); err == nil {
			return pattern
		}
	}
	return "unknown"
}

// localPath is a path of this site to go to, and nothing else.
func localPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || len(path) < 2 || path[0] != '/' || path[1] == '/' || path[1] == '\\' {
		return "/paspoort"
	}
	return path
}
