package evidence

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// A region that is followed may be hostile: it signs what it likes, as much as it likes, and
// answers as slowly as it likes. What that costs here is bounded, and nothing else waits for it.

const (
	// sourcePatience is how long one source may take in a round, beside leafPatience for each
	// leaf that it says there is: who sends one leaf at a time would else keep the others from
	// being asked.
	sourcePatience = 2 * time.Minute
	leafPatience   = 5 * time.Millisecond
	// maxHandovers bounds what is walked over; each is a change of nodes that members decided.
	maxHandovers = 4096
	// readPatience is how long a reader waits while a long stretch of the log is applied.
	readPatience = 2 * time.Second
	// maxAhead is how far the clock of a region's nodes may be ahead of ours, whichever is wrong.
	maxAhead = 24 * time.Hour
)

// errBusy says that the copy is far behind and being brought up to date.
var errBusy = fmt.Errorf("%w that can be read: a long stretch of its log is being applied", ErrNoCopy)

// errManyHandovers says that a source sent more than a region can have.
var errManyHandovers = fmt.Errorf("%w: more than %d changes of nodes", registry.ErrHandover, maxHandovers)

// sources are where the log is from now.
func (f *Follower) sources() (nodes, mirrors []Source) {
	f.where.Lock()
	defer f.where.Unlock()
	return f.config.Sources, f.config.Mirrors
}

// patience bounds what a source may take to send what it says there is.
func (f *Follower) patience(ctx context.Context, note []byte) (context.Context, context.CancelFunc) {
	wait := sourcePatience
	if c, err := tlog.PeekCheckpoint(note); err == nil && c.Size > f.size() {
		wait += time.Duration(min(c.Size-f.size(), maxLeavesAhead)) * leafPatience
	}
	return context.WithTimeout(ctx, wait)
}

// room fails when the disk has no room for more of this region.
func (f *Follower) room() error {
	if f.config.Room == nil {
		return nil
	}
	if err := f.config.Room(); err != nil {
		return fmt.Errorf("keep registry copy: %w", err)
	}
	return nil
}

// readLock takes mu for reading. While a long stretch is applied it waits a moment only: that
// takes minutes when the region wants it to, and who asks may be asking about others.
func (f *Follower) readLock(ctx context.Context) error {
	if !f.walking.Load() {
		f.mu.RLock()
		return nil
	}
	patience := time.NewTimer(readPatience)
	defer patience.Stop()
	for !f.mu.TryRLock() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-patience.C:
			return errBusy
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// newer says whether a note's freshness says more than ours. A moment that is still to come says
// nothing: kept, it would make an old copy look new when it has come.
func (f *Follower) newer(fresh, have registry.Freshness) bool {
	latest := f.config.Clock().Add(maxAhead)
	switch {
	case fresh.Time.After(latest):
		return false
	case have.Time.After(latest):
		return true
	}
	return better(fresh, have)
}

// guard keeps a region whose log this program cannot cope with from ending it. Nothing of that
// region is answered then.
func (f *Follower) guard(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("following the region broke off: %v", p)
			f.config.Log.Error("THE LOG OF A REGION CANNOT BE COPED WITH", "region", f.config.Genesis[:8], "error", p, "stack", string(debug.Stack()))
			lost := errors.Join(ErrNoCopy, err)
			f.lost.Store(&lost)
		}
	}()
	return fn()
}
