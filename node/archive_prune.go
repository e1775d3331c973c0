package node

import (
	"errors"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

// pruneBatch is how many days one transaction deletes.
const pruneBatch = 500

// prune deletes the tokens of days that are too long ago or too much of one organisation, oldest
// first. The newest token of a list stays.
func (a *archive) prune(now time.Time) error {
	store, err := a.open(false)
	if err != nil || store == nil {
		return err
	}
	a.keep.Lock()
	defer a.keep.Unlock()
	type day struct {
		archiveDay
		name string // HASH/DAY
	}
	var all []day
	newest := map[string]string{} // day by hash
	err = store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(archiveDays), func(key, value []byte) error {
			d := day{name: string(key[len(archiveDays):])}
			if err := kv.DecodeJSON(value, archiveFormat, &d.archiveDay); err != nil {
				return err
			}
			hash, _, _ := strings.Cut(d.name, "/")
			newest[hash] = d.name // days of one list come in order
			all = append(all, d)
			return nil
		})
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b day) int { return b.IssuedAt.Compare(a.IssuedAt) })
	sizes := map[string]int{}
	var gone []string
	for _, d := range all {
		sizes[d.Organisation] += d.Bytes
		hash, _, _ := strings.Cut(d.name, "/")
		if newest[hash] != d.name && (now.Sub(d.IssuedAt) > archiveFor || sizes[d.Organisation] > maxArchiveOf) {
			gone = append(gone, d.name)
		}
	}
	for part := range slices.Chunk(gone, pruneBatch) {
		if err := store.Update(func(tx kv.Tx) error { return deleteDays(tx, part) }); err != nil {
			return err
		}
	}
	return nil
}

func deleteDays(tx kv.Tx, names []string) error {
	fewer := map[string]int{}
	for _, name := range names {
		hash, _, _ := strings.Cut(name, "/")
		fewer[hash]++
		if err := errors.Join(tx.Delete([]byte(archiveDays+name)), tx.Delete([]byte(archiveTokens+name))); err != nil {
			return err
		}
	}
	for hash, n := range fewer {
		var row archiveRow
		key := []byte(archiveRows + hash)
		if err := kv.GetJSON(tx, key, archiveFormat, &row); err != nil {
			return err
		}
		row.Days -= n
		if err := kv.PutJSON(tx, key, archiveFormat, row); err != nil {
			return err
		}
	}
	return nil
}

// erase deletes all lists of organisations whose name was erased by law: the address of a list
// names the host of a one-person firm.
func (a *archive) erase(organisations []string) error {
	store, err := a.open(false)
	if err != nil || store == nil || len(organisations) == 0 {
		return err
	}
	a.keep.Lock()
	defer a.keep.Unlock()
	var hashes []string
	err = store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(archiveRows), func(key, value []byte) error {
			var row archiveRow
			if err := kv.DecodeJSON(value, archiveFormat, &row); err != nil {
				return err
			}
			if slices.Contains(organisations, row.Organisation) {
				hashes = append(hashes, string(key[len(archiveRows):]))
			}
			return nil
		})
	})
	for _, hash := range hashes {
		for _, prefix := range []string{archiveDays + hash + "/", archiveTokens + hash + "/", archiveProofs + hash + "/", archiveEver + hash, archiveRows + hash} {
			err = errors.Join(err, deleteAll(store, prefix))
		}
	}
	return err
}

func deleteAll(store kv.Store, prefix string) error {
	var keys [][]byte
	err := store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefix), func(key, _ []byte) error { keys = append(keys, slices.Clone(key)); return nil })
	})
	for part := range slices.Chunk(keys, pruneBatch) {
		err = errors.Join(err, store.Update(func(tx kv.Tx) error {
			for _, key := range part {
				if err := tx.Delete(key); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return err
}
