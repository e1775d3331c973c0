package node

import (
	"crypto/ed25519"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// newClusterAt is a region of one node at another place, with keys of its own.
func newClusterAt(t *testing.T, place string, tune func(*Config)) *cluster {
	c := newClusterOf(t, 1, tune)
	r, node := c.testRegion, &c.charter.Nodes[0]
	k := nodeKeys{tls: namedP256(place + " tls"), timestamp: namedP256(place + " timestamp"), log: namedEd25519(place + " log"), cosigner: namedEd25519(place + " cosigner")}
	r.nodes[node.ID] = k
	node.CosignerKey, node.LogKey = b64(k.cosigner.Public().(ed25519.PublicKey)), b64(k.log.Public().(ed25519.PublicKey))
	node.TLSKey, node.TimestampKey, node.URL = registry.SPKIHash(k.tls.Public()), publicText(t, k.timestamp), "https://"+node.ID+"."+place
	r.charter.Origin, r.charter.Name = place+"/register", "Regio "+place
	event, err := registry.Found(r.charter, r.start, r.members)
	if err != nil {
		t.Fatal(err)
	}
	if r.founding, err = event.Marshal(); err != nil {
		t.Fatal(err)
	}
	r.genesis = event.Event.ID()
	return c
}

// open puts the public side of the region's one node on the road.
func (c *cluster) open(r *roads, place string) {
	c.startNode(c.nodes["knoop-1"])
	h, err := c.get("knoop-1").Handler()
	if err != nil {
		c.t.Fatal(err)
	}
	r.mu.Lock()
	r.hosts["knoop-1."+place] = h
	r.mu.Unlock()
	c.leader()
}

func (c *cluster) accept(other *cluster) {
	c.event(registry.KindPeerAccepted, &registry.PeerAcceptance{Genesis: other.genesis, Name: other.charter.Name, Origin: other.charter.Origin,
		Reason: "Een buur", URLs: []string{other.charter.Nodes[0].URL}, Until: time.Now().AddDate(1, 0, 0).Unix()}, "lid-1", "lid-2")
}

// asWitness is a region's node as the witness of another.
func (c *cluster) asWitness() registry.Witness {
	node := c.charter.Nodes[0]
	return registry.Witness{Genesis: c.genesis, ID: "buur", Key: node.CosignerKey, Name: registry.CosignerName(c.charter.Origin, node.ID), URL: node.URL + "/witness"}
}

// TestRegionsWitnessEachOther: two regions accept each other and name each other's node as
// their witness. What each publishes is witnessed by the other, for readers too, over the
// protocol, and again after a restart; until the other drops it.
func TestRegionsWitnessEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoads()
		tune := func(c *Config) { c.Outside, c.MirrorInterval = r, 5*time.Second }
		a, b := newClusterAt(t, "aakermonde.example", tune), newClusterAt(t, "maasdal.example", tune)
		defer a.close()
		defer b.close()
		a.open(r, "aakermonde.example")
		b.open(r, "maasdal.example")
		a.accept(b)
		b.accept(a)
		a.appoint(b.asWitness())
		b.appoint(a.asWitness())
		a.trusted("knoop-1", trustWitnessed, 3)
		b.trusted("knoop-1", trustWitnessed, 3)

		follower, err := evidence.NewFollower(evidence.FollowerConfig{Genesis: a.genesis, Sources: []evidence.Source{registry.Client{HTTP: r, URL: "https://knoop-1.aakermonde.example"}}})
		if err != nil {
			t.Fatal(err)
		}
		trust := func(want paspoort.Trust, leaves uint64) {
			t.Helper()
			if err := follower.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := follower.Read(t.Context(), func(_ registry.View, f paspoort.RegistryFacts) error {
				if f.Trust != want || f.Leaves != leaves {
					t.Errorf("who follows the region finds %s of %d leaves, want %s of %d", f.Trust, f.Leaves, want, leaves)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
		trust(paspoort.Witnessed, 3)

		b.stopNode("knoop-1")
		r.set("knoop-1.maasdal.example", true)
		a.mustSubmit("knoop-1", "Zorggroep Linde")
		a.published(4)
		trust(paspoort.OwnNodes, 4)
		r.set("knoop-1.maasdal.example", false)
		b.open(r, "maasdal.example")
		a.trusted("knoop-1", trustWitnessed, 4)
		trust(paspoort.Witnessed, 4)

		b.event(registry.KindPeerDropped, &registry.PeerDrop{Genesis: a.genesis, Reason: "Zij houden zich niet aan de afspraken"}, "lid-1", "lid-2")
		b.trusted("knoop-1", trustWitnessed, 4) // the other witnesses still
		a.mustSubmit("knoop-1", "Machinefabriek Ossekamp")
		a.published(5)
		time.Sleep(time.Minute)
		trust(paspoort.OwnNodes, 5)
		if s := a.get("knoop-1").Status().Witnesses; len(s) != 1 || s[0].Problem == "" || s[0].Other {
			t.Errorf("its operator sees %+v", s)
		}
	})
}
