package node

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// maxOutcomes bounds how many refusals are remembered.
const maxOutcomes = 10_000

// machine is the replicated state machine: raft hands it commands, it applies
// registry.Apply, grows the Merkle tree and stores both with raft's index in one
// transaction. It knows nothing of signing, peers or HTTP.
//
// mu guards state, tree and meta. Whoever holds it sees only what is stored: ApplyBatch
// keeps it over the transaction.
type machine struct {
	store  kv.Store
	region string     // pinned genesis, may be empty before the first leaf
	kept   *storeRows // where the state is; nil: in memory
	lost   chan error // has one when rows cannot be read

	waiting waiting // events that were looked at here and are not applied yet

	mu       sync.RWMutex
	state    *registry.State
	payloads *registry.Payloads // opened, of one-person firms
	tree     *tlog.Tree
	meta     meta
	failed   error         // set once, when the store failed or a command cannot be followed
	moved    chan struct{} // closed and replaced at every change of meta
	nodes    chan struct{} // has a token when the charter's nodes changed
	erasures chan struct{} // has a token when a payload was erased

	charter atomic.Pointer[map[string]registry.Node] // its nodes; nil before the first leaf
	former  atomic.Pointer[map[string]bool]          // nodes that it had once
	leaving atomic.Pointer[map[string]registry.Node] // of those, the ones that have to sign still
	stored  atomic.Uint64                            // leaves, for who may not wait for mu

	fetch func(from, to uint64) ([][]byte, error) // leaves from other nodes, for Restore
	keep  uint64                                  // refusals remembered; the same at every node
}

func newMachine(store kv.Store, region string) *machine {
	return &machine{store: store, region: region, payloads: &registry.Payloads{}, lost: make(chan error, 1), moved: make(chan struct{}),
		nodes: make(chan struct{}, 1), erasures: make(chan struct{}, 1), keep: maxOutcomes}
}

// errDamaged: what is in the store does not belong together.
var errDamaged = errors.New("stored leaves do not give the stored root: this node's store is damaged")

// openMachine replays the stored leaves into memory. Each is verified again by Apply: what this
// process has not seen verified it does not believe.
func openMachine(store kv.Store, region string) (*machine, error) {
	m := newMachine(store, region)
	m.state = registry.NewState(region)
	if err := m.loadTree(); err != nil {
		return nil, err
	}
	if err := store.View(m.replay); err != nil {
		return nil, err
	}
	if m.meta.Size > 0 {
		m.noteNodes()
	}
	return m, store.View(m.loadPayloads)
}

// loadTree reads how far the store is, and the edge of its tree.
func (m *machine) loadTree() error {
	return m.store.View(func(tx kv.Tx) error {
		var err error
		if m.meta, err = loadMeta(tx); err != nil {
			return err
		}
		m.stored.Store(m.meta.Size)
		if m.tree, err = tlog.LoadTree(m.meta.Size, txTiles{tx}); err != nil {
			return err
		}
		if got := m.tree.Root().String(); got != m.meta.Root {
			return fmt.Errorf("stored tiles give root %s, stored root is %s: this node's store is damaged", got, m.meta.Root)
		}
		return nil
	})
}

func (m *machine) replay(tx kv.Tx) error {
	check := tlog.NewTree()
	for i := range m.meta.Size {
		raw, err := readLeaf(tx, i)
		if err == nil {
			err = replayLeaf(m.state, check, raw)
		}
		if err != nil {
			return fmt.Errorf("stored leaf %d: %w", i, err)
		}
	}
	if check.Root() != m.tree.Root() {
		return errDamaged
	}
	return nil
}

// replayLeaf verifies and applies a stored leaf.
func replayLeaf(s *registry.State, check *tlog.Tree, raw []byte) error {
	leaf, err := registry.ParseLeaf(raw)
	if err != nil {
		return err
	}
	if _, err := registry.Apply(s, leaf); err != nil {
		return err
	}
	_, err = check.Append(tlog.LeafHash(raw))
	return err
}

// pending are the changes of a batch that are not stored yet.
type pending struct {
	meta     meta
	tree     *tlog.Tree
	leaves   map[uint64][]byte
	hashes   []tlog.Hash // of leaves, that tree lacks still
	tiles    map[string][]byte
	rows     []registry.Row // of the state
	outcomes []registry.Outcome
	bytes    int
	events   int
	keep     uint64
	nodes    bool
	erased   []string
}

