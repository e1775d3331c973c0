package node

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// Payloads are the personal data of one-person firms (D4). They never go through raft or
// into the log, where nothing can be erased: each node keeps them in its store, opened by
// a key beside each, gives them to the others, and destroys both when an event erases them.

const (
	opPayloads    = "payloads"     // all payloads that you have
	opKeepPayload = "keep-payload" // payloads to keep
	payloadRound  = time.Minute
)

// errPayload: a payload that belongs to no commitment of the log, or to an erased one.
var errPayload = errors.New("payload of no commitment in the log")

// keepPayloads stores payloads whose commitment the log has and did not erase.
func (n *Node) keepPayloads(list []registry.OpenPayload) (err error) {
	m := n.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.lostRows(&err)
	view := m.state.View()
	var keep []registry.OpenPayload
	for _, p := range list {
		if !view.Awaits(p.Commitment) {
			continue
		}
		if err := m.payloads.AddOpen(p); err != nil {
			return err
		}
		keep = append(keep, p)
	}
	if len(keep) == 0 {
		return nil
	}
	return m.store.Update(func(tx kv.Tx) error {
		for _, p := range keep {
			if _, err := tx.Get(keyPayload(p.Commitment)); err == nil {
				continue // each writing of it is one more trace to erase
			}
			if err := kv.PutJSON(tx, keyPayload(p.Commitment), valueFormat, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// loadPayloads opens the stored payloads after a start.
func (m *machine) loadPayloads(tx kv.Tx) error {
	return tx.Scan([]byte(prefixPayload), func(_, value []byte) error {
		var p registry.OpenPayload
		if err := kv.DecodeJSON(value, valueFormat, &p); err != nil {
			return err
		}
		return m.payloads.AddOpen(p)
	})
}

// Payloads implements registry.PayloadSource.
func (n *Node) Payloads(context.Context) ([]registry.OpenPayload, error) {
	var out []registry.OpenPayload
	err := n.store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefixPayload), func(_, value []byte) error {
			var p registry.OpenPayload
			err := kv.DecodeJSON(value, valueFormat, &p)
			out = append(out, p)
			return err
		})
	})
	return out, err
}

// offerPayloads gives payloads to the other nodes; who misses them asks later.
func (n *Node) offerPayloads(ctx context.Context, list []registry.OpenPayload) {
	raw, err := json.Marshal(list)
	if err != nil {
		return
	}
	for _, id := range n.others() {
		call, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
		if _, err := n.peers.call(call, id, opKeepPayload, raw); err != nil {
			n.log.Debug("payloads not given", "to", id, "error", err)
		}
		cancel()
	}
}

// runPayloads asks the others now and then for what this node lacks.
func (n *Node) runPayloads(ctx context.Context) {
	for {
		for _, id := range n.others() {
			call, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
			raw, err := n.peers.call(call, id, opPayloads, nil)
			cancel()
			if err == nil {
				err = n.takePayloads(raw)
			}
			if err != nil && ctx.Err() == nil {
				n.log.Debug("payloads not fetched", "from", id, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(payloadRound):
		}
	}
}

func (n *Node) takePayloads(raw []byte) error {
	var list []registry.OpenPayload
	if err := json.Unmarshal(raw, &list); err != nil {
		return errPayload
	}
	return n.keepPayloads(list)
}

func (n *Node) servePayloads() ([]byte, error) {
	list, err := n.Payloads(context.Background())
	if err != nil {
		return nil, err
	}
	return json.Marshal(list)
}
