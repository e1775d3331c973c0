package wallet

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// A declaration holds the holder's own words, the value under declarationPrefix. It
// becomes a credential only when it is shown: signed then with the key of the slot,
// which is thereby its issuer.
type declaration struct {
	ID      string           `json:"id"`
	Written time.Time        `json:"written"`
	Changed time.Time        `json:"changed,omitzero"`
	Data    paspoort.Dataset `json:"data"`
}

func (d *declaration) name() string {
	if title, ok := d.Data.Claims["title"].(string); ok && title != "" {
		return title
	}
	return paspoort.Zelfverklaring.Name().NL
}

// Declare keeps the holder's own words and returns their id for Show. The claims are
// those of a Zelfverklaring; paspoort.ErrClaims says what does not fit.
func (w *Wallet) Declare(claims map[string]any) (string, error) {
	data, err := paspoort.NewDataset(paspoort.Zelfverklaring, claims, w.c.Rand)
	if err != nil {
		return "", err
	}
	d := &declaration{Written: w.c.Clock().UTC(), Data: data}
	if d.ID, err = w.newID(); err != nil {
		return "", err
	}
	return d.ID, w.c.Store.Update(func(tx kv.Tx) error {
		if err := w.box.put(tx, declarationPrefix+d.ID, d); err != nil {
			return err
		}
		return w.remember(tx, Event{Kind: EventDeclared, Credential: d.ID, Name: d.name()})
	})
}

// Redeclare changes the holder's own words in place: their id stays. Errors: ErrNotHere,
// paspoort.ErrClaims.
func (w *Wallet) Redeclare(id string, claims map[string]any) error {
	data, err := paspoort.NewDataset(paspoort.Zelfverklaring, claims, w.c.Rand)
	if err != nil {
		return err
	}
	return w.c.Store.Update(func(tx kv.Tx) error {
		var d declaration
		err := w.box.get(tx, declarationPrefix+id, &d)
		if errors.Is(err, kv.ErrNotFound) {
			return ErrNotHere
		}
		if err != nil {
			return err
		}
		d.Data, d.Changed = data, w.c.Clock().UTC()
		if err := w.box.put(tx, declarationPrefix+id, &d); err != nil {
			return err
		}
		return w.remember(tx, Event{Kind: EventDeclared, Credential: id, Name: d.name(), Outcome: OutcomeChanged})
	})
}

// Declaration is the holder's own words as they were declared. ErrNotHere.
func (w *Wallet) Declaration(id string) (map[string]any, error) {
	var d declaration
	err := w.c.Store.View(func(tx kv.Tx) error { return w.box.get(tx, declarationPrefix+id, &d) })
	if errors.Is(err, kv.ErrNotFound) {
		return nil, ErrNotHere
	}
	return d.Data.Claims, err
}

func (w *Wallet) declarations(tx kv.Tx) ([]*declaration, error) {
	var out []*declaration
	err := w.box.each(tx, declarationPrefix, func(_ string, body []byte) error {
		d := new(declaration)
		if err := decode(body, d); err != nil {
			return err
		}
		out = append(out, d)
		return nil
	})
	slices.SortFunc(out, func(a, b *declaration) int { return a.Written.Compare(b.Written) })
	return out, err
}

// sign makes a credential of own words: iss is the did:jwk of the slot key that
// signs it and that it is bound to.
func (w *Wallet) sign(d *declaration, f paspoort.Format, key *jose.PrivateKey) (*sdjwt.SDJWT, error) {
	keyID, err := holderKeyID(key.Public())
	if err != nil {
		return nil, err
	}
	typ, claims, err := paspoort.Render(f, paspoort.Issuer{ID: keyID[:len(keyID)-len("#0")]}, d.Data, paspoort.Copy{
		Holder: key.Public(), HolderKeyID: keyID, IssuedAt: w.c.Clock(),
	})
	if err != nil {
		return nil, fmt.Errorf("own words: %w", err)
	}
	return sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Header: jose.Header{Type: typ, KeyID: keyID}, Claims: claims, Rand: w.c.Rand})
}
