package evidence

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/testkit"
)

func TestCacheForgetsTheOldest(t *testing.T) {
	c := newCache[int](10)
	for i := range 5 {
		c.put(fmt.Sprint(i), i, 3)
	}
	c.put("huge", 9, 11)
	for _, tt := range []struct {
		key  string
		want bool
	}{{"0", false}, {"1", false}, {"2", true}, {"3", true}, {"4", true}, {"huge", false}} { // in this order: to ask is to use
		if _, ok := c.get(tt.key); ok != tt.want {
			t.Errorf("%s kept: %v, want %v", tt.key, ok, tt.want)
		}
	}
	c.get("2") // used, so 3 is the oldest now
	c.put("5", 5, 3)
	if _, ok := c.get("3"); ok {
		t.Error("the one used longest ago was kept")
	}
	c.put("2", 7, 10)
	if v, ok := c.get("2"); !ok || v != 7 || c.cost != 10 || len(c.byKey) != 1 {
		t.Errorf("replaced: %d %v, cost %d of %d entries", v, ok, c.cost, len(c.byKey))
	}
}

// counted is a fetcher that counts, and fails for addresses with "bad" in them.
type counted struct {
	mu    sync.Mutex
	n     map[string]int
	delay chan struct{}
}

func (c *counted) Get(_ context.Context, url string, _ ...string) ([]byte, string, error) {
	if c.delay != nil {
		<-c.delay
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[url]++
	if url == "bad" {
		return nil, "", errors.New("bad")
	}
	return []byte(url), "application/json", nil
}

func TestDocumentsRemember(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	web := &counted{n: map[string]int{}}
	d := newDocuments(web, clock.Now)
	get := func(url string) error {
		_, _, err := d.Get(t.Context(), url)
		return err
	}
	for range 3 {
		if get("good") != nil || get("bad") == nil {
			t.Fatal("good fails or bad succeeds")
		}
	}
	clock.Advance(negativeTTL + time.Second)
	_, _ = get("good"), get("bad")
	if web.n["good"] != 1 || web.n["bad"] != 2 {
		t.Errorf("fetched %v", web.n)
	}
	clock.Advance(documentTTL)
	_ = get("good")
	if web.n["good"] != 2 {
		t.Errorf("fetched %v", web.n)
	}
	if _, _, err := newDocuments(nil, clock.Now).Get(t.Context(), "x"); !errors.Is(err, ErrOffline) {
		t.Errorf("offline: %v", err)
	}
}

// TestDocumentsFetchOnce: many askers at a time cause one fetch, and one of them who leaves
// spoils nothing for the others.
func TestDocumentsFetchOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := &counted{n: map[string]int{}, delay: make(chan struct{})}
		d := newDocuments(web, time.Now)
		left, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				ctx, want := t.Context(), error(nil)
				if i == 0 {
					ctx, want = left, context.Canceled
				}
				if _, _, err := d.Get(ctx, "good"); !errors.Is(err, want) {
					t.Errorf("asker %d: %v, want %v", i, err, want)
				}
			})
			synctest.Wait() // the first asker's fetch is the one that all wait for
		}
		leave()
		synctest.Wait()
		close(web.delay)
		group.Wait()
		if web.n["good"] != 1 {
			t.Errorf("fetched %d times", web.n["good"])
		}
	})
}
