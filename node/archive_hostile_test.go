package node

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
	"paspoort.example/paspoort/specs/trqp"
)

// TestNobodySpoilsTheListOfAnother: an issuer names the list of another as its own. Nothing is
// said of that other one for it.
func TestNobodySpoilsTheListOfAnother(t *testing.T) {
	a := newArchived(t)
	good, bad := a.issuer("aa"), a.issuer("zz")
	a.roads.hosts["zz.example"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/status" {
			_ = json.NewEncoder(w).Encode(statuslist.Aggregation{StatusLists: []string{good.uri}})
			return
		}
		bad.ServeHTTP(w, r)
	})
	a.round(a.archive)
	for range 3 {
		a.Advance(20 * time.Minute)
		good.publish()
		a.round(a.archive)
	}
	row, err := a.row(good.uri)
	if err != nil || row.Organisation != good.id || !row.Failing.IsZero() || len(row.Notices) != 0 {
		t.Errorf("got %+v, %v", row, err)
	}
	if _, err := a.Token(t.Context(), bad.uri, time.Time{}); !errors.Is(err, statusarchive.ErrNotHeld) {
		t.Errorf("got %v", err)
	}
}

// TestArchiveLeavesRoom: when little is left of the disk nothing new is kept, and what is kept is
// still there.
func TestArchiveLeavesRoom(t *testing.T) {
	a := newArchived(t)
	i := a.issuer("aa")
	a.round(a.archive)
	kept, err := a.Token(t.Context(), i.uri, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	a.config.Room = func() error { return ErrDiskFull }
	a.Advance(24 * time.Hour)
	i.publish()
	a.round(a.archive)
	if got, err := a.Token(t.Context(), i.uri, time.Time{}); err != nil || got != kept {
		t.Errorf("without room: got %v, %v", got != kept, err)
	}
	a.config.Room = nil
	a.Advance(24 * time.Hour)
	i.publish()
	a.round(a.archive)
	if got, err := a.Token(t.Context(), i.uri, time.Time{}); err != nil || got == kept || !strings.Contains(got, ".") {
		t.Errorf("with room again: %v, %v", got == kept, err)
	}
}

// oldCopy is a copy that heard of the others ten days ago.
type oldCopy struct{ *registrytest.Region }

func (c oldCopy) Read(_ context.Context, fn func(registry.View, evidence.RegistryFacts) error) error {
	return fn(c.State.View(), evidence.RegistryFacts{Region: c.Genesis(), Time: c.Now.AddDate(0, 0, -10)})
}

// TestOldCopyAnswersNoQuestion: what a node cannot know any more is neither yes nor no.
func TestOldCopyAnswersNoQuestion(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	asked := trustRegistry{oldCopy{r}, nil, func() time.Time { return r.Now }, func() string { return "https://knoop-1.example" }}
	for _, entity := range []string{org, "https://niemand.example"} {
		_, err := asked.Authorized(t.Context(), trqp.Query{Entity: entity, Authority: r.Genesis(), Action: "issue", Resource: "x"})
		var p *trqp.Problem
		if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: got %v", entity, err)
		}
	}
}
