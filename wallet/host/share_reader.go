package host

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/wallet"
)

// A shareDesk is what a host needs for shares beside its store.
type shareDesk struct {
	locks   shareLocks
	tickets tickets
	list    page.View[sharesPage]
	pick    page.View[sharePickPage]
	edit    page.View[shareNewPage]
	made    page.View[shareMadePage]
	door    page.View[shareDoorPage]
	closed  page.View[shareClosedPage]
	opened  page.View[shareOpenedPage]
	over    page.View[shareOverPage]
	broken  page.View[struct{}]
}

// shareDoorPage is what whoever has the link sees before opening: looking costs nothing.
type shareDoorPage struct {
	Path        string
	By, Purpose string
	Until       time.Time
	Left        int
	NeedsCode   bool
	Tries       int
	Fault       string // "", code, empty, busy, later
}

// shareClosedPage says that the link stopped.
type shareClosedPage struct {
	Path  string
	Why   closing
	Asked bool
	Can   bool // somebody may still make a new one
}

// readerRoutes are for whoever was given a link. The address is the secret: it is not
// logged, sent on, kept or found by search engines.
func (h *Host) readerRoutes() {
	for path, page := range map[string]struct {
		name string
		fn   handler
	}{"/s/": {"share-broken", h.renderBroken}, "/s/{secret}": {"share-door", h.withSecret(h.showDoor)}, "/s/{secret}/view/{ticket}": {"share-opened", h.withSecret(h.showView)}} {
		h.site.Pages.Handle(path, secretly(h.serve(page.fn))).Methods(http.MethodGet, http.MethodHead).Name(page.name)
	}
	for path, fn := range map[string]secretHandler{"/s/{secret}": h.postOpen, "/s/{secret}/proofs": h.postProofs, "/s/{secret}/ask": h.postAsk} {
		h.site.Pages.Handle(path, secretly(h.serve(withForm(h.withSecret(fn))))).Methods(http.MethodPost)
	}
	h.site.Protocol.Handle("/.well-known/jwks.json", web.CORS(http.HandlerFunc(h.receiptKeys))).Methods(http.MethodGet, http.MethodOptions)
}

// secretly keeps a request whose address is a secret out of logs, metrics and indexes.
func secretly(next http.Handler) http.Handler {
	return web.Unrecorded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Robots-Tag", "noindex, nofollow, noarchive")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	}))
}

type secretHandler func(http.ResponseWriter, *http.Request, *session, wallet.ShareSecret) error

// withSecret gives fn the secret in the address; what can be none is a link that was cut short.
func (h *Host) withSecret(fn secretHandler) handler {
	return func(w http.ResponseWriter, r *http.Request, s *session) error {
		secret, err := wallet.ParseShareSecret(mux.Vars(r)["secret"])
		if err != nil {
			return h.renderBroken(w, r, s)
		}
		return fn(w, r, s, secret)
	}
}

func readerPath(secret wallet.ShareSecret) string { return "/s/" + secret.Text() }

// showDoor is no opening.
func (h *Host) showDoor(w http.ResponseWriter, r *http.Request, s *session, secret wallet.ShareSecret) error {
	return h.renderDoor(w, r, s, secret, "")
}

func (h *Host) renderDoor(w http.ResponseWriter, r *http.Request, s *session, secret wallet.ShareSecret, fault string) error {
	row, err := h.share(placeOf(secret))
	if err != nil {
		return err
	}
	if row.Closed != "" {
		return h.renderClosed(w, r, s, secret, row)
	}
	meta, err := row.Sealed.OpenMeta(secret)
	if err != nil {
		return err
	}
	status := http.StatusOK
	switch fault {
	case "":
	case "busy", "later":
		status = http.StatusServiceUnavailable
	default:
		status = http.StatusUnprocessableEntity
	}
	return show(h, h.shares.door, w, r, s, status, shareDoorPage{
		Path: readerPath(secret), By: meta.By, Purpose: meta.Purpose, Until: row.Until, Left: row.Left,
		NeedsCode: row.Sealed.NeedsCode(), Tries: row.Tries, Fault: fault,
	})
}

