package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// roads are how nodes reach hosts of other regions in tests: no network, and each host can
// be away.
type roads struct {
	mu    sync.Mutex
	hosts map[string]http.Handler
	away  map[string]bool
	asked map[string]int // by host and path
}

func newRoads() *roads {
	return &roads{hosts: map[string]http.Handler{}, away: map[string]bool{}, asked: map[string]int{}}
}

func (r *roads) Do(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	h, away := r.hosts[req.URL.Host], r.away[req.URL.Host]
	r.asked[req.URL.Host+req.URL.Path]++
	r.mu.Unlock()
	if h == nil || away {
		return nil, errors.New("no road to " + req.URL.Host)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Result(), req.Context().Err()
}

func (r *roads) set(host string, away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away[host] = away
}

// neighbour is another region as a log: it grows as told, remembers who cosigned it, and can
// show another history.
type neighbour struct {
	t      testing.TB
	origin string
	log    *tlog.Signer
	store  kv.Store
	tree   *tlog.Tree
	mu     sync.Mutex
	notes  map[string][]byte // by cosigner
}

func newNeighbour(t testing.TB, origin string) *neighbour {
	log, err := tlog.NewSigner(origin, tlog.TypeLog, namedEd25519("log of "+origin))
	if err != nil {
		t.Fatal(err)
	}
	return &neighbour{t: t, origin: origin, log: log, store: kv.NewMemory(), tree: tlog.NewTree(), notes: map[string][]byte{}}
}

// fork is the same log with the same leaves so far; what follows may differ.
func (b *neighbour) fork() *neighbour {
	f := newNeighbour(b.t, b.origin)
	f.store, f.tree = copyStore(b.t, b.store), b.tree.Clone()
	return f
}

func (b *neighbour) grow(leaves ...string) {
	for _, leaf := range leaves {
		tiles, err := b.tree.Append(tlog.LeafHash([]byte(leaf)))
		if err != nil {
			b.t.Fatal(err)
		}
		if err := b.store.Update(func(tx kv.Tx) error {
			for _, tile := range tiles {
				if err := tx.Set(keyTile(tile.Level, tile.Index), kv.Value(valueFormat, tile.Data)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *neighbour) head() tlog.Checkpoint {
	return tlog.Checkpoint{Origin: b.origin, Size: b.tree.Size(), Root: b.tree.Root()}
}

func (b *neighbour) note() []byte {
	text := b.head().Text()
	line, err := b.log.Line(text, time.Time{})
	if err != nil {
		b.t.Fatal(err)
	}
	return tlog.JoinNote(text, line)
}

// ask has a node cosign what the neighbour has now, and remembers it.
func (b *neighbour) ask(client tlog.WitnessClient) error {
	c := b.head()
	s, err := client.Cosign(b.t.Context(), b.note(), 0, func(old uint64) (path []tlog.Hash, err error) {
		err = b.store.View(func(tx kv.Tx) error {
			path, err = tlog.ProveConsistency(c, old, txTiles{tx})
			return err
		})
		return path, err
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes[client.Key.Name] = append(b.note(), s.Line+"\n"...)
	return nil
}

// ServeHTTP is the part of a region's node that a witness asks after a start.
func (b *neighbour) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	note := b.notes[r.URL.Query().Get("cosigner")]
	if note == nil {
		note = b.note()
	}
	if r.URL.Path != "/v1/cosigned" {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(note)
}

// knows are the logs that a node's mirrors know, as a table.
type knows map[string]peerLog

func (k knows) peerRegion(origin string) (peerLog, bool) {
	p, ok := k[origin]
	return p, ok
}

// shelf is where an outside witness keeps what it cosigned.
type shelf struct {
	mu    sync.Mutex
	keys  map[string][]tlog.VerifierKey
	notes map[string][]byte
}

func (s *shelf) LogKeys(_ context.Context, origin string) ([]tlog.VerifierKey, error) {
	return s.keys[origin], nil
}

func (s *shelf) Latest(_ context.Context, hash string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if note := s.notes[hash]; note != nil {
		return note, nil
	}
	return nil, tlog.ErrUnknownLog
}

func (s *shelf) Update(_ context.Context, origin string, fn func([]byte) ([]byte, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := fn(s.notes[tlog.OriginHash(origin)])
	if err == nil {
		s.notes[tlog.OriginHash(origin)] = next
	}
	return err
}

// witnessOf sets up an outside witness that knows a cluster's log, at a host.
func (c *cluster) witnessOf(r *roads, host string) registry.Witness {
	key := namedEd25519("witness " + host)
	self, err := tlog.NewSigner(host+"/witness", tlog.TypeCosigner, key)
	if err != nil {
		c.t.Fatal(err)
	}
	s := &shelf{keys: map[string][]tlog.VerifierKey{}, notes: map[string][]byte{}}
	for _, node := range c.charter.Nodes {
		k, err := verifierKey(c.charter.Origin, tlog.TypeLog, node.LogKey)
		if err != nil {
			c.t.Fatal(err)
		}
		s.keys[c.charter.Origin] = append(s.keys[c.charter.Origin], k)
	}
	r.hosts[host] = http.StripPrefix("/witness", &tlog.WitnessServer{Store: s, Signer: self, Now: time.Now})
	return registry.Witness{ID: strings.ReplaceAll(host, ".", "-"), Key: b64(key.Public().(ed25519.PublicKey)), Name: host + "/witness", URL: "https://" + host + "/witness"}
}

// appoint makes outside witnesses those of the region, and waits until each node knows.
func (c *cluster) appoint(list ...registry.Witness) {
	c.t.Helper()
	c.event(registry.KindWitness, &registry.WitnessChange{Reason: "Een buur kijkt mee", Witnesses: append([]registry.Witness{}, list...)}, "lid-1", "lid-2")
	for _, id := range c.ids() {
		eventually(c.t, id+" knows its witnesses", func() bool {
			got, err := c.get(id).witnesses()
			return err == nil && slices.Equal(got, list)
		})
	}
}

// trusted waits until a node serves a checkpoint of this size with this trust.
func (c *cluster) trusted(id, trust string, size uint64) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%s serves %d leaves, %s", id, size, trust), func() bool {
		s := c.get(id).Status()
		return s.Checkpoint != nil && s.Checkpoint.Size == size && s.Checkpoint.Trust == trust
	})
}

// witnessClient asks a node of a cluster as a witness.
func (c *cluster) witnessClient(id string) tlog.WitnessClient {
	n := c.get(id)
	r := newRoads()
	r.hosts[id+".example"] = http.StripPrefix("/witness", n.witness.server)
	return tlog.WitnessClient{HTTP: r, URL: "https://" + id + ".example/witness", Key: n.publisher.self.VerifierKey()}
}
