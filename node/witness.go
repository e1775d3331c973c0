package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// witness cosigns the logs of regions that this one accepted (C2SP tlog-witness), with the
// key and the name that cosign this region's own log. It says "of this log I saw no larger
// tree, and no other history". It does not read what the log is of.
//
// D6 holds here too: after a start nothing is signed for a log before that log's nodes were
// asked for this node's own newest cosignature, because a disk that was put back would let
// the node sign a second history of its neighbour.
type witness struct {
	n      *Node
	server *tlog.WitnessServer

	mu   sync.Mutex
	logs map[string]*witnessedLog // by origin; only of accepted regions, so there are few
}

// witnessedLog is one log that is witnessed.
type witnessedLog struct {
	mu    sync.Mutex // held while something is signed for it
	asked bool       // its nodes were asked after this start
	dirty bool       // its record may not be on the disk yet
	// away counts how often nobody could be asked. Who waited for that meanwhile does not ask too.
	away atomic.Uint64
	torn bool // they hold a cosignature of this node for another tree than its record: see ask
}

// peerLog is what a mirror knows of the log of another region.
type peerLog struct {
	keys   []tlog.VerifierKey // log keys of its nodes as they are now, named by its origin
	urls   []string           // its nodes' public addresses, without trailing slash
	newest []byte             // the newest checkpoint that the mirror has; nil before the first
	// genesis is the id of the region, under which this region's other nodes mirror it.
	genesis string
	// rootAt is the root of the mirror's tree of a size; it fails beyond the mirror.
	rootAt func(size uint64) (tlog.Hash, error)
}

// peerLogs are the logs of regions that are accepted at this moment and whose nodes a mirror
// knows. It may be asked from many goroutines, and answers from memory.
type peerLogs interface {
	peerRegion(origin string) (peerLog, bool)
}

// outsider sends requests to nodes of other regions. It is the outbound client: addresses
// come from events, and an event's author could name one inside.
type outsider = tlog.Doer

func newWitness(n *Node, self *tlog.Signer) *witness {
	w := &witness{n: n, logs: map[string]*witnessedLog{}}
	w.server = &tlog.WitnessServer{Store: w, Signer: self, Now: n.cfg.Clock}
	return w
}

func keyWitness(originHash string) []byte { return []byte(prefixWitness + originHash) }

// peer is the log of an accepted region.
func (w *witness) peer(origin string) (peerLog, error) {
	if w.n.peerLogs == nil || w.n.left() || origin == w.n.founding.origin {
		return peerLog{}, tlog.ErrUnknownLog
	}
	p, ok := w.n.peerLogs.peerRegion(origin)
	if !ok {
		return p, tlog.ErrUnknownLog
	}
	return p, nil
}

// accepts says whether the region accepts another at this moment; a mirror hears of a change a
// little later.
func (n *Node) accepts(genesis string) (ok bool) {
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	var lost error
	defer n.machine.lostRows(&lost) // then the node ends, and ok is false
	peer, known := n.machine.state.View().Peer(genesis, n.cfg.Clock())
	return known && peer.State == registry.PeerAccepted
}

// LogKeys implements tlog.WitnessStore.
func (w *witness) LogKeys(_ context.Context, origin string) ([]tlog.VerifierKey, error) {
	p, err := w.peer(origin)
	return p.keys, err
}

// Latest implements tlog.WitnessStore. What was cosigned is shown of dropped regions too.
func (w *witness) Latest(_ context.Context, originHash string) ([]byte, error) {
	note, err := readNote(w.n.store, keyWitness(originHash))
	if err == nil && note == nil {
		return nil, tlog.ErrUnknownLog
	}
	return note, err
}

