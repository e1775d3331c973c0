package wallet

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/registry"
)

var (
	// ErrNoRenewal: the issuer gave nothing to get new copies with, or is not admitted
	// any more.
	ErrNoRenewal = errors.New("the issuer gives no new copies")
	// ErrAgain: what goes is not what the holder agreed to any more. The request's
	// Consent says how it is now; ask the holder again.
	ErrAgain = errors.New("what goes has changed since it was agreed to: look again")
)

// renew gets new copies of a credential, from a slot on (see missing), with its refresh token
// (OpenID4VCI 1.0, 13.5; RFC 6749 6). The issuer learns that copies are wanted, not
// by whom they will be seen. It is never called before the holder agreed to something.
//
// One renewal of a credential goes at a time: a refresh token may be good for once. Whoever
// waited for another may find that the copies came. Afterwards c is what is stored.
func (w *Wallet) renew(ctx context.Context, c *credential, slot int) error {
	end, err := w.renewals.begin(ctx, c.ID)
	if err != nil {
		return err
	}
	defer end()
	had := len(c.Copies)
	if err := w.readAgain(c); err != nil {
		return err
	}
	if slot < 0 && len(c.Copies) > had || slot >= 0 && c.copyAt(slot) != nil {
		return nil
	}
	if can, err := w.canRenew(ctx, c); err != nil {
		return err
	} else if !can {
		return ErrNoRenewal
	}
	s, err := w.vci.Resume(ctx, c.Issuer, c.Renewal.Server)
	if err != nil {
		return err
	}
	key, err := jose.ParsePrivate(c.Renewal.DPoPKey)
	if err != nil {
		return err
	}
	s.DPoPKey, s.ClientID = key, w.c.ClientID
	token, err := s.Refresh(ctx, c.Renewal.RefreshToken)
	if err != nil {
		return err
	}
	if token.RefreshToken != "" && token.RefreshToken != c.Renewal.RefreshToken {
		// The old one is spent: keep the new one before anything can go wrong.
		fresh := renewal{Server: c.Renewal.Server, RefreshToken: token.RefreshToken, DPoPKey: c.Renewal.DPoPKey}
		if err := w.changeCredential(c, func(_ kv.Tx, now *credential) error {
			now.Renewal = &fresh
			return nil
		}); err != nil {
			return err
		}
	}
	slots, err := w.missing(c, slot, min(s.Issuer.BatchSize(), maxBatch))
	if err != nil {
		return err
	}
	copies, answer, err := w.fetchCopies(ctx, s, token, c.ConfigurationID, slots)
	if err != nil {
		return err
	}
	if err := w.keepableAgain(ctx, s, c, copies); err != nil {
		w.notify(ctx, s, token, answer, openid4vci.CredentialFailure)
		return err
	}
	w.timestamp(ctx, c.Party.Region, copies)
	err = w.changeCredential(c, func(tx kv.Tx, now *credential) error {
		for _, at := range copies {
			if at.Slot < 0 || now.copyAt(at.Slot) == nil { // else another session was first
				now.Copies = append(now.Copies, at)
			}
		}
		return w.remember(tx, Event{Kind: EventRenewed, Credential: now.ID, Name: now.item().Name, Party: now.Party})
	})
	if err != nil {
		w.notify(ctx, s, token, answer, openid4vci.CredentialFailure)
		return err
	}
	w.notify(ctx, s, token, answer, openid4vci.CredentialAccepted)
	return nil
}

// changeCredential changes a credential as it is stored now, and makes c what is stored
// then. ErrNotHere when it was deleted meanwhile.
func (w *Wallet) changeCredential(c *credential, change func(kv.Tx, *credential) error) error {
	var now *credential
	err := w.c.Store.Update(func(tx kv.Tx) (err error) {
		if now, err = w.credentialNow(tx, c.ID); err != nil {
			return err
		}
		if err := change(tx, now); err != nil {
			return err
		}
		return w.putCredential(tx, now)
	})
	if err == nil {
		*c = *now
	}
	return err
}

// renewals lets one renewal of a credential go at a time.
type renewals struct {
	mu    sync.Mutex
	going map[string]chan struct{} // by credential; closed at the end
}

