package node

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// outside asks the witnesses of this region's log: nodes of other regions, who sign only what
// follows from what they signed before. So the nodes of this region cannot show two histories,
// not even all together, to readers who ask for a witness (D11).
//
// It comes after publishing and never holds it up: a region goes on without its witness, and
// its checkpoints then say that only its own nodes stand behind them. Each node asks for the
// checkpoint that it serves; cosignatures are of the tree, not of who asked.
type outside struct {
	n         *Node
	published chan struct{} // has a token when something new is served

	mu     sync.Mutex
	states map[string]WitnessState // by id
}

// WitnessState is how a witness of this region's log is doing, as this node knows.
type WitnessState struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"` // of its key
	URL     string    `json:"url"`
	Size    uint64    `json:"size"`                   // of the largest tree that it cosigned for this node
	At      time.Time `json:"at,omitzero"`            // when it did so last
	Problem string    `json:"problem,omitempty"`      // why it did not the last time
	Since   time.Time `json:"since,omitzero"`         // since when there is a problem
	Other   bool      `json:"other_history,omitzero"` // it cosigned another history than this node has
}

// witnessPause is between tries at a witness that did not answer.
const witnessPause = 10 * time.Second

func newOutside(n *Node) *outside {
	return &outside{n: n, published: make(chan struct{}, 1), states: map[string]WitnessState{}}
}

// run asks after each checkpoint that is published, and again while nothing changes.
func (o *outside) run(ctx context.Context) {
	for {
		wait := o.n.cfg.CosignInterval / 2 // "at least hourly"
		if !o.round(ctx) {
			wait = min(wait, witnessPause)
		}
		select {
		case <-ctx.Done():
			return
		case <-o.published:
		case <-time.After(wait):
		}
		select { // what comes within the interval is witnessed at once
		case <-ctx.Done():
			return
		case <-time.After(o.n.cfg.CheckpointInterval):
		}
	}
}

// round asks every witness whose word on the served checkpoint is missing or old. It says
// whether none is missing.
func (o *outside) round(ctx context.Context) bool {
	list, err := o.n.witnesses()
	if err != nil {
		o.n.log.Warn("the witnesses cannot be read", "error", err)
		return false
	}
	o.forget(list)
	note, seen := o.n.publisher.Checkpoint()
	if seen == nil || len(list) == 0 || o.n.cfg.Outside == nil || o.n.left() {
		return true
	}
	results := make(chan bool, len(list))
	for _, w := range list {
		go func() { results <- o.ask(ctx, w, note, seen.Checkpoint) }()
	}
	all := true
	for range list {
		all = <-results && all
	}
	return all
}

// witnesses are those of the region as this node knows it now.
func (n *Node) witnesses() (list []registry.Witness, err error) {
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	defer n.machine.lostRows(&err)
	if n.machine.meta.Size == 0 {
		return nil, nil
	}
	return n.machine.state.View().Witnesses(), nil
}

