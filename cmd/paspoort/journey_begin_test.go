package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
	"paspoort.example/paspoort/specs/paspoort"
)

// slots are where a text of a catalog takes a value.
var slots = regexp.MustCompile(`\{[a-z]+\}`)

const passkeyLabel = "de telefoon van mij "

const hostLink = `a[href*="/offer?credential_offer_uri="]`

// firstCredential goes from a page of an issuer with nothing in hand to a paspoort with a
// credential in it.
func (p *traveller) firstCredential(o invitation) {
	p.t.Helper()
	p.open(o.Page)
	p.press(hostLink)
	p.at("/")
	if p.lang == "nl-A2" {
		p.press(`.languages a[href*="lang=nl-A2"]`)
	}
	p.reads("front.title.offer")
	p.press(`a[href="/begin"]`)
	p.begin()
	p.at("/offer/[^/]+")
	p.reads("offer.who")
	p.says("Opleidingshuis De Vaart")
	p.reads("party.known")
	p.take(o.TxCode)
	p.first = p.page.path()
}

// begin makes a paspoort, and confirms that the recovery code is on paper.
func (p *traveller) begin() {
	p.t.Helper()
	p.at("/begin")
	p.reads("begin.title")
	p.fill("#name", p.name)
	p.fill("#passphrase", p.passphrase)
	p.submit("/begin")
	p.papers()
	p.fill("#last", p.code[len(p.code)-5:])
	p.submit("/code")
}

// papers writes down what the page shows once.
func (p *traveller) papers() {
	p.t.Helper()
	p.at("/code")
	p.reads("code.title")
	p.number, p.code = p.textOf(".number"), strings.Join(p.texts(".code-block li"), "-")
	if len(p.code) != 6*5+5 {
		p.fatalf("the recovery code is %q", p.code)
	}
	p.land.remember(p.code, strings.ReplaceAll(p.code, "-", ""))
	p.land.mu.Lock()
	defer p.land.mu.Unlock()
	p.land.numbers = append(p.land.numbers, strings.ReplaceAll(p.number, " ", ""))
}

// take accepts the offer on the page.
func (p *traveller) take(code string) {
	p.t.Helper()
	if code != "" {
		p.fill("#code", code)
	}
	p.press(`form[action^="/offer/"] button[type=submit]`)
	p.at("/offer/[^/]+/look")
	p.reads("received.title")
	p.press(`form[action$="/keep"] button[type=submit]`)
	p.at("/paspoort/[a-z2-7]{8}")
	p.reads("notice.collected")
}

// beginsWell is the rest of journey 1.
func (p *traveller) beginsWell() {
	p.t.Helper()
	p.printsPapers()
	p.passkeys()
	p.anothersDevice()
}

// printsPapers: how to get in and who can give everything again, on one sheet.
func (p *traveller) printsPapers() {
	p.t.Helper()
	p.goTo("/care")
	p.press(`a[href="/care/sheet"]`)
	p.says(p.number, "Opleidingshuis De Vaart")
	if n := p.sheets(); n != 1 {
		p.fatalf("the papers take %d sheets", n)
	}
}

// authenticator gives the tab a device with passkeys, and gives its id.
func (p *traveller) authenticator(prf bool) webauthn.AuthenticatorID {
	p.t.Helper()
	return call(p.tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, HasPrf: prf, AutomaticPresenceSimulation: true,
	}}).AuthenticatorID
}

// passkeys: one with PRF opens the paspoort; one without signs in and the passphrase opens.
func (p *traveller) passkeys() {
	p.t.Helper()
	call(p.tab, webauthn.Enable, webauthn.EnableParams{})
	with := p.authenticator(true)
	p.addPasskey(passkeyLabel + p.tab.name)
	p.reads("notice.passkey-opens")
	p.leave()
	p.press(`a[href="/in"]`)
	p.press(`button[data-passkey="in"]`)
	p.at("/paspoort")
	call(p.tab, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: with})

	without := p.authenticator(false)
	p.addPasskey(passkeyLabel + "twee " + p.tab.name)
	p.reads("notice.passkey-signs")
	p.leave()
	p.press(`a[href="/in"]`)
	p.press(`button[data-passkey="in"]`)
	p.at("/in")
	p.reads("in.bykey")
	p.fill("#passphrase", p.passphrase)
	p.submit("/in")
	p.at("/paspoort")
	call(p.tab, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: without})
	call(p.tab, webauthn.Disable, cdp.Empty{})
}

func (p *traveller) addPasskey(label string) {
	p.t.Helper()
	p.goTo("/care")
	p.fill("#passkey-label", label)
	p.press(`button[data-passkey="new"]`)
	p.at("/care")
	p.says(label)
}

func (p *traveller) leave() {
	p.t.Helper()
	p.press(`form[action="/leave"] button`)
	p.at("/left")
}

