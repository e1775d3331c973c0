package registry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func serve(t *testing.T, r *registrytest.Region) (registry.Client, *httptest.Server) {
	t.Helper()
	s := httptest.NewServer(r.Handler())
	t.Cleanup(s.Close)
	return registry.Client{HTTP: s.Client(), URL: s.URL}, s
}

func TestClientAndServer(t *testing.T) {
	r := registrytest.New(t)
	r.Checkpoint()
	c, _ := serve(t, r)
	ctx := context.Background()

	a := r.Application("vaart", registry.Issuer)
	subject := registry.OrganisationParty(a.Organisation)
	head, err := c.Head(ctx, subject)
	if err != nil || head.Head != "" || head.Genesis != r.Genesis() {
		t.Fatalf("head %+v, %v", head, err)
	}
	s := r.Compose(registry.KindApplied, a, subject)
	out, err := c.Submit(ctx, registry.Submission{Event: s})
	if err != nil || out.State != registry.OutcomeCommitted || *out.Index != 1 {
		t.Fatalf("outcome %+v, %v", out, err)
	}
	if again, err := c.Submit(ctx, registry.Submission{Event: s}); !errors.Is(err, registry.ErrDuplicate) || again.State != registry.OutcomeRefused {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	for _, m := range []string{vakbond, gemeente} {
		v := r.Compose(registry.KindApproved, &registry.Decision{Proposal: s.Event.ID(), Voter: m}, m)
		if _, err := c.Submit(ctx, registry.Submission{Event: v}); err != nil {
			t.Fatal(err)
		}
	}
	q := registry.Question{Lookup: registry.Lookup{DID: "did:web:vaart.example"}, Role: registry.Issuer}
	got, err := c.Admission(ctx, q, registry.When{})
	if err != nil || !got.Admitted || got.AsOf != r.State.Size() || got.Read.Node != "knoop-1" {
		t.Errorf("admission %+v, %v", got, err)
	}
	if got, err := c.Admission(ctx, q, registry.When{AsOf: 2}); err != nil || got.Admitted || got.AsOf != 2 {
		t.Errorf("admission as of two leaves %+v, %v", got, err)
	}
	list, err := c.Organisations(ctx, registry.When{Consistency: registry.Linearizable})
	if err != nil || len(list.Organisations) != 1 || list.Read.Consistency != registry.Linearizable {
		t.Errorf("organisations %+v, %v", list, err)
	}
	one, err := c.Organisation(ctx, a.Organisation, registry.When{})
	if err != nil || one.Name != "Organisatie vaart" || one.Head != r.State.Head(subject) {
		t.Errorf("organisation %+v, %v", one, err)
	}
	if region, err := c.Region(ctx, registry.When{}); err != nil || len(region.Members) != 4 || len(region.Nodes) != 3 {
		t.Errorf("region %+v, %v", region, err)
	}
	if p, err := c.Proposals(ctx, registry.When{}); err != nil || len(p.Proposals) != 1 || p.Proposals[0].Status != registry.Enacted {
		t.Errorf("proposals %+v, %v", p, err)
	}
	if h, err := c.Hobbels(ctx, registry.When{}); err != nil || h.Hobbels == nil || len(h.Hobbels) != 0 {
		t.Errorf("hobbels %+v, %v", h, err)
	}
	if known, err := c.Outcome(ctx, s.Event.ID()); err != nil || known.Event != s.Event.ID() {
		t.Errorf("outcome %+v, %v", known, err)
	}
	if jws, err := c.Timestamp(ctx, [32]byte{1}); err != nil || strings.Count(jws, ".") != 2 {
		t.Errorf("timestamp %q, %v", jws, err)
	}
}

func TestFollowAndSnapshotOverHTTP(t *testing.T) {
	r := registrytest.New(t)
	c, _ := serve(t, r)
	ctx := context.Background()
	rep := newReplica(t, r.Genesis())
	if _, err := c.Follow(ctx, rep); !errors.Is(err, registry.ErrNoLog) {
		t.Errorf("before any checkpoint: %v", err)
	}
	r.Checkpoint()
	if leaves, err := c.Follow(ctx, rep); err != nil || len(leaves) != 1 {
		t.Fatalf("%d leaves, %v", len(leaves), err)
	}
	changeNodes(r, "knoop-4", "knoop-1")
	r.Handover("knoop-1", "knoop-2", "knoop-3", "knoop-4")
	r.Admit("vaart", registry.Issuer)
	r.Handover("knoop-1", "knoop-2", "knoop-3", "knoop-4")
	r.Admit("linde", registry.Issuer)
	r.Checkpoint("knoop-4", "knoop-2")
	if leaves, err := c.Follow(ctx, rep); err != nil || len(leaves) != 8 {
		t.Fatalf("%d leaves, %v", len(leaves), err)
	}
	snap, err := c.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	offline, _, err := snap.Replay(r.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	for name, digest := range map[string]string{"follower": rep.State().Digest(), "offline": offline.State().Digest()} {
		if digest != r.State.Digest() {
			t.Errorf("%s has another state", name)
		}
	}
}

func TestServerRefuses(t *testing.T) {
	r := registrytest.New(t)
	_, s := serve(t, r)
	event, err := r.Compose(registry.KindApplied, r.Application("vaart", registry.Issuer), registry.OrganisationParty(registrytest.OrganisationID("vaart"))).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	wrongKey := strings.Replace(string(event), `"name":"Organisatie vaart"`, `"name":"Organisatie vaars"`, 1)
	for _, tt := range []struct {
		name, method, path, media, body string
		status                          int
		code                            string
	}{
		{"no body", "POST", "/v1/events", "application/json", "", 400, "malformed"},
		{"another media type", "POST", "/v1/events", "text/plain", string(event), 400, "bad-request"},
		{"white space", "POST", "/v1/events", "application/json", " " + string(event), 400, "malformed"},
		{"trailing bytes", "POST", "/v1/events", "application/json", string(event) + "{}", 400, "malformed"},
		{"too large", "POST", "/v1/events", "application/json", strings.Repeat(" ", registry.MaxSubmission+1), 413, "too-large"},
		{"event too large", "POST", "/v1/events", "application/json", strings.Repeat(" ", registry.MaxEvent+1), 413, "too-large"},
		{"changed after signing", "POST", "/v1/events", "application/json", wrongKey, 403, "bad-signature"},
		{"reading what is for writing", "GET", "/v1/events", "", "", 405, ""},
		{"unknown path", "GET", "/v1/nothing", "", "", 404, ""},
		{"unknown organisation", "GET", "/v1/organisations/org_x", "", "", 404, "not-found"},
		{"not an event id", "GET", "/v1/events/abc", "", "", 400, "bad-request"},
		{"not a time", "GET", "/v1/organisations?at=gisteren", "", "", 400, "bad-request"},
		{"not a number", "GET", "/v1/organisations?asof=-1", "", "", 400, "bad-request"},
		{"the future of the log", "GET", "/v1/organisations?asof=99", "", "", 400, "asof-ahead"},
		{"unknown consistency", "GET", "/v1/hobbels?consistency=strong", "", "", 400, "bad-request"},
		{"admission of nobody", "GET", "/v1/admission?role=issuer", "", "", 400, "bad-query"},
		{"admission of two", "GET", "/v1/admission?role=issuer&did=did:web:a&url=https://a.example", "", "", 400, "bad-query"},
		{"leaves backwards", "GET", "/v1/leaves?from=2&to=1", "", "", 400, "bad-request"},
		{"no checkpoint yet", "GET", "/v1/checkpoint", "", "", 503, "no-checkpoint"},
		{"timestamp over too little", "POST", "/v1/timestamp", "application/json", `{"commitment":"AAAA"}`, 400, "bad-request"},
		{"timestamp with more", "POST", "/v1/timestamp", "application/json", `{"commitment":"` + strings.Repeat("A", 43) + `","name":"x"}`, 400, "bad-request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequest(tt.method, s.URL+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", tt.media)
			res, err := s.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.status || tt.code != "" && !strings.Contains(string(body), `"error":"`+tt.code+`"`) {
				t.Errorf("%d %s, want %d %s", res.StatusCode, body, tt.status, tt.code)
			}
		})
	}
}
