package monitor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// follower follows one region. In its folder:
//
//	log/            a copy of the log, which paspoort log verify can check
//	nodes/HASH      the newest checkpoint that each node showed, by the hash of its address
//	fork-N.json     proofs of forks
//	told.json       what was told
type follower struct {
	config  Config
	region  Region
	dir     string
	log     audit.Dir
	replay  *audit.Replay
	store   kv.Store // of the state of replay; nil: in memory
	pending []Event  // matched and not told, in order
	more    bool     // there were too many to hold; they are read from the copy again
	memory  memory
}

// memory is what has to survive a restart.
type memory struct {
	Begun  bool             `json:"begun"`            // the log was read once
	Told   uint64           `json:"told"`             // all entries before this one
	Open   map[string]Alarm `json:"open,omitempty"`   // what is wrong, by what it is; told once each
	Untold []string         `json:"untold,omitempty"` // of these, not delivered yet
	Quiet  time.Time        `json:"quiet,omitzero"`   // since when no node answers
}

const (
	maxPending = 1000
	maxOpen    = 200 // alarms that are remembered
	maxForks   = 50  // proofs that are kept

	// nodePatience is how long one node may take to show its checkpoint and that it goes on from the
	// one before: a few files, after which the next node is asked.
	nodePatience = 2 * time.Minute
)

func newFollower(ctx context.Context, c Config, r Region) (*follower, error) {
	dir := filepath.Join(c.Dir, r.Genesis)
	f := &follower{config: c, region: r, dir: dir, log: audit.Dir{Path: filepath.Join(dir, "log")}}
	if _, err := registry.NewReplica(r.Genesis); err != nil {
		return nil, err
	}
	if len(r.Nodes) == 0 {
		return nil, errors.New("name at least one node")
	}
	if err := os.MkdirAll(filepath.Join(dir, "nodes"), 0o700); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(f.file("told.json"))
	if err == nil {
		err = json.Unmarshal(raw, &f.memory)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if f.memory.Open == nil {
		f.memory.Open = map[string]Alarm{}
	}
	return f, f.reload(ctx)
}

func (f *follower) file(name string) string { return filepath.Join(f.dir, name) }

// reload reads and checks the copy, and finds in it what was not told. A copy that does not hold
// any more is an error: somebody changed it, or its disk did.
func (f *follower) reload(ctx context.Context) error {
	f.pending, f.more = nil, false
	copied := audit.Folder(f.log.Path)
	newest, handovers, err := audit.ReadNotes(ctx, copied)
	if errors.Is(err, fs.ErrNotExist) {
		return f.begin(0)
	}
	if err != nil {
		return err
	}
	c, err := tlog.PeekCheckpoint(newest)
	if err != nil {
		return err
	}
	if err := f.begin(c.Size); err != nil {
		return err
	}
	f.replay.OnLeaf = f.collect
	f.replay.Keep = func(string, []byte) error { return nil } // it is kept; the last bundle goes on from here
	found, err := f.replay.Extend(ctx, copied, newest, handovers)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("the copy in %s does not hold: %s", f.log.Path, found[0].In("en"))
	}
	f.prepare()
	return err
}

// begin makes a replay with nothing in it, for a log of so many entries.
func (f *follower) begin(size uint64) (err error) {
	if err := f.close(); err != nil {
		return err
	}
	if size > f.config.Large && f.config.Scratch != nil {
		if f.store, err = f.config.Scratch(f.file("state")); err != nil {
			return err
		}
	}
	f.replay, err = audit.NewReplay(f.region.Genesis, f.store)
	if err == nil {
		f.prepare()
	}
	return err
}

func (f *follower) close() error {
	if f.store == nil {
		return nil
	}
	err := f.store.Close()
	f.store = nil
	return err
}

// prepare has the replay match and keep what comes.
func (f *follower) prepare() {
	f.replay.OnLeaf, f.replay.Keep, f.replay.SignedFirst = f.collect, f.log.Put, true
}

