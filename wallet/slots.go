package wallet

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
)

// Key slots: the wallet has numbered holder keys. Copy i of every credential is
// bound to key i, and one asker always gets the same slot. So what one asker sees
// belongs together, and what two askers see does not.

// maxSlots bounds how many holder keys a wallet makes.
const maxSlots = 10000

// slotSigner is the key of slot n, made on first use.
func (w *Wallet) slotSigner(tx kv.Tx, n int) (*jose.PrivateKey, error) {
	if n < 0 || n >= maxSlots {
		return nil, fmt.Errorf("key slot %d is out of range", n)
	}
	key, err := w.slotKept(tx, n)
	if !errors.Is(err, kv.ErrNotFound) {
		return key, err
	}
	if key, err = jose.Generate(jose.ES256); err != nil {
		return nil, err
	}
	raw, err := jose.MarshalPrivate(key)
	if err != nil {
		return nil, err
	}
	return key, w.box.put(tx, slotKey(n), json.RawMessage(raw))
}

// slotKept is the key of slot n, or kv.ErrNotFound.
func (w *Wallet) slotKept(tx kv.Tx, n int) (*jose.PrivateKey, error) {
	var raw json.RawMessage
	if err := w.box.get(tx, slotKey(n), &raw); err != nil {
		return nil, err
	}
	return jose.ParsePrivate(raw)
}

// slotSigners are the keys of several slots. Where all are there nothing is written.
func (w *Wallet) slotSigners(slots []int) (map[int]*jose.PrivateKey, error) {
	keys := make(map[int]*jose.PrivateKey, len(slots))
	err := w.c.Store.View(func(tx kv.Tx) error {
		for _, n := range slots {
			key, err := w.slotKept(tx, n)
			if err != nil {
				return err
			}
			keys[n] = key
		}
		return nil
	})
	if !errors.Is(err, kv.ErrNotFound) {
		return keys, err
	}
	err = w.c.Store.Update(func(tx kv.Tx) error {
		for _, n := range slots {
			key, err := w.slotSigner(tx, n)
			if err != nil {
				return err
			}
			keys[n] = key
		}
		return nil
	})
	return keys, err
}

// holderKeyID is the DID URL that names a holder key: its did:jwk.
func holderKeyID(pub crypto.PublicKey) (string, error) {
	id, err := did.JWK(pub)
	return id + "#0", err
}

// askers is the value under keyAskers.
type askers struct {
	Slots map[string]int `json:"slots"` // asker to slot
	// Elsewhere are slots whose keys another place has too, because they were taken along:
	// it may have shown them since, so no new asker gets one.
	Elsewhere []int `json:"elsewhere,omitempty"`
}

// keptFor is before the name of an asker whose key in another place is not the one here.
const keptFor = "elsewhere:"

func (a *askers) elsewhere(n int) {
	if at, found := slices.BinarySearch(a.Elsewhere, n); !found {
		a.Elsewhere = slices.Insert(a.Elsewhere, at, n)
	}
}

// freshSlots are the n lowest slots whose keys are nowhere else.
func (w *Wallet) freshSlots(n int) ([]int, error) {
	return w.missing(&credential{}, -1, n)
}

func (w *Wallet) readAskers(tx kv.Tx) (askers, error) {
	a := askers{Slots: map[string]int{}}
	err := w.box.get(tx, keyAskers, &a)
	if errors.Is(err, kv.ErrNotFound) {
		err = nil
	}
	return a, err
}

// slotOf is the slot of an asker: the one it got before, or the first that no
// asker has, here or elsewhere. Nothing is stored: an asker only gets a slot when it is answered.
func (a askers) slotOf(asker string) int {
	if n, ok := a.Slots[asker]; ok {
		return n
	}
	taken := make(map[int]bool, len(a.Slots))
	for _, n := range a.Slots {
		taken[n] = true
	}
	for _, n := range a.Elsewhere {
		taken[n] = true
	}
	n := 0
	for taken[n] {
		n++
	}
	return n
}
