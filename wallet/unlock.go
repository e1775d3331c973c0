package wallet

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"paspoort.example/paspoort/internal/kv"
)

// The kinds of unlockers.
const (
	kindPassphrase = "passphrase"
	kindRecovery   = "recovery"
	kindPasskey    = "passkey"
)

var (
	// ErrPasskey: this passkey does not open, or its secret is no secret.
	ErrPasskey = errors.New("this passkey does not open the paspoort")
	// ErrLastUnlocker: what is to be removed is the last that is no passkey.
	ErrLastUnlocker = errors.New("a passphrase or a recovery code must stay: a passkey is never the only way in")
)

// minPasskeySecret is in bytes: what the WebAuthn PRF extension gives is 32.
const minPasskeySecret = 32

// An Unlocker is one way to open the wallet.
type Unlocker struct {
	Kind string `json:"kind"` // "passphrase", "recovery" or "passkey"
	ID   string `json:"id"`   // of a passkey: what AddPasskey was given
}

// Unlockers are the ways to open this wallet.
func (w *Wallet) Unlockers() ([]Unlocker, error) {
	out := []Unlocker{}
	err := w.c.Store.View(func(tx kv.Tx) error {
		v, err := readVault(tx)
		if err != nil {
			return err
		}
		for _, wrap := range v.Wraps {
			out = append(out, Unlocker{wrap.Kind, wrap.ID})
		}
		return nil
	})
	return out, err
}

// changeVault changes the unlockers, and adds an event unless its kind is empty. The data
// key stays what it is, so nothing else is written.
func (w *Wallet) changeVault(e Event, change func(*vault) error) error {
	gone := false
	err := w.c.Store.Update(func(tx kv.Tx) error {
		v, err := readVault(tx)
		if err != nil {
			return err
		}
		before := slices.Clone(v.Wraps)
		if err := change(v); err != nil {
			return err
		}
		gone = slices.ContainsFunc(before, func(w wrap) bool { return !v.has(w) })
		if e.Kind != "" {
			if err := w.remember(tx, e); err != nil {
				return err
			}
		}
		return v.write(tx)
	})
	if err == nil && gone {
		w.forgetWraps()
	}
	return err
}

func (v *vault) has(w wrap) bool {
	return slices.ContainsFunc(v.Wraps, func(have wrap) bool { return bytes.Equal(have.Sealed, w.Sealed) })
}

// forgetWraps takes wraps that were replaced or removed out of the files of the store:
// whoever takes the disk away must not open with what the holder gave up. The change is
// made by then, so that this fails is told to whoever runs the store only.
func (w *Wallet) forgetWraps() {
	err := kv.Forget(w.c.Store, string(vaultKey), string(spareVaultKey))
	if err != nil && !errors.Is(err, kv.ErrNoPurge) {
		w.c.Log.Warn("a former way to unlock may still stand in the files of the store", "cause", err)
	}
}

// remove takes out the unlockers of a kind, with the id unless it is empty. It says
// whether there were any.
func (v *vault) remove(kind, id string) bool {
	before := len(v.Wraps)
	v.Wraps = slices.DeleteFunc(v.Wraps, func(w wrap) bool { return w.Kind == kind && (id == "" || w.ID == id) })
	return len(v.Wraps) < before
}

// ChangePassphrase replaces the passphrase, or sets one when there is none. The old one
// opens nothing any more, except a copy of the store from before. Error: ErrWeakPassphrase.
func (w *Wallet) ChangePassphrase(passphrase []byte) error {
	if err := CheckPassphrase(passphrase); err != nil {
		return err
	}
	fresh := &vault{} // derived outside the transaction: it takes long on purpose
	if err := fresh.addPassphrase(passphrase, w.box.dataKey, w.c.Rand, w.c.testingKDF); err != nil {
		return err
	}
	return w.changeVault(Event{Kind: EventPassphrase}, func(v *vault) error {
		v.remove(kindPassphrase, "")
		v.Wraps = append(v.Wraps, fresh.Wraps...)
		return nil
	})
}

// NewRecoveryCode makes a recovery code, in place of the one there was. It is not kept:
// whoever asked must give it to the holder now.
func (w *Wallet) NewRecoveryCode() (RecoveryCode, error) {
	code, err := drawRecoveryCode(w.c.Rand)
	if err != nil {
		return code, err
	}
	key, err := code.key()
	if err != nil {
		return code, err
	}
	return code, w.changeVault(Event{}, func(v *vault) error {
		v.remove(kindRecovery, "")
		return v.add(wrap{Kind: kindRecovery, ID: kindRecovery}, key, w.box.dataKey, w.c.Rand)
	})
}