// collect keeps the events of a leaf that somebody watches for.
func (f *follower) collect(leaf registry.Leaf, effect registry.Effect) error {
	if effect.Index < f.memory.Told || !f.memory.Begun && !f.region.FromBegin || f.more {
		return nil
	}
	for _, e := range happened(f.region.Genesis, f.replay.State(), leaf, effect) {
		for _, w := range f.config.Watches {
			if w.matches(e) {
				e.Watches = append(e.Watches, w.Name)
			}
		}
		if len(e.Watches) == 0 {
			continue
		}
		if f.more = len(f.pending) >= maxPending; f.more {
			return nil
		}
		f.pending = append(f.pending, e)
	}
	return nil
}

// waiting are the next events to tell, and up to which entry all is told with them.
func (f *follower) waiting(most int) ([]Event, uint64) {
	if len(f.pending) <= most {
		if f.more {
			return slices.Clone(f.pending), f.pending[len(f.pending)-1].Index + 1
		}
		return slices.Clone(f.pending), f.replay.Size()
	}
	n := most
	for n < len(f.pending) && f.pending[n].Index == f.pending[n-1].Index {
		n++ // an entry is told whole
	}
	return slices.Clone(f.pending[:n]), f.pending[n-1].Index + 1
}

// alarms are those to tell.
func (f *follower) alarms() (out []Alarm) {
	for _, key := range f.memory.Untold {
		out = append(out, f.memory.Open[key])
	}
	return out
}

// told writes down that everything before an entry was told, and the alarms.
func (f *follower) told(ctx context.Context, next uint64, alarms []Alarm) error {
	f.pending = slices.DeleteFunc(f.pending, func(e Event) bool { return e.Index < next })
	f.memory.Untold = f.memory.Untold[min(len(alarms), len(f.memory.Untold)):]
	f.memory.Told = max(f.memory.Told, next)
	f.memory.Begun = f.memory.Begun || f.replay.Size() > 0
	if err := f.remember(); err != nil {
		return err
	}
	if f.more && len(f.pending) == 0 {
		return f.reload(ctx)
	}
	return nil
}

func (f *follower) remember() error {
	raw, err := json.Marshal(f.memory)
	if err != nil {
		return err
	}
	return audit.Dir{Path: f.dir}.Put("told.json", raw)
}

// look asks every node once.
func (f *follower) look(ctx context.Context) error {
	var errs []error
	answered := false
	for _, url := range f.nodes() {
		err := f.node(ctx, url)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		answered = true
	}
	switch now := f.config.Now(); {
	case answered:
		f.memory.Quiet = time.Time{}
		f.over("unreachable")
		return nil // a node that is away is for its operator
	case f.memory.Quiet.IsZero():
		f.memory.Quiet = now
	case now.Sub(f.memory.Quiet) >= f.config.Patience:
		f.alarm("unreachable", Alarm{Code: "unreachable", Text: paspoort.Text{
			NL: "Geen knooppunt van deze regio antwoordt sinds " + f.memory.Quiet.UTC().Format("2006-01-02 15:04 UTC") + ".",
			EN: "No node of this region answers since " + f.memory.Quiet.UTC().Format("2006-01-02 15:04 UTC") + "."}})
	}
	return errors.Join(errs...)
}

// nodes are the addresses that were named and those in the log.
func (f *follower) nodes() []string {
	out := slices.Clone(f.region.Nodes)
	if f.replay.Size() == 0 {
		return out
	}
	for _, n := range f.replay.State().View().ActiveNodes() {
		if n.URL != "" && !slices.Contains(out, n.URL) {
			out = append(out, n.URL)
		}
	}
	return out
}

