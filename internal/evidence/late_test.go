package evidence_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

// A follower that first hears of a region when other keys sign its checkpoints walks from the
// founding event to today, and does so again from its own disk.
func TestFollowerThatComesLate(t *testing.T) {
	r := registrytest.New(t)
	rekey := func(id string, signers ...string) {
		n, keys := registrytest.Node(id+"-b", "opleidersberaad")
		change := &registry.NodeChange{ID: id, Keys: &registry.NodeKeys{Cosigner: n.CosignerKey, Log: n.LogKey}, Reason: "nieuwe sleutels"}
		r.Do(registry.KindNodeKeys, change, registrytest.Werkgevers, registrytest.Opleiders)
		r.Nodes[id] = keys
		r.Admit("na-"+id, registry.Issuer)
		r.Handover(signers...)
	}
	// Each handover has the nodes before and after it, and no more than that.
	rekey("knoop-3", "knoop-1", "knoop-2")
	rekey("knoop-2", "knoop-1", "knoop-3")
	r.Advance(time.Hour)
	r.Admit("vaart", registry.Issuer)
	r.Checkpoint("knoop-2", "knoop-3") // no key of the founding signed this

	server := httptest.NewServer(r.Handler())
	t.Cleanup(server.Close)
	node := registry.Client{HTTP: server.Client(), URL: server.URL}
	clock := func() time.Time { return r.Now }
	config := evidence.FollowerConfig{Genesis: r.Genesis(), Sources: []evidence.Source{node}, Store: kv.NewMemory(), Clock: clock}
	f := newFollower(t, config)
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := facts(t, f); got.Leaves != r.State.Size() {
		t.Errorf("%d leaves, want %d", got.Leaves, r.State.Size())
	}
	config.Sources = nil
	if after := facts(t, newFollower(t, config)); after != facts(t, f) {
		t.Errorf("after a restart %+v, before %+v", after, facts(t, f))
	}
}
