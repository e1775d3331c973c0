package audit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Replay is a log as far as it was read and judged. Use it from one goroutine.
type Replay struct {
	// OnLeaf, when set, is called after each leaf that the rules accepted. Whether a checkpoint
	// covers it is known only when Extend returns without a finding.
	OnLeaf func(registry.Leaf, registry.Effect) error
	// Keep, when set, is given the files of the log as they were read and found to be of the tree.
	// They hold when Extend returns without a finding.
	Keep func(path string, data []byte) error
	// Others, when set, gives further sources of the log, such as the region's other nodes, for when
	// this one is not what was signed and somebody has to tell where.
	Others func(registry.View) []Source
	// SignedFirst reads nothing under a checkpoint that the nodes do not stand behind, and ends soon
	// after an entry that the rules refuse: who is told what a node likes, time after time, must not
	// be kept busy by one without end.
	SignedFirst bool

	genesis string
	state   *registry.State
	scratch *scratch
	tree    *tlog.Tree
	tail    [][]byte // entries of the bundle that is not full
	note    []byte   // newest checkpoint that held; nil before the first
	seen    *tlog.Seen
	kinds   map[registry.Kind]uint64
	first   time.Time // log time of the first leaf
	held    time.Time // log time of the last leaf under note
	broken  *Finding  // nothing is judged after it
	passed  [][]byte  // checkpoints that held and led across a change of nodes
	odd     string    // first tile that the source has otherwise than the entries make it
}

// NewReplay reads nothing yet. The state is kept in store, or in memory when that is nil.
func NewReplay(genesis string, store kv.Store) (*Replay, error) {
	if _, err := registry.NewReplica(genesis); err != nil {
		return nil, err
	}
	r := &Replay{genesis: genesis, state: registry.NewState(genesis), tree: tlog.NewTree(), kinds: map[registry.Kind]uint64{}}
	if store == nil {
		return r, nil
	}
	r.scratch = &scratch{store, scratchBytes}
	var err error
	r.state, err = registry.OpenState(genesis, r.scratch)
	return r, err
}

// State is what the leaves amount to, as far as they were judged.
func (r *Replay) State() *registry.State { return r.state }

// Size is how many leaves lie under the newest checkpoint that held.
func (r *Replay) Size() uint64 {
	if r.seen == nil {
		return 0
	}
	return r.seen.Checkpoint.Size
}

// Handovers are the checkpoints that held and are needed to get from the charter to the newest.
func (r *Replay) Handovers() [][]byte { return r.passed }

// Whole says that nothing was read beyond the newest checkpoint that held.
func (r *Replay) Whole() bool { return r.tree.Size() == r.Size() && r.broken == nil && r.odd == "" }

// Checkpoint is the newest checkpoint that held, and what its signatures say; nil before the first.
func (r *Replay) Checkpoint() ([]byte, *tlog.Seen) { return r.note, r.seen }

// Extend reads what a source has beyond what was read, up to its newest checkpoint, by way of the
// handovers in between. It gives what is wrong; after that the replay is of no more use but to be
// asked. The error is of reading: nothing is known of the log then.
func (r *Replay) Extend(ctx context.Context, s Source, newest []byte, handovers [][]byte) ([]Finding, error) {
	steps, found := r.steps(newest, handovers)
	if found != nil {
		return []Finding{*found}, nil
	}
	w := &walk{Replay: r, ctx: ctx, source: s, steps: steps, end: steps[len(steps)-1].Size}
	if w.unsigned() {
		return w.found, nil
	}
	if w.end > r.tree.Size() {
		if err := w.read(); err != nil {
			if !isGone(err) {
				return nil, err
			}
			w.found = append(w.found, w.lacks(err))
			return w.found, nil
		}
	} else {
		w.stands()
	}
	if r.broken != nil {
		w.found = append(w.found, *r.broken)
	}
	if len(w.found) == 0 && r.odd != "" {
		w.found = append(w.found, findingTile(r.odd))
	}
	return w.found, nil
}

// lacks tells what is not there of what the next checkpoint covers.
func (w *walk) lacks(err error) Finding {
	if f := w.locate(w.steps[0]); f.Code != Altered {
		return f
	}
	return findingGone(w.Replay, err)
}

// maxEntries bounds what a checkpoint can make an auditor read: nobody vouches for it before its end.
const maxEntries = 1 << 30

