package issuer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/statuslist"
)

// TestStatusFollowsOnSchedule: a change shows at the next publication and not
// before; revocation is final.
func TestStatusFollowsOnSchedule(t *testing.T) {
	r := newRig(t)
	o := r.offer(opleiding, false)
	h := r.accept(o, 10)
	bystander := r.accept(r.offer(opleiding, false), 2)
	act := func(a action) {
		t.Helper()
		if status, body := r.call(http.MethodPost, "/api/v1/credentials/"+o.ID+"/"+string(a), nil); status != http.StatusOK || body["published_by"] == nil {
			t.Fatalf("%s: %d %v", a, status, body)
		}
	}
	check := func(when string, want statuslist.Status) {
		t.Helper()
		for n, c := range h.copies {
			if got := r.status(c); got != want {
				t.Errorf("%s: copy %d: got %v, want %v", when, n, got, want)
			}
		}
		for _, c := range bystander.copies {
			if got := r.status(c); got != statuslist.Valid {
				t.Errorf("%s: a bystander: got %v, want valid", when, got)
			}
		}
	}
	check("at first", statuslist.Valid)
	act(suspend)
	check("suspended, not published", statuslist.Valid)
	r.publish()
	check("suspended", statuslist.Suspended)
	act(reinstate)
	r.publish()
	check("reinstated", statuslist.Valid)
	act(revoke)
	r.publish()
	check("revoked", statuslist.Invalid)
	for _, a := range []action{suspend, reinstate, revoke} {
		if status, body := r.call(http.MethodPost, "/api/v1/credentials/"+o.ID+"/"+string(a), nil); status != http.StatusConflict || body["error"] != codeWrongState {
			t.Errorf("%s after revocation: %d %v", a, status, body)
		}
	}
}

// TestEntriesArePublishedBeforeUse: the entries of new copies were in the list that
// was published before, so issuing changes nothing that anybody can see.
func TestEntriesArePublishedBeforeUse(t *testing.T) {
	r := newRig(t)
	before := (*r.published.Load())[1].Token
	h := r.accept(r.offer(opleiding, false), 10)
	token, err := statuslist.ParseToken(before, statuslist.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var indices []int
	for _, c := range h.copies {
		ref := r.reference(c)
		if s, err := token.Status(ref); err != nil || s != statuslist.Valid {
			t.Errorf("entry %d before issue: %v, %v", ref.Index, s, err)
		}
		indices = append(indices, ref.Index)
	}
	if slices.IsSorted(indices) {
		t.Errorf("indices come in order: %v", indices)
	}
	free := 0
	for n := range token.List.Size() {
		if s, err := token.List.Get(n); err == nil && s == statuslist.Invalid {
			free++
		}
	}
	if want := r.config.StatusListSize - r.config.StatusReserve; free != want {
		t.Errorf("entries never allocated: got %d invalid, want %d", free, want)
	}
}

// TestIndexIsNeverUsedTwice over refills, full lists and restarts.
func TestIndexIsNeverUsedTwice(t *testing.T) {
	r := newRig(t, func(c *Config) { c.StatusListSize, c.StatusReserve = 128, 20 })
	seen := map[statuslist.Reference]bool{}
	for round := range 6 {
		for range 2 {
			for _, c := range r.accept(r.offer(opleiding, false), 10).copies {
				ref := r.reference(c)
				if seen[ref] {
					t.Fatalf("round %d: %v was used before", round, ref)
				}
				seen[ref] = true
			}
		}
		switch round % 3 {
		case 0:
			r.publish()
		case 1:
			r.clock.Advance(time.Minute)
			r.start()
		}
	}
	if got := len(r.lists()); got < 2 {
		t.Errorf("lists: got %d, want several: a list is filled to three quarters", got)
	}
	for _, number := range r.lists() {
		used := 0
		for ref := range seen {
			if ref.URI == r.statusURI(number) {
				used++
			}
		}
		if limit := 128 * fillNumerator / fillDenominator; used > limit {
			t.Errorf("list %d: %d entries, more than %d", number, used, limit)
		}
	}
}

func TestReserveRunsOut(t *testing.T) {
	r := newRig(t, func(c *Config) { c.StatusReserve = 5 })
	h := r.accept(r.offer(opleiding, false), 10)
	select {
	case <-r.wake:
	default:
		t.Error("nobody was asked to publish")
	}
	if err := r.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n, c := range h.copies {
		if got := r.status(c); got != statuslist.Valid {
			t.Errorf("copy %d: got %v, want valid", n, got)
		}
	}
}

func TestStatusEndpoints(t *testing.T) {
	r := newRig(t)
	get := func(path string, headers ...string) (*http.Response, string) {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, testURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(headers); n += 2 {
			q.Header.Set(headers[n], headers[n+1])
		}
		response, err := r.http.Client().Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}
	r.clock.Advance(5 * time.Minute)
	response, body := get("/status/1", "Accept", statuslist.MediaType)
	h := response.Header
	if h.Get("Content-Type") != statuslist.MediaType || h.Get("Cache-Control") != "public, max-age=600" || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Set-Cookie") != "" {
		t.Errorf("headers: %v", h)
	}
	token, err := statuslist.ParseToken(body, statuslist.Limits{})
	if err != nil || token.TTL != defaultPublishEvery || len(token.Header.X5C) != 1 || token.AggregationURI != testURL+"/status" {
		t.Errorf("token: %+v, %v", token, err)
	}
	if response, _ = get("/status/1", "If-None-Match", h.Get("ETag")); response.StatusCode != http.StatusNotModified {
		t.Errorf("same ETag: got %d, want 304", response.StatusCode)
	}
	for path, want := range map[string]int{"/status/2": 404, "/status/99999999999999999999": 404, "/status/1?time=1": 501} {
		if response, _ = get(path); response.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, response.StatusCode, want)
		}
	}
	_, body = get("/status")
	if got, err := statuslist.ParseAggregation([]byte(body)); err != nil || !slices.Equal(got.StatusLists, []string{testURL + "/status/1"}) {
		t.Errorf("aggregation: %v, %v", got, err)
	}
}

