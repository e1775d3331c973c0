package audit_test

import (
	"context"
	"crypto/ed25519"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
	"paspoort.example/paspoort/specs/tlog"
)

// internet leads requests to handlers by host.
type internet map[string]http.Handler

// Do implements audit.Doer.
func (n internet) Do(r *http.Request) (*http.Response, error) {
	h, ok := n[r.URL.Host]
	if !ok {
		return nil, &http.ProtocolError{ErrorString: "no such host"}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), nil))
	return w.Result(), nil
}

// files are a log as it is served: any bytes under any path, so that it can lie.
type files map[string][]byte

// ServeHTTP implements http.Handler.
func (f files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, ok := f[strings.TrimPrefix(r.URL.Path, "/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Write(raw)
}

// serve makes the files of a log of leaves, with a checkpoint and handovers.
func serve(t testing.TB, leaves [][]byte, note []byte, handovers ...[]byte) files {
	t.Helper()
	f := files{}
	f.entries(t, leaves)
	f.tiles(t, leaves)
	f["checkpoint"] = note
	out := registry.HandoversAnswer{Handovers: []string{}}
	for _, h := range handovers {
		out.Handovers = append(out.Handovers, string(h))
	}
	var err error
	if f["v1/handovers"], err = ijson.Canonical(out); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f files) entries(t testing.TB, leaves [][]byte) {
	t.Helper()
	for first := 0; first < len(leaves); first += tlog.TileWidth {
		some := leaves[first:min(first+tlog.TileWidth, len(leaves))]
		var bundle []byte
		for _, leaf := range some {
			var err error
			if bundle, err = tlog.AppendEntry(bundle, leaf); err != nil {
				t.Fatal(err)
			}
		}
		f[tlog.Tile{Entries: true, Index: uint64(first / tlog.TileWidth), Width: len(some)}.Path()] = bundle
	}
}

func (f files) tiles(t testing.TB, leaves [][]byte) {
	t.Helper()
	hashes := make([]tlog.Hash, len(leaves))
	for i, leaf := range leaves {
		hashes[i] = registry.LeafHash(leaf)
	}
	tiles, err := tlog.NewTree().Append(hashes...)
	if err != nil {
		t.Fatal(err)
	}
	for _, tile := range tiles {
		f[tile.Path()] = tile.Data
	}
}

// signed is a checkpoint over leaves by nodes of a region; all that it ever had when none is named.
func signed(t testing.TB, r *registrytest.Region, leaves [][]byte, nodes ...string) []byte {
	t.Helper()
	if len(nodes) == 0 {
		nodes = []string{"knoop-1", "knoop-2", "knoop-3", "knoop-4"}
	}
	tree := tlog.NewTree()
	for _, leaf := range leaves {
		if _, err := tree.Append(registry.LeafHash(leaf)); err != nil {
			t.Fatal(err)
		}
	}
	c := tlog.Checkpoint{Origin: r.Charter.Origin, Size: tree.Size(), Root: tree.Root()}
	var lines []string
	line := func(name string, kind tlog.KeyType, key ed25519.PrivateKey) {
		s, err := tlog.NewSigner(name, kind, key)
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Line(c.Text(), r.Now)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	for _, id := range nodes {
		keys, ok := r.Nodes[id]
		if !ok {
			continue
		}
		line(c.Origin, tlog.TypeLog, keys.Log)
		line(registry.CosignerName(c.Origin, id), tlog.TypeCosigner, keys.Cosigner)
	}
	return tlog.JoinNote(c.Text(), lines...)
}

// node answers the registry's protocol beside a log.
func node(log, answers http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") && r.URL.Path != "/v1/handovers" {
			answers.ServeHTTP(w, r)
			return
		}
		log.ServeHTTP(w, r)
	})
}

// honest is the region's nodes as they should be.
func honest(t testing.TB, r *registrytest.Region) (internet, files) {
	t.Helper()
	log := serve(t, r.Leaves, signed(t, r, r.Leaves))
	n := internet{}
	for _, id := range []string{"knoop-1", "knoop-2", "knoop-3", "knoop-4"} {
		n[id+".example"] = node(log, r.Handler())
	}
	return n, log
}

func run(t testing.TB, r *registrytest.Region, n internet, source audit.Source, change ...func(*audit.Config)) *audit.Report {
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
	r := everything(t)
	n, _ := honest(t, r)
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
