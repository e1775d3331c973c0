package audit_test

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/audit/audittest"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
	"paspoort.example/paspoort/specs/tlog"
)

// renamed is a checkpoint under another name, signed by nobody of the region.
func renamed(t *testing.T, r *registrytest.Region, leaves [][]byte, origin string) []byte {
	t.Helper()
	c, err := tlog.PeekCheckpoint(audittest.Signed(t, r, leaves))
	if err != nil {
		t.Fatal(err)
	}
	c.Origin = origin
	s, err := tlog.NewSigner(origin, tlog.TypeLog, r.Nodes["knoop-3"].Log)
	if err != nil {
		t.Fatal(err)
	}
	line, err := s.Line(c.Text(), r.Now)
	if err != nil {
		t.Fatal(err)
	}
	return tlog.JoinNote(c.Text(), line)
}

// polite answers truly who asks about a size, and from the first leaves only who does not: it
// knows an auditor when it sees one.
type polite struct {
	http.Handler
	size int
}

// ServeHTTP implements http.Handler.
func (p polite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if q := r.URL.Query(); q.Get("asof") == "" {
		q.Set("asof", strconv.Itoa(p.size))
		r = r.Clone(r.Context())
		r.URL.RawQuery = q.Encode()
	}
	p.Handler.ServeHTTP(w, r)
}

// TestNodesThatLookHonest: a log that is in order, and one node that is not.
func TestNodesThatLookHonest(t *testing.T) {
	r := audittest.Everything(t)
	leaves := r.Leaves[:len(r.Leaves)-4]
	fork := slices.Clone(r.Leaves)
	leaf, err := registry.ParseLeaf(fork[40])
	if err != nil {
		t.Fatal(err)
	}
	leaf.LogTime++
	if fork[40], err = leaf.Marshal(); err != nil {
		t.Fatal(err)
	}
	now := r.Now
	r.Now = now.Add(-2 * time.Hour)
	old := audittest.Signed(t, r, r.Leaves[:40])
	r.Now = now
	for name, test := range map[string]struct {
		node http.Handler
		want audit.Code // none: not wrong, and not in order either
	}{
		"another log, and larger": {audittest.Node(audittest.Serve(t, fork, renamed(t, r, fork, "elders.example/log")), r.Handler()), audit.Unsigned},
		"old and signed by all":   {audittest.Node(audittest.Serve(t, r.Leaves[:40], old), r.Handler()), audit.WentBack},
		"a name that looks alike": {audittest.Node(audittest.Serve(t, r.Leaves, renamed(t, r, r.Leaves, r.Charter.Origin+"/")), r.Handler()), audit.Unsigned},
		"false to who just asks":  {audittest.Node(audittest.Serve(t, leaves, audittest.Signed(t, r, leaves)), polite{r.Handler(), 40}), audit.FalseAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			log := audittest.Node(audittest.Serve(t, leaves, audittest.Signed(t, r, leaves)), r.Handler())
			n := audittest.Internet{"knoop-1.example": log, "knoop-2.example": log, "knoop-3.example": test.node, "knoop-4.example": log}
			report := run(t, r, n, audit.Web(n, "https://knoop-2.example"))
			if !slices.ContainsFunc(report.Findings, func(f audit.Finding) bool {
				return f.Code == test.want && f.Node == "knoop-3" && f.In("nl") != f.In("en")
			}) {
				t.Errorf("verdict %s, findings %+v, nodes %+v", report.Verdict(), report.Findings, report.Nodes)
			}
			for _, f := range report.Findings {
				if f.Node != "knoop-3" {
					t.Errorf("an honest node: %+v", f)
				}
			}
		})
	}
}

// TestOldLogIsNotInOrder: when nobody signed for long, what was decided since is not known. An old
// copy by itself is what it is.
func TestOldLogIsNotInOrder(t *testing.T) {
	r := audittest.Everything(t)
	n, _ := audittest.Honest(t, r)
	later := func(c *audit.Config) { c.Now = func() time.Time { return r.Now.AddDate(0, 0, 8) } }
	report := run(t, r, n, audit.Web(n, "https://knoop-2.example"), later)
	if report.Verdict() != audit.Open || len(report.Findings) != 1 || report.Findings[0].Code != audit.Old {
		t.Errorf("verdict %s, findings %+v", report.Verdict(), report.Findings)
	}
	if report = run(t, r, nil, audit.Web(n, "https://knoop-2.example"), later); report.Verdict() != audit.InOrder {
		t.Errorf("a copy: verdict %s, findings %+v", report.Verdict(), report.Findings)
	}
}
