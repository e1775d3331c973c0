package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// One-person firms are natural persons: what names them is not in the log but in payloads
// beside it (D4). A follower fetches all of them or none, so that no node learns whose
// credential is being looked at, keeps those that the log commits to, and destroys what the
// log erases.

// payloadPause is how long a follower waits before it asks again for payloads that no node had.
const payloadPause = 2 * time.Minute

// question is when payloads were asked for, and with how much of the log.
type question struct {
	at   time.Time
	size uint64
}

// followPayloads fetches payloads when the log commits to some that are not here. A region
// without them is still a region: its one-person firms are unknown.
func (f *Follower) followPayloads(ctx context.Context) {
	now, size := f.config.Clock(), f.size()
	if f.asked.size == size && now.Sub(f.asked.at) < payloadPause {
		return
	}
	for _, source := range slices.Concat(f.sources()) {
		from, ok := source.(registry.PayloadSource)
		if !ok || !f.unopened() {
			continue
		}
		list, err := from.Payloads(ctx)
		if err == nil {
			f.asked = question{now, size}
			err = f.takePayloads(list)
		}
		if err != nil {
			f.config.Log.Warn("data of one-person firms could not be had", "region", f.config.Genesis[:8], "error", err)
		}
	}
}

func (f *Follower) unopened() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	view := f.replica.State().View()
	view.Payloads = f.payloads
	return view.Unopened()
}

// takePayloads keeps those that belong to a commitment in the log. Others are nobody's.
func (f *Follower) takePayloads(list []registry.OpenPayload) error {
	kept := f.openPayloads(list)
	if f.config.Store == nil {
		return nil
	}
	for len(kept) > 0 {
		n := min(len(kept), keptPerUpdate)
		err := f.config.Store.Update(func(tx kv.Tx) error {
			for _, p := range kept[:n] {
				if err := kv.PutJSON(tx, f.keys.payload(p.Commitment), copyVersion, p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("keep payloads: %w", err)
		}
		kept = kept[n:]
	}
	return nil
}

func (f *Follower) openPayloads(list []registry.OpenPayload) (kept []registry.OpenPayload) {
	f.mu.Lock()
	defer f.mu.Unlock()
	view := f.replica.State().View()
	for _, p := range list {
		if view.Awaits(p.Commitment) && f.payloads.AddOpen(p) == nil {
			kept = append(kept, p)
		}
	}
	return kept
}

// destroy deletes payloads from the store.
func (f *Follower) destroy(commitments []string) error {
	if len(commitments) == 0 {
		return nil
	}
	err := f.config.Store.Update(func(tx kv.Tx) error {
		var errs []error
		for _, commitment := range commitments {
			errs = append(errs, tx.Delete(f.keys.payload(commitment)))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return fmt.Errorf("destroy erased payloads: %w", err)
	}
	return nil
}

// loadPayloads reads those that were kept, and finishes what a crash may have cut off: some that the
// log kept here says are erased.
func (f *Follower) loadPayloads() error {
	kept, err := f.Payloads(context.Background())
	if err != nil {
		return err
	}
	view := f.replica.State().View()
	var erased []string
	for _, p := range kept {
		if !view.Awaits(p.Commitment) {
			erased = append(erased, p.Commitment)
			continue
		}
		_ = f.payloads.AddOpen(p) // unknown stays unknown
	}
	return f.destroy(erased)
}
