package audit

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Config says what to audit.
type Config struct {
	Genesis string // id of the region: the one thing that is believed beforehand
	Source  Source // where the log is read
	Client  Doer   // to ask the region's nodes with; nil: they are not asked
	// Scratch gives an empty store for the state of a large log, which Run closes; nil: in memory.
	Scratch func() (kv.Store, error)
	Known   [][]byte // checkpoints of this region that somebody kept from before
	Sample  int      // organisations to ask each node about; 0 means 32
	Rand    *rand.Rand
	Now     func() time.Time // nil means time.Now
}

// Report is the outcome of an audit.
type Report struct {
	Genesis    string                   `json:"genesis"`
	Name       string                   `json:"name,omitempty"` // of the region
	Origin     string                   `json:"origin,omitempty"`
	Source     string                   `json:"source"`
	Size       uint64                   `json:"size"` // leaves that are in order, under a checkpoint that counts
	Root       string                   `json:"root,omitempty"`
	Digest     string                   `json:"digest,omitempty"` // of the state that follows
	Rules      int                      `json:"rules,omitempty"`  // version in force at the end
	First      time.Time                `json:"first,omitzero"`   // log time of the first leaf
	Last       time.Time                `json:"last,omitzero"`    // log time of the last
	Freshest   time.Time                `json:"freshest,omitzero"`
	Cosigners  []string                 `json:"cosigners,omitempty"`
	OwnNodes   bool                     `json:"own_nodes_only"` // no witness outside the region stands behind it
	Kinds      map[registry.Kind]uint64 `json:"kinds,omitempty"`
	Seconds    float64                  `json:"seconds"`
	Nodes      []NodeReport             `json:"nodes"`
	Findings   []Finding                `json:"findings"`
	NodesAsked bool                     `json:"nodes_asked"`
}

// Verdict is how an audit ended.
type Verdict string

// The verdicts.
const (
	InOrder Verdict = "in-order" // nothing is wrong, everything was compared
	Wrong   Verdict = "wrong"    // something is
	Open    Verdict = "open"     // nothing wrong was found, and not everything could be looked at
)

// Verdict sums a report up.
func (r *Report) Verdict() Verdict {
	open := false
	for _, f := range r.Findings {
		if !f.Code.leavesOpen() {
			return Wrong
		}
		open = true
	}
	for _, n := range r.Nodes {
		open = open || n.Error != ""
	}
	if open {
		return Open
	}
	return InOrder
}

// audit is one run.
type audit struct {
	config Config
	replay *Replay
	report *Report
}

// Run audits a log. The error is that the log could not be read; what is wrong with it stands in
// the report.
func Run(ctx context.Context, c Config) (*Report, error) {
	if c.Source == nil {
		return nil, errors.New("audit: no source")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sample == 0 {
		c.Sample = 32
	}
	begun := c.Now()
	newest, handovers, err := ReadNotes(ctx, c.Source)
	if err != nil {
		return nil, err
	}
	store, err := c.scratch(newest)
	if err != nil {
		return nil, err
	}
	if store != nil {
		defer store.Close()
	}
	replay, err := NewReplay(c.Genesis, store)
	if err != nil {
		return nil, err
	}
	a := &audit{config: c, replay: replay, report: &Report{Genesis: c.Genesis, Source: c.Source.Name(), NodesAsked: c.Client != nil, Nodes: []NodeReport{}, Findings: []Finding{}}}
	if c.Client != nil {
		replay.Others = func(v registry.View) (out []Source) {
			for _, n := range v.ActiveNodes() {
				out = append(out, Web(c.Client, n.URL))
			}
			return out
		}
	}
	found, err := replay.Extend(ctx, c.Source, newest, handovers)
	if err != nil {
		return nil, err
	}
	a.report.Findings = append(a.report.Findings, found...)
	a.report.Seconds = c.Now().Sub(begun).Seconds()
	a.sum()
	if replay.seen == nil || replay.Size() != replay.state.Size() {
		return a.report, nil // there is nothing that nodes could be compared with
	}
	if err := a.known(ctx, c.Known); err != nil {
		return nil, err
	}
	if c.Client != nil {
		if late := c.Now().Sub(replay.seen.Freshest()); late > maxAge {
			a.add(Finding{Code: Old, Since: replay.seen.Freshest(), Text: textOld})
		}
		a.nodes(ctx)
	}
	return a.report, nil
}

// InMemory is up to how many leaves a state fits in the memory of any computer: some 2 KB each.
const InMemory = 100_000

// scratch is the store for the state of a log with this checkpoint; nil: in memory.
func (c Config) scratch(note []byte) (kv.Store, error) {
	if size, err := tlog.PeekCheckpoint(note); c.Scratch == nil || err != nil || size.Size <= InMemory {
		return nil, nil
	}
	return c.Scratch()
}

// maxAge is how old the newest signature of a log in use may be, as for a verdict (D11). A kept copy
// that is checked by itself may be of any age.
const maxAge = 7 * 24 * time.Hour

// maxFindings bounds a report: who lies about everything is caught all the same.
const maxFindings = 1000

func (a *audit) add(f Finding) {
	if len(a.report.Findings) < maxFindings {
		a.report.Findings = append(a.report.Findings, f)
	}
}

// sum tells how far the log is in order.
func (a *audit) sum() {
	r, out := a.replay, a.report
	if r.state.Size() > 0 {
		region := r.state.View().Region(r.state.LogTime())
		out.Name, out.Origin, out.Rules = region.Name, region.Origin, r.state.Rules()
		out.First, out.Last, out.Kinds = r.first, r.state.LogTime(), r.kinds
	}
	if r.seen == nil {
		return
	}
	out.Size, out.Root, out.Freshest = r.seen.Checkpoint.Size, r.seen.Checkpoint.Root.String(), r.seen.Freshest()
	fresh, err := r.state.View().Freshness(r.note)
	out.OwnNodes = err != nil || fresh.OwnNodesOnly
	out.Cosigners = sortedNames(r.seen.Cosignatures)
	if r.Size() == r.state.Size() {
		out.Digest = r.state.Digest()
	}
}
