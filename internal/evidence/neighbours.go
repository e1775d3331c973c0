package evidence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// NeighboursConfig says whose neighbours are followed, and how they are reached.
type NeighboursConfig struct {
	// Home is a copy of the region that decides which other regions count.
	Home Copy
	// Except are ids of regions that are followed elsewhere already.
	Except []string
	// Self is the public address of this node, whose own mirror is not asked; empty for who is
	// no node.
	Self string
	// Source reads the log of a region at an address: of one of its nodes, or of a mirror.
	Source func(url string) Source
	// Store keeps the copies of all neighbours. It is opened when there is the first; nil keeps
	// them in memory. Who gives it closes it, after Run returned.
	Store func() (kv.Store, error)
	Room  func() error // see [FollowerConfig]
	Every time.Duration
	Clock func() time.Time
	Log   *slog.Logger
}

// Neighbours follow the regions that one region, the home, accepted (D10). What members of the
// home region decided is read from its copy at each look: who is accepted, where its nodes are,
// for which types, until when. A neighbour's neighbours are not followed.
//
// The log is read from the neighbour's own nodes and, when none of these answers, from the
// mirrors that the home region's nodes keep. A region that was dropped is asked nothing more;
// what is known of it stays, because credentials of before may still count.
type Neighbours struct {
	config NeighboursConfig

	looks sync.Mutex // one look at a time
	store kv.Store   // under looks

	mu    sync.RWMutex
	known map[string]*Neighbour // by region id; entries are replaced, not changed

	turns chan struct{}
}

// Neighbour is a region that the home region accepted once.
type Neighbour struct {
	registry.PeerStanding
	Follower *Follower // nil when its copy cannot be opened
	Err      error     // why
}

// maxNeighbours bounds how many regions are followed.
const maxNeighbours = 256

// NewNeighbours starts nothing: see [Neighbours.Run] and [Neighbours.Refresh].
func NewNeighbours(c NeighboursConfig) (*Neighbours, error) {
	if c.Home == nil || c.Source == nil {
		return nil, errors.New("neighbours: of which region, and how are they reached?")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Every <= 0 {
		c.Every = 30 * time.Second
	}
	return &Neighbours{config: c, known: map[string]*Neighbour{}, turns: make(chan struct{}, runtime.GOMAXPROCS(0))}, nil
}

// Run follows all neighbours until ctx ends.
func (n *Neighbours) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	started := map[string]bool{}
	for {
		if err := n.look(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrNoCopy) {
			n.config.Log.Warn("neighbours could not be looked up", "error", err)
		}
		for _, peer := range n.List() {
			if peer.Follower != nil && !started[peer.Genesis] {
				started[peer.Genesis] = true
				running.Go(func() { _ = peer.Follower.guard(func() error { return peer.Follower.Run(ctx) }) })
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(n.config.Every):
		}
	}
}

// Refresh looks who the neighbours are and asks each once. It succeeds when the home region
// could be read: a neighbour that does not answer is known by its copy, see [Follower.Health].
func (n *Neighbours) Refresh(ctx context.Context) error {
	if err := n.look(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, peer := range n.List() {
		if peer.Follower != nil {
			group.Go(func() error {
				if err := peer.Follower.guard(func() error { return peer.Follower.Refresh(ctx) }); err != nil {
					n.config.Log.Debug("neighbour could not be followed", "region", peer.Genesis[:8], "error", err)
				}
				return nil
			})
		}
	}
	return group.Wait()
}

// List are the neighbours, accepted and former ones, in the order of their acceptance.
func (n *Neighbours) List() []*Neighbour {
	n.mu.RLock()
	defer n.mu.RUnlock()
	out := make([]*Neighbour, 0, len(n.known))
	for _, peer := range n.known {
		out = append(out, peer)
	}
	slices.SortFunc(out, func(a, b *Neighbour) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Genesis, b.Genesis))
	})
	return out
}

// Get is the neighbour with a region id; false when there is none.
func (n *Neighbours) Get(genesis string) (*Neighbour, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	peer, ok := n.known[genesis]
	return peer, ok
}

// look reads the home region's copy and brings the list of neighbours up to it.
func (n *Neighbours) look(ctx context.Context) error {
	n.looks.Lock()
	defer n.looks.Unlock()
	peers, mirrors, err := n.decided(ctx)
	if err != nil {
		return err
	}
	if len(peers) > maxNeighbours {
		n.config.Log.Error("more regions than are followed", "accepted", len(peers), "followed", maxNeighbours)
		peers = peers[:maxNeighbours]
	}
	for _, p := range peers {
		n.take(ctx, p, mirrors)
	}
	return nil
}

// decided is what the home region says: who its neighbours are, and where its own nodes are,
// which keep mirrors.
func (n *Neighbours) decided(ctx context.Context) (peers []registry.PeerStanding, mirrors []string, err error) {
	now := n.config.Clock()
	err = n.config.Home.Read(ctx, func(v registry.View, _ RegistryFacts) error {
		for _, p := range v.Peers(now) {
			if p.Genesis != n.config.Home.Genesis() && !slices.Contains(n.config.Except, p.Genesis) {
				peers = append(peers, p)
			}
		}
		for _, node := range v.ActiveNodes() {
			if node.URL != n.config.Self {
				mirrors = append(mirrors, node.URL)
			}
		}
		return nil
	})
	return peers, mirrors, err
}

// take follows a neighbour from now on as was decided.
func (n *Neighbours) take(ctx context.Context, p registry.PeerStanding, mirrors []string) {
	next := &Neighbour{PeerStanding: p}
	if old, ok := n.Get(p.Genesis); ok {
		next.Follower, next.Err = old.Follower, old.Err
	} else if next.Follower, next.Err = n.open(p.Genesis); next.Err != nil {
		n.config.Log.Error("the copy of a neighbour cannot be opened", "region", p.Genesis[:8], "error", next.Err)
	}
	if next.Follower != nil {
		next.Follower.SetSources(n.nodes(ctx, next), n.sources(mirrors, "/regions/"+p.Genesis))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[p.Genesis] = next
}

func (n *Neighbours) open(genesis string) (*Follower, error) {
	if n.store == nil && n.config.Store != nil {
		store, err := n.config.Store()
		if err != nil {
			return nil, err
		}
		n.store = store
	}
	f, err := NewFollower(FollowerConfig{Genesis: genesis, Store: n.store, Turns: n.turns, Room: n.config.Room, Every: n.config.Every, Clock: n.config.Clock, Log: n.config.Log})
	if err != nil {
		return nil, fmt.Errorf("neighbour: %w", err)
	}
	return f, nil
}

// nodes are where the region's own nodes are: as was decided here, and as its own log says.
func (n *Neighbours) nodes(ctx context.Context, p *Neighbour) []Source {
	if p.State == registry.PeerDropped {
		return nil
	}
	urls := slices.Clone(p.URLs)
	_ = p.Follower.Read(ctx, func(v registry.View, _ RegistryFacts) error { // without a copy the decision is all there is
		for _, node := range v.ActiveNodes() {
			if !slices.Contains(urls, node.URL) {
				urls = append(urls, node.URL)
			}
		}
		return nil
	})
	return n.sources(urls, "")
}

func (n *Neighbours) sources(urls []string, under string) (out []Source) {
	for _, url := range urls {
		out = append(out, n.config.Source(url+under))
	}
	return out
}
