package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// publisher signs the log. It works outside the state machine, after commit: each node
// signs checkpoints with its own log key, cosigns with its own cosigner key, and gathers
// the other nodes' cosignatures until the checkpoint counts.
//
// A cosignature says "this is the largest consistent tree that I have seen". So the record
// of what was cosigned last only grows, and is on the disk before a signature leaves the
// node. After a start nothing is signed until another node was asked for this node's own
// newest cosignature (D6): a disk that was put back would otherwise sign a second history.
type publisher struct {
	n    *Node
	log  *tlog.Signer
	self *tlog.Signer // the cosigner

	mu     sync.Mutex
	record record // what was cosigned last
	clear  bool   // asked after this start, and nothing newer was found
	why    string // why nothing is signed, for people
	torn   bool   // the tree does not contain what was cosigned

	published []byte // the note that is served; it counts
	seen      *tlog.Seen
	fresh     registry.Freshness // of that note, witnesses outside the region included

	publishing sync.Mutex // one note after another: what one adds, the next does not lose
}

// record is what the cosigner signed last.
type record struct {
	Size uint64 `json:"size"`
	Root string `json:"root"`
	At   int64  `json:"at"` // POSIX seconds of the cosignature
}

// newer says whether r lies beyond other.
func (r record) newer(other record) bool {
	return r.Size > other.Size || r.Size == other.Size && r.At > other.At
}

// Why nothing is signed.
const (
	whyNotAsked   = "no other node could be asked yet for this node's own newest cosignature"
	whyTorn       = "this node's tree does not contain what it cosigned once: it signed another history than the region has, or the leader rewrites the log. Compare with a copy from outside. " + adviceTorn
	whyRolledBack = "another node holds a newer cosignature of this node than this node remembers: its disk was put back or is damaged"
)

// adviceTorn is the way on for a node that signed what the region does not have. A cosigner's
// record is a promise: no copy, restore or empty folder lets its key sign anything else.
const adviceTorn = "If the region is right, this node can never sign again under this id: let the members decide on its leaving (paspoort node leave ID), and join with a new id and new keys (paspoort node init)"

var (
	errWithheld = errors.New("this node does not sign at the moment")
	errBehind   = errors.New("a larger tree was cosigned already")
	errFork     = errors.New("this node has another root at that size")
)

func newPublisher(n *Node) (*publisher, error) {
	p := &publisher{n: n, why: whyNotAsked}
	var err error
	if p.log, err = tlog.NewSigner(n.founding.origin, tlog.TypeLog, n.cfg.LogKey); err != nil {
		return nil, err
	}
	name := registry.CosignerName(n.founding.origin, n.cfg.ID)
	if p.self, err = tlog.NewSigner(name, tlog.TypeCosigner, n.cfg.CosignerKey); err != nil {
		return nil, err
	}
	if p.record, err = n.files.loadRecord(); err != nil {
		return nil, err
	}
	return p, n.store.View(func(tx kv.Tx) error {
		raw, err := tx.Get(keyPublished)
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, p.published, err = kv.Body(raw); err != nil {
			return err
		}
		if p.seen, err = n.machine.state.View().CheckCheckpoint(p.published); err != nil {
			p.published = nil // nodes changed while it was stored; the next one follows soon
			return nil
		}
		p.fresh, err = n.machine.state.View().Freshness(p.published)
		return err
	})
}

// run publishes at most once per interval, and cosigns again when nothing changes, so that
// readers see that the log is alive (D11).
func (p *publisher) run(ctx context.Context) {
	for {
		p.n.machine.mu.RLock()
		moved := p.n.machine.moved
		p.n.machine.mu.RUnlock()
		if err := p.round(ctx); err != nil && ctx.Err() == nil {
			p.n.log.Debug("checkpoint not published yet", "error", err)
			moved = nil // try again after the interval, whatever happens
		}
		select {
		case <-ctx.Done():
			return
		case <-moved:
		case <-time.After(p.patience(moved == nil)):
		}
		select { // collect what comes within the interval in one checkpoint
		case <-ctx.Done():
			return
		case <-time.After(p.n.cfg.CheckpointInterval):
		}
	}
}

func (p *publisher) patience(again bool) time.Duration {
	if again {
		return p.n.cfg.CheckpointInterval
	}
	return p.n.cfg.CosignInterval / 4
}

