package host

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

func certificates(c ...*x509.Certificate) []*x509.Certificate { return c }

// TestBegin: a paspoort needs a name and a passphrase, and nothing else; the recovery code
// is confirmed before anything comes in.
func TestBegin(t *testing.T) {
	g := newRig(t)
	b := g.browser()
	for _, tt := range []struct{ name, passphrase, want string }{
		{"", goodSecret, "Vul een naam in"}, {strings.Repeat("x", 61), goodSecret, "Vul een naam in"},
		{"Samira", "kort", "Dit is te kort"}, {"Samira", "wachtwoord1", "te snel"}, {"Samira van Dijk", "samira van dijk", "te snel"}, {"Samira", "aaaaaaaaaa", "te snel"},
	} {
		b.post("/begin", "name", tt.name, "passphrase", tt.passphrase).at("/begin").says(tt.want)
		if b.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q, %q: got %d", tt.name, tt.passphrase, b.Status)
		}
	}
	b.get("/paspoort").at("/in")
	p := &holder{browser: b}
	p.post("/begin", "name", "Samira", "passphrase", goodSecret).at("/code")
	p.papers()
	_, query, _ := strings.Cut(g.vci.Link(opleidingID, offerCode), "?")
	p.get("/offer?" + query).at("/code").says("Er wacht een bewijs")
	p.post("/code", "last", "AAAAA").at("/code").says("niet de laatste 5 tekens")
	if again := codeOnPage.FindAllStringSubmatch(p.Page, -1); len(again) != 6 || again[0][1] != p.code[:5] {
		t.Errorf("a wrong answer made another code")
	}
	// Small letters, and letters for digits, as people write them.
	p.post("/code", "last", strings.ToLower(strings.NewReplacer("0", "o", "1", "l").Replace(p.code[25:]))).at("/offer/[^/]+")
}

// TestSignIn: the number and the passphrase open a paspoort, from any device; a number that
// nobody has is answered like a wrong passphrase.
func TestSignIn(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	other := g.browser()
	other.post("/in", "number", p.number, "passphrase", "een andere zin").at("/in").says("passen niet bij elkaar")
	wrong := other.Page
	nobody := unusedNumber(t, g)
	other.post("/in", "number", nobody, "passphrase", goodSecret).at("/in").says("passen niet bij elkaar")
	if got := strings.ReplaceAll(other.Page, nobody, p.number); got != wrong {
		t.Errorf("an unknown number is told from a wrong passphrase")
	}
	other.post("/in", "number", "1234", "passphrase", goodSecret).at("/in").says("klopt niet")
	other.post("/in", "number", p.number, "passphrase", goodSecret).at("/paspoort").says("Samira")
	// A second time this device knows the number.
	other.post("/leave").at("/left")
	other.get("/in").says(p.number)
	other.post("/in", "passphrase", goodSecret).at("/paspoort")
	if log := g.log.String(); strings.Contains(log, "Samira") || strings.Contains(log, strings.ReplaceAll(p.number, " ", "")) {
		t.Errorf("the log names a holder:\n%s", log)
	}
}

// TestNotMyDevice: on another's device nothing stays.
func TestNotMyDevice(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	b := g.browser()
	b.post("/in", "number", p.number, "passphrase", goodSecret, "away", "1").at("/paspoort").says("Dit is niet uw apparaat")
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.post("/leave")
	if got := b.Header.Get("Clear-Site-Data"); !strings.Contains(got, "storage") {
		t.Errorf("Clear-Site-Data: got %q", got)
	}
	b.get("/in")
	if strings.Contains(b.Page, p.number) {
		t.Error("the number stays behind")
	}
}

// TestCookies: cookies belong to this host, scripts cannot read them, and none but that of a
// device outlives the browser.
func TestCookies(t *testing.T) {
	g := newRig(t, func(c *Config) { c.URL = "https://paspoort.example" })
	b := g.browser()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.post("/begin", "name", "Samira", "passphrase", goodSecret)
	cookies := (&http.Response{Header: b.Header}).Cookies()
	if len(cookies) != 2 {
		t.Fatalf("got %v", cookies)
	}
	for _, c := range cookies {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.HttpOnly || !c.Secure || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("got %v", c)
		}
		if lasting := c.MaxAge > 0 || !c.Expires.IsZero(); lasting != (c.Name == "__Host-"+deviceCookie) {
			t.Errorf("%s lasts: %v", c.Name, lasting)
		}
	}
	for header, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
		if got := b.get("/").Header.Get(header); !strings.Contains(got, want) || strings.Contains(got, "unsafe") {
			t.Errorf("%s: got %q", header, got)
		}
	}
}

// TestForeignPosts: a form on another site does nothing here.
func TestForeignPosts(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	for _, path := range []string{"/leave", "/care/name", "/end", "/shares/new", "/passkey/in/options"} {
		r, err := http.NewRequest(http.MethodPost, g.server.URL+path, strings.NewReader("name=Eva&passphrase="+goodSecret))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://elsewhere.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if p.do(r); p.Status != http.StatusForbidden {
			t.Errorf("%s: got %d", path, p.Status)
		}
	}
	p.get("/paspoort").at("/paspoort").says("Samira")
}

