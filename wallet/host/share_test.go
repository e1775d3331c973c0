package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/wallet"
)

// A shareRig is a host with a holder who has own words to share, over real http.
type shareRig struct {
	t      *testing.T
	clock  *testkit.Clock
	host   *Host
	server *httptest.Server
	url    string
	log    *lockedBuffer
	holder *http.Client
	id     string
	item   string
	open   *wallet.Wallet
}

// lockedBuffer is a log that many goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// nowhere is a network without anything in it.
type nowhere struct{}

func (nowhere) Do(*http.Request) (*http.Response, error) { return nil, errors.New("nothing answers") }
func (nowhere) Get(context.Context, string, ...string) ([]byte, string, error) {
	return nil, "", errors.New("nothing answers")
}

const rigPassphrase = "tulp fiets brug koek"

func newShareRig(t *testing.T) *shareRig { return newShareRigOn(t, kv.NewMemory()) }

func newShareRigOn(t *testing.T, store kv.Store) *shareRig {
	t.Helper()
	rig := &shareRig{t: t, clock: testkit.NewClock(time.Time{}), log: new(lockedBuffer)}
	key, err := jose.Generate(jose.ES256)
	rig.must(err)
	rig.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { rig.host.Handler().ServeHTTP(w, r) }))
	rig.server.Start()
	t.Cleanup(rig.server.Close)
	rig.url = strings.Replace(rig.server.URL, "127.0.0.1", "localhost", 1) // passkeys want a name
	rig.host, err = New(Config{
		URL: rig.url, Name: "Paspoorthuis Aakermonde", Store: store, ReceiptKey: key, Clock: rig.clock.Now,
		Wallet: wallet.Config{HTTP: nowhere{}, Fetch: nowhere{}}, Log: slog.New(slog.NewJSONHandler(rig.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	rig.must(err)
	rig.holder, rig.id, rig.open = rig.newHolder("Samira")
	rig.item, err = rig.open.Declare(map[string]any{"title": "Over mij", "who_i_am": "Ik bouw graag windmolens.", "wishes": []any{"Geheime wens"}, "evidence": "self", "language": "nl"})
	rig.must(err)
	return rig
}

func (rig *shareRig) must(err error) {
	rig.t.Helper()
	if err != nil {
		rig.t.Fatal(err)
	}
}

// newHolder makes a paspoort and a browser in which it is open.
func (rig *shareRig) newHolder(name string) (*http.Client, string, *wallet.Wallet) {
	rig.t.Helper()
	a, paspoort, err := rig.host.found(httptest.NewRequest(http.MethodPost, "/begin", nil), name, []byte(rigPassphrase))
	rig.must(err)
	return rig.signedIn(a.ID, paspoort), a.ID, paspoort
}

// signedIn is a browser in which a paspoort is open.
func (rig *shareRig) signedIn(id string, paspoort *wallet.Wallet) *http.Client {
	rig.t.Helper()
	cookie, err := rig.host.sessions.start(&session{holder: id, paspoort: paspoort, own: true})
	rig.must(err)
	client := rig.browser()
	u, err := url.Parse(rig.url)
	rig.must(err)
	client.Jar.SetCookies(u, []*http.Cookie{{Name: rig.host.cookieName(sessionCookie), Value: cookie, Path: "/"}})
	return client
}

// browser keeps cookies and follows nothing.
func (rig *shareRig) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	rig.must(err)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// do sends a request and gives the answer with its text. A path may be a whole address.
func (rig *shareRig) do(c *http.Client, method, at string, form url.Values) (*http.Response, string) {
	rig.t.Helper()
	resp, text, err := rig.try(c, method, at, form)
	rig.must(err)
	return resp, text
}

func (rig *shareRig) try(c *http.Client, method, at string, form url.Values) (*http.Response, string, error) {
	if strings.HasPrefix(at, "/") {
		at = rig.url + at
	}
	r, err := http.NewRequest(method, at, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(resp.Body)
	return resp, text.String(), err
}

var (
	tokenPattern  = regexp.MustCompile(`name="token" value="([^"]+)"`)
	linkPattern   = regexp.MustCompile(`id="link"[^>]*>([^<]+)<`)
	codePattern   = regexp.MustCompile(`<span>(\d{3})</span> <span>(\d{3})</span>`)
	ticketPattern = regexp.MustCompile(`name="ticket" value="([^"]+)"`)
	keyPattern    = regexp.MustCompile(`name="line-[^"]+" value="([^"]+)" checked`)
)

func (rig *shareRig) find(pattern *regexp.Regexp, text string) string {
	rig.t.Helper()
	found := pattern.FindStringSubmatch(text)
	if found == nil {
		rig.t.Fatalf("%s is not in %s", pattern, text)
	}
	return strings.Join(found[1:], "")
}

// form is the form of a new share as a browser would send it.
func (rig *shareRig) form(second bool) url.Values {
	rig.t.Helper()
	_, text := rig.do(rig.holder, http.MethodGet, "/shares/new", nil)
	f := url.Values{"form": {"share"}, "token": {rig.find(tokenPattern, text)}, "item": {rig.item}, "by": {"Samira V."}, "purpose": {"Werken bij de molenmaker"}, "days": {"14"}, "times": {"10"}}
	for _, key := range keyPattern.FindAllStringSubmatch(text, -1) {
		f.Add("line-"+rig.item, key[1])
	}
	if second {
		f.Set("second", "1")
	}
	return f
}

// share makes a share and gives its link and its second code.
func (rig *shareRig) share(second bool) (link, code string) {
	rig.t.Helper()
	resp, text := rig.do(rig.holder, http.MethodPost, "/shares/new", rig.form(second))
	if resp.StatusCode != http.StatusSeeOther {
		rig.t.Fatalf("making it answers %d: %s", resp.StatusCode, text)
	}
	_, text = rig.do(rig.holder, http.MethodGet, resp.Header.Get("Location"), nil)
	if second {
		code = rig.find(codePattern, text)
	}
	return rig.find(linkPattern, text), code
}

// opens opens a link and goes where that leads.
func (rig *shareRig) opens(reader *http.Client, link, code string) (view, text string) {
	rig.t.Helper()
	resp, text := rig.do(reader, http.MethodPost, link, url.Values{"code": {code}})
	view = resp.Header.Get("Location")
	if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(view, link[strings.Index(link, "/s/"):]+"/view/") {
		rig.t.Fatalf("opening it answers %d, %q: %s", resp.StatusCode, view, text)
	}
	_, text = rig.do(reader, http.MethodGet, view, nil)
	return view, text
}

// state is the row of a link.
func (rig *shareRig) state(link string) shareRow {
	rig.t.Helper()
	secret, err := wallet.ParseShareSecret(link[strings.LastIndex(link, "/")+1:])
	rig.must(err)
	row, err := rig.host.share(placeOf(secret))
	rig.must(err)
	return row
}

// TestShareJourney: made once, looked at without opening it, opened, told to its holder.
func TestShareJourney(t *testing.T) {
	rig := newShareRig(t)
	form := rig.form(false)
	first, _ := rig.do(rig.holder, http.MethodPost, "/shares/new", form)
	twice, _ := rig.do(rig.holder, http.MethodPost, "/shares/new", form)
	made := first.Header.Get("Location")
	if made == "" || twice.Header.Get("Location") != made {
		t.Errorf("pressing twice leads to %q and %q", made, twice.Header.Get("Location"))
	}
	_, text := rig.do(rig.holder, http.MethodGet, made, nil)
	link := rig.find(linkPattern, text)
	if _, text = rig.do(rig.holder, http.MethodGet, made, nil); rig.find(linkPattern, text) != link {
		t.Error("loading the page anew shows another link")
	}
	if resp, _ := rig.do(rig.holder, http.MethodGet, made+"/qr.svg", nil); resp.Header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("qr code: %d", resp.StatusCode)
	}
	if shares, err := rig.open.Shares(); err != nil || len(shares) != 1 {
		t.Fatalf("%d shares, %v", len(shares), err)
	}
	reader := rig.browser()
	for range 2 {
		resp, text := rig.do(reader, http.MethodGet, link, nil)
		if resp.StatusCode != http.StatusOK || !strings.Contains(text, "Samira V.") || !strings.Contains(text, "Werken bij de molenmaker") || strings.Contains(text, "windmolens") {
			t.Errorf("before opening: %d %s", resp.StatusCode, text)
		}
		for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
	if rig.state(link).Left != 10 {
		t.Error("looking counted as an opening")
	}
	if _, text = rig.opens(reader, link, ""); !strings.Contains(text, "windmolens") || strings.Contains(text, "Geheime wens") {
		t.Errorf("opened: %s", text)
	}
	rig.checkFile(reader, link, rig.find(ticketPattern, text))
	if rig.state(link).Left != 9 {
		t.Errorf("%d left after one opening", rig.state(link).Left)
	}
	if _, text = rig.do(rig.holder, http.MethodGet, "/shares", nil); !strings.Contains(text, "1 keer") {
		t.Errorf("the list does not tell it: %s", text)
	}
	rig.checkReceipt()
	rig.clock.Advance(madeAge)
	if resp, _ := rig.do(rig.holder, http.MethodGet, made, nil); resp.Header.Get("Location") != "/shares" {
		t.Errorf("the link is still shown later: %d", resp.StatusCode)
	}
}

// checkFile fetches the proofs: no opening, for this opening only, for a while.
func (rig *shareRig) checkFile(reader *http.Client, link, ticket string) {
	rig.t.Helper()
	other, _ := rig.share(false)
	if resp, _ := rig.do(rig.browser(), http.MethodPost, link+"/proofs", url.Values{"ticket": {ticket}}); resp.StatusCode != http.StatusGone {
		rig.t.Errorf("another browser: %d", resp.StatusCode)
	}
	resp, text := rig.do(reader, http.MethodPost, link+"/proofs", url.Values{"ticket": {ticket}})
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(text, "eyJ") || strings.Count(text, "\n") != 1 || !strings.Contains(resp.Header.Get("Content-Disposition"), "attachment") {
		rig.t.Errorf("the file: %d %.80s", resp.StatusCode, text)
	}
	for _, at := range []string{link + "/proofs", other + "/proofs"} {
		bad := url.Values{"ticket": {ticket}}
		if at == link+"/proofs" {
			bad = url.Values{"ticket": {"x"}}
		}
		if resp, _ := rig.do(reader, http.MethodPost, at, bad); resp.StatusCode != http.StatusGone {
			rig.t.Errorf("another ticket: %d", resp.StatusCode)
		}
	}
	rig.clock.Advance(ticketAge + time.Second)
	if resp, _ := rig.do(reader, http.MethodPost, link+"/proofs", url.Values{"ticket": {ticket}}); resp.StatusCode != http.StatusGone {
		rig.t.Errorf("an old ticket: %d", resp.StatusCode)
	}
	rig.clock.Advance(-ticketAge)
}

// checkReceipt verifies the receipt in the history with the published key.
func (rig *shareRig) checkReceipt() {
	rig.t.Helper()
	events, err := rig.open.History()
	rig.must(err)
	_, text := rig.do(rig.browser(), http.MethodGet, "/.well-known/jwks.json", nil)
	var keys jose.KeySet
	rig.must(json.Unmarshal([]byte(text), &keys))
	for _, e := range events {
		if e.Kind != wallet.EventShareOpened {
			continue
		}
		signed, err := jose.Parse(e.Receipt)
		rig.must(err)
		key, ok := keys.Find(signed.Header.KeyID)
		if !ok || signed.Header.Type != ReceiptType {
			rig.t.Errorf("header %+v", signed.Header)
		}
		rig.must(signed.Verify(key.Public, jose.ES256))
		var claims struct {
			Issuer  string `json:"iss"`
			Share   string `json:"share"`
			Opening int    `json:"opening"`
			At      int64  `json:"iat"`
		}
		rig.must(json.Unmarshal(signed.Payload, &claims))
		if claims.Issuer != rig.url || claims.Share != e.Share || claims.Opening != 1 || claims.At != e.At.Unix() {
			rig.t.Errorf("receipt %+v for %+v", claims, e)
		}
		return
	}
	rig.t.Error("no opening is in the history")
}

// TestShareOpenings: twenty readers at once open it ten times, and each is in the history.
func TestShareOpenings(t *testing.T) {
	for _, second := range []bool{false, true} {
		t.Run(fmt.Sprintf("code=%v", second), func(t *testing.T) {
			rig := newShareRig(t)
			link, code := rig.share(second)
			var shown, refused atomic.Int32
			var wait sync.WaitGroup
			for range 20 {
				wait.Go(func() {
					reader := rig.browser()
					resp, text, err := rig.try(reader, http.MethodPost, link, url.Values{"code": {code}})
					if err == nil && resp.StatusCode == http.StatusSeeOther {
						resp, text, err = rig.try(reader, http.MethodGet, resp.Header.Get("Location"), nil)
					}
					switch {
					case err != nil:
						t.Error(err)
					case resp.StatusCode == http.StatusOK && strings.Contains(text, "windmolens"):
						shown.Add(1)
					case resp.StatusCode == http.StatusGone && !strings.Contains(text, "windmolens"):
						refused.Add(1)
					default:
						t.Errorf("%d %s", resp.StatusCode, text)
					}
				})
			}
			wait.Wait()
			if shown.Load() != 10 || refused.Load() != 10 {
				t.Errorf("shown %d times, refused %d times", shown.Load(), refused.Load())
			}
			row := rig.state(link)
			if row.Closed != closedUsedUp || row.Sealed.Content != nil || row.Sealed.Meta != nil {
				t.Errorf("the row: %+v", row)
			}
			messages, err := rig.open.Inbox()
			if err != nil || len(messages) != 10 {
				t.Errorf("%d messages, %v", len(messages), err)
			}
		})
	}
}

// TestShareWithdrawn: it stops at once, for the holder alone, and what was sealed is gone.
func TestShareWithdrawn(t *testing.T) {
	rig := newShareRig(t)
	link, _ := rig.share(false)
	shares, err := rig.open.Shares()
	rig.must(err)
	other, otherID, _ := rig.newHolder("Ander")
	if resp, _ := rig.do(other, http.MethodPost, "/shares/"+shares[0].ID+"/withdraw", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("another holder: %d", resp.StatusCode)
	}
	if err := rig.host.closeShare(otherID, shares[0].Place, closedWithdrawn); !errors.Is(err, errNotHere) {
		t.Errorf("in the name of another: %v", err)
	}
	if rig.state(link).Closed != "" {
		t.Fatal("another holder closed it")
	}
	rig.do(rig.holder, http.MethodPost, "/shares/"+shares[0].ID+"/forget", nil)
	if left, err := rig.open.Shares(); err != nil || len(left) != 1 {
		t.Errorf("an open share was forgotten: %v", err)
	}
	rig.do(rig.holder, http.MethodPost, "/shares/"+shares[0].ID+"/withdraw", nil)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		resp, text := rig.do(rig.browser(), method, link, nil)
		if resp.StatusCode != http.StatusGone || strings.Contains(text, "windmolens") || !strings.Contains(text, "ingetrokken") || !strings.Contains(text, link[strings.Index(link, "/s/"):]+"/ask") {
			t.Errorf("%s after: %d %s", method, resp.StatusCode, text)
		}
	}
	if row := rig.state(link); row.Sealed.Meta != nil || row.Sealed.Content != nil {
		t.Error("what was sealed is still there")
	}
	rig.do(rig.holder, http.MethodPost, "/shares/"+shares[0].ID+"/forget", nil)
	if left, err := rig.open.Shares(); err != nil || len(left) != 0 {
		t.Errorf("not forgotten: %v %v", left, err)
	}
}

// TestShareCodes: five wrong codes close it; a right one begins the count again, and none is no
// guess.
func TestShareCodes(t *testing.T) {
	rig := newShareRig(t)
	link, code := rig.share(true)
	reader := rig.browser()
	guess := func(code string) (int, string) {
		resp, text := rig.do(reader, http.MethodPost, link, url.Values{"code": {code}})
		return resp.StatusCode, text
	}
	wrong := "000001"
	if code == wrong {
		wrong = "000002"
	}
	for range 8 {
		if status, _ := guess(""); status != http.StatusUnprocessableEntity {
			t.Fatalf("no code: %d", status)
		}
	}
	for i := range 4 {
		if status, text := guess(wrong); status != http.StatusUnprocessableEntity || strings.Contains(text, "windmolens") {
			t.Fatalf("wrong code %d: %d", i, status)
		}
	}
	if _, text := rig.opens(reader, link, code[:3]+" "+code[3:]); !strings.Contains(text, "windmolens") {
		t.Fatalf("right code: %s", text)
	}
	for range 4 {
		guess(wrong)
	}
	if rig.state(link).Closed != "" || rig.state(link).Left != 9 {
		t.Errorf("after four more: %+v", rig.state(link))
	}
	if status, _ := guess(wrong); status != http.StatusGone {
		t.Errorf("the fifth: %d", status)
	}
	if status, text := guess(code); status != http.StatusGone || strings.Contains(text, "windmolens") {
		t.Errorf("the right code afterwards: %d", status)
	}
	if row := rig.state(link); row.Closed != closedCodes || row.Sealed.Content != nil {
		t.Errorf("the row: %+v", row)
	}
}

// TestShareEnds: the clock closes it; asked for anew once a day; forgotten after ninety days.
func TestShareEnds(t *testing.T) {
	rig := newShareRig(t)
	link, _ := rig.share(false)
	reader := rig.browser()
	rig.clock.Advance(14*24*time.Hour - time.Second)
	if resp, _ := rig.do(reader, http.MethodGet, link, nil); resp.StatusCode != http.StatusOK {
		t.Errorf("a second before: %d", resp.StatusCode)
	}
	rig.do(reader, http.MethodPost, link+"/ask", nil) // it is open: there is nothing to ask
	rig.clock.Advance(time.Second)
	if resp, text := rig.do(reader, http.MethodPost, link, nil); resp.StatusCode != http.StatusGone || strings.Contains(text, "windmolens") {
		t.Errorf("afterwards: %d", resp.StatusCode)
	}
	rig.must(rig.host.sweepShares())
	if row := rig.state(link); row.Closed != closedEnded || row.Sealed.Content != nil {
		t.Errorf("after sweeping: %+v", row)
	}
	for range 3 {
		if resp, _ := rig.do(reader, http.MethodPost, link+"/ask", nil); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("asking: %d", resp.StatusCode)
		}
	}
	rig.clock.Advance(askAgain)
	rig.do(reader, http.MethodPost, link+"/ask", nil)
	messages, err := rig.open.Inbox()
	if err != nil || len(messages) != 1 || messages[0].Kind != wallet.MessageAsked { // the others wait for the first to be read
		t.Errorf("asked: %+v %v", messages, err)
	}
	rig.clock.Advance(closedKept)
	rig.must(rig.host.sweepShares())
	for _, at := range []string{link, link[:len(link)-43] + strings.Repeat("A", 43), "/s/x"} {
		if resp, _ := rig.do(reader, http.MethodGet, at, nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", at, resp.StatusCode)
		}
	}
}

// TestShareLeaves: when the holder goes, so do the shares.
func TestShareLeaves(t *testing.T) {
	rig := newShareRig(t)
	link, _ := rig.share(false)
	rig.must(rig.host.closeShares(rig.id))
	resp, text := rig.do(rig.browser(), http.MethodGet, link, nil)
	if resp.StatusCode != http.StatusGone || strings.Contains(text, "/ask") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if row := rig.state(link); row.Closed != closedLeft || row.Sealed.Content != nil {
		t.Errorf("the row: %+v", row)
	}
}

// TestShareForm: a form with something missing makes nothing and keeps what was filled in.
func TestShareForm(t *testing.T) {
	rig := newShareRig(t)
	for name, change := range map[string]func(url.Values){
		"nothing":     func(f url.Values) { f.Del("item") },
		"no name":     func(f url.Values) { f.Set("by", " ") },
		"no purpose":  func(f url.Values) { f.Set("purpose", "") },
		"long":        func(f url.Values) { f.Set("purpose", strings.Repeat("a", maxPurpose+1)) },
		"for ever":    func(f url.Values) { f.Set("days", "36500") },
		"so often":    func(f url.Values) { f.Set("times", "-1") },
		"not there":   func(f url.Values) { f.Set("item", "weg") },
		"no such key": func(f url.Values) { f.Set("line-"+rig.item, "given_name") },
		"old form":    func(f url.Values) { f.Set("token", "x") },
	} {
		form := rig.form(false)
		change(form)
		resp, text := rig.do(rig.holder, http.MethodPost, "/shares/new", form)
		if resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text, `role="alert"`) || !strings.Contains(text, form.Get("purpose")) {
			t.Errorf("%s: %d %s", name, resp.StatusCode, text)
		}
	}
	if shares, err := rig.open.Shares(); err != nil || len(shares) != 0 {
		t.Errorf("made %d, %v", len(shares), err)
	}
	if resp, _ := rig.do(rig.browser(), http.MethodGet, "/shares", nil); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a stranger sees the list: %d", resp.StatusCode)
	}
}
