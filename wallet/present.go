package wallet

import (
	"context"
	"errors"
	"fmt"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

var (
	// ErrNothing: there is nothing to send, so nothing is sent.
	ErrNothing = errors.New("there is nothing that fits this request")
	// ErrIncomplete: the asker wants all or nothing of what was left out.
	ErrIncomplete = errors.New("the asker takes this only as a whole")
)

// A Decision is the holder's answer to a request.
type Decision struct {
	// Skip are the indexes of the consent's items that do not go.
	Skip []int
}

// Present sends what the consent says, less what the holder skips, and returns the
// page that the asker wants opened, if any. The history has an entry before anything
// is sent, and says afterwards whether the asker took it.
//
// Copies that are needed and not there are fetched first, with their timestamps.
//
// Errors: ErrNothing, ErrIncomplete, ErrAgain (nothing was sent), those of openid4vp.
func (w *Wallet) Present(ctx context.Context, r *Request, d Decision) (redirect string, err error) {
	skip := map[int]bool{}
	for _, i := range d.Skip {
		skip[i] = true
	}
	if err := w.fetchAgreed(ctx, r, skip); err != nil {
		return "", err
	}
	token := openid4vp.VPToken{}
	var going []int
	for i, p := range r.shows {
		if skip[i] {
			continue
		}
		text, err := w.bind(p, string(r.exchange.Request.ClientID), r.exchange.Request.Nonce)
		if err != nil {
			return "", err
		}
		token[p.query] = append(token[p.query], text)
		going = append(going, i)
	}
	if len(going) == 0 {
		return "", ErrNothing
	}
	if err := r.exchange.Request.Query.CheckSets(token.Counts()); err != nil {
		return "", fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	event, err := w.beforeSending(r, going)
	if err != nil {
		return "", err
	}
	redirect, err = r.client.Send(ctx, r.exchange, token)
	event.Outcome = "taken"
	if err != nil {
		// The asker may have it all the same: the entry stays.
		event.Outcome = "not confirmed"
	}
	storeErr := w.c.Store.Update(func(tx kv.Tx) error {
		_, err := w.rememberAs(tx, event)
		return err
	})
	return redirect, errors.Join(err, storeErr)
}

// bind signs the key binding (RFC 9901 4.3) of one presentation, with the timestamps
// of its copy in it. A credential bound to no key goes as it is.
func (w *Wallet) bind(p prepared, audience, nonce string) (string, error) {
	if p.slot < 0 {
		return p.token.String(), nil
	}
	kb := sdjwt.KeyBinding{Audience: audience, Nonce: nonce, IssuedAt: w.c.Clock()}
	if len(p.timestamps) > 0 {
		kb.Extra = map[string]any{paspoort.TimestampsClaim: p.timestamps}
	}
	bound, err := p.token.Bind(p.key, kb)
	if err != nil {
		return "", err
	}
	return bound.String(), nil
}

// beforeSending stores what must not be lost when the program stops halfway: that
// this asker has this slot, which copies it saw, and that something was sent.
func (w *Wallet) beforeSending(r *Request, going []int) (event Event, err error) {
	event = Event{Kind: EventShown, Party: r.Consent.Asker, Purpose: r.Consent.Purpose, Outcome: "sending"}
	for _, i := range going {
		event.Shown = append(event.Shown, shownOf(r.Consent.Items[i]))
	}
	err = w.c.Store.Update(func(tx kv.Tx) error {
		a, err := w.readAskers(tx)
		if err != nil {
			return err
		}
		a.Slots[r.asker] = r.slot
		if err := w.box.put(tx, keyAskers, a); err != nil {
			return err
		}
		for _, i := range going {
			p := r.shows[i]
			if p.credential == nil {
				continue
			}
			c, err := w.credentialNow(tx, p.credential.ID)
			if errors.Is(err, ErrNotHere) {
				continue
			}
			if err != nil {
				return err
			}
			if at := c.copyAt(p.slot); at != nil {
				at.Uses++
			}
			if err := w.putCredential(tx, c); err != nil {
				return err
			}
		}
		event, err = w.rememberAs(tx, event)
		return err
	})
	return event, err
}

func shownOf(item ConsentItem) ShownCredential {
	s := ShownCredential{Credential: item.Credential, Name: item.Name, Claims: []string{}}
	for _, l := range item.Lines {
		if l.Name == "skills" {
			s.Claims = append(s.Claims, l.Value)
		} else {
			s.Claims = append(s.Claims, l.Label)
		}
	}
	return s
}

// Refuse remembers that the holder said no. Nothing is sent unless tell: opened,
// refused and never seen then look the same to the asker.
func (w *Wallet) Refuse(ctx context.Context, r *Request, tell bool) (redirect string, err error) {
	if tell {
		// OpenID4VP 8.5: access_denied, for "no" and for "not there" alike.
		redirect, err = r.client.Refuse(ctx, r.exchange, openid4vp.AccessDenied, "")
	}
	storeErr := w.c.Store.Update(func(tx kv.Tx) error {
		return w.remember(tx, Event{Kind: EventRefused, Party: r.Consent.Asker, Purpose: r.Consent.Purpose, Told: tell && err == nil})
	})
	return redirect, errors.Join(err, storeErr)
}