// UnlockWithRecovery opens the wallet of a store with its recovery code, and notes that in
// the history. Errors: ErrNoWallet, ErrRecoveryCode.
func UnlockWithRecovery(c Config, code RecoveryCode) (*Wallet, error) {
	w, err := unlock(c, func(v *vault) ([]byte, error) { return v.openWithRecovery(code) })
	if err != nil {
		return nil, err
	}
	return w, w.c.Store.Update(func(tx kv.Tx) error { return w.remember(tx, Event{Kind: EventRecovered}) })
}

func (v *vault) openWithRecovery(code RecoveryCode) ([]byte, error) {
	key, err := code.key()
	if err != nil {
		return nil, err
	}
	for _, w := range v.Wraps {
		if w.Kind != kindRecovery {
			continue
		}
		if dataKey := w.open(key); dataKey != nil {
			return dataKey, nil
		}
	}
	return nil, ErrRecoveryCode
}

// KnowsPassphrase is nil for the passphrase of this wallet, as Unlock would find, without
// making another wallet of it. It takes as long as Unlock. Error: ErrPassphrase.
func (w *Wallet) KnowsPassphrase(passphrase []byte) error {
	return w.opens(ErrPassphrase, func(v *vault) ([]byte, error) { return v.open(passphrase) })
}

// KnowsRecoveryCode says whether this is the recovery code of this wallet. Nothing is
// noted in the history.
func (w *Wallet) KnowsRecoveryCode(code RecoveryCode) bool {
	return w.opens(ErrRecoveryCode, func(v *vault) ([]byte, error) { return v.openWithRecovery(code) }) == nil
}

// opens is refused unless an unlocker gives the key that this wallet was opened with.
func (w *Wallet) opens(refused error, dataKeyOf func(*vault) ([]byte, error)) error {
	var v *vault
	err := w.c.Store.View(func(tx kv.Tx) (err error) {
		v, err = readVault(tx)
		return err
	})
	if err != nil {
		return err
	}
	dataKey, err := dataKeyOf(v) // outside the transaction: it may take long on purpose
	if err == nil && subtle.ConstantTimeCompare(dataKey, w.box.dataKey) != 1 {
		err = refused
	}
	return err
}

// AddPasskey adds a passkey, or gives the one with this id another secret. The secret is
// what its PRF extension gives (WebAuthn Level 3, 10.1.4), at least 32 bytes. Errors:
// ErrPasskey, ErrLastUnlocker.
func (w *Wallet) AddPasskey(id string, secret []byte) error {
	key, err := passkeyKey(id, secret)
	if err != nil {
		return err
	}
	return w.changeVault(Event{}, func(v *vault) error {
		v.remove(kindPasskey, id)
		return v.add(wrap{Kind: kindPasskey, ID: id}, key, w.box.dataKey, w.c.Rand)
	})
}

// RemovePasskey takes a passkey out. ErrNotHere when there is none with this id.
func (w *Wallet) RemovePasskey(id string) error {
	return w.changeVault(Event{}, func(v *vault) error {
		if id == "" || !v.remove(kindPasskey, id) {
			return ErrNotHere
		}
		return nil
	})
}

// UnlockWithPasskey opens the wallet of a store with the PRF secret of one passkey.
// Errors: ErrNoWallet, ErrPasskey.
func UnlockWithPasskey(c Config, id string, secret []byte) (*Wallet, error) {
	key, err := passkeyKey(id, secret)
	if err != nil {
		return nil, err
	}
	return unlock(c, func(v *vault) ([]byte, error) {
		for _, w := range v.Wraps {
			if w.Kind != kindPasskey || w.ID != id {
				continue
			}
			if dataKey := w.open(key); dataKey != nil {
				return dataKey, nil
			}
		}
		return nil, ErrPasskey
	})
}

func passkeyKey(id string, secret []byte) ([]byte, error) {
	if id == "" || len(secret) < minPasskeySecret {
		return nil, fmt.Errorf("%w: it has no id, or a secret of %d bytes", ErrPasskey, len(secret))
	}
	return hkdf.Key(sha256.New, secret, nil, "paspoort/wallet/passkey/key/v1", chacha20poly1305.KeySize)
}
