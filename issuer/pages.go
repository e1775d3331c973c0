package issuer

import (
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
)

//go:embed templates catalogs
var files embed.FS

// pageSet are the pages of an issuer.
type pageSet struct {
	kit   *page.Kit
	home  page.View[homePage]
	offer page.View[offerPage]
}

// homePage says whose address this is.
type homePage struct {
	Name, Organisation string
	Types              []paspoort.Text
}

// offerPage invites one person to accept one credential. It names no person and
// nothing from the claims: whoever has the address sees only what kind of proof
// waits, and from whom.
type offerPage struct {
	Issuer  string
	What    paspoort.Text
	State   string // open, taken, gone
	TxCode  bool
	Digits  int
	Until   time.Time
	Link    string // openid-credential-offer://...
	QR      string // path of the picture
	Refresh string // path of this page
	Wallets []walletLink
}

// walletLink is another way to accept.
type walletLink struct {
	Name string
	URL  template.URL
}

// States of an offer page.
const (
	pageOpen  = "open"
	pageTaken = "taken"
	pageGone  = "gone"
)

func newPages(name string) (*pageSet, error) {
	kit, err := page.New(page.Options{Owner: name, Sources: []fs.FS{files}})
	if err != nil {
		return nil, err
	}
	p := &pageSet{kit: kit}
	text := paspoort.Opleiding.Name()
	p.home, err = page.NewView(kit, "home",
		page.Sample[homePage]{Name: "admitted", Data: homePage{Name: "Opleidingshuis De Vaart", Organisation: "org_aaaaaaaaaaaaaaaaaaaaaaaaaa", Types: []paspoort.Text{text}}},
		page.Sample[homePage]{Name: "unknown", Data: homePage{Name: "Opleidingshuis De Vaart", Types: []paspoort.Text{text}}})
	if err != nil {
		return nil, err
	}
	open := offerPage{
		Issuer: "Opleidingshuis De Vaart", What: text, State: pageOpen, TxCode: true, Digits: 6, Until: time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC),
		Link: "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fvaart.example%2Fcredential-offer%2Fabc", QR: "/offer/abc/qr.svg", Refresh: "/offer/abc",
		Wallets: []walletLink{{Name: "Regio Aakermonde", URL: "https://wallet.example/offer"}},
	}
	plain, taken, gone := open, open, open
	plain.TxCode, plain.Wallets = false, nil
	taken.State, gone.State = pageTaken, pageGone
	p.offer, err = page.NewView(kit, "offer",
		page.Sample[offerPage]{Name: "open", Data: open}, page.Sample[offerPage]{Name: "without-code", Data: plain},
		page.Sample[offerPage]{Name: "taken", Data: taken}, page.Sample[offerPage]{Name: "gone", Data: gone})
	return p, err
}

// pages adds the pages for people.
func (i *Issuer) pages(site *web.Site) error {
	p, err := newPages(i.c.Name)
	if err != nil {
		return err
	}
	i.pageRoutes(site.Pages, p)
	return nil
}

// pageRoutes names each route after its page, so that a test can hold it against the
// samples.
func (i *Issuer) pageRoutes(r *mux.Router, p *pageSet) {
	get := func(path, name string, h http.HandlerFunc) *mux.Route {
		return r.HandleFunc(path, h).Methods(http.MethodGet, http.MethodHead).Name(name)
	}
	r.PathPrefix(page.AssetPath).Handler(p.kit.Assets()).Name("file:assets")
	r.NotFoundHandler = p.kit.NotFound()
	get("/", "home", i.show(p, i.homePage))
	get("/offer/{offer}", "file:offer.json", i.offerAsJSON).MatcherFunc(web.WantsJSON)
	get("/offer/{offer}", "offer", i.show(p, i.offerPage))
	get("/offer/{offer}/qr.svg", "file:qr.svg", i.show(p, i.offerQR))
}

// show runs a page and turns its error into a page that says what to do.
func (i *Issuer) show(p *pageSet, handle func(*pageSet, http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := handle(p, w, r)
		if errors.Is(err, openid4vci.ErrNotFound) {
			err = p.kit.Fault(w, r, page.Fault{Kind: page.NotFound})
		} else if err != nil {
			err = errors.Join(err, p.kit.Fault(w, r, page.Fault{Kind: page.Broken}))
		}
		if err != nil {
			i.c.Log.Error("a page could not be shown", "error", err)
		}
	}
}

func (i *Issuer) homePage(p *pageSet, w http.ResponseWriter, r *http.Request) error {
	data := homePage{Name: i.c.Name, Organisation: i.c.Organisation}
	for _, t := range i.c.Types {
		data.Types = append(data.Types, t.Name())
	}
	return p.home.Render(w, r, http.StatusOK, data)
}

func (i *Issuer) offerPage(p *pageSet, w http.ResponseWriter, r *http.Request) error {
	found, err := i.byLink(mux.Vars(r)["offer"])
	if err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept")
	return p.offer.Render(w, r, http.StatusOK, i.offerData(found))
}

// offerAsJSON is for the wallet of somebody who pasted the address of the page: the offer
// itself, from the protocol endpoint that the QR code names as well.
func (i *Issuer) offerAsJSON(w http.ResponseWriter, r *http.Request) {
	at, err := url.Parse(i.server.OfferURI(mux.Vars(r)["offer"]))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Add("Vary", "Accept")
	same := r.Clone(r.Context())
	same.URL.Path, same.URL.RawPath = at.Path, at.RawPath
	i.server.ServeHTTP(w, same)
}

func (i *Issuer) offerData(r *record) offerPage {
	t, _ := r.parts()
	uri := i.server.OfferURI(r.Link)
	data := offerPage{
		Issuer: i.c.Name, What: t.Name(), TxCode: len(r.TxCode) > 0, Digits: r.TxNumeric, Until: r.OfferUntil,
		Link: openid4vci.LinkByReference(openid4vci.OfferScheme+"://", uri), QR: "/offer/" + r.Link + "/qr.svg", Refresh: "/offer/" + r.Link,
	}
	for _, wallet := range i.c.Wallets {
		link := wallet.URL + "?" + url.Values{"credential_offer_uri": {uri}}.Encode()
		data.Wallets = append(data.Wallets, walletLink{Name: wallet.Name, URL: template.URL(link)})
	}
	switch {
	case r.stateAt(i.c.Clock()) == Offered && !r.Redeemed:
		data.State = pageOpen
	case r.State == Valid || r.State == Suspended || r.State == Offered:
		data.State = pageTaken
	default:
		data.State = pageGone
	}
	return data
}

func (i *Issuer) offerQR(_ *pageSet, w http.ResponseWriter, r *http.Request) error {
	link := mux.Vars(r)["offer"]
	if _, err := i.openOffer(link); err != nil {
		return err
	}
	return page.WriteQR(w, openid4vci.LinkByReference(openid4vci.OfferScheme+"://", i.server.OfferURI(link)))
}
