package wallet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// traffic records who is called, in order.
type traffic struct {
	mu    sync.Mutex
	calls []string
}

// record puts a recorder before every host but the region's nodes' own.
func (w *world) record() *traffic {
	r := &traffic{}
	for host, h := range w.hosts {
		w.hosts[host] = http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
			r.mu.Lock()
			r.calls = append(r.calls, host+q.URL.Path)
			r.mu.Unlock()
			h.ServeHTTP(rw, q)
		})
	}
	return r
}

// take are the calls since the last take.
func (r *traffic) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.calls
	r.calls = nil
	return out
}

// to are the calls to one host.
func to(host string, calls []string) (out []string) {
	for _, c := range calls {
		if len(c) > len(host) && c[:len(host)] == host {
			out = append(out, c)
		}
	}
	return out
}

// useUp shows every copy once, each to another asker.
func useUp(t *testing.T, w *world, holder *wallet.Wallet, copies int) {
	t.Helper()
	for n := range copies {
		a := w.newAsker(fmt.Sprintf("eerder-%d.example.com", n), true)
		w.refresh()
		r, err := holder.Request(t.Context(), a.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
		must(t, err)
		_, err = holder.Present(t.Context(), r, wallet.Decision{})
		must(t, err)
	}
}

// TestIssuerHearsNothingBeforeConsent: while a request is read, refused or left, the
// issuer is not called; once the holder agreed, new copies and their timestamps are
// fetched before anything goes to the asker.
func TestIssuerHearsNothingBeforeConsent(t *testing.T) {
	w := newWorldOf(t, 2)
	holder := w.wallet()
	w.accept(holder, configID)
	useUp(t, w, holder, 2)
	a := w.newAsker("vrager.example.com", true)
	w.refresh()
	traffic := w.record()
	read := func() *wallet.Request {
		t.Helper()
		r, err := holder.Request(t.Context(), a.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
		must(t, err)
		if !warns(r, "copies_fetched") || warns(r, "copy_reused") || len(r.Consent.Items) != 1 {
			t.Errorf("consent: %+v", r.Consent)
		}
		return r
	}
	read()
	_, err := holder.Refuse(t.Context(), read(), true)
	must(t, err)
	r := read()
	if calls := to(issuerHost, traffic.take()); len(calls) > 0 {
		t.Errorf("the issuer was called before the holder agreed: %v", calls)
	}
	_, err = holder.Present(t.Context(), r, wallet.Decision{Skip: []int{0}})
	if !errors.Is(err, wallet.ErrNothing) {
		t.Errorf("skipping all: %v", err)
	}
	if calls := traffic.take(); len(calls) > 0 {
		t.Errorf("nothing goes, and yet there were calls: %v", calls)
	}
	_, err = holder.Present(t.Context(), r, wallet.Decision{})
	must(t, err)
	calls := traffic.take()
	sent := slices.IndexFunc(calls, func(c string) bool { return len(to("vrager.example.com", []string{c})) > 0 })
	if len(to(issuerHost, calls[:sent])) == 0 || len(to(issuerHost, calls[:sent])) < len(to(issuerHost, calls)) {
		t.Errorf("order of the calls: %v", calls)
	}
	if got := timestampsShown(t, a); got != 2 {
		t.Errorf("timestamps of %d nodes go with the new copy, want 2", got)
	}
}

func warns(r *wallet.Request, code string) bool {
	return slices.ContainsFunc(r.Consent.Warnings, func(w wallet.Warning) bool { return w.Code == code })
}

// timestampsShown counts the timestamps in the key binding of what an asker got.
func timestampsShown(t *testing.T, a *asker) int {
	t.Helper()
	text := a.shown()[0].String()
	binding, err := jose.Parse(text[strings.LastIndex(text, "~")+1:])
	must(t, err)
	var claims struct {
		Timestamps []paspoort.TimestampProof `json:"paspoort_timestamps"`
	}
	must(t, json.Unmarshal(binding.Payload, &claims))
	return len(claims.Timestamps)
}

// TestOtherContentIsAskedAgain: copies that say anything else than what the holder read
// do not go before the holder has read that too.
func TestOtherContentIsAskedAgain(t *testing.T) {
	w := newWorldOf(t, 1)
	holder := w.wallet()
	w.accept(holder, configID)
	useUp(t, w, holder, 1)
	w.credential = func(r *openid4vci.Issuance, i int) (string, error) {
		change := func(claims map[string]any, _ *jose.Header) { claims["supervision"] = "none" }
		return w.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, r.Keys[i].Public, change).String(), nil
	}
	r, err := holder.Request(t.Context(), w.verifier.skills(false, openid4vp.DirectPost, verzorgen), wallet.Trust{})
	must(t, err)
	if _, err := holder.Present(t.Context(), r, wallet.Decision{}); !errors.Is(err, wallet.ErrAgain) {
		t.Fatalf("got %v, want ErrAgain", err)
	}
	if w.verifier.answered() {
		t.Error("it went all the same")
	}
	_, err = holder.Present(t.Context(), r, wallet.Decision{})
	must(t, err)
}

// TestRenew: ahead of time, when the holder asks for it.
func TestRenew(t *testing.T) {
	w := newWorldOf(t, 3)
	holder := w.wallet()
	got := w.accept(holder, configID)
	if done, err := holder.Renew(t.Context()); err != nil || len(done) != 0 {
		t.Errorf("nothing was needed: %+v, %v", done, err)
	}
	useUp(t, w, holder, 1)
	items, err := holder.List()
	must(t, err)
	if !items[0].FewLeft {
		t.Errorf("not told that few copies are left: %+v", items[0])
	}
	done, err := holder.Renew(t.Context())
	must(t, err)
	if len(done) != 1 || done[0].Problem != nil || done[0].Copies != 3 || done[0].Unused != 5 {
		t.Errorf("renewed: %+v", done)
	}
	if _, err := holder.Renew(t.Context(), "nietes"); !errors.Is(err, wallet.ErrNotHere) {
		t.Errorf("an id that is not there: %v", err)
	}
	delete(w.hosts, issuerHost)
	if done, err = holder.Renew(t.Context(), got.ID); err != nil || len(done) != 1 || done[0].Problem == nil {
		t.Errorf("the issuer is gone: %+v, %v", done, err)
	}
}

// hold makes the issuer wait at its credential endpoint, the first time: it says when
// somebody is there, and goes on when it is told to.
func (w *world) hold() (there, goOn chan struct{}) {
	there, goOn = make(chan struct{}), make(chan struct{})
	var once sync.Once
	issuer := w.hosts[issuerHost]
	w.hosts[issuerHost] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/credential") {
			once.Do(func() { close(there); <-goOn })
		}
		issuer.ServeHTTP(rw, r)
	})
	return there, goOn
}

