package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

// sweepBatch is how many things one transaction deletes at most.
const sweepBatch = 500

// sweep deletes what has had its time: offers that nobody accepted, claims at the
// end of the time for new copies, used nonces, tokens and remembered answers.
func (i *Issuer) sweep() error {
	now := i.c.Clock()
	for _, prefix := range []string{prefixAccess, prefixRefresh, prefixDelivered, prefixSpent, prefixOutcome} {
		if err := i.sweepPrefix(prefix, now); err != nil {
			return fmt.Errorf("issuer: delete what has had its time: %w", err)
		}
	}
	return i.sweepCredentials(now)
}

// sweepPrefix deletes the values below a prefix whose until has passed.
func (i *Issuer) sweepPrefix(prefix string, now time.Time) error {
	return i.inBatches(func(tx kv.Tx, limit int) (doomed [][]byte, err error) {
		err = tx.Scan([]byte(prefix), func(k, value []byte) error {
			_, body, err := kv.Body(value)
			if err != nil {
				return err
			}
			var v spent
			if err := json.Unmarshal(body, &v); err != nil {
				return fmt.Errorf("%w: %w", kv.ErrFormat, err)
			}
			if !now.Before(v.Until) {
				doomed = append(doomed, append([]byte(nil), k...))
			}
			if len(doomed) == limit {
				return kv.ErrStop
			}
			return nil
		})
		return doomed, err
	}, func(tx kv.Tx, k []byte) error { return tx.Delete(k) })
}

// sweepCredentials ends offers and deletes claims on time.
func (i *Issuer) sweepCredentials(now time.Time) error {
	return i.inBatches(func(tx kv.Tx, limit int) (due [][]byte, err error) {
		err = tx.Scan([]byte(prefixCredential), func(k, value []byte) error {
			var r record
			if err := kv.DecodeJSON(value, valueVersion, &r); err != nil {
				return err
			}
			if r.due(now) {
				due = append(due, []byte(r.ID))
			}
			if len(due) == limit {
				return kv.ErrStop
			}
			return nil
		})
		return due, err
	}, func(tx kv.Tx, id []byte) error {
		r, err := getRecord(tx, string(id))
		if err != nil {
			return err
		}
		if r.over(now) {
			return errors.Join(tx.Delete(key(prefixLink, r.Link)), tx.Delete(key(prefixCredential, r.ID)))
		}
		if r.State == Offered {
			r.State, r.ChangedAt = Expired, r.OfferUntil
		}
		if err := i.forget(tx, r); err != nil {
			return err
		}
		r.KeepUntil = time.Time{}
		return putRecord(tx, r)
	})
}

// neverIssuedTerm is how long an administrator can see what became of an offer that
// never became a credential.
const neverIssuedTerm = 90 * 24 * time.Hour

// over says whether r is of no use any more: it never became a credential, and never
// will. A record with entries stays, so that its entries are known.
func (r *record) over(now time.Time) bool {
	return len(r.Entries) == 0 && r.State != Offered && !now.Before(r.ChangedAt.Add(neverIssuedTerm))
}

// due says whether something of r has to go.
func (r *record) due(now time.Time) bool {
	if r.State == Offered {
		return !now.Before(r.OfferUntil)
	}
	if r.over(now) {
		return true
	}
	return !r.KeepUntil.IsZero() && !now.Before(r.KeepUntil)
}

// inBatches finds and handles until nothing is found. A credential of which many
// copies were had is a large value, so a batch that does not fit is halved.
func (i *Issuer) inBatches(find func(tx kv.Tx, limit int) ([][]byte, error), handle func(kv.Tx, []byte) error) error {
	for limit := sweepBatch; ; {
		found := 0
		err := i.c.Store.Update(func(tx kv.Tx) error {
			keys, err := find(tx, limit)
			if err != nil {
				return err
			}
			found = len(keys)
			for _, k := range keys {
				if err := handle(tx, k); err != nil {
					return err
				}
			}
			return nil
		})
		switch {
		case errors.Is(err, kv.ErrTooLarge) && limit > 1:
			limit = max(1, min(limit, found)/2)
		case err != nil || found < limit:
			return err
		}
	}
}
