package verifier

import (
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/openid4vp"
)

//go:embed templates catalogs
var files embed.FS

type views struct {
	home    page.View[homePage]
	request page.View[requestPage]
}

type homePage struct{ Name string }

// requestPage is the page of one request: what is asked and why, how to answer, and the verdict when it comes. It shows
// skills and who proved them, nothing else that was disclosed.
type requestPage struct {
	Name, Purpose, Language string
	State                   State
	Skills                  []Skill
	Wants                   []want
	Names                   bool
	Expires                 time.Time
	// Path of this page; QR and button are below it.
	Path    string
	Wallets []walletButton
	Verdict *verdictView
}

type walletButton struct{ Name, Path string }

func (v *Verifier) makePages() (err error) {
	v.kit, err = page.New(page.Options{Owner: v.config.Name, Sources: []fs.FS{files}})
	if err != nil {
		return err
	}
	v.views.home, err = page.NewView(v.kit, "home", page.Sample[homePage]{Name: "home", Data: homePage{Name: "Machinefabriek Ossekamp"}})
	if err != nil {
		return err
	}
	v.views.request, err = page.NewView(v.kit, "request", requestSamples()...)
	return err
}

// pageRoutes names each route after its page, so that a test can hold it against the samples.
func (v *Verifier) pageRoutes(p *mux.Router) {
	get := func(path, name string, h http.HandlerFunc) *mux.Route {
		return p.HandleFunc(path, h).Methods(http.MethodGet, http.MethodHead).Name(name)
	}
	get("/", "home", v.showHome)
	get("/r/{id}", "file:request.json", v.requestAsJSON).MatcherFunc(web.WantsJSON)
	get("/r/{id}", "request", v.showRequest)
	get("/r/{id}/qr.svg", "file:qr.svg", v.showQR)
	get("/r/{id}/open", "file:redirect-open", web.Unrecorded(http.HandlerFunc(v.openWallet)).ServeHTTP)
	get("/r/{id}/return", "file:redirect-return", v.returned)
	p.PathPrefix(page.AssetPath).Handler(v.kit.Assets()).Name("file:assets")
	p.NotFoundHandler = v.kit.NotFound()
}

func pagePath(id string) string              { return "/r/" + url.PathEscape(id) }
func (v *Verifier) pageURL(id string) string { return v.config.URL + pagePath(id) }

func (v *Verifier) showHome(w http.ResponseWriter, r *http.Request) {
	v.rendered(v.views.home.Render(w, r, http.StatusOK, homePage{Name: v.config.Name}))
}

// rendered logs a page that failed.
func (v *Verifier) rendered(err error) {
	if err != nil {
		v.config.Log.Error("page failed", "error", err)
	}
}

func (v *Verifier) fault(w http.ResponseWriter, r *http.Request, kind page.FaultKind, next string) {
	v.rendered(v.kit.Fault(w, r, page.Fault{Kind: kind, Next: next}))
}

// request finds the request of the path, or answers with a page that says what to do.
func (v *Verifier) request(w http.ResponseWriter, r *http.Request) (*record, bool) {
	found, err := v.find(mux.Vars(r)["id"])
	switch {
	case errors.Is(err, errNoRequest):
		v.fault(w, r, page.Gone, "")
		return nil, false
	case err != nil:
		v.config.Log.Error("request cannot be read", "error", err)
		v.fault(w, r, page.Broken, "")
		return nil, false
	}
	return found, true
}

func (v *Verifier) showRequest(w http.ResponseWriter, r *http.Request) {
	found, ok := v.request(w, r)
	if !ok {
		return
	}
	data := requestPage{
		Name: v.config.Name, Purpose: found.Purpose, Language: found.Language, State: found.State, Skills: found.Asked,
		Expires: found.Expires, Path: pagePath(found.ID), Names: asksNames(found.Query),
	}
	if len(found.Asked) == 0 {
		data.Wants = wants(found.Query)
	}
	for i, wallet := range v.config.Wallets {
		data.Wallets = append(data.Wallets, walletButton{wallet.Name, data.Path + "/open?wallet=" + strconv.Itoa(i+1)})
	}
	if found.Verdict != nil {
		data.Verdict = newVerdictView(found.Verdict)
	}
	w.Header().Add("Vary", "Accept")
	v.rendered(v.views.request.Render(w, r, http.StatusOK, data))
}

