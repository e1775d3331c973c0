// Package operate is what every server shows and tells whoever runs it, whatever its role:
// how full its disk is, until when its certificate lasts, whether it is ready, what is wrong
// and since when. A role adds findings of its own.
//
// A Watch looks every ten seconds. The same look feeds the metrics, the operator's pages and
// the alerts, so that the three never disagree. It knows nothing of requests or people, and
// it changes nothing.
//
//	w, err := operate.New(operate.Config{Role: "node", Dir: "/var/lib/paspoort/node"})
//	prometheus.MustRegister(w)
//	w.Run(ctx)
package operate

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"strconv"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/keyfile"
)

// Config of a Watch; useful when zero.
type Config struct {
	Role string
	// Dir is on the disk that is watched; empty means none.
	Dir string
	// Certificate tells for which name the server's certificate is and until when it lasts;
	// ok is false when there is none, as behind a proxy. Nil means none.
	Certificate func() (name string, until time.Time, ok bool)
	// Ready says whether the server can do its work. Nil means that nobody asks.
	Ready func(context.Context) error
	// Look adds findings of the role. It may take some seconds.
	Look func(context.Context, time.Time) []alert.Finding
	// Notifier tells what changed; nil means nobody.
	Notifier *alert.Notifier
	// State is a file in which open problems are kept over a restart; empty means none.
	State string
	// Disk tells the free and the whole size of the disk of a folder; nil means that of the
	// system.
	Disk  func(dir string) (free, size uint64, err error)
	Clock func() time.Time // nil means time.Now
	Log   *slog.Logger     // nil means nothing is logged
	Every time.Duration    // between looks; 0 means 10 s
}

// Thresholds.
const (
	clearAfter      = 5 * time.Minute // that a problem must be gone before it counts as over
	certificateSoon = 21              // days; ACME renews 30 days before the end
	certificateNow  = 7
	unreadyAfter    = 2 * time.Minute
	diskShare       = 10          // the part of the disk that should be free: one tenth,
	diskMost        = 10 << 30    // and no more than this
	aliveFor        = time.Minute // that a look may take: slow mail, nodes that do not answer
	diskNow         = 4           // a quarter of that is critical
)

// Seen is what the last look found.
type Seen struct {
	At          time.Time
	Disk        *Disk        // nil when none is watched, or it could not be read
	Certificate *Certificate // nil when there is none
	Ready       error
	Problems    []alert.Problem
}

// Disk is how full a disk is, in bytes.
type Disk struct {
	Free, Size uint64
	Limit      uint64 // below which it is a problem
}

// Certificate is the server's own, for https.
type Certificate struct {
	Name  string
	Until time.Time
}

// Watch looks at one server.
type Watch struct {
	c       Config
	tracker *alert.Tracker

	mu      sync.Mutex
	seen    Seen
	unready time.Time // since when; zero while ready
	failed  int       // alerts in a row that did not leave
}

// New makes a Watch and reads what was open when the server stopped.
func New(c Config) (*Watch, error) {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Disk == nil {
		c.Disk = DiskOf
	}
	if c.Every == 0 {
		c.Every = 10 * time.Second
	}
	w := &Watch{c: c, tracker: alert.NewTracker(clearAfter)}
	if c.State == "" {
		return w, nil
	}
	raw, err := os.ReadFile(c.State)
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, w.tracker)
	}
	if err != nil {
		c.Log.Warn("what was wrong before this start is not known", "error", err)
	}
	return w, nil
}

// Run looks until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	for {
		w.Look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.c.Every):
		}
	}
}

