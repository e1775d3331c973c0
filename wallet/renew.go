package wallet

import (
	"context"
	"errors"
	"fmt"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/registry"
)

// errNoRenewal: the issuer gave nothing to get new copies with.
var errNoRenewal = errors.New("the issuer gives no new copies")

// renew gets new copies of a credential, from a slot on, with its refresh token
// (OpenID4VCI 1.0, 13.5; RFC 6749 6). The issuer learns that copies are wanted, not
// by whom they will be seen.
func (w *Wallet) renew(ctx context.Context, c *credential, slot int) error {
	if c.Renewal == nil {
		return errNoRenewal
	}
	// New copies of an issuer that is no longer admitted would be worth less than old
	// ones, which have evidence from before.
	now := Party{ID: c.Issuer}
	if err := w.lookUp(ctx, &now, registry.Issuer, registry.Lookup{URL: c.Issuer}); err != nil {
		return err
	}
	if c.Party.Known && !now.Admitted {
		return errNoRenewal
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
		c.Renewal.RefreshToken = token.RefreshToken
		if err := w.c.Store.Update(func(tx kv.Tx) error { return w.box.put(tx, credentialPrefix+c.ID, c) }); err != nil {
			return err
		}
	}
	copies, answer, err := w.fetchCopies(ctx, s, token, c.ConfigurationID, c.missing(slot, min(s.Issuer.BatchSize(), maxBatch)))
	if err != nil {
		return err
	}
	if err := w.keepableAgain(ctx, s, c, copies); err != nil {
		w.notify(ctx, s, token, answer, openid4vci.CredentialFailure)
		return err
	}
	w.timestamp(ctx, c.Party.Region, copies)
	c.Copies = append(c.Copies, copies...)
	err = w.c.Store.Update(func(tx kv.Tx) error {
		if err := w.box.put(tx, credentialPrefix+c.ID, c); err != nil {
			return err
		}
		return w.remember(tx, Event{Kind: EventRenewed, Credential: c.ID, Name: c.item().Name, Party: c.Party})
	})
	if err != nil {
		return err
	}
	w.notify(ctx, s, token, answer, openid4vci.CredentialAccepted)
	return nil
}

// missing are n slots from slot on that have no copy yet.
func (c *credential) missing(slot, n int) []int {
	var out []int
	for s := slot; len(out) < max(n, 1); s++ {
		if c.copyAt(s) == nil {
			out = append(out, s)
		}
	}
	return out
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

// sameSlot makes sure that all credentials have a copy at one slot, so that what one
// asker sees belongs together. The wish is the asker's own slot; when copies have run
// out and no new ones are to be had, a slot is taken that was used before, and reused
// says so. When even that fails, each credential shows its own least used copy and
// apart says so.
func (w *Wallet) sameSlot(ctx context.Context, credentials []*credential, wish int) (slot int, reused, apart bool) {
	complete := true
	for _, c := range credentials {
		if c.copyAt(wish) != nil {
			continue
		}
		if err := w.renew(ctx, c, wish); err != nil {
			w.c.Log.WarnContext(ctx, "no new copies", "credential", c.ID, "cause", fmt.Sprintf("%T", err))
		}
		complete = complete && c.copyAt(wish) != nil
	}
	if complete {
		return wish, false, false
	}
	best, uses := -1, 0
	for _, candidate := range credentials[0].Copies {
		n, all := 0, candidate.Slot >= 0
		for _, c := range credentials {
			if at := c.copyAt(candidate.Slot); at != nil {
				n += at.Uses
			} else {
				all = false
			}
		}
		if all && (best < 0 || n < uses) {
			best, uses = candidate.Slot, n
		}
	}
	if best >= 0 {
		return best, uses > 0, false
	}
	return wish, true, true
}
