package host

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/wallet"
)

// TestEndedInTheMiddle: a session that ends while a request of it is answered breaks nothing.
func TestEndedInTheMiddle(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	g.host.site.Pages.Handle("/slow", g.host.serve(g.host.member(func(w http.ResponseWriter, r *http.Request, s *session) error {
		g.host.sessions.leave(s)
		paspoort := g.host.open(r, s)
		if _, err := paspoort.List(); err != nil {
			return err
		}
		g.host.lookAtStandings(s, paspoort)
		_, err := io.WriteString(w, "klaar")
		return err
	})))
	if p.get("/slow"); p.Page != "klaar" {
		t.Errorf("got %d %s", p.Status, p.Page)
	}
	p.get("/paspoort").at("/in")
}

// TestOneCode: two devices show the same recovery code until it is confirmed, and what was
// confirmed opens the paspoort.
func TestOneCode(t *testing.T) {
	g := newRig(t)
	laptop := &holder{browser: g.browser()}
	laptop.post("/begin", "name", "Samira", "passphrase", goodSecret).at("/code")
	laptop.papers()
	phone := &holder{browser: g.browser()}
	phone.post("/in", "number", laptop.number, "passphrase", goodSecret)
	phone.get("/code").at("/code")
	phone.papers()
	if phone.code != laptop.code {
		t.Fatal("the phone shows another code than the laptop")
	}
	// The phone makes another one: the laptop's is not confirmed any more.
	phone.post("/code/new").at("/code")
	phone.papers()
	laptop.post("/code", "last", laptop.code[25:]).at("/code").says("niet de laatste 5 tekens")
	laptop.papers()
	if laptop.code != phone.code {
		t.Fatal("the laptop does not show the code that counts")
	}
	laptop.post("/code", "last", laptop.code[25:]).at("/paspoort")
	g.browser().post("/recover", "code", laptop.code).at("/passphrase")
	if scan(t, g.store, laptop.code[:5]) {
		t.Error("the code stands in the store")
	}
}

// TestSure: who sits down at an open browser cannot take everything along, or change how it
// is opened.
func TestSure(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	g.clock.Advance(sureFor)
	for _, path := range []string{"/passphrase", "/take"} {
		p.get(path).at("/again").says("Nog één keer uw wachtwoordzin")
		p.post(path, "passphrase", "een zin van een ander").at("/again")
	}
	p.post("/code/new").at("/again")
	p.post("/passkey/remove", "id", "ab").at("/again")
	p.post("/again", "to", "/take", "passphrase", "verkeerde zin").at("/again").says("klopt niet")
	p.post("/again", "to", "//elsewhere.example", "passphrase", goodSecret).at("/paspoort")
	p.get("/take").at("/take")
	p.post("/passphrase", "passphrase", "regen lamp stoel kaas").at("/care").says("Uw nieuwe wachtwoordzin werkt")
}

// TestRequestOfBefore: a request that began as a visitor's does not get in when somebody
// signs in with the same cookie.
func TestRequestOfBefore(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	p.post("/leave")
	p.get("/take").at("/in") // a visitor with a cookie
	cookie := p.client.Jar.Cookies(mustURL(t, g.server.URL))
	begun, release := io.Pipe()
	thief := g.browser()
	r, err := http.NewRequest(http.MethodPost, g.server.URL+"/take", begun)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range cookie {
		r.AddCookie(c)
	}
	var got *http.Response
	done := make(chan error, 1)
	go func() {
		var err error
		got, err = thief.client.Do(r)
		done <- err
	}()
	if _, err := io.WriteString(release, "passphrase=de+zin+van+"); err != nil {
		t.Fatal(err)
	}
	p.post("/in", "passphrase", goodSecret).at("/take")
	if _, err := io.WriteString(release, "de+dief"); err != nil {
		t.Fatal(err)
	}
	release.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.Header.Get("Content-Disposition") != "" {
		t.Error("the thief has the archive")
	}
}

// TestManyGuesses: guesses that come at the same time are counted as if they came one by one.
func TestManyGuesses(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	var wait sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	for range 20 {
		b := g.browser()
		wait.Go(func() {
			b.post("/in", "number", p.number, "passphrase", "geraden zin")
			mu.Lock()
			defer mu.Unlock()
			counts[b.Status]++
		})
	}
	wait.Wait()
	if counts[http.StatusUnprocessableEntity] > 5 || counts[http.StatusTooManyRequests] < 15 {
		t.Errorf("got %v, want at most five tries", counts)
	}
}

// TestRemoveAgain: deleting that was broken off goes on at the next start, and nothing of
// the account is left.
func TestRemoveAgain(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	id := accountsOf(t, g)[0]
	if err := wallet.Destroy(g.host.part(id)); err != nil { // as far as it came
		t.Fatal(err)
	}
	p.post("/end", "passphrase", goodSecret).at("/ended")
	if ids := accountsOf(t, g); len(ids) != 0 {
		t.Errorf("left: %v", ids)
	}
	err := g.store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte("host/"), func(key, _ []byte) error {
			if string(key) != countKey {
				t.Errorf("%s is left", key)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFetchTwice: a button that is pressed twice fetches once, and what came is kept.
func TestFetchTwice(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	_, query, _ := strings.Cut(g.vci.Link(opleidingID, ""), "?")
	p.get("/offer?" + query).at("/offer/[^/]+")
	offer := p.Path
	var wait sync.WaitGroup
	for range 3 {
		b := &browser{g: g, client: p.client}
		wait.Go(func() { b.post(offer).at(offer + "/look") })
	}
	wait.Wait()
	p.post(offer + "/keep").at("/paspoort/[^/]+")
}

// TestLargePictures: a picture that would fill the memory is refused before it is unpacked.
func TestLargePictures(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray16(image.Rect(0, 0, 8000, 4000))); err != nil {
		t.Fatal(err)
	}
	if _, err := readQR(b.Bytes()); err != errPhotoLarge {
		t.Errorf("got %v", err)
	}
}

// TestVisitors: what strangers have kept is bounded.
func TestVisitors(t *testing.T) {
	g := newRig(t)
	b := g.browser()
	if b.get("/offer?credential_offer_uri=" + strings.Repeat("x", maxVisitorBring)); b.Status != http.StatusBadRequest {
		t.Errorf("a long offer of a stranger: got %d", b.Status)
	}
	g.host.limits.visitors.free = 3
	for range 4 {
		b = g.browser()
		b.get("/offer?credential_offer_uri=https%3A%2F%2Fx.example")
	}
	if b.Status != http.StatusServiceUnavailable {
		t.Errorf("one visitor too many: got %d", b.Status)
	}
	g.clock.Advance(time.Hour)
	g.browser().get("/offer?credential_offer_uri=https%3A%2F%2Fx.example").at("/")
}
