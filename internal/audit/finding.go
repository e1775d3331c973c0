package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// Code says what is wrong. Scripts rely on codes; one never changes its meaning.
type Code string

// The codes.
const (
	NoCheckpoint Code = "no-checkpoint"       // none that can be read
	Unsigned     Code = "checkpoint-unsigned" // too few of the region's nodes stand behind it
	Handover     Code = "handover-missing"    // the nodes changed, and those before do not vouch for those after
	OtherRegion  Code = "other-region"        // the log begins with another charter than the one pinned
	Changed      Code = "entry-changed"       // an entry is not the one that was signed
	Removed      Code = "entry-removed"       // entries that were signed are not there
	Inserted     Code = "entry-inserted"      // entries are there that were not signed
	Reordered    Code = "entries-reordered"   // the entries stand in another order than was signed
	Altered      Code = "entries-altered"     // not what was signed; which entry cannot be told from this copy
	Tile         Code = "tile-wrong"          // a tile of hashes is not that of the entries
	RuleBroken   Code = "rule-broken"         // an event that the rules refuse
	Forged       Code = "event-unsigned"      // an event without the signatures that it claims
	Forked       Code = "forked"              // two histories were signed
	WentBack     Code = "went-back"           // a node shows a smaller log than before
	FalseAnswer  Code = "false-answer"        // a node answers otherwise than the log says
	Shown        Code = "erased-shown"        // a node shows what the region decided to erase
	Old          Code = "checkpoint-old"      // nobody signed it for long: what was decided since is not known
	Newer        Code = "rules-newer"         // this program does not know the rules in force: nothing is said of what follows
)

// leavesOpen says whether a finding is that something is not known, rather than wrong.
func (c Code) leavesOpen() bool { return c == Newer || c == Old }

// Finding is one thing that is wrong.
type Finding struct {
	Code   Code          `json:"code"`
	Leaf   *uint64       `json:"leaf,omitempty"`   // the first entry that it is about
	Until  *uint64       `json:"until,omitempty"`  // of several: the last
	Kind   registry.Kind `json:"kind,omitempty"`   // of the event there
	Since  time.Time     `json:"since,omitzero"`   // log time of that entry, or of the last that was in order before it
	Node   string        `json:"node,omitempty"`   // that says it, when it is about one
	Signed bool          `json:"signed,omitzero"`  // the region's nodes stand behind it
	Text   paspoort.Text `json:"text"`             // what it is, for people
	Detail string        `json:"detail,omitempty"` // what the check says, for who looks into it
	Fork   *Fork         `json:"fork,omitempty"`   // the proof
}

// In is the sentence with where and since when.
func (f Finding) In(lang string) string {
	text := f.Text.In(lang)
	if f.Signed {
		text += " " + textSigned.In(lang)
	}
	if f.Leaf != nil {
		where := fmt.Sprintf(textEntry.In(lang), *f.Leaf)
		if f.Until != nil && *f.Until > *f.Leaf {
			where = fmt.Sprintf(textEntries.In(lang), *f.Leaf, *f.Until)
		}
		text += " " + where
	}
	if !f.Since.IsZero() {
		text += " " + fmt.Sprintf(textSince.In(lang), f.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return text
}

func detail(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func sortedNames(times map[string]time.Time) []string { return slices.Sorted(maps.Keys(times)) }

func at(index uint64) *uint64 { return &index }

// findingLeaf is a leaf that the rules do not accept.
func findingLeaf(index uint64, e entry, was time.Time, err error) *Finding {
	f := &Finding{Code: RuleBroken, Leaf: at(index), Since: was, Detail: detail(err), Text: textRuleBroken}
	if e.err == nil {
		f.Kind, f.Since = e.leaf.Event.Kind, time.Unix(e.leaf.LogTime, 0).UTC()
	}
	switch {
	case errors.Is(err, registry.ErrNewer):
		f.Code, f.Text = Newer, textNewer
	case index == 0 && (errors.Is(err, registry.ErrRegion) || errors.Is(err, registry.ErrGenesis)):
		f.Code, f.Text = OtherRegion, textOtherRegion
	case errors.Is(err, registry.ErrSignature), errors.Is(err, registry.ErrKey):
		f.Code, f.Text = Forged, textForged
	}
	return f
}

// findingCheckpoint is a checkpoint that does not count.
func findingCheckpoint(r *Replay, c step, err error) Finding {
	f := Finding{Code: Unsigned, Leaf: at(r.Size()), Until: at(c.Size - 1), Since: r.held, Detail: detail(err), Text: textUnsigned}
	if errors.Is(err, registry.ErrHandover) || r.crossed(c.Size) {
		f.Code, f.Text = Handover, textHandover
	}
	return f
}

// crossed says whether the nodes changed between the newest checkpoint that held and a size.
func (r *Replay) crossed(size uint64) bool {
	for _, change := range r.state.View().Handovers() {
		if max(r.Size(), 1) <= change && change < size {
			return true
		}
	}
	return false
}

// findingGone is a log that lacks what its checkpoint covers.
func findingGone(r *Replay, err error) Finding {
	return Finding{Code: Removed, Leaf: at(r.tree.Size()), Since: r.state.LogTime(), Detail: detail(err), Text: textGone}
}

func findingTile(path string) Finding {
	f := Finding{Code: Tile, Detail: path, Text: textTile}
	if t, err := tlog.ParseTilePath(path); err == nil && t.Level == 0 {
		f.Leaf = at(t.Index * tlog.TileWidth)
		f.Until = at(t.Index*tlog.TileWidth + uint64(t.Width) - 1)
	}
	return f
}
