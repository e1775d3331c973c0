package node

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
