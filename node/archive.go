package node

import (
	"context"
	"hash/fnv"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/statusarchive"
)

// archive keeps the status list tokens of this region's issuers: the newest of each list, and
// one of each day before. It fetches them as any verifier would, of every issuer alike and on a
// schedule of its own, so that no issuer learns from it that somebody checks. Verifiers who ask
// nodes take all of them at once (statusarchive.Client.Bundle).
//
// A token is kept when the registry lets its signer sign for the organisation on the day that it
// names, and is handed out as it was signed: nobody has to take this node's word for it. What a
// list did that an honest one does not is kept with the two tokens that show it.
//
// It has no part in raft: each node fetches itself, and they compare what they got.
type archive struct {
	config archiveConfig
	opened sync.Mutex // of opening the store
	store  kv.Store   // nil until the first list
	keep   sync.Mutex // of who changes rows

	mu    sync.Mutex
	known map[string]*lister // by organisation
	seen  struct {
		size uint64
		at   time.Time
	}
}

// archiveConfig is what an archive is made of.
type archiveConfig struct {
	Node   string // id of this node
	Reader interface {
		Read(context.Context, func(registry.View, paspoort.RegistryFacts) error) error
	}
	HTTP   statusarchive.Doer                  // nil: nothing is fetched
	Others func() []statusarchive.Client       // archives of the region's other nodes
	Open   func(create bool) (kv.Store, error) // nil without create when there is none yet
	Room   func() error                        // fails when nothing more is to be kept; nil: there is room
	Every  time.Duration                       // at least, between two looks at one list
	Clock  func() time.Time
	Log    *slog.Logger
}

const (
	archiveTick     = 10 * time.Second // between two looks at whose turn it is
	archiveFind     = 6 * time.Hour    // between two looks at which lists an issuer has
	archivePause    = 6 * time.Hour    // at most, until who does not answer is asked again
	archiveWorkers  = 4                // issuers that are asked at a time; one issuer gets one request at a time
	archiveTimeout  = 30 * time.Second // of one request
	archiveAsk      = 2 * time.Minute  // of all that is due of one issuer; the rest waits for the next round
	maxArchiveLists = 64               // of one organisation
	maxArchiveToken = 1 << 20          // bytes: a list of millions of entries
	maxInflated     = 1 << 20

	archiveLeaves = 8 // times the free space below which a node stops: there the archive grows no more

	dirArchive    = "archive"
	archiveFormat = 1
)

func newArchive(c archiveConfig) *archive {
	return &archive{config: c, known: map[string]*lister{}}
}

// archiveOf is the archive of a node.
func archiveOf(n *Node) *archive {
	c := archiveConfig{Node: n.cfg.ID, Reader: n, HTTP: n.cfg.Outside, Open: n.openArchive, Every: n.cfg.ArchiveInterval, Clock: n.cfg.Clock, Log: n.log}
	if c.Open == nil {
		c.Open = func(bool) (kv.Store, error) { return kv.NewMemory(), nil }
	}
	c.Room = func() error {
		// The archive shares a disk with the registry, and issuers decide how much they publish.
		if n.cfg.Dir == "" {
			return nil
		}
		roomy := n.cfg
		roomy.MinFree *= archiveLeaves
		return checkSpace(roomy)
	}
	c.Others = func() (out []statusarchive.Client) {
		nodes := n.region().nodes
		for _, id := range sortedKeys(nodes) {
			if id != n.cfg.ID {
				out = append(out, statusarchive.Client{HTTP: c.HTTP, URL: nodes[id].URL + "/v1/statuses"})
			}
		}
		return out
	}
	return newArchive(c)
}

// archiveStore opens the store in a data folder; without create only one that is there.
func archiveStore(c Config) func(create bool) (kv.Store, error) {
	return func(create bool) (kv.Store, error) {
		dir := filepath.Join(c.Dir, dirArchive)
		if _, err := os.Stat(dir); err != nil && !create {
			return nil, nil
		}
		return kv.OpenBadger(dir, kv.Options{Log: c.Log, MemTable: memTable})
	}
}

