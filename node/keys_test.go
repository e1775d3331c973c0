package node

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// TestKeysOfAnother: a founding node with keys that the charter does not know ends with a
// sentence: the others would wait for it, and it for them, as long as they live.
func TestKeysOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterOf(t, 3, nil)
		defer c.close()
		other := c.config("knoop-2")
		m := c.nodes["knoop-3"]
		m.tune = func(cfg *Config) { cfg.CosignerKey = other.CosignerKey }
		if age := c.statusBefore("knoop-1").Age; age != neverHeard {
			t.Errorf("a node that never heard from a leader did so %d s ago", age)
		}
		c.startNode(m)
		select {
		case err := <-m.done:
			for _, want := range []string{"the keys in this folder are not those of knoop-3 in the charter", "the cosigner key"} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
			m.done <- nil // for close
		case <-time.After(time.Minute):
			t.Error("it waits for ever")
		}
	})
}

// TestCheckTorn: a folder that does not contain what its node cosigned gets the advice that helps:
// neither a backup nor an empty folder does.
func TestCheckTorn(t *testing.T) {
	_, _, m := aloneMachine(t)
	f := folder{dir: t.TempDir()}
	for root, torn := range map[string]bool{m.head().Root.String(): false, tlog.LeafHash([]byte("another")).String(): true} {
		if err := f.saveRecord(record{Size: m.meta.Size, Root: root}); err != nil {
			t.Fatal(err)
		}
		var i Inspection
		i.record(m, f)
		if found := i.Findings[0]; found.OK == torn || strings.Contains(found.Detail, "another history") != torn ||
			strings.Contains(found.Advice, "node leave") != torn || strings.Contains(found.Advice, "new id") != torn {
			t.Errorf("another root %v: got %+v", torn, found)
		}
	}
}

// statusBefore is the status of a founding node that runs alone.
func (c *cluster) statusBefore(id string) Status {
	c.startNode(c.nodes[id])
	defer c.stopNode(id)
	return c.get(id).Status()
}

// TestWordOfAnotherHistory: the others hold what a node that came back empty cosigned of another
// history, as after a split. It does not wait for what will never come, and says what helps.
func TestWordOfAnotherHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		c.mustSubmit("knoop-1", "Zorggroep Linde")
		c.published(2)
		c.stopNode("knoop-1")
		name := registry.CosignerName(c.charter.Origin, "knoop-1")
		self, err := tlog.NewSigner(name, tlog.TypeCosigner, c.config("knoop-1").CosignerKey)
		if err != nil {
			t.Fatal(err)
		}
		text := tlog.Checkpoint{Origin: c.charter.Origin, Size: 2, Root: tlog.LeafHash([]byte("another"))}.Text()
		line, err := self.Line(text, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"knoop-2", "knoop-3"} {
			if err := c.get(id).store.Update(func(tx kv.Tx) error {
				return tx.Set(keyWitnessed(name), kv.Value(valueFormat, tlog.JoinNote(text, line)))
			}); err != nil {
				t.Fatal(err)
			}
		}
		c.startNode(c.nodes["knoop-1"])
		eventually(t, "it says what helps", func() bool {
			s := c.get("knoop-1").Status()
			return s.Leaves == 2 && !s.Signs && s.Forked && s.Withheld == whyTorn
		})
		if s := c.get("knoop-2").Status(); !s.Signs || s.Forked {
			t.Errorf("another node: %+v", s)
		}
	})
}
