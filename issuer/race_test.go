package issuer

import (
	"sync"
	"sync/atomic"
	"testing"

	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/statuslist"
)

// together runs fn n times at once.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; fn(i) })
	}
	close(start)
	wg.Wait()
}

// TestManyAtOnce: one code is good for one of many, whoever is first; and wallets
// that are served at the same time get entries of their own.
func TestManyAtOnce(t *testing.T) {
	r := newRig(t)
	o := r.offer(opleiding, false)
	var sessions []*openid4vci.Session
	for range 8 {
		sessions = append(sessions, r.begin(o))
	}
	var won atomic.Int32
	together(len(sessions), func(i int) {
		if _, err := sessions[i].PreAuthorized(t.Context(), ""); err == nil {
			won.Add(1)
		}
	})
	if won.Load() != 1 {
		t.Errorf("one code: %d tokens, want 1", won.Load())
	}

	offers := make([]held, 6)
	for n := range offers {
		offers[n] = held{session: r.begin(r.offer(opleiding, false)), keys: newKeys(t, 5)}
	}
	answers := make([]*openid4vci.CredentialResponse, len(offers))
	together(len(offers)+1, func(i int) {
		if i == len(offers) {
			if err := r.Publish(t.Context()); err != nil {
				t.Error(err)
			}
			return
		}
		h := offers[i]
		token, err := h.session.PreAuthorized(t.Context(), "")
		if err != nil {
			t.Error(err)
			return
		}
		if answers[i], err = h.session.Credentials(t.Context(), token, openid4vci.Wanted{ConfigurationID: opleiding, Keys: h.keys}); err != nil {
			t.Error(err)
		}
	})
	seen := map[statuslist.Reference]bool{}
	for _, a := range answers {
		for _, c := range a.Credentials {
			text, err := c.Text()
			if err != nil {
				t.Fatal(err)
			}
			ref := r.reference(text)
			if seen[ref] {
				t.Errorf("%v was given out twice", ref)
			}
			seen[ref] = true
		}
	}
	if len(seen) != 30 {
		t.Errorf("entries: got %d, want 30", len(seen))
	}
}
