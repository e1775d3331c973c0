// Package alert tells whoever runs a server what needs a person: it remembers what is wrong,
// keeps values at an edge from flapping, and sends mail about what began, grew worse and
// ended.
//
// It does not measure. A role looks at itself and hands in findings; what a code means in
// words stands in catalogs, which the operator's pages show too. It knows nothing of people
// beyond the addresses that its operator gave.
//
//	watch := alert.NewTracker(5 * time.Minute)
//	changes := watch.Look(now, []alert.Finding{{Code: "disk", Raise: alert.Warning, Value: "9"}})
//	err := alert.NewNotifier(alert.Config{Sender: mail, Name: "knoop-1"}).Tell(ctx, now, changes, watch.Problems())
package alert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Level is how bad something is.
type Level int

// The levels.
const (
	Fine     Level = iota
	Warning        // look at it today
	Critical       // look at it now
)

var levelNames = [...]string{"fine", "warning", "critical"}

func (l Level) String() string {
	if l < Fine || l > Critical {
		return fmt.Sprintf("level %d", int(l))
	}
	return levelNames[l]
}

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Level) UnmarshalText(raw []byte) error {
	i := slices.Index(levelNames[:], string(raw))
	if i < 0 {
		return fmt.Errorf("alert: no level %q", raw)
	}
	*l = Level(i)
	return nil
}

// Finding is one thing that was looked at, as it stands.
type Finding struct {
	Code    string // what, e.g. "disk"; its words are in the catalogs
	Subject string // which one, e.g. a node's id; empty when there is one only
	// Raise is the level by the thresholds, Keep the level by somewhat better ones: a
	// problem that was told stays as long as Keep holds, so that a value at the edge of a
	// threshold is told once. Keep below Raise means Raise.
	Raise, Keep Level
	// After is how long it must be worse before it is told: a restart is no problem.
	After time.Duration
	// Value and Limit are numbers for the words, in the unit that the words name.
	Value, Limit string
}

// Problem is a finding that lasts.
type Problem struct {
	Code    string    `json:"code"`
	Subject string    `json:"subject,omitempty"`
	Level   Level     `json:"level"`
	Since   time.Time `json:"since"` // of being told
	Value   string    `json:"value,omitempty"`
	Limit   string    `json:"limit,omitempty"`
}

// Change is a problem whose level changed. Problem.Level is the new one; Fine means that it
// is over.
type Change struct {
	Problem
	Was Level `json:"was"`
}

type key struct{ code, subject string }

// entry is what the tracker knows of one thing.
type entry struct {
	Problem
	Rises time.Time `json:"rises,omitzero"` // since when it is worse than Level
	Falls time.Time `json:"falls,omitzero"` // since when it is better
}

// Tracker remembers problems between looks. Safe for use from many goroutines.
type Tracker struct {
	clear time.Duration
	mu    sync.Mutex
	open  map[key]*entry
}

// NewTracker makes a Tracker; a problem must be better for as long as clear before it counts
// as better.
func NewTracker(clear time.Duration) *Tracker { return &Tracker{clear: clear, open: map[key]*entry{}} }

// Look takes all findings of one look and gives what changed, the worst first. What is not
// among the findings is fine.
func (t *Tracker) Look(now time.Time, found []Finding) []Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := map[key]Finding{}
	for _, f := range found {
		k := key{f.Code, f.Subject}
		seen[k] = f
		if t.open[k] == nil && f.Raise > Fine {
			t.open[k] = &entry{Problem: Problem{Code: f.Code, Subject: f.Subject}}
		}
	}
	var out []Change
	for k, e := range t.open {
		if c, changed := e.look(now, seen[k], t.clear); changed {
			out = append(out, c)
		}
		if e.Level == Fine && e.Rises.IsZero() {
			delete(t.open, k)
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return order(a.Problem, b.Problem) })
	return out
}

func (e *entry) look(now time.Time, f Finding, clear time.Duration) (Change, bool) {
	was := e.Level
	keep := max(f.Raise, f.Keep)
	switch {
	case f.Raise > e.Level:
		e.Falls = time.Time{}
		if e.Rises.IsZero() {
			e.Rises = now
		}
		if now.Sub(e.Rises) >= f.After {
			e.Level, e.Rises = f.Raise, time.Time{}
		}
	case keep < e.Level:
		e.Rises = time.Time{}
		if e.Falls.IsZero() {
			e.Falls = now
		}
		if now.Sub(e.Falls) >= clear {
			e.Level, e.Falls = keep, time.Time{}
		}
	default:
		e.Rises, e.Falls = time.Time{}, time.Time{}
	}
	if f.Code != "" {
		e.Value, e.Limit = f.Value, f.Limit
	}
	if e.Level == was {
		return Change{}, false
	}
	if was == Fine {
		e.Since = now
	}
	return Change{Problem: e.Problem, Was: was}, true
}

// Problems are those that were told and are not over, the worst first.
func (t *Tracker) Problems() []Problem {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := []Problem{}
	for _, e := range t.open {
		if e.Level > Fine {
			out = append(out, e.Problem)
		}
	}
	slices.SortFunc(out, order)
	return out
}

func order(a, b Problem) int {
	return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Subject, b.Subject))
}

// MarshalJSON gives what has to survive a restart, so that nothing is told twice.
func (t *Tracker) MarshalJSON() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := []entry{}
	for _, e := range t.open {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(a, b entry) int { return order(a.Problem, b.Problem) })
	return json.Marshal(out)
}

// UnmarshalJSON takes back what MarshalJSON gave.
func (t *Tracker) UnmarshalJSON(raw []byte) error {
	var in []entry
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("alert: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = map[key]*entry{}
	for _, e := range in {
		t.open[key{e.Code, e.Subject}] = &e
	}
	return nil
}