func (m *machine) newPending() *pending {
	return &pending{meta: m.meta, keep: m.keep, tree: m.tree.Clone(), leaves: map[uint64][]byte{}, tiles: map[string][]byte{}}
}

// Apply implements raft.FSM; raft calls ApplyBatch instead.
func (m *machine) Apply(l *raft.Log) any { return m.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch implements raft.BatchingFSM. The answer to a command is a []registry.Outcome, one for
// each event, or an error when this node cannot go on; then nothing may be acknowledged.
func (m *machine) ApplyBatch(logs []*raft.Log) []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]any, len(logs))
	for first := 0; first < len(logs); {
		p := m.newPending()
		applied := m.applyLogs(p, logs[first:], out[first:])
		m.flush(p)
		if m.failed != nil {
			for i := first; i < len(logs); i++ {
				out[i] = m.failed
			}
			return out
		}
		m.letReaders()
		first += applied
	}
	m.announce()
	return out
}

// applyLogs applies the first entries to the state in memory and to p, as many as go into one
// transaction of the store, and says how many those are.
func (m *machine) applyLogs(p *pending, logs []*raft.Log, out []any) (n int) {
	err := m.reading(func() {
		for n == 0 || n < len(logs) && p.events < maxHeldEvents && p.bytes+len(logs[n].Data) <= maxBatchBytes {
			out[n] = m.applyLog(p, logs[n])
			n++
		}
	})
	if err != nil {
		m.fail(fmt.Errorf("read what raft's entries are applied to: %w", err))
	}
	return n
}

// letReaders lets those in who wait for the lock. Everything is stored.
func (m *machine) letReaders() {
	m.mu.Unlock()
	m.mu.Lock()
}

// applyLog applies one raft entry to the state in memory and to p.
func (m *machine) applyLog(p *pending, l *raft.Log) any {
	if m.failed != nil {
		return m.failed
	}
	if l.Index <= m.meta.Applied { // raft repeats its log after a start without restoring a snapshot
		return []registry.Outcome(nil)
	}
	if m.meta.Restoring { // cannot be: raft starts behind the snapshot that finishRestore completed
		m.fail(errors.New("a restore was not finished: wipe the data folder, the other nodes have everything"))
		return m.failed
	}
	p.meta.Applied = l.Index
	if l.Type != raft.LogCommand {
		return nil
	}
	c, err := parseCommand(l.Data)
	if err != nil {
		m.fail(fmt.Errorf("raft entry %d: %w", l.Index, err))
		return m.failed
	}
	outcomes := make([]registry.Outcome, len(c.Events))
	for i, raw := range c.Events {
		outcomes[i] = m.applyEvent(p, raw, c.LogTime)
		p.events++
	}
	return outcomes
}

// applyEvent applies one event; a refused or repeated one makes no leaf (D1).
func (m *machine) applyEvent(p *pending, raw []byte, logTime int64) registry.Outcome {
	event, err := m.waiting.prepared(raw)
	if err != nil {
		return refusal("", err)
	}
	effect, err := event.Apply(m.state, unix(logTime))
	if errors.Is(err, registry.ErrNewer) {
		// Newer programs may have accepted it: to go on would be another state than theirs.
		m.fail(err)
		return refusal(event.ID(), err)
	}
	if err != nil {
		return m.noLeaf(p, event.ID(), err, logTime)
	}
	stored, err := registry.LeafOf(raw, unix(logTime))
	if err != nil {
		m.fail(err)
		return refusal(effect.Event, err)
	}
	p.append(effect.Index, stored)
	p.nodes = p.nodes || effect.Nodes || effect.Index == 0
	p.erased = append(p.erased, effect.Erased...)
	return registry.Outcome{Event: effect.Event, State: registry.OutcomeCommitted, Index: &effect.Index, LogTime: logTime, Enacted: effect.Enacted}
}

// noLeaf is the outcome of an event that the registry did not take.
func (m *machine) noLeaf(p *pending, id string, err error, logTime int64) registry.Outcome {
	if errors.Is(err, registry.ErrDuplicate) {
		index, _ := m.state.Leaf(id)
		return registry.Outcome{Event: id, State: registry.OutcomeCommitted, Index: &index, Repeat: true}
	}
	o := refusal(id, err)
	o.LogTime = logTime
	p.outcomes = append(p.outcomes, o)
	p.bytes += refusalBytes + len(o.Detail)
	return o
}

