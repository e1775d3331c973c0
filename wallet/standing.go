package wallet

import (
	"context"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
)

// A Standing is how a credential stands today, as anybody who checks it would find.
type Standing struct {
	State paspoort.State `json:"state"`
	// Sentence says what is wrong or not known, and Code says it to machines; empty when all
	// is well.
	Sentence paspoort.Text `json:"sentence,omitzero"`
	Code     string        `json:"code,omitempty"`
	Status   string        `json:"status"` // valid, invalid, suspended, none, unknown
	// Level is the proof level that was found; nil when nothing is proved.
	Level *int `json:"level,omitempty"`
}

// standingTime bounds what a look at everything may take. What could not be asked in
// time is unknown.
const standingTime = 20 * time.Second

// Standings looks at every credential in the wallet: revoked, suspended, expired, its
// issuer withdrawn. It is done when the wallet is opened, so that a holder hears of it
// here first. Status lists are fetched whole, which tells their publisher nothing about
// which credential is meant.
func (w *Wallet) Standings(ctx context.Context) (map[string]Standing, error) {
	ctx, cancel := context.WithTimeout(ctx, standingTime)
	defer cancel()
	w.refresh(ctx)
	var held []*credential
	err := w.c.Store.View(func(tx kv.Tx) (err error) {
		held, err = w.credentials(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make(map[string]Standing, len(held))
	for _, c := range held {
		text, err := w.lookAt(c)
		if err != nil {
			return nil, err
		}
		verdict, err := w.verdict(ctx, text)
		if err != nil {
			return nil, err
		}
		out[c.ID] = StandingOf(verdict.Credentials[0])
	}
	return out, nil
}

// StandingOf is the worst of the checks that are about the credential. Whose it is and
// who asked, the holder knows.
func StandingOf(v paspoort.CredentialVerdict) Standing {
	s := Standing{State: paspoort.OK, Status: v.Status, Level: v.ProofLevel}
	for _, c := range v.Checks {
		switch {
		case c.Name == paspoort.CheckHolderBinding, c.Name == paspoort.CheckNonceAudience, c.State == paspoort.OK:
		case c.State == paspoort.Failed && s.State != paspoort.Failed, s.State == paspoort.OK:
			s.State, s.Sentence, s.Code = c.State, c.Sentence, c.Code
		}
	}
	return s
}