// begin waits until no other renewal of this credential goes.
func (r *renewals) begin(ctx context.Context, id string) (end func(), err error) {
	for {
		r.mu.Lock()
		other, busy := r.going[id]
		if !busy {
			mine := make(chan struct{})
			r.going[id] = mine
			r.mu.Unlock()
			return func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				delete(r.going, id)
				close(mine)
			}, nil
		}
		r.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// missing are n slots from slot on that have no copy yet, or from the first on when slot is
// -1. Beyond the one that is asked for, none is taken whose key is elsewhere too.
func (w *Wallet) missing(c *credential, slot, n int) ([]int, error) {
	var a askers
	err := w.c.Store.View(func(tx kv.Tx) (err error) {
		a, err = w.readAskers(tx)
		return err
	})
	out := []int{}
	for s := max(slot, 0); len(out) < max(n, 1); s++ {
		if _, elsewhere := slices.BinarySearch(a.Elsewhere, s); c.copyAt(s) == nil && (s == slot || !elsewhere) {
			out = append(out, s)
		}
	}
	return out, err
}

// keepableAgain verifies new copies as the first ones were, with the trust that the
// holder gave then.
func (w *Wallet) keepableAgain(ctx context.Context, s *openid4vci.Session, c *credential, copies []copyOf) error {
	item, err := w.offered(s.Issuer, c.ConfigurationID)
	if err != nil {
		return err
	}
	party := c.Party
	for i := range copies {
		e := expectation{format: c.Format, configuration: item, issuer: c.Issuer, party: &party, trust: Trust{AcceptUnknown: true}}
		if err := w.verifyCopy(ctx, &copies[i], e); err != nil {
			return err
		}
	}
	return nil
}

// canRenew says, from what is known here and without asking anybody, whether new copies
// may be had. New copies of an issuer that is no longer admitted would be worth less
// than old ones, which have evidence from before.
func (w *Wallet) canRenew(ctx context.Context, c *credential) (bool, error) {
	if c.Renewal == nil {
		return false, nil
	}
	now := Party{ID: c.Issuer}
	if err := w.lookUp(ctx, &now, registry.Issuer, registry.Lookup{URL: c.Issuer}); err != nil {
		return false, err
	}
	return !c.Party.Known || now.Admitted, nil
}

// A slotChoice is at which slot an asker gets its copies.
type slotChoice struct {
	slot int
	// fetch are the credentials that need a new copy for it. They are fetched only once
	// the holder agreed: an issuer must not learn that a request is being looked at.
	fetch  []*credential
	reused bool // a copy was seen by somebody before
	maybe  bool // a copy may have been seen, by whoever another place showed it to
	apart  bool // there is no slot at which all have a copy
}

// chooseSlot makes sure that all credentials have a copy at one slot, so that what one
// asker sees belongs together. The wish is the asker's own slot; when copies have run
// out and no new ones are to be had, a slot is taken that was used before. When even
// that fails, each credential shows its own least used copy.
func (w *Wallet) chooseSlot(ctx context.Context, credentials []*credential, wish int, mayFetch bool) (slotChoice, error) {
	choice := slotChoice{slot: wish}
	for _, c := range credentials {
		if c.copyAt(wish) != nil {
			continue
		}
		can, err := w.canRenew(ctx, c)
		if err != nil {
			return choice, err
		}
		if !can || !mayFetch {
			return usedBefore(credentials, wish), nil
		}
		choice.fetch = append(choice.fetch, c)
	}
	return choice, nil
}

// usedBefore is the least used slot at which all credentials have a copy.
func usedBefore(credentials []*credential, wish int) slotChoice {
	best, seen := -1, 0
	for _, candidate := range credentials[0].Copies {
		n, all := 0, candidate.Slot >= 0
		for _, c := range credentials {
			if at := c.copyAt(candidate.Slot); at != nil {
				n += at.seen()
			} else {
				all = false
			}
		}
		if all && (best < 0 || n < seen) {
			best, seen = candidate.Slot, n
		}
	}
	if best < 0 {
		return slotChoice{slot: wish, reused: true, apart: true}
	}
	choice := slotChoice{slot: best}
	for _, c := range credentials {
		at := c.copyAt(best)
		choice.reused, choice.maybe = choice.reused || at.Uses > 0, choice.maybe || at.Maybe
	}
	return choice
}

// fetchAgreed gets the copies that the holder agreed to have fetched, and puts them in
// place of the copies that the consent was made of. ErrAgain when that failed, or when
// they say anything else than what the holder read: r.Consent then says how it is now.
func (w *Wallet) fetchAgreed(ctx context.Context, r *Request, skip map[int]bool) error {
	going := map[string]bool{}
	for i, p := range r.shows {
		if !skip[i] && p.credential != nil {
			going[p.credential.ID] = true
		}
	}
	mayFetch := true
	for _, c := range r.fetch {
		if !going[c.ID] {
			continue
		}
		if err := w.readAgain(c); err != nil {
			return err
		}
		if c.copyAt(r.slot) != nil {
			continue
		}
		err := w.renew(ctx, c, r.slot)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || c.copyAt(r.slot) == nil {
			w.c.Log.WarnContext(ctx, "no new copies", "credential", c.ID, "cause", fmt.Sprintf("%T", err))
			mayFetch, r.noFetch = false, true
		}
	}
	if len(r.fetch) == 0 {
		return nil
	}
	agreed := r.Consent.Items
	if err := w.prepare(ctx, r, mayFetch); err != nil {
		return err
	}
	if !mayFetch || !reflect.DeepEqual(agreed, r.Consent.Items) {
		return ErrAgain
	}
	return nil
}

// readAgain takes what is stored now: since the request was read another may have been
// answered.
func (w *Wallet) readAgain(c *credential) error {
	return w.c.Store.View(func(tx kv.Tx) error {
		now, err := w.credentialNow(tx, c.ID)
		if err == nil {
			*c = *now
		}
		return err
	})
}

// Renewed says how new copies of one credential were fetched.
type Renewed struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Copies int    `json:"copies"` // new ones
	Unused int    `json:"unused"` // in all, after it
	// Problem is why there are no new ones.
	Problem error `json:"-"`
}

// Renew fetches new copies ahead of time: of the credentials named, or of all that have
// few left that nobody saw. Their issuers learn that copies are wanted, at a moment that
// has nothing to do with a request.
func (w *Wallet) Renew(ctx context.Context, ids ...string) ([]Renewed, error) {
	w.refresh(ctx)
	var held []*credential
	err := w.c.Store.View(func(tx kv.Tx) (err error) {
		held, err = w.credentials(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := []Renewed{}
	named := map[string]bool{}
	for _, c := range held {
		before := c.item()
		if len(ids) == 0 && !before.FewLeft || len(ids) > 0 && !slices.Contains(ids, c.ID) {
			continue
		}
		named[c.ID] = true
		done := Renewed{ID: c.ID, Name: before.Name, Problem: w.renew(ctx, c, -1)}
		after := c.item()
		done.Copies, done.Unused = after.Copies-before.Copies, after.Unused
		out = append(out, done)
	}
	for _, id := range ids {
		if !named[id] {
			return out, ErrNotHere
		}
	}
	return out, nil
}