// Update implements tlog.WitnessStore: what fn returns is on the disk before it returns.
func (w *witness) Update(ctx context.Context, origin string, fn func([]byte) ([]byte, error)) error {
	w.mu.Lock()
	log := w.logs[origin]
	if log == nil {
		log = &witnessedLog{}
		w.logs[origin] = log
	}
	w.mu.Unlock()
	away := log.away.Load()
	log.mu.Lock()
	defer log.mu.Unlock()
	if !log.asked && log.away.Load() != away {
		return fmt.Errorf("%w: %s", tlog.ErrNotNow, whyNobody)
	}
	if !w.n.publisher.asked() {
		// The record may be as old as the disk that it is on, and this region's own nodes know
		// of that: those of the log that is witnessed could keep it to themselves.
		return fmt.Errorf("%w: %s", tlog.ErrNotNow, whyNotAsked)
	}
	latest, err := readNote(w.n.store, keyWitness(tlog.OriginHash(origin)))
	if err != nil {
		return err
	}
	if latest, err = w.ask(ctx, log, origin, latest); err != nil {
		return err
	}
	next, err := fn(latest)
	if err != nil {
		return err
	}
	if err := w.fitsMirror(origin, next); err != nil {
		return err
	}
	self := w.server.Signer.VerifierKey()
	if is, ok := recordOf(latest, self); ok && !log.dirty {
		if want, ok := recordOf(next, self); ok && is == want {
			return nil // kept already: anybody can ask again, and may not make the disk sync each time
		}
	}
	return w.keep(log, origin, next)
}

// fitsMirror refuses what contradicts this node's own copy of the log: then the log shows two
// histories, whatever was cosigned of it so far.
func (w *witness) fitsMirror(origin string, note []byte) error {
	p, err := w.peer(origin)
	if err != nil || p.rootAt == nil {
		return err
	}
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return err
	}
	mine, err := tlog.PeekCheckpoint(p.newest)
	if err != nil || c.Size > mine.Size {
		return nil // the mirror is behind and cannot tell
	}
	root, err := p.rootAt(c.Size)
	if err != nil {
		return fmt.Errorf("%w: the copy of %s cannot be read: %w", tlog.ErrNotNow, origin, err)
	}
	if root != c.Root {
		w.n.log.Error("ANOTHER REGION ASKS FOR A COSIGNATURE ON ANOTHER HISTORY THAN ITS NODES SHOWED", "log", origin, "size", c.Size, "note", string(note))
		return fmt.Errorf("%w: this node's copy of %s has another root at that size", tlog.ErrInconsistent, origin)
	}
	return nil
}

// keep has a record on the disk when it returns. log.mu is held.
func (w *witness) keep(log *witnessedLog, origin string, note []byte) error {
	key := keyWitness(tlog.OriginHash(origin))
	log.dirty = true // until it is known to be there
	if err := w.n.store.Update(func(tx kv.Tx) error { return tx.Set(key, kv.Value(valueFormat, note)) }); err != nil {
		return err
	}
	if err := kv.Sync(w.n.store); err != nil {
		return err
	}
	log.dirty = false
	return nil
}

// whyNobody is why nothing is signed for a log.
const whyNobody = "none of its nodes could be asked for this node's own newest cosignature"

// ask is the rule of D6 for a log, once after each start. A newer cosignature of this node
// than its record becomes the record: it is this node's own word, and only what follows from
// it may be signed. latest is returned as it is then. log.mu is held.
func (w *witness) ask(ctx context.Context, log *witnessedLog, origin string, latest []byte) ([]byte, error) {
	if log.torn {
		return nil, fmt.Errorf("%w: this node signed two histories of %s", tlog.ErrNotNow, origin)
	}
	if log.asked {
		return latest, nil
	}
	p, err := w.peer(origin)
	if err != nil {
		return nil, err
	}
	notes := w.cosignedElsewhere(ctx, origin, p)
	if len(notes) == 0 {
		log.away.Add(1)
		return nil, fmt.Errorf("%w: %s", tlog.ErrNotNow, whyNobody)
	}
	notes = append(notes, w.mirroredElsewhere(ctx, origin, p)...)
	self := w.server.Signer.VerifierKey()
	own, _ := recordOf(latest, self)
	for _, note := range append(notes, p.newest) {
		found, ok := recordOf(note, self)
		switch {
		case !ok:
		case found.Size == own.Size && found.Root != own.Root && own.Size > 0:
			log.torn = true
			w.n.log.Error("THIS NODE SIGNED TWO HISTORIES OF ANOTHER REGION: it witnesses that log no more", "log", origin, "size", own.Size)
			return nil, fmt.Errorf("%w: this node signed two histories of %s", tlog.ErrNotNow, origin)
		case found.newer(own):
			w.n.log.Warn("another region remembers a newer cosignature than this node: its disk was put back or is damaged", "log", origin, "cosigned", found.Size, "remembered", own.Size)
			own, latest = found, note
			if err := w.keep(log, origin, note); err != nil {
				return nil, err
			}
		}
	}
	log.asked = true
	return latest, nil
}

