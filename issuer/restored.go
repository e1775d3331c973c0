package issuer

import (
	"fmt"

	"paspoort.example/paspoort/internal/kv"
)

// restoredGap is how many list numbers are skipped after a restore: far more lists
// than were begun since any backup.
const restoredGap = 1000

// Restored prepares a store that was put back from a backup, before New. The store
// does not know which entries were given out after the backup was made, so no list
// of before is allocated in again: otherwise two persons could get one entry.
// listSize is Config.StatusListSize, 0 for the default. It returns the number of the
// list that comes next.
//
// What was suspended or revoked after the backup is lost with it and has to be done
// again.
func Restored(store kv.Store, listSize int) (int, error) {
	if listSize <= 0 {
		listSize = defaultListSize
	}
	if err := kv.CheckFormat(store, storeName, storeVersion); err != nil {
		return 0, fmt.Errorf("issuer: %w", err)
	}
	next := 0
	i := &Issuer{c: Config{StatusListSize: listSize}}
	err := store.Update(func(tx kv.Tx) error {
		newest, _, err := i.newestList(tx)
		if err != nil {
			return err
		}
		var reserved [][]byte
		err = tx.Scan([]byte(prefixReserve), func(k, _ []byte) error {
			reserved = append(reserved, append([]byte(nil), k...))
			return nil
		})
		if err != nil {
			return err
		}
		for _, k := range reserved {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		next = newest + restoredGap
		return kv.PutJSON(tx, listKey(prefixList, next), valueVersion, listMeta{Size: listSize})
	})
	if err != nil {
		return 0, fmt.Errorf("issuer: begin a new status list: %w", err)
	}
	return next, nil
}