// run fetches until ctx ends.
func (a *archive) run(ctx context.Context) {
	if _, err := a.open(false); err != nil {
		a.config.Log.Error("the status archive cannot be opened", "error", err)
		return
	}
	if a.config.HTTP == nil {
		return
	}
	var compared, pruned time.Time
	for {
		if err := a.look(ctx); err != nil && ctx.Err() == nil {
			a.config.Log.Debug("whose status lists to fetch is not known now", "error", err)
		}
		a.fetch(ctx)
		now := a.config.Clock()
		if now.Sub(compared) >= a.config.Every {
			compared = now
			a.compare(ctx)
		}
		if now.Sub(pruned) >= 24*time.Hour {
			pruned = now
			if err := a.prune(now); err != nil {
				a.config.Log.Warn("old status tokens could not be deleted", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(archiveTick, a.config.Every)):
		}
	}
}

// lister is an organisation that publishes status lists, with when it is to be asked.
type lister struct {
	id        string
	urls      []string // where it is found
	custodian string   // archive of who signs its lists on; empty for none
	find      turn     // which lists it has
	custody   turn
	lists     map[string]*turn // by address
}

// turn is when something is asked again.
type turn struct {
	next   time.Time
	failed int // times in a row
}

// late puts a turn off, each time longer; who answers may ask for more (RFC 9110 10.2.3).
func (t *turn) late(now time.Time, least, asked time.Duration) {
	t.failed++
	wait := min(least<<min(t.failed-1, 12), archivePause)
	t.next = now.Add(max(wait, min(asked, 24*time.Hour)))
}

// look reads in the registry whose lists are kept: of every organisation that was ever admitted
// to issue, because what it issued lasts longer than its admission.
func (a *archive) look(ctx context.Context) error {
	now := a.config.Clock()
	found, erased := map[string]*lister{}, []string{}
	var size uint64
	err := a.config.Reader.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
		size = v.AsOf
		if a.seen.size == size && now.Sub(a.seen.at) < time.Hour {
			return nil
		}
		for _, o := range v.Organisations(now).Organisations {
			if o.Erased {
				erased = append(erased, o.ID)
			} else if p := newLister(v, o, now); p != nil {
				found[p.id] = p
			}
		}
		return nil
	})
	if err != nil || a.seen.size == size && now.Sub(a.seen.at) < time.Hour {
		return err
	}
	if err := a.erase(erased); err != nil {
		return err
	}
	a.seen.size, a.seen.at = size, now
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, p := range found {
		if old := a.known[id]; old != nil {
			p.lists = old.lists
			if slices.Equal(old.urls, p.urls) {
				p.find = old.find
			}
			if old.custodian == p.custodian {
				p.custody = old.custody
			}
		}
	}
	a.known = found
	return nil
}

func newLister(v registry.View, o registry.Organisation, now time.Time) *lister {
	if !slices.ContainsFunc(o.Roles, func(r registry.RoleView) bool { return r.Role == registry.Issuer && len(r.Standing.Grants) > 0 }) {
		return nil
	}
	p := &lister{id: o.ID, urls: urlsOf(o), lists: map[string]*turn{}}
	if c, ok := v.Custodian(o.ID, now); ok {
		if by, err := v.Organisation(c.By, now); err == nil {
			if urls := urlsOf(by); len(urls) > 0 {
				p.custodian = urls[0] + "/custody"
			}
		}
	}
	return p
}

func urlsOf(o registry.Organisation) (out []string) {
	for _, alias := range o.Aliases {
		if alias.Type == registry.AliasURL {
			out = append(out, alias.Value)
		}
	}
	return out
}

// atHost says whether an address is at one of the organisation's own hosts.
func (p *lister) atHost(uri string) bool {
	of, err := url.Parse(uri)
	return err == nil && slices.ContainsFunc(p.urls, func(own string) bool {
		u, err := url.Parse(own)
		return err == nil && u.Host == of.Host
	})
}

// spread keeps the nodes from asking one issuer at the same moment.
func (a *archive) spread(uri string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(a.config.Node + " " + uri))
	return a.config.Every / 4 * time.Duration(h.Sum32()%1000) / 1000
}

// publishers are all of them, in order.
func (a *archive) publishers() []*lister {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []*lister
	for _, id := range slices.Sorted(maps.Keys(a.known)) {
		out = append(out, a.known[id])
	}
	return out
}

func (a *archive) publisher(id string) *lister {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known[id]
}
