package node

import (
	"context"
	"errors"
	"slices"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Genesis is the region's id.
func (n *Node) Genesis() string { return n.genesis }

// Checkpoint implements registry.Log: the newest note that counts.
func (n *Node) Checkpoint(context.Context) ([]byte, error) {
	note, _ := n.publisher.Checkpoint()
	if note == nil {
		return nil, registry.ErrNoLog
	}
	return slices.Clone(note), nil
}

// covered is how many leaves are under the checkpoint that this node serves; nothing
// beyond it is shown as log.
func (n *Node) covered() uint64 {
	if _, seen := n.publisher.Checkpoint(); seen != nil {
		return seen.Checkpoint.Size
	}
	return 0
}

// Leaves implements registry.Log.
func (n *Node) Leaves(_ context.Context, from, to uint64) ([][]byte, error) {
	to = min(to, n.covered())
	var out [][]byte
	size := 0
	err := n.store.View(func(tx kv.Tx) error {
		for i := from; i < to && size < maxBatchBytes; i++ {
			raw, err := readLeaf(tx, i)
			if err != nil {
				return err
			}
			out, size = append(out, raw), size+len(raw)
		}
		return nil
	})
	return out, err
}

// Handovers implements registry.Log: the kept checkpoints at which the nodes changed.
func (n *Node) Handovers(context.Context) ([][]byte, error) {
	var out [][]byte
	err := n.store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefixHandover), func(_, value []byte) error {
			_, note, err := kv.Body(value)
			out = append(out, slices.Clone(note))
			return err
		})
	})
	return out, err
}

// tile gives a tile or an entry bundle that lies under the served checkpoint. It fails
// with kv.ErrNotFound for any other.
func (n *Node) tile(t tlog.Tile) ([]byte, error) {
	if !t.InTree(n.covered()) {
		return nil, kv.ErrNotFound
	}
	var out []byte
	err := n.store.View(func(tx kv.Tx) error {
		var err error
		if t.Entries {
			out, err = bundle(tx, t)
		} else {
			out, err = readTile(tx, t)
		}
		return err
	})
	return out, err
}

func bundle(tx kv.Tx, t tlog.Tile) ([]byte, error) {
	var out []byte
	first := t.Index * tlog.TileWidth
	for i := range uint64(t.Width) {
		raw, err := readLeaf(tx, first+i)
		if err != nil {
			return nil, err
		}
		if out, err = tlog.AppendEntry(out, raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// proof makes a tlog-proof file for a leaf under the served checkpoint. It shows that the
// event is in the log, not that nothing followed that undoes it.
func (n *Node) proof(index uint64) (*tlog.Proof, error) {
	note, seen := n.publisher.Checkpoint()
	if seen == nil || index >= seen.Checkpoint.Size {
		return nil, kv.ErrNotFound
	}
	p := &tlog.Proof{Index: index, Checkpoint: note}
	return p, n.store.View(func(tx kv.Tx) error {
		var err error
		p.Path, err = tlog.ProveInclusion(seen.Checkpoint, index, txTiles{tx})
		return err
	})
}

// Submit implements registry.Writer. Payloads of one-person firms travel beside the log:
// they are kept once the event is committed, and offered to the other nodes.
func (n *Node) Submit(ctx context.Context, s registry.Submission) (registry.Outcome, error) {
	spanned, end := web.Span(ctx, "commit")
	event, err := s.Prepare()
	if err != nil {
		end(err)
		return refusal(s.Event.Event.ID(), err), nil
	}
	o, err := n.submit(spanned, event)
	end(err)
	if err == nil && o.State == registry.OutcomeCommitted {
		n.seen(ctx, *o.Index)
		if len(s.Payloads) > 0 {
			if err := n.keepPayloads(s.Payloads); err != nil {
				return o, err
			}
			n.offerPayloads(ctx, s.Payloads)
		}
		n.logged(&o)
	}
	return o, err
}

// seen waits a moment until this node has the leaf too: who writes here and then reads here
// finds what it wrote, also when another node leads.
func (n *Node) seen(ctx context.Context, index uint64) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
	defer cancel()
	for {
		n.machine.mu.RLock()
		size, moved := n.machine.meta.Size, n.machine.moved
		n.machine.mu.RUnlock()
		if size > index {
			return
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return
		case <-n.stopped:
			return
		}
	}
}

// Outcome implements registry.Writer: what became of an event, as this node knows.
func (n *Node) Outcome(_ context.Context, id string) (registry.Outcome, error) {
	if o, ok := n.accepted(id); ok {
		o.Repeat = false
		leaf, err := n.leaf(*o.Index)
		if err != nil {
			return o, err
		}
		o.LogTime = leaf.LogTime
		n.logged(&o)
		return o, nil
	}
	o := registry.Outcome{Event: id, State: registry.OutcomeUnknown}
	err := n.store.View(func(tx kv.Tx) error { return kv.GetJSON(tx, keyOutcome(id), valueFormat, &o) })
	if errors.Is(err, kv.ErrNotFound) {
		err = nil
	}
	return o, err
}

// logged raises a committed outcome when a counting checkpoint covers it.
func (n *Node) logged(o *registry.Outcome) {
	if o.Index != nil && *o.Index < n.covered() {
		o.State = registry.OutcomeLogged
	}
}

func (n *Node) leaf(index uint64) (registry.Leaf, error) {
	var leaf registry.Leaf
	err := n.store.View(func(tx kv.Tx) error {
		raw, err := readLeaf(tx, index)
		if err == nil {
			leaf, err = registry.ParseLeaf(raw)
		}
		return err
	})
	return leaf, err
}
