package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/statuslist"
)

// publication is a status list token as it was published. It is stored, so that a
// restart shows what was shown before, and the schedule goes on.
type publication struct {
	Token string    `json:"token"`
	At    time.Time `json:"at"`
	ETag  string    `json:"-"`
}

// publications is everything that is published, replaced as a whole.
type publications map[int]publication

// Publish signs and publishes all status lists as they stand now. Run does this on
// schedule.
func (i *Issuer) Publish(ctx context.Context) error {
	i.publishing.Lock()
	defer i.publishing.Unlock()
	now := i.c.Clock().UTC()
	if err := i.c.Store.Update(func(tx kv.Tx) error { return i.reserve(tx, now) }); err != nil {
		return fmt.Errorf("issuer: reserve status entries: %w", err)
	}
	lists, err := i.readLists()
	if err != nil {
		return fmt.Errorf("issuer: read status lists: %w", err)
	}
	next := publications{}
	for number, l := range lists {
		if err := ctx.Err(); err != nil {
			return err
		}
		token, err := i.statusToken(number, l, now)
		if err != nil {
			return err
		}
		next[number] = newPublication(token, now)
	}
	// One by one: an issuer of many years has more than fits in one transaction. What a
	// crash leaves behind is as old as it says, and Run begins with the oldest.
	for number, p := range next {
		err := i.c.Store.Update(func(tx kv.Tx) error {
			return kv.PutJSON(tx, listKey(prefixPublication, number), valueVersion, p)
		})
		if err != nil {
			return fmt.Errorf("issuer: store status list token: %w", err)
		}
	}
	i.published.Store(&next)
	return nil
}

func newPublication(token string, at time.Time) publication {
	sum := sha256.Sum256([]byte(token))
	return publication{Token: token, At: at, ETag: `"` + hex.EncodeToString(sum[:16]) + `"`}
}

// readLists takes one picture of all lists.
func (i *Issuer) readLists() (map[int]*statuslist.List, error) {
	lists := map[int]*statuslist.List{}
	err := i.c.Store.View(func(tx kv.Tx) error {
		sizes := map[int]int{}
		err := tx.Scan([]byte(prefixList), func(k, value []byte) error {
			number, err := strconv.Atoi(string(k[len(prefixList):]))
			if err != nil {
				return fmt.Errorf("%w: key of a status list", kv.ErrFormat)
			}
			var meta listMeta
			err = kv.DecodeJSON(value, valueVersion, &meta)
			sizes[number] = meta.Size
			return err
		})
		if err != nil {
			return err
		}
		for number, size := range sizes {
			if lists[number], err = readList(tx, number, size); err != nil {
				return err
			}
		}
		return nil
	})
	return lists, err
}

// statusToken signs one list: with x5c when the region gave a certificate, with the
// DID URL of the key always. ttl is the schedule: nobody learns more by asking more
// often (Token Status List 13.7).
func (i *Issuer) statusToken(number int, l *statuslist.List, now time.Time) (string, error) {
	token, err := l.Token(i.c.StatusKey, jose.Header{KeyID: i.statusKeyID, X5C: rawChain(i.c.StatusChain)}, statuslist.TokenClaims{
		Subject: i.statusURI(number), IssuedAt: now, ExpiresAt: now.Add(i.c.StatusLifetime),
		TTL: i.c.PublishEvery, AggregationURI: i.c.URL + "/status",
	})
	if err != nil {
		return "", fmt.Errorf("issuer: sign status list: %w", err)
	}
	return token, nil
}

// loadPublications brings back what was published before a restart.
func (i *Issuer) loadPublications() error {
	loaded := publications{}
	err := i.c.Store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefixPublication), func(k, value []byte) error {
			number, err := strconv.Atoi(string(k[len(prefixPublication):]))
			if err != nil {
				return fmt.Errorf("%w: key of a status list token", kv.ErrFormat)
			}
			var p publication
			if err := kv.DecodeJSON(value, valueVersion, &p); err != nil {
				return err
			}
			loaded[number] = newPublication(p.Token, p.At)
			return nil
		})
	})
	i.published.Store(&loaded)
	return err
}

// nextPublication is when the schedule comes round for the oldest list; now when
// nothing was published.
func (i *Issuer) nextPublication() time.Time {
	now := i.c.Clock().UTC()
	lists := *i.published.Load()
	if len(lists) == 0 {
		return now
	}
	next := now.Add(i.c.PublishEvery)
	for _, p := range lists {
		if p.At.After(now) {
			// The clock was ahead and has been put right. Whoever waited for that moment to come
			// again would publish no revocation until then.
			return now
		}
		if due := p.At.Add(i.c.PublishEvery); due.Before(next) {
			next = due
		}
	}
	if next.Before(now) {
		return now
	}
	return next
}

// hurry asks Run to publish before its time: the reserve is used up.
func (i *Issuer) hurry() {
	select {
	case i.wake <- struct{}{}:
	default: // asked already
	}
}

// Run publishes the status lists on schedule and deletes what has had its time. It
// returns when ctx ends.
func (i *Issuer) Run(ctx context.Context) error {
	timer := time.NewTimer(max(i.nextPublication().Sub(i.c.Clock()), 0))
	defer timer.Stop()
	if i.entity != nil {
		var running sync.WaitGroup
		defer running.Wait()
		running.Go(func() { _ = i.entity.Run(ctx) }) // it ends with ctx only
	}
	i.signOn(ctx) // what is in custody is not kept as published
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-i.wake:
		}
		timer.Reset(i.turn(ctx))
	}
}

// turn is one turn of the schedule; it returns when the next one is. What has had its
// time is deleted also when publishing fails.
func (i *Issuer) turn(ctx context.Context) time.Duration {
	wait := i.c.PublishEvery
	if err := i.Publish(ctx); err != nil && ctx.Err() == nil {
		i.c.Log.Error("status lists were not published", "error", err)
		wait = min(wait, time.Minute)
	}
	i.signOn(ctx)
	if err := i.sweep(); err != nil {
		i.c.Log.Error("what has had its time was not deleted", "error", err)
	}
	return wait
}

// lists are the numbers of the published lists, in order.
func (i *Issuer) lists() []int {
	return slices.Sorted(maps.Keys(*i.published.Load()))
}