// cosignedElsewhere asks each node of a log for the newest checkpoint that bears this node's
// cosignature. What is no checkpoint of that log is no answer.
func (w *witness) cosignedElsewhere(ctx context.Context, origin string, p peerLog) [][]byte {
	if w.n.cfg.Outside == nil {
		return nil
	}
	var urls []string
	for _, base := range p.urls {
		urls = append(urls, base+"/v1/cosigned?cosigner="+url.QueryEscape(w.server.Signer.VerifierKey().Name))
	}
	return w.notesAt(ctx, origin, p, urls)
}

// mirroredElsewhere are the newest checkpoints of a log that the mirrors of this region's other
// nodes have. These bear this node's word as the log published it: when the log's nodes hide that
// from a node whose disk was put back, they tell.
func (w *witness) mirroredElsewhere(ctx context.Context, origin string, p peerLog) [][]byte {
	if w.n.cfg.Outside == nil || p.genesis == "" {
		return nil
	}
	var urls []string
	for id, node := range w.n.region().nodes {
		if id != w.n.cfg.ID {
			urls = append(urls, node.URL+"/regions/"+p.genesis+"/checkpoint")
		}
	}
	return w.notesAt(ctx, origin, p, urls)
}

// notesAt fetches checkpoints of a log.
func (w *witness) notesAt(ctx context.Context, origin string, p peerLog, urls []string) [][]byte {
	ctx, cancel := context.WithTimeout(ctx, w.n.cfg.PeerTimeout)
	defer cancel()
	answers := make(chan []byte, len(urls))
	for _, address := range urls {
		go func() {
			note, err := w.n.fetchOutside(ctx, address, tlog.MaxNote)
			if err == nil {
				_, _, err = tlog.OpenCheckpoint(note, origin, p.keys...)
			}
			if err != nil {
				w.n.log.Debug("not asked for this node's own newest cosignature", "log", origin, "error", err)
				note = nil
			}
			answers <- note
		}()
	}
	var out [][]byte
	for range urls {
		if note := <-answers; note != nil {
			out = append(out, note)
		}
	}
	return out
}

// fetchOutside gets at most limit bytes from a node of another region.
func (n *Node) fetchOutside(ctx context.Context, address string, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := n.cfg.Outside.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	case int64(len(raw)) > limit:
		return nil, errors.New("the answer is too large")
	}
	return raw, nil
}

// getCosigned serves the largest checkpoint that bears the cosignature of the cosigner that is
// named, and the newest one when there is none: a witness asks for its own word after a start.
func (n *Node) getCosigned(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("cosigner")
	if name == "" || len(name) > kv.MaxKey/2 || strings.ContainsAny(name, " +\n") {
		web.WriteError(w, http.StatusBadRequest, "bad-cosigner", "say which cosigner, by its name in the log's policy")
		return
	}
	note, err := readNote(n.store, keyWitnessed(name))
	switch {
	case err != nil:
		n.internal(w, r, err)
		return
	case note == nil:
		n.getCheckpoint(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(note)
}

// witnessed lists what this node cosigned of other logs, for who runs it.
func (w *witness) witnessed() (map[string]record, error) {
	out := map[string]record{}
	self := w.server.Signer.VerifierKey()
	return out, w.n.store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefixWitness), func(_, value []byte) error {
			_, note, err := kv.Body(value)
			if err != nil {
				return err
			}
			c, err := tlog.PeekCheckpoint(note)
			if err != nil {
				return err
			}
			out[c.Origin], _ = recordOf(note, self)
			return nil
		})
	})
}
