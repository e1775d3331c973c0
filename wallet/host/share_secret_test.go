package host

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/privacyscan"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/statuslist"
	"paspoort.example/paspoort/wallet"
)

// TestShareSecrets: after everything that can happen to a share, neither its link nor its
// code nor anything it says can be read on disk, in the log or in the metrics; what was
// planted there is found.
func TestShareSecrets(t *testing.T) {
	dir := t.TempDir()
	store, err := kv.OpenBadger(dir, kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rig := newShareRigOn(t, store)
	link, code := rig.share(true)
	secret := link[strings.LastIndex(link, "/")+1:]
	raw, err := jose.DecodeBase64URL(secret)
	rig.must(err)
	reader := rig.browser()
	rig.do(reader, http.MethodGet, link, nil)
	rig.do(reader, http.MethodPost, link, url.Values{"code": {"12"}})
	view, text := rig.opens(reader, link, code)
	if !strings.Contains(text, "windmolens") {
		t.Fatalf("it does not open: %s", text)
	}
	ticket := rig.find(ticketPattern, text)
	rig.do(rig.browser(), http.MethodGet, view, nil)
	withdrawn, _ := rig.share(false)
	shares, err := rig.open.Shares()
	rig.must(err)
	rig.do(rig.holder, http.MethodPost, "/shares/"+shares[0].ID+"/withdraw", nil)
	rig.do(reader, http.MethodGet, withdrawn, nil)
	rig.do(reader, http.MethodPost, withdrawn+"/ask", nil)
	// Something that fails: the store is gone.
	_, metrics := rig.do(reader, http.MethodGet, "/metrics", nil)
	const planted = "hier ligt een geplante tekst"
	rig.must(store.Update(func(tx kv.Tx) error { return tx.Set([]byte("host/planted"), []byte(planted)) }))
	rig.must(store.Close())
	rig.do(reader, http.MethodGet, link, nil)
	rig.do(reader, http.MethodGet, view, nil)
	rig.do(reader, http.MethodPost, link, url.Values{"code": {code}})

	words := []string{secret, ticket, string(raw), withdrawn[strings.LastIndex(withdrawn, "/")+1:], "windmolens", "molenmaker", "Samira V.", "Geheime wens", planted}
	scan, err := privacyscan.New(words...)
	rig.must(err)
	report, err := scan.Tree(dir)
	rig.must(err)
	found := map[string]bool{}
	for _, f := range report.Findings {
		found[f.Word] = true
	}
	if !found[planted] || len(found) != 1 {
		t.Errorf("on disk: %v", report.Findings)
	}
	if !strings.Contains(rig.log.String(), "/s/{secret}") {
		t.Error("the log says nothing of what failed: the test sees nothing")
	}
	for where, text := range map[string]string{"the log": rig.log.String(), "metrics": metrics} {
		if findings := scan.Bytes(where, []byte(text)); len(findings) > 0 {
			t.Errorf("%v", findings)
		}
		if strings.Contains(text, `"`+code+`"`) {
			t.Errorf("the code is in %s", where)
		}
	}
	hash := sha256.Sum256(raw)
	if placeOf(rig.secret(secret)) != hexOf(hash[:]) {
		t.Error("the place is not the hash of the secret")
	}
}

func (rig *shareRig) secret(text string) wallet.ShareSecret {
	rig.t.Helper()
	s, err := wallet.ParseShareSecret(text)
	rig.must(err)
	return s
}

// TestShareFromElsewhere: a form on another site opens nothing.
func TestShareFromElsewhere(t *testing.T) {
	rig := newShareRig(t)
	link, _ := rig.share(false)
	r := httptest.NewRequest(http.MethodPost, link, nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	rig.host.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || rig.state(link).Left != 10 {
		t.Errorf("%d, %d left", w.Code, rig.state(link).Left)
	}
}

// TestShareChecked: what a reader is told of a proof follows from what is found today.
func TestShareChecked(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	region := evidencetest.New(t, clock.Now)
	issuer := region.Issuer("devaart.example.com", paspoort.Opleiding)
	web := evidencetest.NewWeb(issuer)
	follower := region.Follower()
	if err := follower.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	service, err := evidence.New(evidence.Config{Copies: []evidence.Copy{follower}, Fetch: web, Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	holder, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	token := issuer.Issue(paspoort.Opleiding, holder.Public())
	named, err := token.Select(func(path []any, _ any) bool { return path[0] == "given_name" || path[0] == "family_name" })
	if err != nil {
		t.Fatal(err)
	}
	level := paspoort.LevelSomeone
	frozen := &wallet.FrozenShare{By: "Samira", Items: []wallet.FrozenItem{{TypeName: paspoort.Opleiding.Name(), Presentation: named.String(), Level: &level}}}
	look := func(service *evidence.Service) shareOpenedPage {
		t.Helper()
		h := &Host{c: Config{Evidence: service, Clock: clock.Now, Name: "Hier", RegionName: func(string) string { return "Regio Aakermonde" }}}
		page, err := h.openedPage(httptest.NewRequest(http.MethodPost, "/", nil), &opening{frozen: frozen, number: 1})
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	state := func(p shareOpenedPage, title string) paspoort.State {
		t.Helper()
		i := slices.IndexFunc(p.Items[0].Checks, func(c openedCheck) bool { return c.Title.EN == title })
		if i < 0 {
			t.Fatalf("nothing is said about %s: %+v", title, p.Items[0].Checks)
		}
		return p.Items[0].Checks[i].State
	}

	good := look(service)
	item := good.Items[0]
	if !good.Checked || good.Failed+good.Doubtful != 0 || !item.Known || item.By != "Opleidingshuis devaart.example.com" || item.Region != "Regio Aakermonde" || item.Level == "" || item.LevelThen != "" || item.Title != "" {
		t.Errorf("good: %+v", good)
	}
	if len(good.Names) != 1 || good.Names[0] != "Samira Voorbeeld-Idrissi" || item.ValidUntil.IsZero() {
		t.Errorf("names %v, valid until %v", good.Names, item.ValidUntil)
	}
	if none := look(nil); none.Checked || none.Items[0].State != paspoort.Unknown || none.Items[0].Level != "" || none.Items[0].LevelThen == "" || none.Names != nil {
		t.Errorf("nothing checked: %+v", none)
	}
	offline, err := evidence.New(evidence.Config{Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if p := look(offline); p.Doubtful != 1 || state(p, "Issuer") != paspoort.Unknown || p.Items[0].Known || p.Items[0].Level != "" || p.Items[0].LevelThen == "" {
		t.Errorf("no registry: %+v", p)
	}
	clock.Advance(time.Hour)
	if err := issuer.List.Set(0, statuslist.Invalid); err != nil {
		t.Fatal(err)
	}
	if p := look(service); p.Failed != 1 || state(p, "Revocation") != paspoort.Failed || p.Items[0].Level != "" {
		t.Errorf("revoked: %+v", p)
	}
}
