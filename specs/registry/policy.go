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
	r, err := v.policyAt(size)
	if err != nil {
		return "", err
	}
	logs, nodes := r.lines(v.State.currentCharter().Origin)
	return logs + nodes + "quorum nodes\n", nil
}

// WitnessedPolicy is [View.Policy] and any one of the witnesses from outside the region (D11). It fails with
// [ErrUnknown] when the region has none for checkpoints of this size.
func (v View) WitnessedPolicy(size uint64) (string, error) {
	r, err := v.policyAt(size)
	if err != nil {
		return "", err
	}
	list := v.witnessesAt(size)
	if len(list) == 0 {
		return "", ErrUnknown.with("the region has no witnesses for checkpoints of this size")
	}
	logs, nodes := r.lines(v.State.currentCharter().Origin)
	var witnesses, names strings.Builder
	for _, w := range list {
		name := outsidePrefix + w.ID // no id of a node has a slash in it
		fmt.Fprintf(&witnesses, "witness %s %s %s\n", name, vkey(w.Name, tlog.TypeCosigner, w.Key), w.URL)
		names.WriteString(" " + name)
	}
	return logs + nodes + witnesses.String() + "group outside/any any" + names.String() + "\ngroup outside/all all nodes outside/any\nquorum outside/all\n", nil
}

// outsidePrefix is before the names of witnesses in a policy.
const outsidePrefix = "witness/"

func (v View) policyAt(size uint64) (PolicyRecord, error) {
	records := v.State.policies.history(current, v.AsOf)
	if len(records) == 0 {
		return PolicyRecord{}, ErrUnknown.with("no leaf, no policy")
	}
	r := records[0]
	for _, next := range records[1:] {
		if next.Size < size {
			r = next
		}
	}
	return r, nil
}

// lines writes the record in the form of C2SP tlog-policy: the logs, and the group of nodes.
func (r PolicyRecord) lines(origin string) (logLines, nodeLines string) {
	var logs, witnesses, names strings.Builder
	for _, n := range r.Nodes {
		fmt.Fprintf(&logs, "log %s\n", vkey(origin, tlog.TypeLog, n.Log))
		fmt.Fprintf(&witnesses, "witness %s %s\n", n.ID, vkey(CosignerName(origin, n.ID), tlog.TypeCosigner, n.Cosigner))
		names.WriteString(" " + n.ID)
	}
	majority := len(r.Nodes)/2 + 1
	return logs.String(), witnesses.String() + fmt.Sprintf("group nodes %d%s\n", majority, names.String())
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
	Time         time.Time `json:"time"`           // when a quorum last stood behind it, with the witness if there is one
	OwnNodesOnly bool      `json:"own_nodes_only"` // no witness from outside the region cosigned
}

// witnessPatience is how much older than what the nodes say a witness's word may be. After that
// the nodes stand alone: an old cosignature says nothing of what they showed since. Neither does
// one that is as much newer: dated ahead, it would stand behind an old tree for as long.
const witnessPatience = 24 * time.Hour

// Freshness holds a checkpoint note against the policies for its size, and tells how recent a
// copy under it is and whether a witness stands behind it. It fails as [View.CheckCheckpoint]
// does.
func (v View) Freshness(note []byte) (Freshness, error) {
	seen, err := v.CheckCheckpoint(note)
	if err != nil {
		return Freshness{}, err
	}
	return v.freshness(seen, note), nil
}

// freshness adds the witness, if there is one, to what the nodes say of a note.
func (v View) freshness(seen *tlog.Seen, note []byte) Freshness {
	out := Freshness{Size: seen.Checkpoint.Size, Time: seen.Freshest().UTC(), OwnNodesOnly: true}
	file, err := v.WitnessedPolicy(out.Size)
	if err != nil {
		return out // no witnesses
	}
	witnessed, err := checkNote(file, note)
	if err != nil {
		return out
	}
	var at time.Time
	for name, t := range witnessed.Cosignatures {
		if strings.HasPrefix(name, outsidePrefix) && !t.After(out.Time.Add(witnessPatience)) && t.After(at) {
			at = t
		}
	}
	if at.Before(out.Time.Add(-witnessPatience)) {
		return out
	}
	if out.OwnNodesOnly = false; at.Before(out.Time) {
		out.Time = at.UTC()
	}
	return out
}