func witnessKeys(list []registry.Witness) []tlog.VerifierKey {
	var keys []tlog.VerifierKey
	for _, w := range list {
		if key, err := w.VerifierKey(); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// ask gets one witness's cosignature and publishes it.
func (o *outside) ask(ctx context.Context, w registry.Witness, note []byte, c tlog.Checkpoint) bool {
	key, err := w.VerifierKey()
	if err != nil {
		o.problem(w, err)
		return false
	}
	if r, ok := recordOf(note, key); ok && o.n.cfg.Clock().Sub(unix(r.At)) < o.n.cfg.CosignInterval/2 && !o.ahead(unix(r.At)) {
		o.cosigned(w, r)
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, 2*o.n.cfg.PeerTimeout)
	defer cancel()
	client := tlog.WitnessClient{HTTP: o.n.cfg.Outside, URL: w.URL, Key: key}
	s, err := client.Cosign(ctx, o.named(note, c), o.state(w.ID).Size, func(old uint64) (path []tlog.Hash, err error) {
		err = o.n.store.View(func(tx kv.Tx) error {
			path, err = tlog.ProveConsistency(c, old, txTiles{tx})
			return err
		})
		return path, err
	})
	var ahead *tlog.ConflictError
	if errors.Is(err, tlog.ErrInconsistent) || errors.As(err, &ahead) {
		o.compare(ctx, w, client)
	}
	if err == nil && o.ahead(s.Time) {
		err = errAhead
	}
	if err == nil {
		err = o.n.publisher.add(c, s)
	}
	if err != nil {
		o.problem(w, err)
		return false
	}
	o.cosigned(w, record{c.Size, c.Root.String(), s.Time.Unix()})
	return true
}

// named is a note with this node's own log signature too: a witness may know the log by one key
// only, and what is served can be another node's (adopt.go), compared with this node's tree.
func (o *outside) named(note []byte, c tlog.Checkpoint) []byte {
	p := o.n.publisher
	if _, err := tlog.Open(note, p.log.VerifierKey()); err == nil || p.withheld() != "" {
		return note
	}
	line, err := p.log.Line(c.Text(), time.Time{})
	if err != nil {
		return note
	}
	return append(bytes.Clone(note), line+"\n"...)
}

// errAhead: such a word would stand for days that nobody looked at yet.
var errAhead = errors.New("the witness signs with a time that is still to come: its clock or this node's is wrong")

func (o *outside) ahead(at time.Time) bool { return at.After(o.n.cfg.Clock().Add(witnessAhead)) }

// witnessAhead is how far a witness's clock may be ahead.
const witnessAhead = 5 * time.Minute

// compare holds what a witness cosigned last against this node's tree. Another history in it
// bears the signature of the node that showed it: that is kept as of any node (fork.go).
func (o *outside) compare(ctx context.Context, w registry.Witness, client tlog.WitnessClient) {
	note, err := client.Latest(ctx, o.n.founding.origin)
	if err != nil {
		o.n.log.Debug("a witness does not show what it cosigned", "witness", w.ID, "error", err)
		return
	}
	region := o.n.region()
	for _, id := range slices.Concat(sortedKeys(region.nodes), sortedKeys(region.leaving)) {
		key, err := region.logKey(id)
		if err != nil {
			continue
		}
		if _, err := tlog.Open(note, key); err != nil {
			continue
		}
		if conflict, err := o.n.conflicts(id, note); err != nil || !conflict {
			continue
		}
		o.n.log.Error("A WITNESS COSIGNED ANOTHER HISTORY THAN THIS NODE HAS", "witness", w.ID, "signed by", id)
		o.set(w, func(s *WitnessState) { s.Other = true })
		if err := o.n.keepFork(id, note); err != nil {
			o.n.log.Error("the proof of another history cannot be kept", "error", err)
		}
	}
}

func (o *outside) state(id string) WitnessState {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.states[id]
}

func (o *outside) set(w registry.Witness, fn func(*WitnessState)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.states[w.ID]
	s.ID, s.Name, s.URL = w.ID, w.Name, w.URL
	fn(&s)
	o.states[w.ID] = s
}

func (o *outside) problem(w registry.Witness, err error) {
	o.n.log.Debug("a witness did not cosign", "witness", w.ID, "error", err)
	o.set(w, func(s *WitnessState) {
		s.Problem = err.Error()
		s.Since = since(true, s.Since, o.n.cfg.Clock())
	})
}

func (o *outside) cosigned(w registry.Witness, r record) {
	o.set(w, func(s *WitnessState) {
		s.Size, s.At, s.Problem, s.Since, s.Other = r.Size, unix(r.At), "", time.Time{}, false
	})
}

// forget drops what is known of former witnesses, and begins with new ones.
func (o *outside) forget(list []registry.Witness) {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.states, func(id string, s WitnessState) bool {
		return !slices.ContainsFunc(list, func(w registry.Witness) bool { return w.ID == id && w.Name == s.Name && w.URL == s.URL })
	})
	for _, w := range list {
		if _, ok := o.states[w.ID]; !ok {
			o.states[w.ID] = WitnessState{ID: w.ID, Name: w.Name, URL: w.URL}
		}
	}
}

// witnessStates lists how the witnesses are doing, by id.
func (o *outside) witnessStates() []WitnessState {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := []WitnessState{}
	for _, id := range sortedKeys(o.states) {
		out = append(out, o.states[id])
	}
	return out
}

// add publishes a witness's cosignature with the checkpoint that is served, if that is still
// of the tree which was cosigned.
func (p *publisher) add(c tlog.Checkpoint, s tlog.Signature) error {
	note, seen := p.Checkpoint()
	if seen == nil || seen.Checkpoint.Size != c.Size || seen.Checkpoint.Root != c.Root {
		return nil // a larger one is served by now, and asked for
	}
	text := noteText(note)
	lines, err := tlog.SignatureLines(note)
	if err != nil {
		return err
	}
	old := lineOf(note, text, s.Key) // the first line of a key in a note is the one that counts
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == old })
	return p.publish(tlog.JoinNote(text, append(lines, s.Line)...), p.n.region())
}

// carry gives a note the cosignatures of witnesses that the served one of the same tree has:
// nodes gather anew, and know of their own lines only.
func (p *publisher) carry(note []byte) ([]byte, []tlog.VerifierKey, error) {
	list, err := p.n.witnesses()
	if err != nil {
		return nil, nil, err
	}
	keys := witnessKeys(list)
	served, _ := p.Checkpoint()
	text := noteText(note)
	for _, key := range keys {
		if line := lineOf(served, text, key); line != "" && lineOf(note, text, key) == "" {
			note = append(slices.Clone(note), line+"\n"...)
		}
	}
	return note, keys, nil
}

// noteText is the signed text of a note, with its final newline.
func noteText(note []byte) []byte { return note[:bytes.LastIndex(note, []byte("\n\n"))+1] }

// lineOf is the line of a key in a note of a text; empty when it has none.
func lineOf(note, text []byte, key tlog.VerifierKey) string {
	opened, err := tlog.Open(note, key)
	if err != nil || !bytes.Equal(opened.Text, text) {
		return ""
	}
	return opened.Signatures[0].Line
}