// renewing starts a renewal, and gives what comes of it.
func renewing(t *testing.T, holder *wallet.Wallet, id string) chan wallet.Renewed {
	t.Helper()
	out := make(chan wallet.Renewed, 1)
	go func() {
		done, err := holder.Renew(t.Context(), id)
		if err != nil || len(done) != 1 {
			t.Errorf("renewed: %+v, %v", done, err)
			done = []wallet.Renewed{{}}
		}
		out <- done[0]
	}()
	return out
}

// TestDeletedWhileRenewing: what the holder threw away stays away, and the issuer hears
// that the copies were not kept.
func TestDeletedWhileRenewing(t *testing.T) {
	w := newWorldOf(t, 3)
	holder := w.wallet()
	id := w.accept(holder, configID).ID
	there, goOn := w.hold()
	done := renewing(t, holder, id)
	<-there
	must(t, holder.Delete(id))
	close(goOn)
	if got := <-done; !errors.Is(got.Problem, wallet.ErrNotHere) {
		t.Errorf("got %+v, want ErrNotHere", got)
	}
	if items, err := holder.List(); err != nil || len(items) != 0 {
		t.Errorf("it came back: %+v, %v", items, err)
	}
	w.pack(holder)
	if said := w.vci.Notifications(); len(said) == 0 || said[len(said)-1].Event != openid4vci.CredentialFailure {
		t.Errorf("the issuer heard %v", said)
	}
}

// TestUsedWhileRenewing: a copy that is shown during a renewal counts as shown.
func TestUsedWhileRenewing(t *testing.T) {
	w := newWorldOf(t, 3)
	holder := w.wallet()
	id := w.accept(holder, configID).ID
	there, goOn := w.hold()
	done := renewing(t, holder, id)
	<-there
	_, err := holder.Export(id)
	must(t, err)
	w.show(holder, w.verifier)
	close(goOn)
	if got := <-done; got.Problem != nil || got.Copies != 3 || got.Unused != 4 {
		t.Errorf("renewed: %+v", got)
	}
	if items, err := holder.List(); err != nil || items[0].Copies != 6 || items[0].Unused != 4 {
		t.Errorf("after: %+v, %v", items, err)
	}
}

// TestRenewTwiceAtOnce: the second waits, and finds that the copies are there or goes on
// with the token that the first one got; a refresh token is never used twice.
func TestRenewTwiceAtOnce(t *testing.T) {
	w := newWorldOf(t, 3)
	holder := w.wallet()
	id := w.accept(holder, configID).ID
	there, goOn := w.hold()
	traffic := w.record()
	first := renewing(t, holder, id)
	<-there
	second, third := wallet.ReadToRenew(holder.In("en"), id), wallet.ReadToRenew(holder, id)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := second(ended, -1); !errors.Is(err, context.Canceled) {
		t.Errorf("who waits cannot go: %v", err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if copies, err := second(t.Context(), -1); err != nil || copies < 6 {
			t.Errorf("the second press: %d copies, %v", copies, err)
		}
	})
	all.Go(func() {
		if copies, err := third(t.Context(), 7); err != nil || copies != 9 {
			t.Errorf("for an asker: %d copies, %v", copies, err)
		}
	})
	close(goOn)
	all.Wait()
	if got := <-first; got.Problem != nil || got.Copies != 3 {
		t.Errorf("the first press: %+v", got)
	}
	if calls := slices.DeleteFunc(traffic.take(), func(c string) bool { return c != issuerHost+"/token" }); len(calls) != 2 {
		t.Errorf("there were %d renewals, want 2", len(calls))
	}
	if done, err := holder.Renew(t.Context(), id); err != nil || done[0].Problem != nil || done[0].Copies != 3 {
		t.Errorf("later: %+v, %v", done, err)
	}
}