// step is a checkpoint on the way.
type step struct {
	tlog.Checkpoint
	note []byte
}

// steps are the checkpoints to stop at, smallest first; the newest is the last.
func (r *Replay) steps(newest []byte, handovers [][]byte) ([]step, *Finding) {
	end, err := tlog.PeekCheckpoint(newest)
	if err == nil && end.Size > maxEntries {
		err = fmt.Errorf("%d entries, more than any region has", end.Size)
	}
	if err != nil || end.Size == 0 || end.Size < r.tree.Size() {
		return nil, &Finding{Code: NoCheckpoint, Text: textNoCheckpoint, Detail: detail(err)}
	}
	var out []step
	for _, note := range handovers {
		c, err := tlog.PeekCheckpoint(note)
		if err != nil {
			return nil, &Finding{Code: NoCheckpoint, Text: textNoHandover, Detail: detail(err)}
		}
		if c.Size > r.tree.Size() && c.Size < end.Size {
			out = append(out, step{c, note})
		}
	}
	slices.SortStableFunc(out, func(a, b step) int { return cmp.Compare(a.Size, b.Size) })
	return append(out, step{end, newest}), nil
}

// walk is one Extend.
type walk struct {
	*Replay
	ctx    context.Context
	source Source
	steps  []step
	end    uint64
	raws   [][]byte // entries that were fetched and not judged yet
	served map[uint64][]byte
	asked  int // how many steps were left when the next was last held against the nodes' keys
	found  []Finding
	over   bool // a checkpoint did not hold; nothing after it is read
}

var errOver = errors.New("over")

func (w *walk) read() error {
	w.served = map[uint64][]byte{}
	err := bundles(w.ctx, w.source, w.tree.Size(), w.end, true, func(f fetched) error {
		w.served[f.tile.Index] = f.hashes
		// What came before the end of the last reading was judged then, as it was then.
		skip := 0
		if f.tile.Index == w.tree.Size()/tlog.TileWidth && len(w.raws) == 0 {
			skip = int(w.tree.Size() % tlog.TileWidth)
		}
		w.raws = append(w.raws, f.entries[skip:]...)
		if len(w.raws) < batchSize {
			return nil
		}
		return w.judge()
	})
	if err == nil {
		err = w.judge()
	}
	if errors.Is(err, errOver) {
		return nil
	}
	return err
}

// judge takes the entries that were fetched, up to each checkpoint on the way.
func (w *walk) judge() error {
	raws := w.raws
	w.raws = nil
	for len(raws) > 0 {
		n := min(uint64(len(raws)), w.steps[0].Size-w.tree.Size())
		if err := w.take(prepare(w.state, raws[:n], w.broken == nil)); err != nil {
			return err
		}
		raws = raws[n:]
		if w.unsigned() || w.SignedFirst && w.broken != nil && w.tree.Size() > *w.broken.Leaf+enough {
			return errOver
		}
		if w.tree.Size() < w.steps[0].Size {
			continue
		}
		if w.stands(); w.over {
			return errOver
		}
	}
	clear(w.served)
	return nil
}

// enough is how many entries are read after one that the rules refuse, to tell what it is.
const enough = 4 * batchSize

// unsigned says whether the nodes do not stand behind the next checkpoint, whatever it is of.
func (w *walk) unsigned() bool {
	if !w.SignedFirst || w.state.Size() == 0 || len(w.steps) == w.asked {
		return false
	}
	w.asked = len(w.steps)
	_, err := checkUnder(w.state.View(), max(w.Size(), 1), w.steps[0].note)
	if err != nil {
		w.found = append(w.found, findingCheckpoint(w.Replay, w.steps[0], err))
	}
	return err != nil
}

// take appends entries to the tree and applies them.
func (w *walk) take(entries []entry) error {
	hashes := make([]tlog.Hash, len(entries))
	for i, e := range entries {
		hashes[i] = e.hash
	}
	first := w.tree.Size()
	tiles, err := w.tree.Append(hashes...)
	if err != nil {
		return err
	}
	for _, t := range tiles {
		if err := w.tile(t); err != nil {
			return err
		}
	}
	for i, e := range entries {
		if w.broken == nil {
			if err := w.apply(first+uint64(i), e); err != nil {
				return err
			}
		}
		if err := w.keepEntry(first+uint64(i), e.raw); err != nil {
			return err
		}
	}
	if w.scratch != nil {
		return w.scratch.put(w.state)
	}
	return nil
}

