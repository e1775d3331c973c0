package node

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// mirrors are this node's copies of the regions that its own accepted (D10), each verified leaf
// by leaf through the same Apply, in a store beside the node's own. A copy is for people here
// who meet somebody from there, for verifiers when that region is down, and for the witness,
// which learns from it whose logs it may cosign.
type mirrors struct {
	n          *Node
	neighbours *evidence.Neighbours

	mu      sync.Mutex
	handler map[*evidence.Follower]http.Handler // of the registry's protocol over a copy
}

const dirMirrors = "mirrors"

// mirrorFormat is of the store of all mirrors.
const mirrorFormat = 1

func newMirrors(n *Node) (*mirrors, error) {
	m := &mirrors{n: n, handler: map[*evidence.Follower]http.Handler{}}
	var err error
	m.neighbours, err = evidence.NewNeighbours(evidence.NeighboursConfig{
		Home: n, Room: func() error { return roomForMirrors(n.cfg) }, Self: n.region().nodes[n.cfg.ID].URL, Store: m.open, Every: n.cfg.MirrorInterval, Clock: n.cfg.Clock, Log: n.log,
		Source: func(url string) evidence.Source { return registry.Client{HTTP: n.cfg.Outside, URL: url} },
	})
	return m, err
}

// open opens the store when the first region is accepted; most regions begin alone.
func (m *mirrors) open() (kv.Store, error) {
	if m.n.openMirrors == nil {
		return kv.NewMemory(), nil
	}
	store, err := m.n.openMirrors()
	if err != nil {
		return nil, err
	}
	if err := kv.CheckFormat(store, "mirrors", mirrorFormat); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	m.n.close = append(m.n.close, store.Close) // read when all goroutines of Run have ended
	return store, nil
}

// mirrorStore opens the store of the mirrors in a data folder.
func mirrorStore(c Config) func() (kv.Store, error) {
	return func() (kv.Store, error) {
		return kv.OpenBadger(filepath.Join(c.Dir, dirMirrors), kv.Options{Log: c.Log})
	}
}

func (m *mirrors) run(ctx context.Context) {
	if m.n.cfg.Outside != nil {
		_ = m.neighbours.Run(ctx) // it ends with ctx only
	}
}

// peerRegion implements peerLogs.
func (m *mirrors) peerRegion(origin string) (out peerLog, ok bool) {
	for _, peer := range m.neighbours.List() {
		if peer.State != registry.PeerAccepted || peer.Origin != origin || peer.Follower == nil || peer.Follower.Health().Fork != nil {
			continue
		}
		if !m.n.accepts(peer.Genesis) {
			continue
		}
		err := peer.Follower.Read(context.Background(), func(v registry.View, _ paspoort.RegistryFacts) error {
			if v.Region(m.n.cfg.Clock()).Origin != origin {
				return evidence.ErrNoCopy
			}
			for _, node := range v.ActiveNodes() {
				key, err := verifierKey(origin, tlog.TypeLog, node.LogKey)
				if err != nil {
					return err
				}
				out.keys, out.urls = append(out.keys, key), append(out.urls, node.URL)
			}
			return nil
		})
		if err == nil {
			out.genesis, out.rootAt = peer.Genesis, peer.Follower.RootAt
			out.newest, err = peer.Follower.Checkpoint(context.Background())
		}
		return out, err == nil
	}
	return out, false
}

// Mirror is a region that this one accepted once, and this node's copy of it.
type Mirror struct {
	registry.PeerStanding
	Leaves   uint64    `json:"leaves"`               // in the copy
	Rules    int       `json:"rules,omitzero"`       // version in force there
	Time     time.Time `json:"time,omitzero"`        // when its nodes last stood behind the newest checkpoint here
	Age      int64     `json:"age_seconds,omitzero"` // since Time
	Trust    string    `json:"trust,omitempty"`      // witnessed or own_nodes
	Health   string    `json:"health"`               // ok, waiting, or what is wrong
	Asked    time.Time `json:"asked,omitzero"`       // its nodes, last
	Answered time.Time `json:"answered,omitzero"`    // when one last gave what can be verified
	Relied   bool      `json:"relied"`               // what it says counts now
}

// The health of a mirror, beside the codes of package evidence.
const (
	mirrorOK      = "ok"
	mirrorWaiting = "waiting" // nothing was read yet
	mirrorDamaged = "damaged" // the copy on this disk cannot be opened
	mirrorKept    = "kept"    // the region was dropped: its nodes are not asked, what is known stays
)

// Mirrors are all of them, in the order of acceptance.
func (n *Node) Mirrors() []Mirror {
	out := []Mirror{}
	for _, peer := range n.mirrors.neighbours.List() {
		out = append(out, n.mirror(peer))
	}
	return out
}

// Who is told when another region is away. Beyond the limit of verifiers nothing from there counts.
const (
	neighbourAway  = 30 * time.Minute
	neighbourLimit = 7 * 24 * time.Hour
)

// neighbourFindings says what needs a person about regions that this one relies on.
func neighbourFindings(list []Mirror, now time.Time) []alert.Finding {
	var out []alert.Finding
	hours := func(d time.Duration) string { return strconv.Itoa(int(d / time.Hour)) }
	for _, m := range list {
		if m.State != registry.PeerAccepted || m.ContinuedBy != "" {
			continue
		}
		f := alert.Finding{Code: m.Health, Subject: m.Name, Raise: alert.Critical}
		switch m.Health {
		case evidence.RegionDown:
			f.Raise, f.After, f.Value, f.Limit = alert.Warning, neighbourAway, hours(now.Sub(m.Time)), strconv.Itoa(int(neighbourLimit/(24*time.Hour)))
			if m.Time.IsZero() {
				f.Value = hours(now.Sub(dated(m.Since)))
			}
		case evidence.RegionLies, paspoort.DoubtNewer:
			f.Raise = alert.Warning
		case paspoort.DoubtForked, paspoort.DoubtFrozen:
		case mirrorDamaged:
			f.Code = "region_damaged"
		default:
			continue
		}
		out = append(out, f)
	}
	return out
}

func (n *Node) mirror(peer *evidence.Neighbour) Mirror {
	out := Mirror{PeerStanding: peer.PeerStanding, Health: mirrorDamaged}
	if peer.Follower == nil {
		return out
	}
	health := peer.Follower.Health()
	out.Health, out.Asked, out.Answered = health.Code, health.Asked, health.Answered
	err := peer.Follower.Read(context.Background(), func(v registry.View, facts paspoort.RegistryFacts) error {
		out.Leaves, out.Time, out.Trust, out.Rules = facts.Leaves, facts.Time, string(facts.Trust), v.State.Rules()
		out.Age = max(0, int64(n.cfg.Clock().Sub(facts.Time)/time.Second))
		age := n.cfg.Clock().Sub(facts.Time) // as verifiers judge: neither too old nor from a day to come
		out.Relied = peer.State == registry.PeerAccepted && facts.Relied(n.cfg.Clock()) && age <= neighbourLimit && age >= -clockDiffers
		return nil
	})
	switch {
	case peer.State == registry.PeerDropped && out.Health == evidence.RegionDown:
		out.Health = mirrorKept
	case err != nil && out.Health == "":
		out.Health = mirrorWaiting
	case out.Health == "":
		out.Health = mirrorOK
	}
	return out
}