// TestFixation: a cookie that somebody planted before signing in opens nothing after it.
func TestFixation(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.post("/leave")
	thief := g.browser()
	thief.get("/paspoort").at("/in") // a visitor with a cookie
	victim := g.browser()
	victim.client.Jar = thief.client.Jar
	planted := thief.client.Jar.Cookies(mustURL(t, g.server.URL))
	victim.post("/in", "number", p.number, "passphrase", goodSecret).at("/paspoort")
	again := g.browser()
	again.client.Jar.SetCookies(mustURL(t, g.server.URL), planted)
	again.get("/paspoort").at("/in")
}

// TestGuessing: guesses are slowed down, and the holder's own device is not locked out by
// them.
func TestGuessing(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.post("/leave")
	thief := g.browser()
	for range 6 {
		thief.post("/in", "number", p.number, "passphrase", "geraden zin")
	}
	if thief.says("te vaak"); thief.Status != http.StatusTooManyRequests {
		t.Errorf("got %d", thief.Status)
	}
	// Also with the right passphrase now, from there.
	thief.post("/in", "number", p.number, "passphrase", goodSecret).at("/in").says("te vaak")
	p.post("/in", "passphrase", goodSecret).at("/paspoort")
	p.post("/leave")
	// The recovery code opens it from anywhere.
	g.browser().post("/recover", "code", p.code).at("/passphrase")
	g.clock.Advance(2 * time.Hour)
	thief.post("/in", "number", p.number, "passphrase", "nog een zin").at("/in").says("passen niet")
}

// unusedNumber is a number that nobody has.
func unusedNumber(t *testing.T, g *rig) string {
	t.Helper()
	number, err := newNumber(g.host.c.Rand)
	if err != nil {
		t.Fatal(err)
	}
	return spaced(number)
}

// TestRecover: the code alone opens a paspoort; a new passphrase and a new code follow, and
// the old ones open nothing any more.
func TestRecover(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	old := p.code
	b := g.browser()
	b.post("/recover", "code", "7Q2XK").at("/recover").says("typefout")
	lost := &holder{browser: b}
	lost.post("/recover", "code", strings.ToLower(old)).at("/passphrase").says("nieuwe wachtwoordzin")
	lost.post("/passphrase", "passphrase", "regen lamp stoel kaas").at("/code")
	lost.papers()
	if lost.code == old {
		t.Error("the recovery code stays the same")
	}
	lost.post("/code", "last", lost.code[25:]).at("/paspoort").says("Samira")
	p.get("/paspoort").at("/in") // other sessions ended
	p.post("/in", "passphrase", goodSecret).at("/in").says("passen niet")
	p.post("/in", "passphrase", "regen lamp stoel kaas").at("/paspoort")
	g.browser().post("/recover", "code", old).at("/recover").says("past bij geen paspoort")
}

// TestSessionEnds: a session ends after half an hour without a page, and in any case after
// eight hours; a form that comes too late is kept, sealed, for its holder.
func TestSessionEnds(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	for range 15 {
		g.clock.Advance(29 * time.Minute)
		p.get("/care").at("/care")
	}
	g.clock.Advance(29 * time.Minute)
	p.post("/session/stay", "back", "/care").at("/care")
	g.clock.Advance(29 * time.Minute)
	p.get("/care").at("/in") // eight hours
	p.post("/in", "passphrase", goodSecret).at("/care")
	g.clock.Advance(31 * time.Minute)
	p.post("/paspoort/words/who", "form", "words-who", "who_i_am", "Ik werk graag buiten").at("/in").says("bewaard")
	if found := scan(t, g.store, "graag buiten"); found {
		t.Error("the form can be read where it is stored")
	}
	p.post("/in", "passphrase", goodSecret).at("/paspoort")
	w := g.host.sessions.live
	for _, s := range w {
		if s.paspoort == nil {
			continue
		}
		draft, err := s.paspoort.Draft("words-who")
		if err != nil || draft.Get("who_i_am") != "Ik werk graag buiten" {
			t.Errorf("the draft is %v, %v", draft, err)
		}
	}
}

// TestEnd: deleting everything takes every way to open it out of the store, and every row.
func TestEnd(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	other := g.holder("Joost")
	p.get("/end").says("1 bewijs", "geen reservekopieën")
	p.post("/end", "passphrase", "verkeerd").at("/end").says("klopt niet")
	p.post("/end", "passphrase", goodSecret).at("/ended").says("gewist")
	rows := 0
	if err := g.store.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(key, _ []byte) error {
			rows++
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	g.browser().post("/in", "number", p.number, "passphrase", goodSecret).at("/in").says("passen niet")
	g.browser().post("/recover", "code", p.code).at("/recover").says("past bij geen")
	other.get("/paspoort").at("/paspoort").says("Joost")
	if n := len(accountsOf(t, g)); n != 1 {
		t.Errorf("%d accounts are left, want 1", n)
	}
}

// TestHalfMade: an account whose making was broken off is swept at the next start.
func TestHalfMade(t *testing.T) {
	g := newRig(t)
	if _, err := g.host.newAccount(); err != nil {
		t.Fatal(err)
	}
	g.holder("Samira")
	if err := g.host.sweepAccounts(); err != nil {
		t.Fatal(err)
	}
	if n := len(accountsOf(t, g)); n != 2 {
		t.Errorf("%d accounts, want 2: one was being made", n)
	}
	g.host.born = g.clock.Advance(time.Second)
	if err := g.host.sweepAccounts(); err != nil {
		t.Fatal(err)
	}
	if n := len(accountsOf(t, g)); n != 1 {
		t.Errorf("%d accounts are left, want 1", n)
	}
}
