package host

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// TestShareViewAgain: loading anew and another language are no opening; the address alone
// shows nothing, and after a quarter of an hour neither does the browser that opened it.
func TestShareViewAgain(t *testing.T) {
	rig := newShareRig(t)
	link, _ := rig.share(false)
	reader := rig.browser()
	resp, _ := rig.do(reader, http.MethodPost, link, nil)
	view := resp.Header.Get("Location")
	cookie := resp.Header.Get("Set-Cookie")
	for _, want := range []string{"inzage=", "Path=/s/", "HttpOnly", "SameSite=Strict", "Max-Age=900"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("no %s in the cookie %q", want, cookie)
		}
	}
	for _, at := range []string{view, view, view + "?lang=en", view + "?lang=nl-A2", view + "?lang=nl"} {
		resp, text := rig.do(reader, http.MethodGet, at, nil)
		if resp.StatusCode != http.StatusOK || !strings.Contains(text, "windmolens") {
			t.Errorf("%s: %d %s", at, resp.StatusCode, text)
		}
		for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
	if left := rig.state(link).Left; left != 9 {
		t.Errorf("%d left after one opening", left)
	}
	over := func(what string, c *http.Client, at string) {
		t.Helper()
		resp, text := rig.do(c, http.MethodGet, at, nil)
		if resp.StatusCode != http.StatusGone || strings.Contains(text, "windmolens") || !strings.Contains(text, "Deze inzage is voorbij") {
			t.Errorf("%s: %d %s", what, resp.StatusCode, text)
		}
	}
	over("the address alone", rig.browser(), view)
	other, _ := rig.share(false)
	over("another share", reader, other[strings.Index(other, "/s/"):]+view[strings.LastIndex(view, "/view/"):])
	second, text := rig.opens(reader, other, "")
	if !strings.Contains(text, "windmolens") {
		t.Error("the second share does not open")
	}
	if _, text := rig.do(reader, http.MethodGet, view, nil); !strings.Contains(text, "windmolens") {
		t.Error("opening another share ended the view of the first")
	}
	stranger := rig.browser()
	rig.opens(stranger, other, "")
	over("another reader of the same share", stranger, second)
	rig.clock.Advance(ticketAge + time.Second)
	over("later", reader, view)
	if _, text := rig.do(reader, http.MethodGet, link, nil); strings.Contains(text, "windmolens") || rig.state(link).Left != 9 {
		t.Error("going back to the link opens it")
	}
	rig.must(rig.host.sweepShares())
	if n := &rig.host.shares.tickets; len(n.live) != 0 || n.size != 0 {
		t.Errorf("%d tickets of %d bytes stay", len(n.live), n.size)
	}
}

// TestShareViewWithdrawn: who withdraws a link ends what is being looked at, and the file.
func TestShareViewWithdrawn(t *testing.T) {
	rig := newShareRig(t)
	link, _ := rig.share(false)
	reader := rig.browser()
	view, text := rig.opens(reader, link, "")
	shares, err := rig.open.Shares()
	rig.must(err)
	rig.do(rig.holder, http.MethodPost, "/shares/"+shares[0].ID+"/withdraw", nil)
	if resp, _ := rig.do(reader, http.MethodGet, view, nil); resp.StatusCode != http.StatusGone {
		t.Errorf("the view: %d", resp.StatusCode)
	}
	if resp, _ := rig.do(reader, http.MethodPost, link+"/proofs", url.Values{"ticket": {rig.find(ticketPattern, text)}}); resp.StatusCode != http.StatusGone {
		t.Errorf("the file: %d", resp.StatusCode)
	}
}

// TestShareTicketsBounded: the oldest make room.
func TestShareTicketsBounded(t *testing.T) {
	rig := newShareRig(t)
	var all tickets
	var first string
	for i := range 60 {
		name, err := all.give(rig.host.c.Rand, rig.clock.Now(), ticket{text: strings.Repeat("x", 1<<20)})
		rig.must(err)
		if i == 0 {
			first = name
		}
		rig.clock.Advance(time.Second)
	}
	if _, there := all.live[first]; there || all.size > maxTickets || len(all.live) < 10 {
		t.Errorf("%d tickets of %d bytes", len(all.live), all.size)
	}
}

