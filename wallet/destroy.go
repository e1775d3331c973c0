package wallet

import (
	"errors"
	"fmt"

	"paspoort.example/paspoort/internal/kv"
)

// Destroy removes a wallet from a store for ever: first every wrap of the data key, from
// which moment nothing of it can be opened, then every row and what the files still hold
// of it. What stands in a backup stays there, sealed. It needs no unlocking; when it is
// broken off, do it again. kv.ErrNoPurge when the store cannot.
func Destroy(store kv.Store) error {
	err := store.Update(func(tx kv.Tx) error { return errors.Join(tx.Delete(vaultKey), tx.Delete(spareVaultKey)) })
	if err != nil {
		return fmt.Errorf("remove the unlockers: %w", err)
	}
	return errors.Join(kv.Sync(store), kv.Purge(store, ""))
}