// signIn opens the paspoort with number and passphrase, on a device that knows neither.
func (p *traveller) signIn(away bool) {
	p.t.Helper()
	p.open(p.host + "/in?lang=" + p.lang)
	p.fill("#number", p.number)
	p.fill("#passphrase", p.passphrase)
	if away {
		p.click("#away")
	}
	p.submit("/in")
}

// stored is what a site left in a browser.
const storedJS = `(async () => [
	...Object.keys(localStorage), ...Object.keys(sessionStorage), ...(await indexedDB.databases()).map((d) => d.name),
	...await caches.keys(), ...(await navigator.serviceWorker.getRegistrations()).map((r) => r.scope),
])()`

// anothersDevice: in a library, nothing stays behind.
func (p *traveller) anothersDevice() {
	p.t.Helper()
	b := p.another("away")
	b.signIn(true)
	b.at("/paspoort")
	b.reads("layout.private")
	if len(b.cookies()) == 0 {
		b.fatalf("control: no cookies are seen while signed in")
	}
	b.leave()
	b.reads("left.away")
	if left := b.cookies(); len(left) > 0 {
		b.fatalf("cookies stay behind: %q", left)
	}
	if left := ask[[]string](b.tab, storedJS); len(left) > 0 {
		b.fatalf("something stays behind: %q", left)
	}
	b.open(b.host + "/in")
	if b.has(`form[action="/in"] input[type=hidden][name=number]`) {
		b.fatalf("the device still knows the number")
	}
}

func (p *traveller) cookies() (names []string) {
	p.t.Helper()
	for _, c := range call(p.tab, network.GetCookies, network.GetCookiesParams{URLs: []string{p.host + "/"}}).Cookies {
		names = append(names, c.Name)
	}
	return names
}

// collects is journey 2: each way in, and what is refused.
func (p *traveller) collects() {
	p.t.Helper()
	before := p.proofs()

	// By pasting, with a wrong code first.
	o := p.land.offer(p.t, "opleider", paspoort.Praktijkverklaring, nil)
	p.goTo("/collect")
	p.reads("collect.title")
	p.fill("#text", o.URI)
	p.submit("/collect")
	p.fill("#code", spoiled(o.TxCode))
	p.press(`form[action^="/offer/"] button[type=submit]`)
	p.reads("fault-at.wrong-code")
	p.reads("offer.left")
	if p.proofs() != before {
		p.fatalf("a wrong code left something")
	}
	p.goTo("/collect")
	p.fill("#text", o.URI)
	p.submit("/collect")
	p.take(o.TxCode)

	// The same offer once more.
	p.goTo("/collect")
	p.fill("#text", o.URI)
	p.submit("/collect")
	if p.page.path() != "/offer/problem" {
		p.fill("#code", o.TxCode)
		p.press(`form[action^="/offer/"] button[type=submit]`)
	}
	p.at("/offer/problem")
	if h := p.textOf("h1"); h != p.land.words[p.lang]["problem.offer-spent"] && h != p.land.words[p.lang]["problem.offer-gone"] {
		p.fatalf("a spent offer is called %q", h)
	}

	p.collectsByPicture()
	p.refusesStranger()
	p.goTo("/collect")
	p.fill("#text", "zomaar wat")
	p.submit("/collect")
	p.reads("fault-at.text")
	if got := p.proofs(); got != before+2 {
		p.fatalf("%d proofs, want %d: nothing half-stored", got, before+2)
	}
}

// collectsByPicture takes a picture of the QR code on the issuer's page, looks at what came
// and sends one away before keeping it.
func (p *traveller) collectsByPicture() {
	p.t.Helper()
	o := p.land.offer(p.t, "werkgever", paspoort.Werkervaring, nil)
	b := p.another("issuer")
	b.open(o.Page)
	picture := filepath.Join(p.t.TempDir(), "qr.png")
	b.photograph("img.qr", picture)
	ways := []string{"keep"}
	if p.width == 360 {
		ways = []string{"drop", "keep"}
	}
	for _, keep := range ways {
		p.goTo("/collect")
		p.click(`details:has(#photo) summary`)
		p.upload("#photo", picture)
		p.press(`form:has(#photo) button[type=submit]`)
		p.at("/offer/[^/]+")
		p.says("Machinefabriek Ossekamp")
		p.fill("#code", o.TxCode)
		p.press(`form[action^="/offer/"] button[type=submit]`)
		p.at("/offer/[^/]+/look")
		p.press(`form[action$="/` + keep + `"] button[type=submit]`)
		if keep == "keep" {
			p.reads("notice.collected")
			break
		}
		p.reads("notice.not-collected")
		// What was fetched is spent: the issuer makes another.
		o = p.land.offer(p.t, "werkgever", paspoort.Werkervaring, nil)
		b.open(o.Page)
		b.photograph("img.qr", picture)
	}
}