func (p *pending) append(index uint64, raw []byte) {
	p.leaves[index] = raw
	p.hashes = append(p.hashes, tlog.LeafHash(raw))
	p.bytes += len(raw)
	p.meta.Size = index + 1
}

// grow brings the tree up to the leaves: all at once, because what changes of it is copied.
func (p *pending) grow() error {
	if len(p.hashes) == 0 {
		return nil
	}
	tiles, err := p.tree.Append(p.hashes...)
	for _, t := range tiles {
		p.tiles[string(keyTile(t.Level, t.Index))] = t.Data
	}
	p.hashes = nil
	p.meta.Root = p.tree.Root().String()
	return err
}

// flush stores p and makes it the truth. A store that fails leaves memory ahead of the
// disk, so the machine stops for good: the process ends and starts again from the disk.
func (m *machine) flush(p *pending) {
	if m.failed != nil {
		return
	}
	err := p.grow()
	if err == nil {
		p.rows, err = m.storeFirst(p.bytes)
	}
	if err == nil {
		err = m.store.Update(p.write)
	}
	if err != nil {
		m.fail(fmt.Errorf("store what raft committed: %w", err))
		return
	}
	m.state.Stored()
	m.meta, m.tree = p.meta, p.tree
	for _, commitment := range p.erased {
		m.payloads.Erase(commitment)
	}
	if p.nodes {
		m.noteNodes()
		signal(m.nodes)
	}
	m.stored.Store(m.meta.Size) // after the nodes: see region
	if len(p.erased) > 0 {
		signal(m.erasures)
	}
}

// signal leaves a token in a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (p *pending) write(tx kv.Tx) error {
	for index, raw := range p.leaves {
		if err := tx.Set(keyLeaf(index), kv.Value(valueFormat, raw)); err != nil {
			return err
		}
	}
	for key, data := range p.tiles {
		if err := tx.Set([]byte(key), kv.Value(valueFormat, data)); err != nil {
			return err
		}
	}
	for _, commitment := range p.erased { // D4: erasing destroys the payload everywhere reachable
		if err := tx.Delete(keyPayload(commitment)); err != nil {
			return err
		}
		if err := tx.Set(keyErasing(commitment), kv.Value(valueFormat, nil)); err != nil {
			return err
		}
	}
	for _, o := range p.outcomes {
		if err := p.remember(tx, o); err != nil {
			return err
		}
	}
	if err := setRows(tx, p.rows); err != nil {
		return err
	}
	return kv.PutJSON(tx, keyMeta, valueFormat, p.meta)
}

// refusalBytes is more than remembering a refusal takes of a transaction, without its text. A
// node that was away gets as many refusals at once as raft had room for, and a store takes
// only so much at once.
const refusalBytes = 1 << 10

// remember keeps a refusal under its event id and forgets the oldest beyond maxOutcomes.
func (p *pending) remember(tx kv.Tx, o registry.Outcome) error {
	if err := kv.PutJSON(tx, keyOutcome(o.Event), valueFormat, o); err != nil {
		return err
	}
	if err := tx.Set(keySequence(p.meta.Outcomes), []byte(o.Event)); err != nil {
		return err
	}
	for p.meta.Outcomes++; p.meta.Outcomes-p.meta.Oldest > p.keep; p.meta.Oldest++ {
		id, err := tx.Get(keySequence(p.meta.Oldest))
		if err != nil {
			return err
		}
		if err := tx.Delete(keyOutcome(string(id))); err != nil {
			return err
		}
		if err := tx.Delete(keySequence(p.meta.Oldest)); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) fail(err error) {
	if m.failed == nil {
		m.failed = err
		m.announce()
	}
}

// announce wakes everybody who waits for progress. mu is held.
func (m *machine) announce() {
	close(m.moved)
	m.moved = make(chan struct{})
}

// refusal turns an error of the registry into an outcome.
func refusal(id string, err error) registry.Outcome {
	var r *registry.Refusal
	if errors.As(err, &r) {
		return registry.Outcome{Event: id, State: registry.OutcomeRefused, Code: r.Code, Detail: r.Detail}
	}
	return registry.Outcome{Event: id, State: registry.OutcomeRefused, Code: registry.ErrServer.Code, Detail: "the node could not apply the event"}
}

func unix(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