// tile holds a tile that the entries made against the one that the source has.
func (w *walk) tile(t tlog.TileData) error {
	if t.Width < tlog.TileWidth && w.tree.Size() < w.end {
		return nil // of a tree in between
	}
	data, fetched := w.served[t.Index]
	if t.Level > 0 || !fetched {
		var err error
		if data, err = readTile(w.ctx, w.source, t.Tile); err != nil && !isGone(asGone(t.Path(), err)) {
			return err
		}
	}
	if !bytes.HasPrefix(data, t.Data) && w.odd == "" {
		w.odd = t.Path()
	}
	if w.Keep != nil {
		return w.Keep(t.Path(), t.Data)
	}
	return nil
}

// keepEntry hands on a bundle when it is full or the last.
func (w *walk) keepEntry(index uint64, raw []byte) error {
	if w.Keep == nil {
		return nil
	}
	w.tail = append(w.tail, raw)
	if len(w.tail) < tlog.TileWidth && index+1 < w.end {
		return nil
	}
	bundle, err := bundleOf(w.tail)
	if err != nil {
		return err
	}
	t := tlog.Tile{Entries: true, Index: index / tlog.TileWidth, Width: len(w.tail)}
	if t.Width == tlog.TileWidth {
		w.tail = nil
	}
	return w.Keep(t.Path(), bundle)
}

// apply has the rules judge a leaf.
func (w *walk) apply(index uint64, e entry) error {
	was := w.state.LogTime()
	err := e.err
	var effect registry.Effect
	if err == nil {
		effect, err = registry.Apply(w.state, e.leaf)
	}
	if err != nil {
		w.broken = findingLeaf(index, e, was, err)
		return nil
	}
	w.kinds[e.leaf.Event.Kind]++
	if index == 0 {
		w.first = w.state.LogTime()
	}
	if w.OnLeaf != nil {
		return w.OnLeaf(e.leaf, effect)
	}
	return nil
}

// stands holds the tree against the next checkpoint on the way.
func (w *walk) stands() {
	next := w.steps[0]
	w.steps = w.steps[1:]
	if next.Root != w.tree.Root() {
		w.over = true
		w.found = append(w.found, w.locate(next))
		w.broken = nil // said with it
		return
	}
	seen, err := w.counts(next)
	if w.broken != nil {
		w.broken.Signed = err == nil
		return
	}
	if err != nil {
		w.over = true
		w.found = append(w.found, findingCheckpoint(w.Replay, next, err))
		return
	}
	if w.crossed(next.Size) {
		w.passed = append(w.passed, next.note)
	}
	w.note, w.seen, w.held = next.note, seen, w.state.LogTime()
}

// counts says whether the nodes stand behind a checkpoint: those before it and, beyond each change
// of nodes, the new ones too (D7).
func (r *Replay) counts(c step) (*tlog.Seen, error) {
	view := r.state.View()
	if region := view.Region(r.state.LogTime()); c.Origin != region.Origin {
		return nil, fmt.Errorf("the checkpoint is of the log %q, the region's is %q", c.Origin, region.Origin)
	}
	from := max(r.Size(), 1)
	seen, err := checkUnder(view, from, c.note)
	if err != nil {
		return nil, err
	}
	for _, change := range view.Handovers() {
		if change < from || change >= c.Size {
			continue
		}
		if seen, err = checkUnder(view, change+1, c.note); err != nil {
			return nil, fmt.Errorf("%w: %w", registry.ErrHandover, err)
		}
	}
	return seen, nil
}

func checkUnder(view registry.View, size uint64, note []byte) (*tlog.Seen, error) {
	file, err := view.Policy(size)
	if err != nil {
		return nil, err
	}
	policy, err := tlog.ParsePolicy([]byte(file))
	if err != nil {
		return nil, err
	}
	return policy.Check(note)
}

// handoversFile is the file of the checkpoints at which the nodes changed.
func handoversFile(notes [][]byte) ([]byte, error) {
	out := registry.HandoversAnswer{Handovers: []string{}}
	for _, note := range notes {
		out.Handovers = append(out.Handovers, string(note))
	}
	return ijson.Canonical(out)
}
