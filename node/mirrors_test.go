package node

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// abroad is another region that answers at hosts, as its nodes do.
type abroad struct {
	*evidencetest.Region
	copy atomic.Pointer[evidence.Follower]
}

func newAbroad(t testing.TB) *abroad {
	a := &abroad{Region: evidencetest.Named(t, time.Now, "Regio Maasdal", "maasdal.example")}
	a.serve(t, a.Region)
	return a
}

// serve makes the nodes answer with a region, which may be another history of it.
func (a *abroad) serve(t testing.TB, r *evidencetest.Region) {
	copied, err := evidence.NewFollower(evidence.FollowerConfig{Genesis: r.Genesis, Sources: []evidence.Source{r}, Store: kv.NewMemory(), Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	a.copy.Store(copied)
}

// ServeHTTP answers with what the region is now.
func (a *abroad) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := a.copy.Load()
	_ = f.Refresh(r.Context()) // what does not work shows in the answer
	registry.NewServer(registry.ServerConfig{Reader: f, Log: f, Writer: f, Now: time.Now}).ServeHTTP(w, r)
}

func (a *abroad) accepted(until time.Time) *registry.PeerAcceptance {
	return &registry.PeerAcceptance{Genesis: a.Genesis, Name: "Regio Maasdal", Origin: a.Charter.Origin, Reason: "Zij werken zoals wij",
		URLs: []string{"https://ver.example"}, Until: until.Unix()}
}

// mirrored waits until a node has a copy in this health.
func (c *cluster) mirrored(id, health string) Mirror {
	c.t.Helper()
	var out Mirror
	eventually(c.t, id+" has a mirror that is "+health, func() bool {
		list := c.get(id).Mirrors()
		if len(list) > 0 {
			out = list[0]
		}
		return out.Health == health
	})
	return out
}

// asked200 is the answer of a node to a GET, which must be as it is described.
func (n *Node) asked200(t testing.TB, path string, out any) {
	t.Helper()
	h, err := n.Handler()
	if err != nil {
		t.Fatal(err)
	}
	s := &apiStage{t: t.(*testing.T), handler: h}
	s.readDocument()
	w := s.call(http.MethodGet, path, "", "")
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Every node keeps a copy of an accepted region, and gives it to who asks: to a node here that
// cannot reach that region, and to anybody who knows the region's id.
func TestMirrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, home := newAbroad(t), newRoads()
		issuer := far.Issuer("stroom.example", paspoort.Opleiding)
		direct := newRoads()
		direct.hosts["ver.example"] = far
		c := newClusterWith(t, 3, func(c *Config) {
			if c.Outside = direct; c.ID == "knoop-3" {
				c.Outside = home // knows the way to the other nodes here only
			}
		})
		defer c.close()
		c.leader()
		for _, id := range []string{"knoop-1", "knoop-2"} {
			h, err := c.get(id).Handler()
			if err != nil {
				t.Fatal(err)
			}
			home.mu.Lock()
			home.hosts[id+".example"] = h
			home.mu.Unlock()
		}
		c.event(registry.KindPeerAccepted, far.accepted(time.Now().AddDate(2, 0, 0)), "lid-1", "lid-2")
		for _, id := range c.ids() {
			health := mirrorOK
			if id == "knoop-3" {
				health = evidence.RegionDown // it has what the others keep, and knows that it is from them
			}
			eventually(t, id+" has a copy", func() bool { return len(c.get(id).Mirrors()) > 0 && c.get(id).Mirrors()[0].Leaves > 0 })
			m := c.mirrored(id, health)
			if m.Leaves == 0 || m.Age > 60 || m.State != registry.PeerAccepted || m.Trust != string(paspoort.OwnNodes) {
				t.Errorf("%s: %+v", id, m)
			}
		}

		base := "https://knoop-1.example/regions/" + far.Genesis
		mirror := registry.Client{HTTP: home, URL: base}
		replica, err := registry.NewReplica(far.Genesis)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mirror.Follow(t.Context(), replica); err != nil || replica.Size() == 0 {
			t.Errorf("following the mirror: %v", err)
		}
		got, err := mirror.Admission(t.Context(), registry.Question{Lookup: registry.Lookup{URL: issuer.URL}, Role: registry.Issuer}, registry.When{})
		if err != nil || !got.Admitted || got.Genesis != far.Genesis || got.Read.Checkpoint != replica.Size() || got.Read.Node != "knoop-1" {
			t.Errorf("the answer about an organisation there: %+v, %v", got, err)
		}
		if _, err := mirror.Organisations(t.Context(), registry.When{Consistency: registry.Linearizable}); err == nil {
			t.Error("a mirror says that it has all there is")
		}
		if _, err := mirror.Submit(t.Context(), registry.Submission{Event: c.application("Wie dan ook", time.Now())}); err == nil || !strings.Contains(err.Error(), "copy of another region") {
			t.Errorf("a mirror takes events: %v", err)
		}
		tiles := tileSource{func(tile tlog.Tile) ([]byte, error) { return fetchBody(t, home, base+"/"+tile.Path()) }}
		head, err := tlog.PeekCheckpoint(replica.Checkpoint())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tlog.ProveInclusion(head, head.Size/2, tiles); err != nil {
			t.Errorf("the tiles of the mirror: %v", err)
		}
		if log, ok := c.get("knoop-3").mirrors.peerRegion(far.Charter.Origin); !ok || len(log.keys) != 3 || len(log.newest) == 0 {
			t.Errorf("what a witness learns: %+v, %v", log, ok)
		}
		for _, page := range []string{"/checkpoint", "", "/organisations/" + issuer.ID} {
			c.get("knoop-2").asked200(t, "/regions/"+far.Genesis+page, nil)
		}
		c.get("knoop-2").asked200(t, "/regions", nil)
		var found Discovery
		c.get("knoop-2").asked200(t, "/.well-known/paspoort-region", &found)
		if found.Genesis != c.genesis || len(found.Nodes) != 3 || len(found.Regions) != 1 || found.Regions[0].Genesis != far.Genesis {
			t.Errorf("discovery: %+v", found)
		}

		c.event(registry.KindPeerDropped, &registry.PeerDrop{Genesis: far.Genesis, Reason: "Zij keken niet meer"}, "lid-1", "lid-2")
		eventually(t, "the region is dropped", func() bool { return c.get("knoop-1").Mirrors()[0].State == registry.PeerDropped })
		if _, ok := c.get("knoop-1").mirrors.peerRegion(far.Charter.Origin); ok {
			t.Error("a dropped region is witnessed")
		}
		var list regionsAnswer
		c.get("knoop-1").asked200(t, "/v1/regions", &list)
		if len(list.Regions) != 1 || list.Regions[0].Leaves == 0 || list.Regions[0].Relied {
			t.Errorf("what is known of a dropped region: %+v", list.Regions)
		}
	})
}