// requestAsJSON is for the wallet of somebody who pasted the address of the page: the text of the QR code, and nothing of
// what the page shows besides.
func (v *Verifier) requestAsJSON(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	found, err := v.find(mux.Vars(r)["id"])
	switch {
	case errors.Is(err, errNoRequest):
		web.WriteError(w, http.StatusNotFound, string(openid4vp.InvalidRequestURI), "this request is unknown or has expired: ask for a new one")
	case err != nil:
		v.config.Log.Error("request cannot be read", "error", err)
		web.WriteError(w, http.StatusInternalServerError, string(openid4vp.ServerError), "the request cannot be read now: try again later")
	case found.State == Expired:
		web.WriteError(w, http.StatusGone, string(openid4vp.InvalidRequestURI), "this request has expired: ask for a new one")
	case found.State != Waiting:
		web.WriteError(w, http.StatusGone, string(openid4vp.InvalidRequestURI), "this request was already answered: ask for a new one")
	default:
		web.WriteJSON(w, http.StatusOK, map[string]string{"invocation": found.Invocation})
	}
}

func (v *Verifier) showQR(w http.ResponseWriter, r *http.Request) {
	found, ok := v.request(w, r)
	if !ok {
		return
	}
	if found.State != Waiting {
		v.fault(w, r, page.Gone, pagePath(found.ID))
		return
	}
	v.rendered(page.WriteQR(w, found.Invocation))
}

// sessionCookie starts the names of the cookies that bind an answer to the browser that pressed the button. They belong to
// the path of one request, and each time that the button is pressed has its own: a wallet may answer to any of them.
const sessionCookie = "request-"

// cookieName names the cookie of a session.
func cookieName(session string) string { return sessionCookie + hex.EncodeToString(hash(session)[:4]) }

// sessions are those of this browser.
func sessions(r *http.Request) (all []string) {
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, sessionCookie) && len(all) < 2*maxTransactions {
			all = append(all, c.Value)
		}
	}
	return all
}

// openWallet gives this browser a session of its own and sends it to the wallet (OpenID4VP 14.2).
func (v *Verifier) openWallet(w http.ResponseWriter, r *http.Request) {
	id := mux.Vars(r)["id"]
	base, ok := v.walletBase(r.URL.Query().Get("wallet"), id)
	if !ok {
		v.fault(w, r, page.NotFound, pagePath(id))
		return
	}
	session, err := v.secret()
	if err != nil {
		v.config.Log.Error("no randomness", "error", err)
		v.fault(w, r, page.Broken, "")
		return
	}
	invocation, err := v.open(id, session)
	if err != nil {
		if !errors.Is(err, errNoRequest) && !errors.Is(err, errClosed) {
			v.config.Log.Error("request cannot be opened", "error", err)
		}
		v.fault(w, r, page.Gone, pagePath(id))
		return
	}
	link, err := invocation.Link(base)
	if err != nil {
		v.config.Log.Error("request cannot be linked", "error", err)
		v.fault(w, r, page.Broken, pagePath(id))
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(session), Value: session, Path: pagePath(id), MaxAge: int(v.config.RequestLifetime.Seconds()) + 1,
		HttpOnly: true, Secure: v.https(), SameSite: http.SameSiteLaxMode, // Lax: the wallet sends the browser back by a link
	})
	// Not http.Redirect, which would clean up the path of openid4vp://.
	w.Header().Set("Location", link)
	w.WriteHeader(http.StatusSeeOther)
}

// walletBase is where the wallet is called: the one on this device, or one of the configured hosts.
func (v *Verifier) walletBase(number, id string) (string, bool) {
	if number == "" {
		found, err := v.find(id)
		if err != nil {
			return walletScheme(""), true // open says that it is gone
		}
		return walletScheme(found.Profile), true
	}
	i, err := strconv.Atoi(number)
	if err != nil || i < 1 || i > len(v.config.Wallets) {
		return "", false
	}
	return v.config.Wallets[i-1].URL, true
}

// returned is where the wallet sends the browser after it answered (OpenID4VP 8.2, redirect_uri).
func (v *Verifier) returned(w http.ResponseWriter, r *http.Request) {
	id := mux.Vars(r)["id"]
	err := v.comeBack(id, sessions(r), r.URL.Query().Get("response_code"))
	switch {
	case errors.Is(err, errOtherBrowser):
		v.fault(w, r, page.Refused, pagePath(id))
	case err == nil, errors.Is(err, errClosed):
		// A second visit, or a wrong code: the page says how the request stands.
		http.Redirect(w, r, pagePath(id), http.StatusSeeOther)
	case errors.Is(err, errNoRequest):
		v.fault(w, r, page.Gone, "")
	default:
		v.config.Log.Error("return cannot be stored", "error", err)
		v.fault(w, r, page.Broken, pagePath(id))
	}
}
