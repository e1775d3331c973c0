package wallet_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/wallet"
)

// words are a holder's own words with one skill.
func words() map[string]any {
	return map[string]any{
		"title": "Over mij", "who_i_am": "Ik werk graag met mensen.", "evidence": "self", "language": "nl",
		"skills": []any{map[string]any{"framework": "CompetentNL", "version": "2025-09-24", "uri": verzorgen, "label": "Verzorgen"}},
	}
}

// TestPresent: the asker gets exactly the skills it asked, bound to one key, with
// timestamps and to be verified by anybody, over both ways of answering.
func TestPresent(t *testing.T) {
	for _, mode := range []openid4vp.ResponseMode{openid4vp.DirectPost, openid4vp.DirectPostJWT} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			holder := w.wallet()
			w.accept(holder, configID)
			if _, err := holder.Declare(words()); err != nil {
				t.Fatal(err)
			}
			r, err := holder.Request(t.Context(), w.verifier.skills(false, mode, verzorgen), wallet.Trust{})
			if err != nil {
				t.Fatal(err)
			}
			c := r.Consent
			if !c.Asker.Known || !c.Asker.Admitted || c.Asker.Name != "Machinefabriek Ossekamp" || !c.Asker.Anchored || c.Asker.Role != "verifier" {
				t.Errorf("who asks: %+v", c.Asker)
			}
			if c.Purpose != "Wij zoeken iemand voor de zorg." || c.SentTo != verifierHost || c.Encrypted != (mode == openid4vp.DirectPostJWT) {
				t.Errorf("consent: %+v", c)
			}
			if len(c.Items) != 2 || !c.Items[1].OwnWords {
				t.Fatalf("items: %+v", c.Items)
			}
			var going []string
			for _, l := range c.Items[0].Lines {
				if !l.Always {
					going = append(going, l.Name+"="+l.Value)
				}
			}
			if diff := cmp.Diff([]string{"skills=Verzorgen (basis)"}, going); diff != "" {
				t.Errorf("what goes beside what always goes (-want +got):\n%s", diff)
			}
			redirect, err := holder.Present(t.Context(), r, wallet.Decision{})
			if err != nil || redirect == "" {
				t.Fatal(redirect, err)
			}
			checkShown(t, w, w.verifier.shown())
			events, err := holder.History()
			if err != nil {
				t.Fatal(err)
			}
			last := events[len(events)-1]
			if last.Kind != wallet.EventShown || last.Outcome != "taken" || len(last.Shown) != 2 || last.Party.Name != "Machinefabriek Ossekamp" {
				t.Errorf("history: %+v", last)
			}
		})
	}
}

// TestPresentW3C: the same in the W3C format, which has skills at another place: own
// words and a badge, both in vc+sd-jwt.
func TestPresentW3C(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, "Opleiding_vc_sd_jwt")
	if _, err := holder.Declare(words()); err != nil {
		t.Fatal(err)
	}
	q, err := paspoort.SkillsRequest{URIs: []string{verzorgen}, Formats: []paspoort.Format{paspoort.FormatVCDM}}.Query()
	must(t, err)
	r, err := holder.Request(t.Context(), w.verifier.ask(q, openid4vp.DirectPostJWT), wallet.Trust{})
	must(t, err)
	_, err = holder.Present(t.Context(), r, wallet.Decision{})
	must(t, err)
	shown := w.verifier.shown()
	if len(shown) != 2 {
		t.Fatalf("%d presentations", len(shown))
	}
	for _, token := range shown {
		if token.Header().Type != "vc+sd-jwt" {
			t.Errorf("typ %s", token.Header().Type)
		}
		claims, err := token.Claims()
		must(t, err)
		c, err := paspoort.Read(claims)
		must(t, err)
		if len(c.Skills) != 1 || c.Skills[0].URI != verzorgen || c.Text("given_name") != "" || c.Text("title") != "" {
			t.Errorf("%s shows %v and %v", c.Type, c.Skills, c.Claims)
		}
	}
	if holderKey(t, shown[0]) != holderKey(t, shown[1]) {
		t.Error("two keys in one answer")
	}
}

