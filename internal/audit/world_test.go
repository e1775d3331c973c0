package audit_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/audit/audittest"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func run(t testing.TB, r *registrytest.Region, n audittest.Internet, source audit.Source, change ...func(*audit.Config)) *audit.Report {
	t.Helper()
	c := audit.Config{
		Genesis: r.Genesis(), Source: source, Rand: rand.New(rand.NewPCG(1, 2)), Sample: 4,
		Now: func() time.Time { return r.Now.Add(time.Hour) },
	}
	if n != nil {
		c.Client = n
	}
	for _, f := range change {
		f(&c)
	}
	report, err := audit.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestHonestRegion(t *testing.T) {
	r := audittest.Everything(t)
	n, _ := audittest.Honest(t, r)
	report := run(t, r, n, audit.Web(n, "https://knoop-2.example"))
	if report.Verdict() != audit.InOrder {
		t.Errorf("verdict %s, findings %+v, nodes %+v", report.Verdict(), report.Findings, report.Nodes)
	}
	if report.Size != uint64(len(r.Leaves)) || report.Digest != r.State.Digest() {
		t.Errorf("size %d, digest %s; want %d, %s", report.Size, report.Digest, len(r.Leaves), r.State.Digest())
	}
	if len(report.Nodes) != 3 || report.Nodes[0].Answers < 10 {
		t.Errorf("nodes %+v", report.Nodes)
	}
	active, _ := registry.Kinds()
	for _, k := range active {
		if report.Kinds[k] == 0 {
			t.Errorf("no %s in the story", k)
		}
	}
}