func (p *publisher) round(ctx context.Context) error {
	if err := p.askOthers(ctx); err != nil {
		return err
	}
	if err := p.n.settleForks(ctx); err != nil {
		return err
	}
	p.n.fetchHandovers(ctx)
	p.n.machine.mu.RLock()
	c := p.n.machine.head()
	p.n.machine.mu.RUnlock()
	c.Origin = p.n.founding.origin
	if c.Size == 0 || !p.due(c.Size) {
		return nil
	}
	text := c.Text()
	own, err := p.cosign(c, text)
	if err != nil {
		return err
	}
	log, err := p.log.Line(text, time.Time{})
	if err != nil {
		return err
	}
	if err := p.gather(ctx, c, text, []string{log, own}); err != nil {
		return p.adopt(ctx, err)
	}
	return nil
}

// due says whether a new checkpoint is wanted.
func (p *publisher) due(size uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.published == nil || p.seen.Checkpoint.Size < size ||
		p.n.cfg.Clock().Sub(p.seen.Freshest()) >= p.n.cfg.CosignInterval
}

// cosign signs c as this node's cosigner, if that keeps its promise: c is of this node's own
// tree, which contains what was cosigned before. A region of which all disks were put back
// would else go on with another history under its old name.
func (p *publisher) cosign(c tlog.Checkpoint, text []byte) (string, error) {
	if p.n.left() && !p.n.isLeaving(p.n.cfg.ID) { // its signature counts for nothing
		return "", fmt.Errorf("%w: %s", errWithheld, whyLeft)
	}
	if why := p.n.forked(); why != "" {
		return "", fmt.Errorf("%w: %s", errWithheld, why)
	}
	p.n.machine.mu.RLock() // before p.mu: the other way round two could wait for each other
	head := p.n.machine.head()
	p.n.machine.mu.RUnlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.n.cfg.Clock()
	switch {
	case !p.clear:
		return "", fmt.Errorf("%w: %s", errWithheld, p.why)
	case c.Size < p.record.Size:
		return "", fmt.Errorf("%w: of %d leaves", errBehind, p.record.Size)
	case c.Size == p.record.Size && c.Root.String() != p.record.Root:
		p.torn = true
		return "", errFork
	case at.Unix() < p.record.At: // the clock went back; the statement may not
		at = unix(p.record.At)
	}
	if c.Size > p.record.Size {
		err := p.extends(head)
		if p.torn = err != nil; p.torn {
			p.n.log.Error("THIS NODE'S TREE DOES NOT CONTAIN WHAT IT COSIGNED", "size", p.record.Size, "error", err)
			return "", err
		}
	}
	next := record{Size: c.Size, Root: c.Root.String(), At: at.Unix()}
	if next != p.record {
		if err := p.n.files.saveRecord(next); err != nil {
			return "", fmt.Errorf("%w: the record cannot be kept: %w", errWithheld, err)
		}
		p.record = next
	}
	return p.self.Line(text, at)
}

// extends compares this node's tree with its record. mu is held.
func (p *publisher) extends(head tlog.Checkpoint) error {
	if p.record.Size == 0 {
		return nil
	}
	root, err := tlog.ParseHash(p.record.Root)
	if err != nil {
		return fmt.Errorf("%w: its record is damaged: %w", errWithheld, err)
	}
	return p.n.compare(head, tlog.Checkpoint{Size: p.record.Size, Root: root})
}

// gather asks the other nodes to cosign and publishes as soon as the checkpoint counts.
func (p *publisher) gather(ctx context.Context, c tlog.Checkpoint, text []byte, lines []string) error {
	note := tlog.JoinNote(text, lines...)
	others := p.n.signers()
	answers := make(chan []byte, len(others))
	for _, id := range others {
		p.n.wg.Go(func() {
			call, cancel := context.WithTimeout(ctx, p.n.cfg.PeerTimeout)
			defer cancel()
			line, err := p.n.peers.call(call, id, opCosign, note)
			if err != nil {
				p.n.log.Debug("no cosignature", "from", id, "error", err)
			}
			if saysFork(err) {
				p.n.askTree(ctx, id, c.Size)
			}
			answers <- line
		})
	}
	region := p.n.region()
	err := p.publish(tlog.JoinNote(text, lines...), region)
	for range others {
		line := <-answers
		if len(line) == 0 {
			continue
		}
		if _, bad := tlog.Open(tlog.JoinNote(text, string(line)), region.allKeys()...); bad != nil {
			p.n.log.Warn("a node answered with something else than its cosignature", "error", bad)
			continue
		}
		lines = append(lines, string(line))
		err = p.publish(tlog.JoinNote(text, lines...), region)
	}
	return err
}

