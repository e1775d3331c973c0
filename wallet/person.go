package wallet

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

// Person is what the wallet knows of its holder beside the contents, sealed like these.
type Person struct {
	Name string `json:"name"` // to be greeted with
	// RecoveryConfirmed: the holder typed the recovery code after it was shown.
	RecoveryConfirmed bool `json:"recovery_confirmed"`
	// Code is the recovery code as long as it is not confirmed: whoever reads it here has
	// opened the wallet already. It never goes into an archive.
	Code string `json:"code,omitempty"`
	// Passkeys are the holder's own names for passkeys, by their id.
	Passkeys map[string]string `json:"passkeys,omitempty"`
}

// Person is empty for a wallet that was told nothing.
func (w *Wallet) Person() (p Person, err error) {
	err = w.c.Store.View(func(tx kv.Tx) error {
		p, err = w.readPerson(tx)
		return err
	})
	return p, err
}

func (w *Wallet) readPerson(tx kv.Tx) (p Person, err error) {
	err = w.box.get(tx, keyPerson, &p)
	if errors.Is(err, kv.ErrNotFound) {
		err = nil
	}
	return p, err
}

// ChangePerson changes what is known now, so that two changes at once both stay. The
// function runs inside a transaction of the store: it must not use the wallet.
func (w *Wallet) ChangePerson(change func(*Person)) error {
	return w.c.Store.Update(func(tx kv.Tx) error {
		p, err := w.readPerson(tx)
		if err != nil {
			return err
		}
		change(&p)
		return w.box.put(tx, keyPerson, p)
	})
}

// ErrDraft: a half-filled form that is too large to keep, or has no name.
var ErrDraft = errors.New("this form is too large to keep half-filled")

const (
	maxDrafts    = 20 // the oldest makes room
	maxDraft     = 32 << 10
	maxDraftName = 200
	draftTime    = 30 * 24 * time.Hour
)

// A draft is a half-filled form, the value under draftPrefix.
type draft struct {
	Form   string     `json:"form"`
	Values url.Values `json:"values"`
	At     time.Time  `json:"at"`
}

func checkDraft(form string, values url.Values) error {
	raw, err := json.Marshal(values)
	if err != nil || form == "" || len(form) > maxDraftName || len(raw) > maxDraft {
		return fmt.Errorf("%w: %d bytes", ErrDraft, len(raw))
	}
	return nil
}

// SaveDraft keeps a half-filled form for 30 days, in place of what was kept of it.
// ErrDraft when it is too large.
func (w *Wallet) SaveDraft(form string, values url.Values) error {
	if err := checkDraft(form, values); err != nil {
		return err
	}
	return w.c.Store.Update(func(tx kv.Tx) error {
		return w.putDraft(tx, draft{Form: form, Values: values, At: w.c.Clock().UTC()})
	})
}

// putDraft keeps a draft unless a newer one is there, and forgets those that are old or
// too many.
func (w *Wallet) putDraft(tx kv.Tx, d draft) error {
	var kept []draft
	err := w.box.each(tx, draftPrefix, func(_ string, body []byte) error {
		var k draft
		err := decode(body, &k)
		kept = append(kept, k)
		return err
	})
	if err != nil {
		return err
	}
	var oldest *draft
	others := 0
	for i := range kept {
		k := &kept[i]
		switch {
		case k.Form == d.Form:
			if k.At.After(d.At) {
				return nil
			}
		case w.c.Clock().Sub(k.At) > draftTime:
			if err := w.box.delete(tx, draftPrefix+k.Form); err != nil {
				return err
			}
		default:
			if others++; oldest == nil || k.At.Before(oldest.At) {
				oldest = k
			}
		}
	}
	if others >= maxDrafts {
		if err := w.box.delete(tx, draftPrefix+oldest.Form); err != nil {
			return err
		}
	}
	return w.box.put(tx, draftPrefix+d.Form, d)
}

// Draft is what was kept of a form; nil when nothing is, or it is older than 30 days.
func (w *Wallet) Draft(form string) (url.Values, error) {
	var d draft
	err := w.c.Store.View(func(tx kv.Tx) error { return w.box.get(tx, draftPrefix+form, &d) })
	if errors.Is(err, kv.ErrNotFound) || err == nil && w.c.Clock().Sub(d.At) > draftTime {
		return nil, nil
	}
	return d.Values, err
}

// DropDraft forgets what was kept of a form.
func (w *Wallet) DropDraft(form string) error {
	return w.c.Store.Update(func(tx kv.Tx) error { return w.box.delete(tx, draftPrefix+form) })
}
