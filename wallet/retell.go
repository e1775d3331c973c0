package wallet

import (
	"context"

	"paspoort.example/paspoort/specs/sdjwt"
)

// What was read once is told again in the language of the wallet that is asked: see In.
// Nobody is contacted for it.

// RetellOffer tells an offer again.
func (w *Wallet) RetellOffer(o *Offer) {
	for i, item := range o.Items {
		if again, err := w.offered(o.session.Issuer, item.ConfigurationID); err == nil {
			o.Items[i] = again
		}
	}
}

// RetellReceived tells again what a credential says that is not kept yet.
func (w *Wallet) RetellReceived(r *Received) error {
	t, err := sdjwt.Parse(r.c.Copies[0].Text)
	if err != nil {
		return err
	}
	r.Lines, err = w.lines(t, r.c.Labels)
	return err
}

// Retell describes again what an answer to a request would show.
func (w *Wallet) Retell(ctx context.Context, r *Request) error {
	if r.told == w.c.Languages[0] {
		return nil
	}
	return w.offerChoice(ctx, r)
}