// publish serves a note if it counts for the region.
func (p *publisher) publish(note []byte, region region) error {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	note, outside, err := p.carry(note)
	if err != nil {
		return err
	}
	p.n.machine.mu.RLock()
	view := p.n.machine.state.View()
	seen, err := view.CheckCheckpoint(note)
	var handovers []uint64
	var over error
	var fresh registry.Freshness
	if err == nil {
		fresh, err = view.Freshness(note)
	}
	if err == nil {
		handovers, over = p.handovers(view, note, seen.Checkpoint.Size)
	}
	p.n.machine.mu.RUnlock()
	if err = errors.Join(err, over); err != nil {
		return err
	}
	if err := p.n.store.Update(func(tx kv.Tx) error {
		for _, change := range handovers {
			if err := tx.Set(keyHandover(change), kv.Value(valueFormat, note)); err != nil {
				return err
			}
		}
		if err := tx.Set(keyPublished, kv.Value(valueFormat, note)); err != nil {
			return err
		}
		return p.remember(tx, note, append(region.allKeys(), outside...))
	}); err != nil {
		return err
	}
	if len(handovers) > 0 {
		p.n.handedOver()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen != nil && seen.Checkpoint.Size < p.seen.Checkpoint.Size {
		return nil
	}
	p.published, p.seen, p.fresh = note, seen, fresh
	signal(p.n.outside.published)
	return nil
}

// handovers says of which changes of the nodes this checkpoint is the first beyond, by their
// sizes. Then it has to satisfy the nodes before each of them as well as the newest ones (D7),
// and is kept: who pinned the founding event walks from one to the next.
func (p *publisher) handovers(view registry.View, note []byte, size uint64) (changes []uint64, err error) {
	for _, change := range view.Handovers() {
		if change >= size || p.n.hasHandover(change) {
			continue
		}
		changes, err = append(changes, change), errors.Join(err, satisfiesOld(view, change, note))
	}
	return changes, err
}

func satisfiesOld(view registry.View, change uint64, note []byte) error {
	file, err := view.Policy(change)
	if err != nil {
		return err
	}
	old, err := tlog.ParsePolicy([]byte(file))
	if err != nil {
		return err
	}
	if _, err := old.Check(note); err != nil {
		return fmt.Errorf("handover at %d: %w", change, err)
	}
	return nil
}

// remember keeps, for each cosigner and each witness, the largest checkpoint that bears its cosignature: an
// answer for the day on which that node asks.
func (p *publisher) remember(tx kv.Tx, note []byte, keys []tlog.VerifierKey) error {
	c, opened, err := tlog.OpenCheckpoint(note, p.n.founding.origin, keys...)
	if err != nil {
		return err
	}
	for _, s := range opened.Signatures {
		if s.Key.Type != tlog.TypeCosigner {
			continue
		}
		if old, ok := witnessed(tx, s.Key); ok && !(record{c.Size, "", s.Time.Unix()}).newer(old) {
			continue
		}
		if err := tx.Set(keyWitnessed(s.Key.Name), kv.Value(valueFormat, note)); err != nil {
			return err
		}
	}
	return nil
}

// witnessed is what a cosigner is known to have signed last.
func witnessed(tx kv.Tx, key tlog.VerifierKey) (record, bool) {
	raw, err := tx.Get(keyWitnessed(key.Name))
	if err != nil {
		return record{}, false
	}
	_, note, err := kv.Body(raw)
	if err != nil {
		return record{}, false
	}
	return recordOf(note, key)
}

func recordOf(note []byte, key tlog.VerifierKey) (record, bool) {
	opened, err := tlog.Open(note, key)
	if err != nil {
		return record{}, false
	}
	c, err := tlog.ParseCheckpoint(opened.Text)
	if err != nil {
		return record{}, false
	}
	return record{c.Size, c.Root.String(), opened.Signatures[0].Time.Unix()}, true
}

// Checkpoint is the newest note that counts, or nil.
func (p *publisher) Checkpoint() ([]byte, *tlog.Seen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.published, p.seen
}

// freshness is how recent the served checkpoint is, and whether a witness stands behind it.
func (p *publisher) freshness() registry.Freshness {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fresh
}

// asked says whether others told after this start what this node signed last, and it is no more
// than it remembers.
func (p *publisher) asked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clear
}

// forked says whether this node met another history than its own: another node signed one, or it
// did itself.
func (p *publisher) forked() bool {
	other := p.n.forked() != ""
	p.mu.Lock()
	defer p.mu.Unlock()
	return other || p.torn
}

// withheld says why this node does not sign; empty when it does.
func (p *publisher) withheld() string {
	if p.n.left() && !p.n.isLeaving(p.n.cfg.ID) {
		return whyLeft
	}
	forked := p.n.forked()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.clear:
		return p.why
	case p.torn:
		return whyTorn
	}
	return forked
}
