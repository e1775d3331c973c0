package issuer

import (
	"net/http"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/statuslist"
)

// copyStore is a backup: everything in a store, at one moment.
func copyStore(t *testing.T, from kv.Store) kv.Store {
	t.Helper()
	to := kv.NewMemory()
	values := map[string][]byte{}
	err := from.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, v []byte) error {
			values[string(k)] = append([]byte(nil), v...)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	err = to.Update(func(tx kv.Tx) error {
		for k, v := range values {
			if err := tx.Set([]byte(k), v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestRestoredFromBackup: entries that were given out after the backup are not given
// out again. The control shows that without Restored they would be.
func TestRestoredFromBackup(t *testing.T) {
	for _, told := range []bool{true, false} {
		r := newRig(t, func(c *Config) { c.StatusListSize, c.StatusReserve = 128, 40 })
		before := r.offer(opleiding, false)
		old := r.accept(before, 2)
		backup := copyStore(t, r.store)
		given := map[statuslist.Reference]bool{}
		for range 3 {
			for _, c := range r.accept(r.offer(opleiding, false), 10).copies {
				given[r.reference(c)] = true
			}
		}
		r.config.Store = backup
		if told {
			if next, err := Restored(backup, r.config.StatusListSize); err != nil || next <= restoredGap {
				t.Fatalf("next list: %d, %v", next, err)
			}
		}
		r.start()
		twice := 0
		for range 4 {
			for _, c := range r.accept(r.offer(opleiding, false), 10).copies {
				if given[r.reference(c)] {
					twice++
				}
			}
		}
		if told != (twice == 0) {
			t.Errorf("told of the restore: %v, entries given out twice: %d", told, twice)
		}
		if !told {
			continue
		}
		r.call(http.MethodPost, "/api/v1/credentials/"+before.ID+"/revoke", nil)
		r.publish()
		if got := r.status(old.copies[0]); got != statuslist.Invalid {
			t.Errorf("a credential of before the backup, revoked: %v", got)
		}
	}
	if _, err := Restored(otherStore(t), 0); err == nil || !strings.Contains(err.Error(), "wallet") {
		t.Errorf("the store of another role: %v", err)
	}
}

func otherStore(t *testing.T) kv.Store {
	t.Helper()
	s := kv.NewMemory()
	if err := kv.CheckFormat(s, "wallet", 1); err != nil {
		t.Fatal(err)
	}
	return s
}