// node looks at one node: its checkpoint, against what it and others showed before, and what is new
// in its log. The error is that it could not be asked.
func (f *follower) node(ctx context.Context, url string) error {
	source := audit.Web(f.config.Client, url)
	asked, cancel := context.WithTimeout(ctx, nodePatience)
	defer cancel()
	note, handovers, err := audit.ReadNotes(asked, source)
	if err != nil {
		return err
	}
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		f.alarm(url+" note", Alarm{Node: url, Code: string(audit.NoCheckpoint), Text: audit.Words(audit.NoCheckpoint), Detail: err.Error()})
		return nil
	}
	if c.Size == 0 {
		return nil
	}
	if f.replay.Size() > 0 {
		if err := f.vouched(note, c); err != nil {
			f.alarm(url+" unsigned", Alarm{Node: url, Code: string(audit.Unsigned), Text: audit.Words(audit.Unsigned), Detail: err.Error()})
			return nil
		}
		forked, err := f.compare(asked, url, note, source)
		if err != nil || forked {
			return err
		}
	}
	if f.replay.Size() == 0 && c.Size > f.config.Large && f.store == nil {
		if err := f.begin(c.Size); err != nil {
			return err
		}
	}
	if c.Size > f.replay.Size() {
		if held, err := f.extend(ctx, url, source, note, handovers); err != nil || !held {
			return err
		}
	}
	return f.keepNote(url, note, c)
}

// maxAhead is how far a log may be ahead of the copy before the nodes that are known have to stand
// behind it: one node alone must not have us read for ever.
const maxAhead = 1 << 20

func (f *follower) vouched(note []byte, c tlog.Checkpoint) error {
	if c.Size < f.replay.Size()+maxAhead {
		return nil
	}
	_, err := f.replay.State().View().CheckCheckpoint(note)
	return err
}

// extend takes what is new in a node's log.
func (f *follower) extend(ctx context.Context, url string, source audit.Source, note []byte, handovers [][]byte) (bool, error) {
	found, err := f.replay.Extend(ctx, source, note, handovers)
	if err == nil && len(found) == 0 {
		f.over(url + " ")
		// Of the handovers those are kept that were needed and held; others are the node's word.
		return true, f.log.End(note, f.replay.Handovers())
	}
	if err == nil {
		first := found[0]
		f.alarm(url+" "+string(first.Code), Alarm{Node: url, Code: string(first.Code), Text: paspoort.Text{NL: first.In("nl"), EN: first.In("en")}, Detail: first.Detail})
	}
	if f.replay.Whole() {
		return false, err
	}
	// What was read did not hold, or not to the end: begin again from the copy, which did.
	return false, errors.Join(err, f.reload(ctx))
}

// compare holds a node's checkpoint against the copy, and keeps the proof when they contradict.
func (f *follower) compare(ctx context.Context, url string, note []byte, source audit.Source) (bool, error) {
	ours, seen := f.replay.Checkpoint()
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return false, err
	}
	if c.Origin != seen.Checkpoint.Origin {
		f.alarm(url+" unsigned", unsigned(url, "it is of the log "+short(c.Origin)))
		return true, nil
	}
	smaller, larger, tiles := ours, note, source
	if c.Size < seen.Checkpoint.Size {
		smaller, larger, tiles = note, ours, audit.Folder(f.log.Path)
	}
	view := f.replay.State().View()
	fork, err := audit.Fork{}, audit.ErrNoFork
	if c.Size != seen.Checkpoint.Size || c.Root != seen.Checkpoint.Root {
		tiles := &reached{Source: tiles}
		if fork, err = audit.ForkOf(ctx, f.region.Genesis, smaller, larger, tiles); tiles.failed != nil {
			return false, tiles.failed
		}
	}
	switch {
	case errors.Is(err, audit.ErrNoFork):
		if c.Size > seen.Checkpoint.Size { // who stands behind it is found out with what is new in it
			return false, nil
		}
		if _, err := view.CheckCheckpoint(note); err != nil {
			f.alarm(url+" unsigned", unsigned(url, err.Error()))
			return true, nil
		}
		f.over(url + " unsigned")
		return false, nil
	case err != nil:
		// Its tiles are not those of its checkpoint: then it is no proof, and no log to follow.
		f.alarm(url+" tiles", Alarm{Node: url, Code: string(audit.Altered), Text: audit.Words(audit.Altered), Detail: err.Error()})
		return true, nil
	}
	fork.Seen = f.config.Now().UTC()
	sides := fork.Signers(view)
	a := Alarm{Node: url, Code: string(audit.Forked), Text: audit.Words(audit.Forked)}
	if len(sides.Both) == 0 && !sides.Counts {
		a.Detail = "the other history is signed by no node of this region that signed this one"
	}
	if len(sides.Smaller) == 0 || len(sides.Larger) == 0 {
		// Anybody can make one without a signature, a new one at each look: it proves nothing, and
		// what it says is told once.
		a.Text = audit.Words(audit.Unsigned)
		f.alarm(url+" history", a)
		return true, nil
	}
	// One who signs two histories is told of once, however many it signs.
	return true, f.forked(url+" fork "+short(fmt.Sprint(sides)), fork, a)
}

