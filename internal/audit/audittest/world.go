// Package audittest is a region whose log is served as a test likes, honest or not, and one in which
// each kind of event happened. It is built on registrytest.
//
//	r := audittest.Everything(t)
//	web, log := audittest.Honest(t, r)
//	report, err := audit.Run(ctx, audit.Config{Genesis: r.Genesis(), Source: audit.Web(web, "https://knoop-2.example")})
package audittest

import (
	"crypto/ed25519"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
	"paspoort.example/paspoort/specs/tlog"
)

// Internet leads requests to handlers by host.
type Internet map[string]http.Handler

// Do implements audit.Doer.
func (n Internet) Do(r *http.Request) (*http.Response, error) {
	h, ok := n[r.URL.Host]
	if !ok {
		return nil, errors.New("no such host")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), nil))
	return w.Result(), nil
}

// Files are a log as it is served: any bytes under any path, so that it can lie.
type Files map[string][]byte

// ServeHTTP implements http.Handler.
func (f Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, ok := f[strings.TrimPrefix(r.URL.Path, "/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Write(raw)
}

// Serve makes the files of a log of leaves, with a checkpoint and handovers.
func Serve(t testing.TB, leaves [][]byte, note []byte, handovers ...[]byte) Files {
	t.Helper()
	f := Files{}
	f.Entries(t, leaves)
	f.Tiles(t, leaves)
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

// Entries puts the bundles of leaves.
func (f Files) Entries(t testing.TB, leaves [][]byte) {
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

// Tiles puts the tiles of hashes of leaves.
func (f Files) Tiles(t testing.TB, leaves [][]byte) {
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

// Signed is a checkpoint over leaves by nodes of a region; all that it ever had when none is named.
func Signed(t testing.TB, r *registrytest.Region, leaves [][]byte, nodes ...string) []byte {
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

// Node answers the registry's protocol beside a log.
func Node(log, answers http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") && r.URL.Path != "/v1/handovers" {
			answers.ServeHTTP(w, r)
			return
		}
		log.ServeHTTP(w, r)
	})
}

// Honest is the region's nodes as they should be.
func Honest(t testing.TB, r *registrytest.Region) (Internet, Files) {
	t.Helper()
	log := Serve(t, r.Leaves, Signed(t, r, r.Leaves))
	n := Internet{}
	for _, id := range []string{"knoop-1", "knoop-2", "knoop-3", "knoop-4"} {
		n[id+".example"] = Node(log, r.Handler())
	}
	return n, log
}
