package wallet

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

// EventKind is what happened.
type EventKind string

const (
	EventAccepted EventKind = "accepted" // a credential came in
	EventRenewed  EventKind = "renewed"  // new copies came in
	EventDeclared EventKind = "declared" // own words were written, or changed (Outcome)
	EventShown    EventKind = "shown"    // something was sent
	EventRefused  EventKind = "refused"  // the holder said no; whether the asker knows is Told
	EventExported EventKind = "exported" // a file was made
	EventDeleted  EventKind = "deleted"

	EventShareMade      EventKind = "share_made"      // a link was made
	EventShareWithdrawn EventKind = "share_withdrawn" // the holder closed it
	EventShareOpened    EventKind = "share_opened"    // somebody opened it; the host signed Receipt
	EventShareAsked     EventKind = "share_asked"     // somebody wants a new link

	EventArchived   EventKind = "archived" // all was taken along
	EventImported   EventKind = "imported"
	EventRecovered  EventKind = "recovered"  // unlocked with the recovery code
	EventPassphrase EventKind = "passphrase" // the passphrase was changed
)

// OutcomeChanged is the Outcome of EventDeclared when own words were changed.
const OutcomeChanged = "changed"

// An Event is one line of the history. It is for the holder only.
type Event struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	Kind       EventKind `json:"kind"`
	Credential string    `json:"credential,omitempty"`
	Share      string    `json:"share,omitempty"` // of which share
	Name       string    `json:"name,omitempty"`
	Party      Party     `json:"party,omitzero"`
	Purpose    string    `json:"purpose,omitempty"`
	// Shown are the names of what went, per credential.
	Shown []ShownCredential `json:"shown,omitempty"`
	Told  bool              `json:"told,omitempty"`
	// Outcome of something that was sent: "sending" until the asker took it.
	Outcome string `json:"outcome,omitempty"`
	// Receipt is what the host signed about the opening of a share.
	Receipt string `json:"receipt,omitempty"`
	// Origin of an event that came in an archive: the wallet where it happened, and its id
	// there.
	Origin string `json:"origin,omitempty"`
}

// ShownCredential is what one presentation showed.
type ShownCredential struct {
	Credential string   `json:"credential,omitempty"`
	Name       string   `json:"name"`
	Claims     []string `json:"claims"`
}

// remember adds an event.
func (w *Wallet) remember(tx kv.Tx, e Event) error {
	_, err := w.rememberAs(tx, e)
	return err
}

// rememberAs adds or replaces an event and returns it with its id. Events are
// numbered, so that their order does not hang on a clock.
func (w *Wallet) rememberAs(tx kv.Tx, e Event) (Event, error) {
	if e.ID == "" {
		n, err := w.historyCount(tx)
		if err != nil {
			return e, err
		}
		if e.At.IsZero() { // else it happened before it was heard of
			e.At = w.c.Clock().UTC()
		}
		e.ID = fmt.Sprintf("%08d", n+1)
		if err := w.box.put(tx, keyHistoryCount, n+1); err != nil {
			return e, err
		}
	}
	return e, w.box.put(tx, historyPrefix+e.ID, e)
}

// History is all that happened, oldest first as far as clocks tell: what happened in
// another place stands between what happened here.
func (w *Wallet) History() (out []Event, err error) {
	err = w.c.Store.View(func(tx kv.Tx) error {
		out, err = w.history(tx)
		return err
	})
	slices.SortStableFunc(out, func(a, b Event) int { return a.At.Compare(b.At) })
	return out, err
}

// history is all that happened in the order in which it was heard of.
func (w *Wallet) history(tx kv.Tx) ([]Event, error) {
	count, err := w.historyCount(tx)
	if err != nil {
		return nil, err
	}
	out := make([]Event, count)
	for n := range out {
		if out[n], err = w.eventAt(tx, n+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// eventAt is the nth event, from 1 on.
func (w *Wallet) eventAt(tx kv.Tx, n int) (e Event, err error) {
	err = w.box.get(tx, historyKey(n), &e)
	if errors.Is(err, kv.ErrNotFound) {
		err = ErrDamaged // events are never removed
	}
	return e, err
}

func (w *Wallet) historyCount(tx kv.Tx) (n int, err error) {
	err = w.box.get(tx, keyHistoryCount, &n)
	if errors.Is(err, kv.ErrNotFound) {
		err = nil
	}
	return n, err
}
