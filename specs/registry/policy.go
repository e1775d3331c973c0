package registry

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/tlog"
)

// CosignerName is the name under which a node cosigns the checkpoints of a log.
func CosignerName(origin, node string) string { return origin + "/node/" + node }

// Policy is which signatures make a checkpoint of size leaves count, as a tlog-policy file:
// the log key of any node and cosignatures of a majority of nodes (D11). The nodes are those
// of the largest change that the checkpoint lies beyond (D7). It fails with [ErrUnknown]
// before the first leaf.
func (v View) Policy(size uint64) (string, error) {
	records := v.State.policies.history(current, v.AsOf)
	if len(records) == 0 {
		return "", ErrUnknown.with("no leaf, no policy")
	}
	r := records[0]
	for _, next := range records[1:] {
		if next.Size < size {
			r = next
		}
	}
	return r.file(v.State.currentCharter().Origin), nil
}

// file writes the record in the form of C2SP tlog-policy.
func (r PolicyRecord) file(origin string) string {
	var logs, witnesses, names strings.Builder
	for _, n := range r.Nodes {
		fmt.Fprintf(&logs, "log %s\n", vkey(origin, tlog.TypeLog, n.Log))
		fmt.Fprintf(&witnesses, "witness %s %s\n", n.ID, vkey(CosignerName(origin, n.ID), tlog.TypeCosigner, n.Cosigner))
		names.WriteString(" " + n.ID)
	}
	majority := len(r.Nodes)/2 + 1
	return logs.String() + witnesses.String() + fmt.Sprintf("group nodes %d%s\nquorum nodes\n", majority, names.String())
}

// vkey is the verifier key of a node. Keys in the state were checked when they came in.
func vkey(name string, t tlog.KeyType, key string) string {
	raw, err := decode64(key, ed25519.PublicKeySize)
	if err != nil {
		return ""
	}
	k, err := tlog.NewVerifierKey(name, t, ed25519.PublicKey(raw))
	if err != nil {
		return ""
	}
	return k.String()
}

// CheckCheckpoint holds a checkpoint note against the policy for its size. It fails with
// [ErrCheckpoint], wrapping the reason.
func (v View) CheckCheckpoint(note []byte) (*tlog.Seen, error) {
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	file, err := v.Policy(c.Size)
	if err != nil {
		return nil, err
	}
	return checkNote(file, note)
}

func checkNote(file string, note []byte) (*tlog.Seen, error) {
	policy, err := tlog.ParsePolicy([]byte(file))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	seen, err := policy.Check(note)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return seen, nil
}

// Handovers lists the sizes after which other nodes make checkpoints count, smallest first:
// the first checkpoint larger than each needs the old nodes and the new ones, and is kept.
func (v View) Handovers() []uint64 {
	var out []uint64
	for i, r := range v.State.policies.history(current, v.AsOf) {
		if i > 0 {
			out = append(out, r.Size)
		}
	}
	return out
}

// Freshness is how recent a copy of a registry is.
type Freshness struct {
	Size         uint64    `json:"size"`           // leaves under the checkpoint
	Time         time.Time `json:"time"`           // when a quorum last stood behind it
	OwnNodesOnly bool      `json:"own_nodes_only"` // no witness from outside the region cosigned
}
