package wallet_test

import (
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
