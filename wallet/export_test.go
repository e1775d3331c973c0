package wallet

import (
	"slices"

	"paspoort.example/paspoort/internal/kv"
)

// Quick is c with a key derivation that protects nothing and takes no time.
func Quick(c Config) Config {
	c.testingKDF = &argon2id{Time: 1, Memory: 8 << 10, Lanes: 1}
	return c
}

// KeyOf is what a recovery code opens with.
func KeyOf(c RecoveryCode) []byte {
	key, err := c.key()
	if err != nil {
		panic(err)
	}
	return key
}

// LeaveOnlyPasskeys tries to take every other unlocker out.
func LeaveOnlyPasskeys(w *Wallet) error {
	return w.changeVault(Event{}, func(v *vault) error {
		v.Wraps = slices.DeleteFunc(v.Wraps, func(w wrap) bool { return w.Kind != kindPasskey })
		return nil
	})
}

// WithoutInbox makes of a wallet one from before there were inboxes.
func WithoutInbox(w *Wallet) {
	err := w.c.Store.Update(func(tx kv.Tx) error {
		v, err := readVault(tx)
		if err != nil {
			return err
		}
		v.Inbox = nil
		if err := w.box.delete(tx, keyInbox); err != nil {
			return err
		}
		return v.write(tx)
	})
	if err != nil {
		panic(err)
	}
}
