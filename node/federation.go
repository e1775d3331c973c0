package node

import (
	"context"
	"crypto"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// federation shows the region to the world as a trust anchor of OpenID Federation 1.1: who
// pinned its keys finds out by standard means whom it admitted, for what, with which keys.
//
// What is said is read from committed state at the moment it is signed, and lasts some hours;
// an entity that was withdrawn is then simply not there any more. What was true before is in
// the log, to which every statement points (`paspoort_log`). Each node signs with a key of its
// own; the entity configuration lists those of all, and any of them may sign.
//
// It implements the halves of [openidfed.Server].
type federation struct {
	config   federationConfig
	entities *entities
	listings listings
}

// federationConfig is what the statements are made of.
type federationConfig struct {
	Genesis string
	Node    string        // id of this node
	Key     crypto.Signer // its federation key; nil signs nothing
	Reader  registry.Reader
	Peers   func() []*evidence.Neighbour // regions that this one accepted once; nil: none are known
	HTTP    openidfed.Doer               // fetches entity configurations; nil: none
	Clock   func() time.Time
	Log     *slog.Logger
}

const (
	statementLife = 12 * time.Hour // of a statement about another; so long a withdrawal may go unseen
	anchorLife    = 24 * time.Hour // of the entity configuration: how soon others see new keys
	markLife      = 24 * time.Hour // of a trust mark, whose status can be asked meanwhile
	// maxFederationAge: a node that has not heard of a leader for so long may not know of a
	// withdrawal, and signs nothing.
	maxFederationAge = time.Hour
	// maxPeerAge is how old what is known of an accepted region may be.
	maxPeerAge = 7 * 24 * time.Hour
)

func newFederation(c federationConfig) *federation {
	return &federation{config: c, entities: newEntities(c)}
}

// matches says whether a request is for the federation; it has the shape of a mux.MatcherFunc.
// The path of the region's entity is the charter's to say and may change, so routes cannot be
// fixed at the start.
func (f *federation) matches(r *http.Request) bool {
	path := r.URL.Path
	if !strings.HasSuffix(path, openidfed.WellKnown) && !strings.Contains(path, "/federation/") {
		return false // most requests, without a look at the state
	}
	entity, err := f.entity(r.Context())
	if err != nil || entity == "" {
		return path == openidfed.WellKnown
	}
	return f.server(entity).Serves(path)
}

func (f *federation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entity, err := f.entity(r.Context())
	if err != nil {
		f.config.Log.Error("federation", "error", err)
	}
	if err != nil || entity == "" {
		web.WriteError(w, http.StatusNotFound, string(openidfed.NotFound), "this region takes no part in OpenID Federation: its charter names no entity")
		return
	}
	f.server(entity).ServeHTTP(w, r)
}

func (f *federation) server(entity string) *openidfed.Server {
	return &openidfed.Server{
		EntityID: entity, Entity: f, Superior: f, MarkIssuer: f, Resolver: f, Historian: f,
		Report: func(_ context.Context, err error) { f.config.Log.Error("federation", "error", err) },
	}
}

// entity is the region's entity identifier; "" when it has none.
func (f *federation) entity(ctx context.Context) (entity string, err error) {
	err = f.config.Reader.View(ctx, registry.Stale, func(v registry.View, _ registry.ReadInfo) error {
		entity = v.Region(f.config.Clock()).Entity
		return nil
	})
	return entity, err
}

// anchor is the region as trust anchor, as one read of the state gives it. view is to be used
// within that read only.
type anchor struct {
	view   registry.View
	now    time.Time
	entity string
	name   string
	origin string
	keys   jose.KeySet // of all nodes
	nodes  []registry.NodeRecord
	peers  []peerAnchor
}

// read reads the state and refuses when this node may not speak for the region.
func (f *federation) read(ctx context.Context, fn func(*anchor) error) error {
	now := f.config.Clock()
	peers := f.peers(ctx, now) // each has a lock of its own
	return f.config.Reader.View(ctx, registry.Stale, func(v registry.View, info registry.ReadInfo) error {
		region := v.Region(now)
		a := &anchor{view: v, now: now, entity: region.Entity, name: region.Name, origin: region.Origin, nodes: v.Nodes(), peers: distinct(region.Entity, peers)}
		if a.entity == "" {
			return openidfed.Refuse(openidfed.NotFound, "this region takes no part in OpenID Federation")
		}
		if time.Duration(info.Age)*time.Second > maxFederationAge {
			return openidfed.Refuse(openidfed.TemporarilyUnavailable, "this node has not heard of the others for too long; ask another node of the region")
		}
		if a.keys = federationKeys(v.ActiveNodes()); !f.mine(v.ActiveNodes()) {
			return openidfed.Refuse(openidfed.TemporarilyUnavailable, "this node signs no federation statements; ask another node of the region")
		}
		return fn(a)
	})
}

// mine says whether the charter names this node's key.
func (f *federation) mine(nodes []registry.NodeRecord) bool {
	if f.config.Key == nil {
		return false
	}
	own, err := registry.NewPublicKey(f.config.Key.Public())
	for _, n := range nodes {
		if n.ID == f.config.Node && n.FederationKey == own && err == nil {
			return true
		}
	}
	return false
}

// federationKeys are the keys of all nodes that have one: "any key in the set may sign".
func federationKeys(nodes []registry.NodeRecord) jose.KeySet {
	var public []crypto.PublicKey
	for _, n := range nodes {
		if key, err := n.FederationKey.ECDSA(); err == nil {
			public = append(public, key)
		}
	}
	set, err := openidfed.Keys(public...)
	if err != nil {
		return jose.KeySet{} // not with keys that the charter took
	}
	return set
}

// peerAnchor is an accepted region that is an entity itself.
type peerAnchor struct {
	registry.PeerStanding
	entity  string
	keys    jose.KeySet
	accepts bool // it accepted this region too
}

// peers are the accepted regions whose log says who they are in the federation. Their keys come
// from this node's own copy of their log, never from a web page.
func (f *federation) peers(ctx context.Context, now time.Time) (out []peerAnchor) {
	if f.config.Peers == nil {
		return nil
	}
	for _, p := range f.config.Peers() {
		if p.State != registry.PeerAccepted || p.Follower == nil || p.Follower.Health().Fork != nil {
			continue
		}
		peer := peerAnchor{PeerStanding: p.PeerStanding}
		err := p.Follower.Read(ctx, func(v registry.View, facts paspoort.RegistryFacts) error {
			if now.Sub(facts.Time) > maxPeerAge {
				return nil
			}
			peer.entity, peer.keys = v.Region(now).Entity, federationKeys(v.ActiveNodes())
			back, known := v.Peer(f.config.Genesis, now)
			peer.accepts = known && back.State == registry.PeerAccepted
			return nil
		})
		if err == nil && peer.entity != "" && len(peer.keys.Keys) > 0 {
			out = append(out, peer)
		}
	}
	return distinct("", out)
}

// distinct leaves out the regions that say they are an entity which another one is too, or this
// region itself: their charters are theirs to write, and nothing tells whose name it is.
func distinct(own string, peers []peerAnchor) []peerAnchor {
	times := map[string]int{sameEntity(own): 1}
	for _, p := range peers {
		times[sameEntity(p.entity)]++
	}
	return slices.DeleteFunc(slices.Clone(peers), func(p peerAnchor) bool { return times[sameEntity(p.entity)] > 1 })
}

// sameEntity is what entity identifiers have in common that lead to one place.
func sameEntity(id string) string { return strings.ToLower(strings.TrimRight(id, "/")) }

// EntityConfiguration implements [openidfed.Entity].
func (f *federation) EntityConfiguration(ctx context.Context) (string, error) {
	var s *openidfed.Statement
	err := f.read(ctx, func(a *anchor) error {
		s = f.configuration(a)
		return nil
	})
	if err != nil {
		return "", err
	}
	return s.Sign(f.config.Key)
}

// configuration is what the region says about itself. The regions that accepted it are its
// superiors, and it is theirs: which of the two somebody pinned does not matter.
func (f *federation) configuration(a *anchor) *openidfed.Statement {
	about := f.server(a.entity).Endpoints()
	about["organization_name"], about["display_name"] = a.name, a.name
	s := &openidfed.Statement{
		Issuer: a.entity, Subject: a.entity, IssuedAt: a.now, ExpiresAt: a.now.Add(anchorLife), Keys: a.keys,
		Metadata:         openidfed.Metadata{openidfed.FederationEntity: about},
		TrustMarkIssuers: map[string][]string{}, Extra: a.logged(a.view.State.Genesis()),
	}
	for _, t := range paspoort.Types() {
		s.TrustMarkIssuers[markType(a.entity, t.VCT())] = []string{a.entity}
	}
	for _, p := range a.peers {
		if p.accepts && p.entity != a.entity {
			s.AuthorityHints = append(s.AuthorityHints, p.entity)
		}
		// A region is relied on for some types only: marks for others mean nothing here.
		for _, t := range paspoort.Types() {
			if p.Relies(t.VCT()) {
				s.TrustMarkIssuers[markType(p.entity, t.VCT())] = []string{p.entity}
			}
		}
	}
	return s
}

// logged is the extension claim that points to an event in the log, so that who doubts can get
// the proof. It is not critical: who does not know it loses nothing.
func (a *anchor) logged(event string) map[string]any {
	index, ok := a.view.State.Leaf(event)
	if !ok {
		return nil
	}
	return map[string]any{"paspoort_log": map[string]any{"origin": a.origin, "index": index}}
}
