package node

import (
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
)

func TestBucket(t *testing.T) {
	b, now := newBucket(60), testkit.Noon
	taken := func(n int) (ok int) {
		for range n {
			if b.take(now) {
				ok++
			}
		}
		return ok
	}
	if got := taken(100); got != 60 {
		t.Errorf("at once: %d, want 60", got)
	}
	now = now.Add(5 * time.Second)
	if got := taken(100); got != 5 {
		t.Errorf("after 5 s: %d, want 5", got)
	}
	now = now.Add(24 * time.Hour)
	if got := taken(100); got != 60 {
		t.Errorf("after a day: %d, want 60", got)
	}
	now = now.Add(-time.Hour)
	if got := taken(10); got != 0 {
		t.Errorf("after the clock went back: %d, want 0", got)
	}
}

// TestStrangersAreBounded: first applications are, members and known organisations are not.
func TestStrangersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterWith(t, 1, func(cfg *Config) { cfg.ApplicationsPerMinute = 2 })
		defer c.close()
		c.leader()
		first := c.mustSubmit("knoop-1", "Een")
		c.mustSubmit("knoop-1", "Twee")
		if _, err := c.submit("knoop-1", c.application("Drie", time.Now())); err != registry.ErrBusy {
			t.Errorf("a third stranger: %v, want %v", err, registry.ErrBusy)
		}
		c.approve(first.Event, "lid-1")
		time.Sleep(time.Minute)
		c.mustSubmit("knoop-1", "Drie")
	})
}

// TestChecksAreBounded: a flood of checks makes neither memory nor requests elsewhere grow
// without end.
func TestChecksAreBounded(t *testing.T) {
	s := newAPIStage(t, nil)
	ask := func() int {
		return s.call("POST", "/v1/verify", "application/json", `{"credential":"e30.e30.AA~"}`).Code
	}
	checks := s.node().checks
	for range maxChecks {
		checks <- struct{}{}
	}
	if got := ask(); got != 503 {
		t.Errorf("one too many: %d, want 503", got)
	}
	<-checks
	if got := ask(); got != 200 {
		t.Errorf("afterwards: %d, want 200", got)
	}
	if got := len(checks); got != maxChecks-1 {
		t.Errorf("%d checks under way, want %d", got, maxChecks-1)
	}
}
