package desk

import (
	"context"
	"errors"
	"net/http"
	"time"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// problems are the keys of the sentences for what a region refuses.
var problems = []struct {
	key string
	is  []error
}{
	{"conflict", []error{registry.ErrConflict}},
	{"twice", []error{registry.ErrTwice}},
	{"closed", []error{registry.ErrClosed}},
	{"stale", []error{registry.ErrStale}},
	{"key", []error{registry.ErrKey, registry.ErrSigner, registry.ErrSignature}},
	{"standing", []error{registry.ErrTransition, registry.ErrNotAdmitted}},
	{"region", []error{govern.ErrOtherRegion}},
	{"away", []error{govern.ErrNoNode, context.Canceled, context.DeadlineExceeded}},
}

func problemOf(err error) string {
	for _, p := range problems {
		for _, target := range p.is {
			if errors.Is(err, target) {
				return p.key
			}
		}
	}
	return "other"
}

// known says whether the copy has this proposal: nothing is signed that was not seen here.
func (d *Desk) known(r *http.Request, id string) bool {
	err := d.c.Copy.Read(r.Context(), func(v registry.View, _ paspoort.RegistryFacts) error {
		_, err := v.Proposal(id)
		return err
	})
	return err == nil
}

const (
	awaitLong  = 5 * time.Second
	awaitEvery = 100 * time.Millisecond
)

// await waits a moment until the copy has an event, so that the next page shows it. The log
// is covered by a checkpoint a little after an event is in it.
func (d *Desk) await(ctx context.Context, event string) {
	ctx, cancel := context.WithTimeout(ctx, awaitLong)
	defer cancel()
	tick := time.NewTicker(awaitEvery)
	defer tick.Stop()
	for {
		_ = d.c.Copy.Refresh(ctx) // the next page says so when no node answers
		err := d.c.Copy.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
			if _, ok := v.State.Leaf(event); !ok {
				return registry.ErrUnknown
			}
			return nil
		})
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
