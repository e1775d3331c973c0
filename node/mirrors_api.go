package node

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// mirrorRoutes serve the copies of other regions, each under its id as a node of that region
// serves its own: whoever reads it checks the signatures of that region, not this node's word.
func (n *Node) mirrorRoutes(r *mux.Router) {
	read := []string{http.MethodGet, http.MethodHead}
	r.Handle("/.well-known/paspoort-region", web.CORS(only(n.getDiscovery, read...)))
	r.Handle("/v1/regions", only(n.getRegions, read...))
	r.Handle("/regions/{genesis:[0-9a-f]{64}}/checkpoint", only(n.ofMirror(n.mirrorCheckpoint), read...))
	r.Handle("/regions/{genesis:[0-9a-f]{64}}/fork", only(n.ofMirror(n.mirrorFork), read...))
	r.PathPrefix("/regions/{genesis:[0-9a-f]{64}}/tile/").Handler(only(n.ofMirror(n.mirrorTile), read...))
	r.PathPrefix("/regions/{genesis:[0-9a-f]{64}}/v1/").Handler(n.ofMirror(n.mirrorProtocol))
}

// Discovery says which region a node is of and where its nodes are. It is a way to find a
// region, never a reason to trust one: who relies on it pins Genesis, from its members.
type Discovery struct {
	Genesis string          `json:"genesis"`
	Name    string          `json:"name"`
	Origin  string          `json:"origin"` // of its log
	Entity  string          `json:"entity,omitempty"`
	Rules   int             `json:"rules"`
	Leaves  uint64          `json:"leaves"` // under the checkpoint
	Time    time.Time       `json:"time,omitzero"`
	Nodes   []DiscoveryNode `json:"nodes"`
	Regions []DiscoveryPeer `json:"regions"` // that it relies on now
}

// DiscoveryNode is a node of a region.
type DiscoveryNode struct {
	ID  string `json:"id"`
	URL string `json:"url"`
}

// DiscoveryPeer is another region as this one accepted it.
type DiscoveryPeer struct {
	Genesis string   `json:"genesis"`
	Name    string   `json:"name"`
	URLs    []string `json:"urls"`
}

func (n *Node) getDiscovery(w http.ResponseWriter, r *http.Request) {
	out := Discovery{Genesis: n.genesis, Name: n.founding.name, Origin: n.founding.origin, Nodes: []DiscoveryNode{}, Regions: []DiscoveryPeer{}}
	now := n.cfg.Clock()
	err := n.Read(r.Context(), func(v registry.View, facts evidence.RegistryFacts) error {
		region := v.Region(now)
		out.Name, out.Origin, out.Entity, out.Rules = region.Name, region.Origin, region.Entity, v.State.Rules()
		out.Leaves, out.Time = facts.Leaves, facts.Time
		for _, node := range v.ActiveNodes() {
			out.Nodes = append(out.Nodes, DiscoveryNode{node.ID, node.URL})
		}
		for _, p := range v.Peers(now) {
			if p.State == registry.PeerAccepted {
				out.Regions = append(out.Regions, DiscoveryPeer{p.Genesis, p.Name, p.URLs})
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, evidence.ErrNoCopy) {
		n.internal(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, out)
}

// regionsAnswer is the list of other regions with how well this node knows them.
type regionsAnswer struct {
	Genesis string    `json:"genesis"` // of the region that decided so
	At      time.Time `json:"at"`
	Node    string    `json:"node"` // whose copies these are
	Regions []Mirror  `json:"regions"`
}

func (n *Node) getRegions(w http.ResponseWriter, _ *http.Request) {
	web.WriteJSON(w, http.StatusOK, regionsAnswer{n.genesis, n.cfg.Clock().UTC(), n.cfg.ID, n.Mirrors()})
}

type mirrorHandler func(w http.ResponseWriter, r *http.Request, f *evidence.Follower)

// ofMirror finds the copy that a path names.
func (n *Node) ofMirror(h mirrorHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		peer, ok := n.mirrors.neighbours.Get(mux.Vars(r)["genesis"])
		if !ok || peer.Follower == nil {
			web.WriteError(w, http.StatusNotFound, "unknown-region", "this node keeps no copy of a region with this id; /v1/regions lists those that it knows")
			return
		}
		h(w, r, peer.Follower)
	}
}

func (n *Node) mirrorCheckpoint(w http.ResponseWriter, r *http.Request, f *evidence.Follower) {
	note, err := f.Checkpoint(r.Context())
	if err != nil {
		web.WriteError(w, http.StatusServiceUnavailable, registry.ErrNoLog.Code, registry.ErrNoLog.Detail)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(note)
}

func (n *Node) mirrorTile(w http.ResponseWriter, r *http.Request, f *evidence.Follower) {
	path := strings.TrimPrefix(r.URL.Path, "/regions/"+f.Genesis()+"/")
	serveTile(w, r, path, f.Tile, func(err error) { n.internal(w, r, err) })
}

// serveTile answers with a tile or an entry bundle of a log.
func serveTile(w http.ResponseWriter, r *http.Request, path string, read func(tlog.Tile) ([]byte, error), broken func(error)) {
	tile, err := tlog.ParseTilePath(path)
	if err != nil {
		web.WriteError(w, http.StatusBadRequest, "bad-tile", "not a path of tlog-tiles, such as tile/0/000.p/5 or tile/entries/000")
		return
	}
	data, err := read(tile)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		web.WriteError(w, http.StatusNotFound, "not-found", "the log has no such tile under its newest checkpoint")
		return
	case err != nil:
		broken(err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // "its caching headers SHOULD be long-lived"
	writeTile(w, r, tile, data)
}

// mirrorFork gives the proof that a region signed two histories.
func (n *Node) mirrorFork(w http.ResponseWriter, _ *http.Request, f *evidence.Follower) {
	fork := f.Health().Fork
	if fork == nil {
		web.WriteError(w, http.StatusNotFound, "not-found", "this node saw one history of this region, and no other")
		return
	}
	web.WriteJSON(w, http.StatusOK, fork)
}

// mirrorProtocol answers as registry.NewServer does. What is written belongs to the nodes of
// the region itself.
func (n *Node) mirrorProtocol(w http.ResponseWriter, r *http.Request, f *evidence.Follower) {
	n.mirrors.mu.Lock()
	h, ok := n.mirrors.handler[f]
	if !ok {
		server := registry.NewServer(registry.ServerConfig{Reader: mirrorReader{f, n.cfg.ID}, Log: f, Writer: f, Now: n.cfg.Clock})
		h = http.StripPrefix("/regions/"+f.Genesis(), server)
		n.mirrors.handler[f] = h
	}
	n.mirrors.mu.Unlock()
	h.ServeHTTP(w, r)
}

// mirrorReader says whose copy an answer is from.
type mirrorReader struct {
	f    *evidence.Follower
	node string
}

// View implements registry.Reader.
func (m mirrorReader) View(ctx context.Context, c registry.Consistency, fn func(registry.View, registry.ReadInfo) error) error {
	return m.f.View(ctx, c, func(v registry.View, info registry.ReadInfo) error {
		info.Node = m.node
		return fn(v, info)
	})
}