// TestShareBroken: a link that lost its end says so, in every language.
func TestShareBroken(t *testing.T) {
	rig := newShareRig(t)
	link, _ := rig.share(false)
	for _, at := range []string{link[:len(link)-1], link[:len(link)-20], link + ".", link[:len(link)-43], link[:len(link)-5] + "/view/x"} {
		for lang, want := range map[string]string{"nl": "Deze link is niet heel. Kopieer hem nog een keer, tot en met het laatste teken.",
			"nl-A2": "Deze link is niet heel. Kopieer hem nog een keer, tot en met het laatste teken.", "en": "This link is not complete. Copy it again"} {
			resp, text := rig.do(rig.browser(), http.MethodGet, at+"?lang="+lang, nil)
			if resp.StatusCode != http.StatusNotFound || !strings.Contains(text, want) || resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s in %s: %d %s", at, lang, resp.StatusCode, text)
			}
		}
	}
	if resp, text := rig.do(rig.browser(), http.MethodPost, link[:len(link)-1], nil); resp.StatusCode != http.StatusNotFound || !strings.Contains(text, "niet heel") {
		t.Errorf("the form: %d", resp.StatusCode)
	}
}

// TestShareAskedFor: the paspoort tells of a question until the holder saw the list.
func TestShareAskedFor(t *testing.T) {
	rig := newShareRig(t)
	link, _ := rig.share(false)
	_, _, other := rig.newHolder("Ander")
	want := func(when string, n int) {
		t.Helper()
		if got := rig.host.askedFor(rig.open); got != n {
			t.Errorf("%s: %d, want %d", when, got, n)
		}
		if got := rig.host.askedFor(other); got != 0 {
			t.Errorf("%s another holder is told of %d", when, got)
		}
	}
	want("before", 0)
	rig.clock.Advance(15 * 24 * time.Hour)
	rig.must(rig.host.sweepShares())
	rig.do(rig.browser(), http.MethodPost, link+"/ask", nil)
	want("asked", 1)
	rig.holder = rig.signedIn(rig.id, rig.open)
	if resp, text := rig.do(rig.holder, http.MethodGet, "/shares", nil); resp.StatusCode != http.StatusOK || !strings.Contains(text, "vroeg iemand om een nieuwe link") {
		t.Errorf("the list: %d %s", resp.StatusCode, text)
	}
	want("seen", 0)
	rig.clock.Advance(askAgain)
	rig.do(rig.browser(), http.MethodPost, link+"/ask", nil)
	want("asked again", 1)
}

// TestShareCommands: what a reader copies into a terminal fetches and checks, and nothing
// that an issuer wrote does anything else.
func TestShareCommands(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	region := evidencetest.New(t, clock.Now)
	issuer := region.Issuer("devaart.example.com", paspoort.Opleiding)
	holder, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	proof := wallet.FrozenItem{Presentation: issuer.Issue(paspoort.Opleiding, holder.Public()).String()}
	list := statusList(proof.Presentation)
	h := &Host{c: Config{Regions: []wallet.RegionSettings{{Genesis: region.Genesis, Nodes: []string{"https://knoop-1.example:8443/"}}, {Genesis: region.Genesis}}}}
	got := h.selfChecks(&wallet.FrozenShare{Items: []wallet.FrozenItem{proof, proof, {Presentation: "x"}}})
	want := "curl -fsS -o region.snapshot 'https://knoop-1.example:8443/v1/snapshot'\nmkdir -p lijsten\n" +
		"curl -fsS -H 'Accept: application/statuslist+jwt' -o lijsten/1.jwt '" + list + "'\n" +
		"paspoort verify bewijzen.txt --genesis " + region.Genesis + " --registry region.snapshot --status lijsten\n"
	if len(got) != 1 || got[0].Snippet != want || list == "" {
		t.Errorf("%+v, want %s", got, want)
	}
	for _, bad := range []string{"", "x", "http://a.example/1", "https://a.example/'; rm -rf x; '", "https://a.example/\nrm", "https://a.example/$(id)", "https://a.example/`id`", "https://a.example/1 -o x", "https://a.example/1;id", "https://x@a.example/"} {
		if typeable.MatchString(bad) {
			t.Errorf("%q may stand in a command", bad)
		}
	}
}