// checkShown holds what the asker got against what it may see.
func checkShown(t *testing.T, w *world, shown []*sdjwt.SDJWT) {
	t.Helper()
	if len(shown) != 2 {
		t.Fatalf("%d presentations", len(shown))
	}
	keys := map[string]bool{}
	var presentations []evidence.Presentation
	for _, token := range shown {
		keys[holderKey(t, token)] = true
		presentations = append(presentations, evidence.Presentation{Text: token.String()})
		for _, d := range token.Disclosures() {
			m, ok := d.Value.(map[string]any)
			if !ok || m["uri"] != verzorgen {
				t.Errorf("disclosed without being asked: %v", d.Value)
			}
		}
	}
	if len(keys) != 1 {
		t.Errorf("%d holder keys in one answer", len(keys))
	}
	expected := openTransaction(w.verifier)
	service, err := evidence.New(evidence.Config{Copies: []evidence.Copy{w.follower}, Fetch: w.web, Clock: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	v, err := service.Verify(t.Context(), evidence.Request{Presentations: presentations, Flow: paspoort.CrossDevice, Expected: &expected, Asked: []string{verzorgen}})
	if err != nil {
		t.Fatal(err)
	}
	if v.Outcome != paspoort.OK || v.SameHolder.State != paspoort.OK {
		t.Errorf("verdict: %s, same holder %s", v.Outcome, v.SameHolder.State)
	}
	for _, c := range v.Credentials {
		if c.Type == paspoort.Opleiding && c.ExistedOn == "" {
			t.Error("the timestamps did not come along")
		}
	}
}

// openTransaction is what the last request of an asker expects.
func openTransaction(a *asker) paspoort.Expected {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.open {
		return paspoort.Expected{Nonce: t.Request.Nonce, Audience: string(t.Request.ClientID)}
	}
	return paspoort.Expected{}
}

// TestConsentBeyond: a name beside skills is marked as more than the purpose needs.
func TestConsentBeyond(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, configID)
	r, err := holder.Request(t.Context(), w.verifier.skills(true, openid4vp.DirectPost, verzorgen), wallet.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	var beyond []string
	for _, l := range r.Consent.Items[0].Lines {
		if l.Beyond {
			beyond = append(beyond, l.Name)
		}
	}
	slices.Sort(beyond)
	if diff := cmp.Diff([]string{"family_name", "given_name"}, beyond); diff != "" {
		t.Errorf("beyond (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(r.Consent.Warnings, func(w wallet.Warning) bool { return w.Code == "asks_more" }) {
		t.Errorf("warnings: %+v", r.Consent.Warnings)
	}
}

// TestConsentWarns: an expired credential and old knowledge of the region are told
// before anything goes.
func TestConsentWarns(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	exp := w.clock.Now().Add(9 * 24 * time.Hour).Unix()
	w.credential = func(r *openid4vci.Issuance, i int) (string, error) {
		return w.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, r.Keys[i].Public, func(c map[string]any, _ *jose.Header) { c["exp"] = exp }).String(), nil
	}
	w.accept(holder, configID)
	codes := func() (out []string) {
		r, err := holder.Request(t.Context(), w.verifier.skills(false, openid4vp.DirectPostJWT, verzorgen), wallet.Trust{})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range r.Consent.Warnings {
			out = append(out, w.Code)
		}
		return out
	}
	if got := codes(); got != nil {
		t.Errorf("control: %v", got)
	}
	w.stale = true // the region does not answer from here on
	w.clock.Advance(8 * 24 * time.Hour)
	if diff := cmp.Diff([]string{"registry_old"}, codes()); diff != "" {
		t.Errorf("after eight days (-want +got):\n%s", diff)
	}
	w.clock.Advance(2 * 24 * time.Hour)
	w.stale = false
	if diff := cmp.Diff([]string{"expired"}, codes()); diff != "" {
		t.Errorf("after ten days (-want +got):\n%s", diff)
	}
}

// TestSkip: what the holder leaves out does not go; leaving out what the asker
// demands sends nothing at all.
func TestSkip(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, configID)
	if _, err := holder.Declare(words()); err != nil {
		t.Fatal(err)
	}
	r, err := holder.Request(t.Context(), w.verifier.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Present(t.Context(), r, wallet.Decision{Skip: []int{0, 1}}); !errors.Is(err, wallet.ErrNothing) {
		t.Errorf("everything left out: got %v", err)
	}
	if _, err := holder.Present(t.Context(), r, wallet.Decision{Skip: []int{1}}); err != nil {
		t.Fatal(err)
	}
	if n := len(w.verifier.shown()); n != 1 {
		t.Errorf("%d presentations", n)
	}

	q, err := dcql.ParseQuery([]byte(`{"credentials":[
		{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["urn:paspoort:opleiding:1"]}},
		{"id":"b","format":"dc+sd-jwt","meta":{"vct_values":["urn:paspoort:zelfverklaring:1"]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if r, err = holder.Request(t.Context(), w.verifier.ask(q, openid4vp.DirectPost), wallet.Trust{}); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Present(t.Context(), r, wallet.Decision{Skip: []int{0}}); !errors.Is(err, wallet.ErrIncomplete) {
		t.Errorf("a required part left out: got %v", err)
	}
	for _, item := range r.Consent.Items {
		for _, l := range item.Lines {
			if !l.Always {
				t.Errorf("a query without claims discloses %s", l.Name)
			}
		}
	}
}

// TestNothingFits: an asker for what nobody has hears nothing.
func TestNothingFits(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	r, err := holder.Request(t.Context(), w.verifier.skills(false, openid4vp.DirectPost, luisteren), wallet.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Consent.Items) != 0 || len(r.Consent.Missing) == 0 {
		t.Errorf("consent: %+v", r.Consent)
	}
	if _, err := holder.Present(t.Context(), r, wallet.Decision{}); !errors.Is(err, wallet.ErrNothing) {
		t.Errorf("got %v", err)
	}
	if len(w.verifier.answers)+len(w.verifier.refusals) != 0 {
		t.Error("the asker heard something")
	}
}

// TestRefuse: a refusal sends nothing, unless the holder wants it told; both stand
// in the history.
func TestRefuse(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	for _, tell := range []bool{false, true} {
		r, err := holder.Request(t.Context(), w.verifier.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := holder.Refuse(t.Context(), r, tell); err != nil {
			t.Fatal(err)
		}
		want := []openid4vp.Code(nil)
		if tell {
			want = []openid4vp.Code{openid4vp.AccessDenied}
		}
		if diff := cmp.Diff(want, w.verifier.refusals); diff != "" {
			t.Errorf("tell %v: the asker heard (-want +got):\n%s", tell, diff)
		}
	}
	events, err := holder.History()
	if err != nil || len(events) != 2 || events[0].Told || !events[1].Told {
		t.Errorf("history: %+v, %v", events, err)
	}
}

// TestUnknownAsker: a certificate of another region is refused with who it claims to
// be, and met knowingly or under an anchor of the holder's own.
func TestUnknownAsker(t *testing.T) {
	w := newWorld(t)
	stranger := w.newAsker("vreemd.example.com", false)
	holder := w.wallet()
	w.accept(holder, configID)
	_, err := holder.Request(t.Context(), stranger.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
	var unknown *wallet.UnknownError
	if !errors.As(err, &unknown) {
		t.Fatalf("got %v", err)
	}
	if unknown.Party.Certificate == nil || unknown.Party.Known {
		t.Errorf("who it is: %+v", unknown.Party)
	}
	r, err := holder.Request(t.Context(), stranger.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{AcceptUnknown: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(r.Consent.Warnings, func(w wallet.Warning) bool { return w.Code == "asker_unknown" }) {
		t.Errorf("warnings: %+v", r.Consent.Warnings)
	}
	if _, err := holder.Present(t.Context(), r, wallet.Decision{}); err != nil {
		t.Error(err)
	}
}

// TestSlots: one asker always sees the same key, two askers never the same, and what
// the second of them sees shares nothing with the first.
func TestSlots(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, configID)
	second := w.newAsker("linde.example.com", true)
	w.refresh()
	seen := func(a *asker) string {
		r, err := holder.Request(t.Context(), a.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := holder.Present(t.Context(), r, wallet.Decision{}); err != nil {
			t.Fatal(err)
		}
		return holderKey(t, a.shown()[0])
	}
	first, again, other := seen(w.verifier), seen(w.verifier), seen(second)
	if first != again {
		t.Error("one asker saw two keys")
	}
	if first == other {
		t.Error("two askers saw one key")
	}
	mine, theirs := w.verifier.shown()[0], second.shown()[0]
	if mine.IssuerJWT() == theirs.IssuerJWT() {
		t.Error("two askers saw the same copy")
	}
	for _, d := range mine.Disclosures() {
		for _, e := range theirs.Disclosures() {
			if d.Salt == e.Salt || d.Digest() == e.Digest() {
				t.Error("a salt or digest is shared")
			}
		}
	}
}

// TestCopiesRunOut: with batches of three, the fourth asker gets a new copy by refresh token; when the
// issuer is gone, a copy is used again after one sentence.
func TestCopiesRunOut(t *testing.T) {
	w := newWorldOf(t, 3)
	holder := w.wallet()
	w.accept(holder, configID)
	keys := map[string]bool{}
	ask := func(n int) *wallet.Request {
		a := w.newAsker(fmt.Sprintf("vrager-%d.example.com", n), true)
		w.refresh()
		r, err := holder.Request(t.Context(), a.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = holder.Present(t.Context(), r, wallet.Decision{})
		if errors.Is(err, wallet.ErrAgain) {
			if a.answered() {
				t.Error("something was sent that the holder did not agree to")
			}
			_, err = holder.Present(t.Context(), r, wallet.Decision{})
		}
		if err != nil {
			t.Fatal(err)
		}
		keys[holderKey(t, a.shown()[0])] = true
		return r
	}
	reused := func(r *wallet.Request) bool {
		return slices.ContainsFunc(r.Consent.Warnings, func(w wallet.Warning) bool { return w.Code == "copy_reused" })
	}
	for n := range 4 {
		if reused(ask(n)) {
			t.Errorf("asker %d: a copy was used again", n)
		}
	}
	items, err := holder.List()
	if err != nil || items[0].Copies != 6 || len(keys) != 4 {
		t.Errorf("%d copies, %d keys, %v", items[0].Copies, len(keys), err)
	}
	delete(w.hosts, issuerHost) // the issuer is gone
	for n := 4; n < 6; n++ {
		if reused(ask(n)) {
			t.Errorf("asker %d: a copy was used again", n)
		}
	}
	if !reused(ask(6)) || len(keys) != 6 {
		t.Errorf("the last asker: not told, or a new key out of nowhere (%d keys)", len(keys))
	}
}

// TestNoNewCopiesOfAWithdrawnIssuer: its old copies have evidence from before, new
// ones would not.
func TestNoNewCopiesOfAWithdrawnIssuer(t *testing.T) {
	w := newWorldOf(t, 2)
	holder := w.wallet()
	w.accept(holder, configID)
	var last *wallet.Request
	for n := range 3 {
		if n == 2 {
			w.clock.Advance(24 * time.Hour)
			w.region.Withdraw(w.issuer.ID, false, w.clock.Now())
			w.clock.Advance(24 * time.Hour) // admission is judged per day
		}
		a := w.newAsker(fmt.Sprintf("vrager-%d.example.com", n), true)
		w.refresh()
		r, err := holder.Request(t.Context(), a.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
		must(t, err)
		_, err = holder.Present(t.Context(), r, wallet.Decision{})
		must(t, err)
		last = r
	}
	items, err := holder.List()
	must(t, err)
	if items[0].Copies != 2 || !slices.ContainsFunc(last.Consent.Warnings, func(w wallet.Warning) bool { return w.Code == "copy_reused" }) {
		t.Errorf("%d copies, warnings %+v", items[0].Copies, last.Consent.Warnings)
	}
}

// TestSendFails: when the asker does not confirm, the history says so and the slot
// stays taken.
func TestSendFails(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, configID)
	r, err := holder.Request(t.Context(), w.verifier.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	w.verifier.fails = true
	if _, err := holder.Present(t.Context(), r, wallet.Decision{}); err == nil {
		t.Fatal("no error")
	}
	events, err := holder.History()
	if err != nil || events[len(events)-1].Outcome != "not confirmed" {
		t.Errorf("history: %+v, %v", events, err)
	}
}

// TestExport: the file verifies offline, with timestamps, and says that nobody
// asked.
func TestExport(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	got := w.accept(holder, configID)
	text, err := holder.Export(got.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "~") {
		t.Fatal(text)
	}
	service, err := evidence.New(evidence.Config{Copies: []evidence.Copy{w.follower}, Fetch: w.web, Clock: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	v, err := service.Verify(t.Context(), evidence.Request{Presentations: []evidence.Presentation{{Text: text}}, Flow: paspoort.File})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Credentials[0].Checks {
		if c.State == paspoort.Failed {
			t.Errorf("%s failed: %s", c.Name, c.Code)
		}
	}
	if v.Credentials[0].ExistedOn == "" {
		t.Error("no timestamps in the file")
	}
	if _, err := holder.Export("nietes"); !errors.Is(err, wallet.ErrNotHere) {
		t.Errorf("no such thing: got %v", err)
	}
}

// TestDeclareAndPage: own words are checked, kept, shown and deleted.
func TestDeclareAndPage(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	if _, err := holder.Declare(map[string]any{"title": "x", "birth_date": "2000-01-01"}); !errors.Is(err, paspoort.ErrClaims) {
		t.Errorf("a claim that no schema has: got %v", err)
	}
	id, err := holder.Declare(words())
	if err != nil {
		t.Fatal(err)
	}
	w.accept(holder, configID)
	d, err := holder.Show(t.Context(), id)
	if err != nil || !d.OwnWords || len(d.Lines) == 0 {
		t.Errorf("show: %+v, %v", d, err)
	}
	page, err := holder.Page(t.Context())
	if err != nil || len(page.Who) != 1 || len(page.Can) == 0 {
		t.Errorf("page: %+v, %v", page, err)
	}
	if err := holder.Delete(id); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Show(t.Context(), id); !errors.Is(err, wallet.ErrNotHere) {
		t.Errorf("deleted: got %v", err)
	}
}
