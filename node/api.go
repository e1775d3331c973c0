package node

import (
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

//go:embed openapi.yaml
var openAPI []byte

// Handler is the node's public side: the registry's protocol, the log, the checks and the
// pages. It answers from the start; /readyz says when the node takes part.
func (n *Node) Handler() (http.Handler, error) {
	site := web.New(web.Options{Role: "node", Log: n.log, Clock: n.cfg.Clock, MaxBody: maxVerifyBody, Ready: n.ready})
	n.metrics(site)
	r := site.Protocol
	// Hot paths first: gorilla/mux tries routes in order.
	read := []string{http.MethodGet, http.MethodHead}
	r.Handle("/checkpoint", only(n.getCheckpoint, read...))
	r.PathPrefix("/tile/").Handler(only(n.getTile, read...))
	r.Handle("/v1/status", only(n.getStatus, read...))
	r.Handle("/v1/verify", only(n.postVerify, http.MethodPost))
	r.Handle("/v1/proof/{index}", only(n.getProof, read...))
	r.Handle("/v1/policy", only(n.getPolicy, read...))
	r.Handle("/v1/cosigned", only(n.getCosigned, read...))
	r.PathPrefix("/witness/").Handler(http.StripPrefix("/witness", n.witness.server))
	r.Handle("/v1/types/{name}/{version}", only(getType, read...))
	r.Handle("/openapi.yaml", web.Static("application/yaml", openAPI, time.Hour)).Methods(read...)
	r.PathPrefix("/v1/statuses").Handler(n.archive.handler("/v1/statuses"))
	n.mirrorRoutes(r)
	r.MatcherFunc(func(r *http.Request, _ *mux.RouteMatch) bool { return n.federated.matches(r) }).Handler(n.federated)
	n.listRoutes(r)
	n.trqpRoutes(r)
	n.crlRoutes(r)
	server := registry.NewServer(registry.ServerConfig{Reader: n, Log: n, Writer: n, Timestamps: n, Now: n.cfg.Clock})
	r.PathPrefix("/v1/").Handler(server)
	pages, err := newPages(n)
	if err != nil {
		return nil, err
	}
	pages.mount(site.Pages)
	return site.Handler(), nil
}

// only answers other methods with 405: the registry's routes below /v1/ would take them.
func only(h http.HandlerFunc, methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(methods, r.Method) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			web.WriteError(w, http.StatusMethodNotAllowed, "method-not-allowed", "use "+strings.Join(methods, " or "))
			return
		}
		h(w, r)
	})
}

// ready: a node is ready when it knows the region and hears from a leader.
func (n *Node) ready(context.Context) error {
	switch {
	case n.left():
		return errors.New(whyLeft)
	case !n.running():
		return errors.New("taking part in the cluster: not yet")
	case n.size() == 0:
		return errors.New("the region is not founded yet")
	}
	if _, leader := n.raft.LeaderWithID(); leader == "" {
		return errors.New("no leader at this moment")
	}
	return nil
}

func (n *Node) size() uint64 {
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	return n.machine.meta.Size
}

// getCheckpoint serves the newest counting checkpoint (tlog-tiles, "Checkpoints").
func (n *Node) getCheckpoint(w http.ResponseWriter, r *http.Request) {
	note, err := n.Checkpoint(r.Context())
	if err != nil {
		web.WriteError(w, http.StatusServiceUnavailable, registry.ErrNoLog.Code, registry.ErrNoLog.Detail)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache") // "its headers SHOULD prevent caching beyond a few seconds"
	w.Write(note)
}

// getTile serves tiles and entry bundles under the served checkpoint. What is beyond it is
// not log yet, and is not found.
func (n *Node) getTile(w http.ResponseWriter, r *http.Request) {
	serveTile(w, r, strings.TrimPrefix(r.URL.Path, "/"), n.tile, func(err error) { n.internal(w, r, err) })
}

func writeTile(w http.ResponseWriter, r *http.Request, tile tlog.Tile, data []byte) {
	if tile.Entries {
		w.Header().Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) { // "Entry bundles SHOULD be compressed at the HTTP layer"; hashes do not get smaller
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			packed.Write(data)
			packed.Close()
			return
		}
	}
	w.Write(data)
}

// acceptsGzip reads Accept-Encoding (RFC 9110 12.5.3) as far as tlog clients use it.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}

