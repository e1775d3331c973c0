package operate

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"paspoort.example/paspoort/internal/alert"
)

// server is one that can be made ill.
type server struct {
	now        time.Time
	free, size uint64
	until      time.Time
	ready      error
	found      []alert.Finding
	sent       []string
}

func (s *server) Send(_ context.Context, subject, _ string) error {
	s.sent = append(s.sent, subject)
	return nil
}

func (s *server) watch(t *testing.T, state string) *Watch {
	t.Helper()
	n, err := alert.NewNotifier(alert.Config{Sender: s, Name: "knoop-1", Language: "en", MostPerHour: 100})
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(Config{
		Role: "node", Dir: t.TempDir(), State: state, Notifier: n, Clock: func() time.Time { return s.now },
		Disk:        func(string) (uint64, uint64, error) { return s.free, s.size, nil },
		Certificate: func() (string, time.Time, bool) { return "knoop-1.example", s.until, !s.until.IsZero() },
		Ready:       func(context.Context) error { return s.ready },
		Look:        func(context.Context, time.Time) []alert.Finding { return s.found },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// pass looks every ten seconds for a while.
func (s *server) pass(t *testing.T, w *Watch, d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(10 * time.Second) {
		w.Look(t.Context())
	}
}

const gb = 1 << 30

func TestWatch(t *testing.T) {
	start := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name     string
		ill      func(*server)
		wait     time.Duration
		want     string // "code level" of the one problem
		subject  string // of the mail
		metric   string
		recovers func(*server)
	}{
		{"disk", func(s *server) { s.free = 9 * gb }, 2 * time.Minute, "disk warning", "[knoop-1] Warning: The disk is filling up",
			`paspoort_problem{code="disk",role="node",subject=""} 1`, func(s *server) { s.free = 13 * gb }},
		{"disk nearly full", func(s *server) { s.free = 2 * gb }, 2 * time.Minute, "disk critical", "[knoop-1] Act now: The disk is filling up",
			`paspoort_problem{code="disk",role="node",subject=""} 2`, func(s *server) { s.free = 13 * gb }},
		{"certificate", func(s *server) { s.until = s.now.Add(20 * 24 * time.Hour) }, time.Minute, "certificate warning", "[knoop-1] Warning: The certificate of knoop-1.example runs out",
			`paspoort_problem{code="certificate",role="node",subject="knoop-1.example"} 1`, func(s *server) { s.until = s.now.Add(90 * 24 * time.Hour) }},
		{"certificate over", func(s *server) { s.until = s.now.Add(-time.Hour) }, time.Minute, "certificate critical", "[knoop-1] Act now: The certificate of knoop-1.example runs out",
			`paspoort_problem{code="certificate",role="node",subject="knoop-1.example"} 2`, func(s *server) { s.until = s.now.Add(90 * 24 * time.Hour) }},
		{"not ready", func(s *server) { s.ready = errors.New("no leader") }, 5 * time.Minute, "not_ready critical", "[knoop-1] Act now: This service cannot do its work",
			`paspoort_ready{role="node"} 0`, func(s *server) { s.ready = nil }},
		{"the role's own", func(s *server) {
			s.found = []alert.Finding{{Code: "peer_away", Subject: "knoop-2", Raise: alert.Warning}}
		}, time.Minute, "peer_away warning", "[knoop-1] Warning: knoop-2 cannot be reached",
			`paspoort_problem{code="peer_away",role="node",subject="knoop-2"} 1`, func(s *server) { s.found = nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{now: start, free: 50 * gb, size: 100 * gb, until: start.Add(60 * 24 * time.Hour)}
			state := filepath.Join(t.TempDir(), "alerts.json")
			w := s.watch(t, state)
			s.pass(t, w, 10*time.Minute)
			if p := w.Seen().Problems; len(p) != 0 || len(s.sent) != 0 {
				t.Fatalf("a healthy server: got %v, %q", p, s.sent)
			}
			tt.ill(s)
			s.pass(t, w, tt.wait)
			p := w.Seen().Problems
			if len(p) != 1 || p[0].Code+" "+p[0].Level.String() != tt.want || len(s.sent) != 1 || s.sent[0] != tt.subject {
				t.Fatalf("got %+v, %q", p, s.sent)
			}
			registry := prometheus.NewPedanticRegistry()
			registry.MustRegister(w)
			name, _, _ := strings.Cut(tt.metric, "{")
			if err := testutil.GatherAndCompare(registry, strings.NewReader(help[name]+tt.metric+"\n"), name); err != nil {
				t.Error(err)
			}
			w = s.watch(t, state) // a restart tells nothing again
			s.pass(t, w, time.Hour)
			if len(s.sent) != 1 {
				t.Fatalf("after a restart: got %q", s.sent)
			}
			tt.recovers(s)
			s.pass(t, w, time.Hour)
			if p := w.Seen().Problems; len(p) != 0 || len(s.sent) != 2 || s.sent[1] != "[knoop-1] Fine: all is well again" {
				t.Errorf("got %+v, %q", p, s.sent)
			}
		})
	}
}

var help = map[string]string{
	"paspoort_problem": "# HELP paspoort_problem Open problems: 1 is a warning, 2 is critical.\n# TYPE paspoort_problem gauge\n",
	"paspoort_ready":   "# HELP paspoort_ready 1 while the server can do its work.\n# TYPE paspoort_ready gauge\n",
}

// A restart of a few seconds, or a leader that is being chosen, is nobody's alarm.
func TestWatchIsPatient(t *testing.T) {
	s := &server{now: time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC), free: 50 * gb, size: 100 * gb}
	w := s.watch(t, "")
	for range 20 {
		s.ready = errors.New("no leader")
		s.pass(t, w, time.Minute)
		s.ready = nil
		s.pass(t, w, time.Minute)
	}
	if len(s.sent) != 0 {
		t.Errorf("got %q", s.sent)
	}
}

func TestDiskOfThisSystem(t *testing.T) {
	free, size, err := DiskOf(t.TempDir())
	if err != nil || size == 0 || free > size {
		t.Errorf("got %d of %d, %v", free, size, err)
	}
}