// What goes wrong with another region is said, and what is known of it stays.
func TestMirrorHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, road := newAbroad(t), newRoads()
		far.Issuer("stroom.example", paspoort.Opleiding)
		road.hosts["ver.example"] = far
		road.set("ver.example", true)
		c := newClusterWith(t, 1, func(c *Config) { c.Outside = road })
		defer c.close()
		c.leader()
		c.event(registry.KindPeerAccepted, far.accepted(time.Now().AddDate(2, 0, 0)), "lid-1", "lid-2")
		c.mirrored("knoop-1", evidence.RegionDown)
		road.set("ver.example", false)
		before := c.mirrored("knoop-1", mirrorOK)
		road.set("ver.example", true)
		if m := c.mirrored("knoop-1", evidence.RegionDown); m.Leaves != before.Leaves || !m.Relied {
			t.Errorf("down: %+v", m)
		}
		road.set("ver.example", false)
		honest := far.Region
		other := honest.Fork()
		honest.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Linde"})
		other.Admit(registry.Application{Role: registry.WalletHost, Name: "Zorggroep Eik"})
		eventually(t, "the mirror follows", func() bool { return c.get("knoop-1").Mirrors()[0].Leaves > before.Leaves })
		far.serve(t, other)
		if m := c.mirrored("knoop-1", paspoort.DoubtForked); m.Relied {
			t.Errorf("forked: %+v", m)
		}
		told := neighbourFindings(c.get("knoop-1").Mirrors(), time.Now())
		if len(told) != 1 || told[0].Code != paspoort.DoubtForked || told[0].Raise != alert.Critical || told[0].Subject != "Regio Maasdal" {
			t.Errorf("the operator is told %+v", told)
		}
		var fork evidence.Fork
		c.get("knoop-1").asked200(t, "/regions/"+far.Genesis+"/fork", &fork)
		if err := fork.Check(); err != nil {
			t.Errorf("the proof that is served: %v", err)
		}
		if _, ok := c.get("knoop-1").mirrors.peerRegion(far.Charter.Origin); ok {
			t.Error("a region with two histories is witnessed")
		}
	})
}

// tileSource reads tiles one by one.
type tileSource struct {
	get func(tlog.Tile) ([]byte, error)
}

func (s tileSource) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, tile := range tiles {
		data, err := s.get(tile)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func fetchBody(t testing.TB, r *roads, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	return io.ReadAll(res.Body)
}