// getProof gives a tlog-proof file for a leaf.
func (n *Node) getProof(w http.ResponseWriter, r *http.Request) {
	text := mux.Vars(r)["index"]
	index, err := strconv.ParseUint(text, 10, 63)
	if err != nil || strconv.FormatUint(index, 10) != text {
		web.WriteError(w, http.StatusBadRequest, "bad-index", "the index of a leaf is a number, counted from 0")
		return
	}
	proof, err := n.proof(index)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		web.WriteError(w, http.StatusNotFound, "not-found", "no such leaf under the newest checkpoint")
		return
	case err != nil:
		n.internal(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(proof.Marshal())
}

// getPolicy gives the tlog-policy for checkpoints of the newest size: what makes them count, and
// a witness from outside the region if it has one; ?witnesses=none leaves the witness out. Who
// checks against a region pins its genesis and follows the handovers; this file is for
// public tools.
func (n *Node) getPolicy(w http.ResponseWriter, r *http.Request) {
	covered := n.covered() // not under the lock: a signature may be on its way to the disk
	n.machine.mu.RLock()
	view := n.machine.state.View()
	file, err := view.WitnessedPolicy(covered)
	if err != nil || r.URL.Query().Get("witnesses") == "none" {
		file, err = view.Policy(covered)
	}
	n.machine.mu.RUnlock()
	if err != nil {
		web.WriteError(w, http.StatusServiceUnavailable, registry.ErrNoLog.Code, registry.ErrNoLog.Detail)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte(file))
}

// getType serves the Type Metadata of a credential type: the document of a vct never
// changes (SD-JWT VC section 6).
func getType(w http.ResponseWriter, r *http.Request) {
	vars := mux.Vars(r)
	for _, t := range paspoort.Types() {
		if t.Slug() != vars["name"] || vars["version"] != "1" {
			continue
		}
		body, err := paspoort.TypeMetadata(t)
		if err == nil {
			web.CORS(web.Static("application/json", body, 24*time.Hour)).ServeHTTP(w, r)
			return
		}
	}
	web.WriteError(w, http.StatusNotFound, "not-found", "no such credential type or version")
}

// broken is an error of the node itself.
func (n *Node) internal(w http.ResponseWriter, r *http.Request, err error) {
	pattern, _ := mux.CurrentRoute(r).GetPathTemplate() // never the path itself
	n.log.Error("request failed", "route", pattern, "error", err)
	web.WriteError(w, http.StatusInternalServerError, registry.ErrServer.Code, registry.ErrServer.Detail)
}

// Timestamp implements registry.Timestamper: a signed time over 32 bytes that mean nothing
// to the node. It keeps and logs nothing of it.
func (n *Node) Timestamp(_ context.Context, commitment [32]byte) (string, error) {
	return paspoort.SignTimestamp(n.cfg.TimestampKey, n.genesis, n.cfg.ID, commitment, n.cfg.Clock())
}

// Read implements evidence.Copy over the node's own state, as far as its checkpoint goes.
func (n *Node) Read(_ context.Context, fn func(registry.View, paspoort.RegistryFacts) error) (err error) {
	_, seen := n.publisher.Checkpoint()
	fresh := n.publisher.freshness()
	m := n.machine
	m.mu.RLock()
	defer m.mu.RUnlock()
	defer m.lostRows(&err)
	if m.meta.Size == 0 {
		return evidence.ErrNoCopy
	}
	view := m.state.View()
	facts := paspoort.RegistryFacts{Region: n.genesis, Trust: paspoort.Unsigned, Source: n.cfg.ID}
	if seen != nil {
		view.AsOf = seen.Checkpoint.Size
		facts.Time, facts.Trust = fresh.Time, paspoort.OwnNodes
		if !fresh.OwnNodesOnly {
			facts.Trust = paspoort.Witnessed
		}
	}
	view.Payloads = m.payloads
	facts.Leaves, facts.Name = view.AsOf, view.Region(m.state.LogTime()).Name
	return fn(view, facts)
}

var (
	_ registry.Reader        = (*Node)(nil)
	_ registry.Log           = (*Node)(nil)
	_ registry.Writer        = (*Node)(nil)
	_ registry.Timestamper   = (*Node)(nil)
	_ registry.PayloadSource = (*Node)(nil)
	_ evidence.Copy          = (*Node)(nil)
)