// photograph makes a picture of what is seen of an element.
func (b *tab) photograph(find, file string) {
	b.t.Helper()
	b.wait("the picture", func(seen) bool {
		return ask[bool](b, `((e) => e && e.complete && e.naturalWidth > 0)(document.querySelector(`+quoted(find)+`))`)
	})
	ctx, cancel := b.limited()
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.ScreenshotScale(chromedp.CSS(find), 2))
	if err != nil {
		b.fatalf("%v", err)
	}
	if err := writeFile(file, picture); err != nil {
		b.t.Fatal(err)
	}
}

func spoiled(code string) string {
	if strings.HasSuffix(code, "0") {
		return code[:len(code)-1] + "1"
	}
	return code[:len(code)-1] + "0"
}

// proofs counts what is in the paspoort.
func (p *traveller) proofs() int {
	p.t.Helper()
	p.goTo("/paspoort/all")
	return len(p.texts(".proofs > li"))
}

// refusesStranger: an issuer that no region knows is refused with the reason.
func (p *traveller) refusesStranger() {
	p.t.Helper()
	stranger := p.land.stranger(p.t)
	p.goTo("/collect")
	p.fill("#text", stranger)
	p.submit("/collect")
	p.at("/offer/problem")
	p.reads("problem.stranger")
	p.reads("problem-next.stranger")
}

// stranger is the link to an offer of an issuer that stands in no registry.
func (l *land) stranger(t *testing.T) string {
	t.Helper()
	c := l.hostConfig(t)
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		t.Fatal(err)
	}
	var issuer *vcitest.Issuer
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { issuer.Server.ServeHTTP(w, r) }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}
	address := fmt.Sprintf("https://localhost:%s", server.Listener.Addr().String()[strings.LastIndex(server.Listener.Addr().String(), ":")+1:])
	issuer = vcitest.Start(t, vcitest.Options{Change: func(s *openid4vci.ServerConfig) { s.Metadata.CredentialIssuer = address }})
	server.StartTLS()
	t.Cleanup(server.Close)
	return issuer.Link(vcitest.ConfigurationID, "")
}

// sessionEnds begins two sessions on a host where they take a minute, one with scripts and
// one without, and fills in half a form in each. What it gives looks at them when they are
// over: the page warned, and the words come back.
func (l *land) sessionEnds(t *testing.T) (later func(*testing.T)) {
	h := l.secondHost(t, "haast", func(c *conf.WalletHost) { c.SessionMinutes = 1 })
	p := l.traveller(t, "Haastig Ongeduld", 360, "nl")
	p.tab.name, p.host = "session", h.url
	p.open(h.url + "/begin")
	p.begin()
	p.at("/paspoort")
	bare := p.another("bare")
	bare.withoutScript()
	bare.signIn(false)

	const wish = "werken op een zaterdags schip"
	l.remember(wish)
	for _, b := range []*traveller{p, bare} {
		b.goTo("/paspoort")
		b.click("#want details summary")
		b.click("#want details details summary")
	}
	bare.fill(`#want [name=wishes]`, wish+" zonder script")
	if !p.shows("#session form") {
		p.fatalf("the session ends within two minutes and the page does not warn")
	}
	p.fill(`#want [name=wishes]`, wish)
	p.wait("the script keeps what was typed", func(seen) bool {
		return ask[bool](p.tab, `performance.getEntriesByType("resource").some((e) => new URL(e.name).pathname === "/draft" && e.responseStatus < 300)`)
	})
	library := p.another("library")
	library.signIn(true)
	return func(t *testing.T) {
		p.t, bare.t, library.t = t, t, t
		p.afterwards(wish)
		bare.afterwardsBare(wish + " zonder script")
		// On another's device the page goes away by itself.
		library.wait("the page to sign in", func(s seen) bool { return s.path() == "/in" })
		library.open(library.host + "/paspoort")
		library.at("/in")
	}
}

// afterwards: the page says that the session is over, and what was typed is there again.
func (p *traveller) afterwards(wish string) {
	p.t.Helper()
	until(p.t, 2*time.Minute, "the page says that the session is over", func() bool { return p.shows("#session [data-ended] a") })
	p.picture("ended")
	p.press("#session [data-ended] a")
	p.at("/in")
	p.fill("#passphrase", p.passphrase)
	p.submit("/in")
	p.goTo("/paspoort")
	if got := p.textOf(`#want [name=wishes]`); got != wish {
		p.fatalf("after signing in again the form holds %q", got)
	}
	p.reads("words.drafted")
}

// afterwardsBare: without script the form is sent after the end.
func (p *traveller) afterwardsBare(wish string) {
	p.t.Helper()
	p.submit("/paspoort/words/want")
	p.at("/in")
	p.reads("notice.form-kept")
	p.fill("#passphrase", p.passphrase)
	p.submit("/in")
	p.goTo("/paspoort")
	if got := p.textOf(`#want [name=wishes]`); got != wish {
		p.fatalf("after signing in again the form holds %q", got)
	}
}
