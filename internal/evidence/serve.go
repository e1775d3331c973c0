package evidence

import (
	"context"
	"fmt"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// A follower with a store is a mirror: what it took it gives to others, as the region's own
// nodes do. Nobody has to believe it: what it gives is signed by the region.

// mirrorBytes bounds the leaves of one answer.
const mirrorBytes = 4 << 20

// errOfMirror: what only the region's own nodes can do.
var errOfMirror = &registry.Refusal{Code: "mirror", Detail: "this is a copy of another region's registry: ask the nodes of that region"}

// Checkpoint implements registry.Log and [Source]: the newest note that was verified and kept.
// It fails with registry.ErrNoLog.
func (f *Follower) Checkpoint(context.Context) (note []byte, err error) {
	if f.config.Store == nil {
		return nil, registry.ErrNoLog
	}
	return note, f.config.Store.View(func(tx kv.Tx) (err error) {
		note, _, err = f.stored(tx)
		return err
	})
}

// Handovers implements registry.Log and [Source].
func (f *Follower) Handovers(context.Context) (notes [][]byte, err error) {
	if f.config.Store == nil {
		return nil, registry.ErrNoLog
	}
	return notes, f.config.Store.View(func(tx kv.Tx) (err error) {
		notes, err = f.keptHandovers(tx)
		return err
	})
}

// Leaves implements registry.Log and [Source].
func (f *Follower) Leaves(_ context.Context, from, to uint64) (leaves [][]byte, err error) {
	if f.config.Store == nil {
		return nil, registry.ErrNoLog
	}
	return leaves, f.config.Store.View(func(tx kv.Tx) error {
		_, c, err := f.stored(tx)
		if err != nil {
			return err
		}
		for size := 0; from < min(to, c.Size) && size < mirrorBytes; from++ {
			leaf, err := f.storedLeaf(tx, from)
			if err != nil {
				return err
			}
			leaves, size = append(leaves, leaf), size+len(leaf)
		}
		return nil
	})
}

// Payloads implements registry.PayloadSource: those that are kept, and none that was erased.
func (f *Follower) Payloads(context.Context) (out []registry.OpenPayload, err error) {
	if f.config.Store == nil {
		return nil, registry.ErrNoLog
	}
	return out, f.config.Store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(f.keys+"payload/"), func(_, v []byte) error {
			var p registry.OpenPayload
			err := kv.DecodeJSON(v, copyVersion, &p)
			out = append(out, p)
			return err
		})
	})
}

// View implements registry.Reader. The age that it tells is that of the checkpoint: when the
// region's nodes last stood behind it.
func (f *Follower) View(ctx context.Context, c registry.Consistency, fn func(registry.View, registry.ReadInfo) error) (err error) {
	if c == registry.Linearizable {
		return errOfMirror
	}
	if err := f.readLock(ctx); err != nil {
		return fmt.Errorf("%w: %w", registry.ErrNoLog, err)
	}
	defer f.mu.RUnlock()
	if err := f.damaged(); err != nil {
		return err
	}
	defer f.lostRows(&err)
	if f.replica.Size() == 0 {
		return registry.ErrNoLog
	}
	view := f.replica.State().View()
	view.Payloads = f.payloads
	info := registry.ReadInfo{Consistency: registry.Stale, Node: f.source, Checkpoint: view.AsOf}
	if at := f.replica.Freshness().Time; !at.IsZero() {
		info.Age = max(0, int64(f.config.Clock().Sub(at).Seconds()))
	}
	return fn(view, info)
}

// Submit implements registry.Writer: a mirror takes nothing in.
func (f *Follower) Submit(context.Context, registry.Submission) (registry.Outcome, error) {
	return registry.Outcome{}, errOfMirror
}

// Outcome implements registry.Writer: what the log says of an event.
func (f *Follower) Outcome(ctx context.Context, event string) (out registry.Outcome, err error) {
	out = registry.Outcome{Event: event, State: registry.OutcomeUnknown}
	if err := f.readLock(ctx); err != nil {
		return out, fmt.Errorf("%w: %w", registry.ErrNoLog, err)
	}
	defer f.mu.RUnlock()
	if err := f.damaged(); err != nil {
		return out, err
	}
	defer f.lostRows(&err)
	if i, ok := f.replica.State().Leaf(event); ok {
		out.State, out.Index = registry.OutcomeLogged, &i
	}
	return out, nil
}

var (
	_ registry.Reader        = (*Follower)(nil)
	_ registry.Log           = (*Follower)(nil)
	_ registry.Writer        = (*Follower)(nil)
	_ registry.PayloadSource = (*Follower)(nil)
	_ Source                 = (*Follower)(nil)
)
