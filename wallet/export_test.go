package wallet

import (
	"context"
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

// Multiply makes n of the one credential that the wallet holds.
func Multiply(w *Wallet, n int) {
	items, err := w.List()
	if err != nil {
		panic(err)
	}
	c, _, err := w.find(items[0].ID)
	if err != nil {
		panic(err)
	}
	err = w.c.Store.View(func(tx kv.Tx) error {
		for i := range c.Copies {
			if err := w.loadCopy(tx, c, &c.Copies[i]); err != nil {
				return err
			}
			c.Copies[i].loaded = false
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	for range n - 1 {
		if c.ID, err = w.newID(); err != nil {
			panic(err)
		}
		if err := w.c.Store.Update(func(tx kv.Tx) error { return w.putCredential(tx, c) }); err != nil {
			panic(err)
		}
	}
}

// ReadToRenew reads a credential as it is now, and gives what renews it later.
func ReadToRenew(w *Wallet, id string) func(ctx context.Context, slot int) (copies int, err error) {
	c, _, err := w.find(id)
	if err != nil {
		panic(err)
	}
	return func(ctx context.Context, slot int) (int, error) {
		err := w.renew(ctx, c, slot)
		return len(c.Copies), err
	}
}

// Held reads what Standings looks at.
func Held(w *Wallet) (n int, err error) {
	err = w.c.Store.View(func(tx kv.Tx) error {
		held, err := w.credentials(tx)
		n = len(held)
		return err
	})
	return n, err
}

// RowOf is the stored key of a name.
func RowOf(w *Wallet, name string) []byte { return w.box.key(name) }

// NameOf is what a stored row is called inside.
func NameOf(w *Wallet, key, value []byte) string {
	r, err := w.box.open(key, value)
	if err != nil {
		return err.Error()
	}
	return r.Name
}
