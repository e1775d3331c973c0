package node

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

func TestThreeNodesFoundARegionAndPublishIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		for i := range 5 {
			id := fmt.Sprintf("knoop-%d", i%3+1) // writes go to any node
			o, err := c.submit(id, c.application(fmt.Sprintf("Zorggroep %d", i), time.Now()))
			if err != nil || o.State != registry.OutcomeCommitted || *o.Index != uint64(i+1) {
				t.Fatalf("write %d at %s: %+v, %v", i, id, o, err)
			}
		}
		for _, id := range c.ids() {
			eventually(t, id+" publishes all leaves", func() bool { return c.get(id).covered() == 6 })
			n := c.get(id)
			note, _ := n.Checkpoint(context.Background())
			n.machine.mu.RLock()
			seen, err := n.machine.state.View().CheckCheckpoint(note)
			n.machine.mu.RUnlock()
			if err != nil || len(seen.Cosignatures) < 2 {
				t.Errorf("%s: checkpoint %s: %v", id, note, err)
			}
			log, err := n.region().logKey(id)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tlog.Open(note, log); err != nil {
				t.Errorf("%s does not sign with its own log key: %v", id, err)
			}
			proof, err := n.proof(3)
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := n.Leaves(context.Background(), 3, 4)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.VerifyInclusion(3, 6, tlog.LeafHash(leaf[0]), proof.Path, seen.Checkpoint.Root); err != nil {
				t.Error(err)
			}
		}
	})
}