func (h *Host) renderClosed(w http.ResponseWriter, r *http.Request, s *session, secret wallet.ShareSecret, row shareRow) error {
	return show(h, h.shares.closed, w, r, s, http.StatusGone, shareClosedPage{
		Path: readerPath(secret), Why: row.Closed, Can: row.Closed != closedLeft, Asked: row.Closed != closedLeft && !row.AskedAt.IsZero() && h.c.Clock().Sub(row.AskedAt) < askAgain,
	})
}

// postOpen is an opening, and the only one: the page that it leads to may be loaded anew.
func (h *Host) postOpen(w http.ResponseWriter, r *http.Request, s *session, secret wallet.ShareSecret) error {
	code := digitsOf(r.PostForm.Get("code"))
	row, err := h.share(placeOf(secret))
	if err != nil {
		return err
	}
	if row.Closed == "" && row.Sealed.NeedsCode() && code == "" {
		return h.renderDoor(w, r, s, secret, "empty") // that is no guess
	}
	got, err := h.openShare(r.Context(), secret, code)
	switch {
	case errors.Is(err, errShareClosed), errors.Is(err, wallet.ErrShareCode):
		return h.renderDoor(w, r, s, secret, "code")
	case errors.Is(err, errBusy):
		return h.renderDoor(w, r, s, secret, "busy")
	case errors.Is(err, wallet.ErrInboxFull):
		return h.renderDoor(w, r, s, secret, "later")
	case err != nil:
		return err
	}
	data, err := h.openedPage(r, got)
	if err != nil {
		return err
	}
	name, err := h.giveTicket(w, r, ticket{place: placeOf(secret), text: proofsOf(got.frozen), page: data})
	if err != nil {
		return err
	}
	return see(w, r, viewPath(secret, name))
}

// digitsOf are the digits of what was typed: people write codes with spaces.
func digitsOf(typed string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, typed)
}

// postAsk asks for a new link. The answer is the same whether the holder hears it now or
// was asked today already.
func (h *Host) postAsk(w http.ResponseWriter, r *http.Request, s *session, secret wallet.ShareSecret) error {
	if err := h.askForShare(placeOf(secret)); err != nil && !errors.Is(err, wallet.ErrInboxFull) {
		return err
	}
	return see(w, r, readerPath(secret))
}

// proofsOf are the proofs as a file that others check: one a line.
func proofsOf(f *wallet.FrozenShare) string {
	var b strings.Builder
	for _, i := range f.Items {
		b.WriteString(i.Presentation + "\n")
	}
	return b.String()
}

// postProofs gives the proofs of an opening as a file: no opening of its own.
func (h *Host) postProofs(w http.ResponseWriter, r *http.Request, s *session, secret wallet.ShareSecret) error {
	t, err := h.ticketOf(r, secret, r.PostForm.Get("ticket"))
	if errors.Is(err, errGone) {
		return h.renderOver(w, r, s, secret)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="bewijzen.txt"`)
	_, _ = w.Write([]byte(t.text)) // the reader may be gone
	return nil
}

// receiptKeys is the JWK Set (RFC 7517 5) that receipts verify with.
func (h *Host) receiptKeys(w http.ResponseWriter, _ *http.Request) {
	public := h.c.ReceiptKey.Public()
	id, err := jose.Thumbprint(public)
	if err != nil {
		web.WriteError(w, http.StatusInternalServerError, "server_error", "the key cannot be shown now: try again later")
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	web.WriteJSON(w, http.StatusOK, jose.KeySet{Keys: []jose.Key{{Public: public, KeyID: id, Use: "sig", Algorithm: string(jose.ES256)}}})
}