// TestRestartShowsTheSame: until the schedule comes round, a restart publishes what
// was published before, byte for byte.
func TestRestartShowsTheSame(t *testing.T) {
	r := newRig(t)
	before := (*r.published.Load())[1]
	o := r.offer(opleiding, false)
	r.accept(o, 1)
	r.call(http.MethodPost, "/api/v1/credentials/"+o.ID+"/revoke", nil)
	again, err := New(r.config)
	if err != nil {
		t.Fatal(err)
	}
	if got := (*again.published.Load())[1]; got.Token != before.Token || !got.At.Equal(before.At) || got.ETag != before.ETag {
		t.Error("the list changed by a restart")
	}
}

// TestRun: the schedule in fake time, and nothing left behind.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, statusKey := testkit.P256(t), testkit.P256(t)
		i, err := New(Config{URL: testURL, Types: []paspoort.Type{paspoort.Opleiding}, CredentialKey: key, StatusKey: statusKey,
			Store: kv.NewMemory(), Secret: make([]byte, 32), StatusListSize: 1024, StatusReserve: 10})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- i.Run(ctx) }()
		var at []time.Time
		for range 3 {
			synctest.Wait()
			at = append(at, (*i.published.Load())[1].At)
			time.Sleep(defaultPublishEvery)
		}
		if got := at[2].Sub(at[0]); got != 2*defaultPublishEvery {
			t.Errorf("two turns took %v, want %v", got, 2*defaultPublishEvery)
		}
		synctest.Wait()
		i.hurry()
		i.hurry() // asking twice is asking once
		time.Sleep(time.Second)
		synctest.Wait()
		if got := time.Since((*i.published.Load())[1].At); got > time.Second {
			t.Errorf("asked to hurry, the list is %v old", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestFailedStoreIssuesNothing: when the store fails, a request fails whole, also
// when the store did its work and said that it did not.
func TestFailedStoreIssuesNothing(t *testing.T) {
	for _, how := range []kv.Failure{kv.NotDone, kv.DoneButFailed} {
		t.Run(fmt.Sprint(how), func(t *testing.T) {
			r := newRig(t)
			memory := r.store.(*kv.Memory)
			memory.FailNext(how, fmt.Errorf("disk full"))
			if status, body := r.call(http.MethodPost, "/api/v1/offers", r.sample(opleiding, true)); status != http.StatusInternalServerError || body["error"] != "server_error" {
				t.Errorf("offer: got %d %v", status, body)
			}
			s := r.begin(r.offer(opleiding, false))
			memory.FailNext(how, fmt.Errorf("disk full"))
			if _, err := s.PreAuthorized(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "server_error") {
				t.Errorf("token: got %v", err)
			}
			if h := r.accept(r.offer(opleiding, false), 2); len(h.copies) != 2 {
				t.Error("afterwards nothing is issued")
			}
		})
	}
}
