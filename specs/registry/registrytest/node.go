package registrytest

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Checkpoint signs the log as it is, by the named nodes (all when none is named), as log and
// as cosigner each, so that it can count before and after a change of nodes. It becomes the newest one that the node serves.
func (r *Region) Checkpoint(nodes ...string) []byte {
	r.T.Helper()
	if len(nodes) == 0 {
		for _, n := range r.State.View().ActiveNodes() {
			nodes = append(nodes, n.ID)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	note := r.sign(nodes)
	r.notes = append(r.notes, note)
	return note
}

// CheckpointOver signs the log as it would be with one more leaf, that the region itself may
// not accept.
func (r *Region) CheckpointOver(leaf []byte) []byte {
	r.T.Helper()
	tree := r.tree.Clone()
	if _, err := tree.Append(registry.LeafHash(leaf)); err != nil {
		r.T.Fatal(err)
	}
	was := r.tree
	defer func() { r.tree = was }()
	r.tree = tree
	return r.sign([]string{"knoop-1", "knoop-2", "knoop-3"})
}

// Handover signs the log as [Region.Checkpoint] does and keeps the note as one at which the
// nodes changed.
func (r *Region) Handover(nodes ...string) []byte {
	r.T.Helper()
	note := r.Checkpoint(nodes...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handovers = append(r.handovers, note)
	return note
}

func (r *Region) sign(nodes []string) []byte {
	r.T.Helper()
	c := tlog.Checkpoint{Origin: r.Charter.Origin, Size: r.tree.Size(), Root: r.tree.Root()}
	var lines []string
	line := func(name string, kind tlog.KeyType, key ed25519.PrivateKey) {
		s, err := tlog.NewSigner(name, kind, key)
		if err != nil {
			r.T.Fatal(err)
		}
		l, err := s.Line(c.Text(), r.Now)
		if err != nil {
			r.T.Fatal(err)
		}
		lines = append(lines, l)
	}
	for _, id := range nodes {
		line(c.Origin, tlog.TypeLog, r.Nodes[id].Log)
		line(registry.CosignerName(c.Origin, id), tlog.TypeCosigner, r.Nodes[id].Cosigner)
	}
	return tlog.JoinNote(c.Text(), lines...)
}

// Snapshot is the registry in one file, up to the newest checkpoint; one is signed if there
// is none over all leaves.
func (r *Region) Snapshot() registry.Snapshot {
	r.T.Helper()
	if n := len(r.notes); n == 0 || !covers(r.notes[n-1], uint64(len(r.Leaves))) {
		r.Checkpoint()
	}
	snap, err := registry.BuildSnapshot(context.Background(), node{r})
	if err != nil {
		r.T.Fatal(err)
	}
	return snap
}

func covers(note []byte, size uint64) bool {
	c, err := tlog.PeekCheckpoint(note)
	return err == nil && c.Size == size
}

// Timestamp is a node's signed time over a commitment, at Now.
func (r *Region) Timestamp(id string, commitment [32]byte) string {
	r.T.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	header, err := json.Marshal(map[string]string{"typ": "paspoort-timestamp+jwt", "alg": "ES256", "kid": id})
	if err != nil {
		r.T.Fatal(err)
	}
	payload, err := json.Marshal(map[string]any{
		"iss": r.Genesis(), "node": id, "commitment": b64(commitment[:]), "iat": r.Now.Unix(),
	})
	if err != nil {
		r.T.Fatal(err)
	}
	input := b64(header) + "." + b64(payload)
	digest := sha256.Sum256([]byte(input))
	der, err := ecdsa.SignASN1(rand.Reader, r.Nodes[id].Timestamp, digest[:])
	if err != nil {
		r.T.Fatal(err)
	}
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		r.T.Fatal(err)
	}
	raw := make([]byte, 64)
	sig.R.FillBytes(raw[:32])
	sig.S.FillBytes(raw[32:])
	return input + "." + b64(raw)
}

// Handler is the first node of the region over HTTP. Events that come in this way are
// stamped with Now and covered by a checkpoint at once.
func (r *Region) Handler() http.Handler {
	n := node{r}
	return registry.NewServer(registry.ServerConfig{Reader: n, Log: n, Writer: n, Timestamps: n, Now: r.now})
}

// node plays the halves of a node on the region.
type node struct{ *Region }

func (n node) View(_ context.Context, c registry.Consistency, fn func(registry.View, registry.ReadInfo) error) error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return fn(n.State.View(), registry.ReadInfo{Consistency: c, Node: "knoop-1"})
}

func (n node) Leaves(_ context.Context, from, to uint64) ([][]byte, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	end := min(to, uint64(len(n.Region.Leaves)))
	if from >= end {
		return nil, nil
	}
	return slices.Clone(n.Region.Leaves[from:end]), nil
}

func (n node) Checkpoint(context.Context) ([]byte, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if len(n.notes) == 0 {
		return nil, registry.ErrNoLog
	}
	return n.notes[len(n.notes)-1], nil
}

func (n node) Handovers(context.Context) ([][]byte, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Clone(n.handovers), nil
}

func (n node) Submit(_ context.Context, s registry.Submission) (registry.Outcome, error) {
	out := registry.Outcome{Event: s.Event.Event.ID()}
	effect, err := n.Region.Stamp(s.Event, n.now())
	var refusal *registry.Refusal
	switch {
	case err == nil:
		out.State, out.Index, out.Enacted, out.LogTime = registry.OutcomeCommitted, &effect.Index, effect.Enacted, n.now().Unix()
		n.Region.Checkpoint()
	case asRefusal(err, &refusal):
		out.State, out.Code, out.Detail = registry.OutcomeRefused, refusal.Code, refusal.Detail
	default:
		return out, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.outcomes[out.Event] = out
	return out, nil
}

func (n node) Outcome(_ context.Context, event string) (registry.Outcome, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if out, ok := n.outcomes[event]; ok {
		return out, nil
	}
	return registry.Outcome{Event: event, State: registry.OutcomeUnknown}, nil
}

func (n node) Timestamp(_ context.Context, commitment [32]byte) (string, error) {
	return n.Region.Timestamp("knoop-1", commitment), nil
}

func asRefusal(err error, r **registry.Refusal) bool { return errors.As(err, r) }

func (r *Region) now() time.Time {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.Now
}

// SetNow moves the clock while the handler is in use.
func (r *Region) SetNow(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Now = t
}