// reached tells a node that shows wrong tiles from one that could not be asked.
type reached struct {
	audit.Source
	failed error
}

// File implements audit.Source.
func (r *reached) File(ctx context.Context, path string, limit int64) ([]byte, error) {
	raw, err := r.Source.File(ctx, path, limit)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, outbound.ErrTooLarge) {
		r.failed = err
	}
	return raw, err
}

func unsigned(url, detail string) Alarm {
	return Alarm{Node: url, Code: string(audit.Unsigned), Text: audit.Words(audit.Unsigned), Detail: detail}
}

// forked keeps a proof and tells.
func (f *follower) forked(key string, fork audit.Fork, a Alarm) error {
	if _, known := f.memory.Open[key]; known {
		return nil
	}
	for n := 1; n <= maxForks; n++ {
		name := fmt.Sprintf("fork-%d.json", n)
		if _, err := os.Stat(f.file(name)); err == nil {
			continue
		}
		raw, err := json.MarshalIndent(fork, "", "  ")
		if err != nil {
			return err
		}
		if err := (audit.Dir{Path: f.dir}).Put(name, raw); err != nil {
			return err
		}
		a.Proof = f.file(name)
		break
	}
	f.alarm(key, a)
	return nil
}

// keepNote keeps the newest checkpoint of a node, and notices when it goes back.
func (f *follower) keepNote(url string, note []byte, c tlog.Checkpoint) error {
	name := filepath.Join("nodes", short(url))
	if raw, err := os.ReadFile(f.file(name)); err == nil {
		if old, err := tlog.PeekCheckpoint(raw); err == nil && old.Size > c.Size {
			f.alarm(url+" back", Alarm{Node: url, Code: string(audit.WentBack), Text: audit.Words(audit.WentBack),
				Detail: fmt.Sprintf("%d entries, before %d", c.Size, old.Size)})
			return nil
		}
	}
	f.over(url + " back")
	f.over(url + " history")
	return audit.Dir{Path: f.dir}.Put(name, note)
}

func short(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// alarm remembers that something is wrong, to be told once.
func (f *follower) alarm(key string, a Alarm) {
	if _, known := f.memory.Open[key]; known || len(f.memory.Open) >= maxOpen {
		return
	}
	a.Region, a.At = f.region.Genesis, f.config.Now().UTC()
	if f.replay.State().Size() > 0 {
		a.Name = f.replay.State().View().Region(a.At).Name
	}
	f.memory.Open[key], f.memory.Untold = a, append(f.memory.Untold, key)
}

// over forgets what was told under keys that begin so, so that it is told again when it comes again.
// A fork is never over.
func (f *follower) over(prefix string) {
	for key := range f.memory.Open {
		if strings.HasPrefix(key, prefix) && !strings.Contains(key, " fork ") && !slices.Contains(f.memory.Untold, key) {
			delete(f.memory.Open, key)
		}
	}
}