// Look looks once, and tells what changed.
func (w *Watch) Look(ctx context.Context) {
	now := w.c.Clock()
	seen := Seen{At: now}
	found := w.disk(&seen)
	found = append(found, w.certificate(&seen, now)...)
	found = append(found, w.ready(ctx, &seen, now)...)
	if w.c.Look != nil {
		found = append(found, w.c.Look(ctx, now)...)
	}
	if ctx.Err() != nil {
		return // half a look would tell of things that are not so
	}
	changes := w.tracker.Look(now, found)
	seen.Problems = w.tracker.Problems()
	for _, c := range changes {
		level := slog.LevelWarn
		if c.Level < c.Was {
			level = slog.LevelInfo
		}
		w.c.Log.Log(ctx, level, "problem", "code", c.Code, "subject", c.Subject, "was", c.Was.String(), "is", c.Level.String(), "value", c.Value)
	}
	w.tell(ctx, now, changes, seen.Problems)
	w.mu.Lock()
	w.seen = seen
	w.mu.Unlock()
}

func (w *Watch) tell(ctx context.Context, now time.Time, changes []alert.Change, open []alert.Problem) {
	if w.c.Notifier == nil {
		return
	}
	err := w.c.Notifier.Tell(ctx, now, changes, open)
	w.mu.Lock()
	w.failed = w.c.Notifier.Failed()
	w.mu.Unlock()
	if len(changes) == 0 || w.c.State == "" || err != nil { // what did not leave is told again after a restart
		return
	}
	raw, err := json.Marshal(w.tracker)
	if err == nil {
		err = keyfile.WriteAtomic(w.c.State, raw, 0o600)
	}
	if err != nil {
		w.c.Log.Warn("open problems cannot be kept over a restart", "error", err)
	}
}

func (w *Watch) disk(seen *Seen) []alert.Finding {
	if w.c.Dir == "" {
		return nil
	}
	free, size, err := w.c.Disk(w.c.Dir)
	if err != nil || size == 0 {
		return nil
	}
	limit := min(size/diskShare, diskMost)
	seen.Disk = &Disk{Free: free, Size: size, Limit: limit}
	return []alert.Finding{{Code: "disk", Raise: below(free, limit, limit/diskNow), Keep: below(free, limit/5*6, limit/diskNow/5*6),
		After: time.Minute, Value: gigabytes(free), Limit: gigabytes(limit)}}
}

// below is the level of a value that should not be small.
func below[T uint64 | int](value, warning, critical T) alert.Level {
	switch {
	case value < critical:
		return alert.Critical
	case value < warning:
		return alert.Warning
	}
	return alert.Fine
}

func gigabytes(bytes uint64) string {
	return strconv.FormatFloat(float64(bytes)/(1<<30), 'f', 1, 64)
}

func (w *Watch) certificate(seen *Seen, now time.Time) []alert.Finding {
	if w.c.Certificate == nil {
		return nil
	}
	name, until, ok := w.c.Certificate()
	if !ok {
		return nil
	}
	seen.Certificate = &Certificate{name, until}
	days := int(math.Floor(until.Sub(now).Hours() / 24))
	return []alert.Finding{{Code: "certificate", Subject: name, Raise: below(days, certificateSoon, certificateNow), Keep: below(days, certificateSoon+1, certificateNow+1),
		Value: strconv.Itoa(max(days, 0)), Limit: strconv.Itoa(certificateSoon)}}
}

func (w *Watch) ready(ctx context.Context, seen *Seen, now time.Time) []alert.Finding {
	if w.c.Ready == nil {
		return nil
	}
	if seen.Ready = w.c.Ready(ctx); seen.Ready == nil {
		w.unready = time.Time{}
		return nil
	}
	if w.unready.IsZero() {
		w.unready = now
	}
	return []alert.Finding{{Code: "not_ready", Raise: alert.Critical, After: unreadyAfter, Value: Minutes(now.Sub(w.unready))}}
}

// Minutes is a duration for the words of a problem.
func Minutes(d time.Duration) string { return strconv.Itoa(int(d / time.Minute)) }

// Seen is what the last look found.
func (w *Watch) Seen() Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// Alive says whether looks still come to an end: a server whose locks wait for each other
// forever serves nobody, and its service manager may start it again.
func (w *Watch) Alive() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.At.IsZero() || w.c.Clock().Sub(w.seen.At) < w.c.Every+aliveFor
}
