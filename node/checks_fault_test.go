package node

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"paspoort.example/paspoort/specs/registry"
)

// What is held against nodes that are processes of their own, and the controls of that.

// wrongLogs holds the logs of nodes against each other, and against what was acknowledged.
func wrongLogs(logs map[string][][]byte, acked map[string]uint64) (wrong []string) {
	ids := sortedKeys(logs)
	for _, id := range ids {
		if !slices.EqualFunc(logs[id], logs[ids[0]], slices.Equal) {
			wrong = append(wrong, fmt.Sprintf("%s has another log than %s", id, ids[0]))
		}
		for _, event := range sortedKeys(acked) {
			index := acked[event]
			if index >= uint64(len(logs[id])) {
				wrong = append(wrong, fmt.Sprintf("%s lost leaf %d", id, index))
				continue
			}
			leaf, err := registry.ParseLeaf(logs[id][index])
			if err != nil || leaf.Event.ID() != event {
				wrong = append(wrong, fmt.Sprintf("%s: leaf %d is another event than was acknowledged (%v)", id, index, err))
			}
		}
	}
	return wrong
}

// wrong is what judge finds, in words.
func (h *history) wrong(accepted func(id string) (uint64, bool)) (wrong []string) {
	ok, lost := h.judge(accepted)
	if !ok {
		wrong = append(wrong, "what the clients saw is not the history of one log")
	}
	if len(lost) > 0 {
		wrong = append(wrong, fmt.Sprintf("%d acknowledged writes are lost", len(lost)))
	}
	return wrong
}

// broken is what clients saw and what nodes have, to be broken.
type broken struct {
	ops  []porcupine.Operation
	logs map[string][][]byte
}

// TestControlChecksOfProcesses breaks in each way what a sound region gave: what is held against
// processes has to notice each, and nothing before.
func TestControlChecksOfProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		c.leader()
		var h history
		for i := range 6 {
			id := c.ids()[i%3]
			h.write(c, i%2, id, c.application(fmt.Sprint("Organisatie ", i), time.Now()))
			h.read(c, i%2, id, registry.Linearizable)
		}
		c.published(7)
		whole, acked := map[string][][]byte{}, map[string]uint64{}
		for _, id := range c.ids() {
			var err error
			if whole[id], err = c.get(id).Leaves(t.Context(), 0, 7); err != nil || len(whole[id]) != 7 {
				t.Fatalf("%s: %d leaves, %v", id, len(whole[id]), err)
			}
		}
		for i, id := range h.acked {
			acked[id] = uint64(i + 1)
		}
		swap := func(b *broken, id string) { b.logs[id][3], b.logs[id][4] = b.logs[id][4], b.logs[id][3] }
		for _, x := range []struct {
			name string
			harm func(b *broken)
			want []string
		}{
			{"nothing", func(*broken) {}, nil},
			{"an acknowledged write is nowhere", func(b *broken) {
				for id := range b.logs {
					b.logs[id] = b.logs[id][:6]
				}
			}, []string{"1 acknowledged writes are lost", "lost leaf 6"}},
			{"a node lacks its newest leaf", func(b *broken) { b.logs["knoop-2"] = b.logs["knoop-2"][:6] }, []string{"knoop-2 has another log", "knoop-2 lost leaf 6"}},
			{"a node has another order", func(b *broken) { swap(b, "knoop-3") }, []string{"knoop-3 has another log", "knoop-3: leaf 3 is another event"}},
			{"all have another order", func(b *broken) {
				for id := range b.logs {
					swap(b, id)
				}
			}, []string{"knoop-1: leaf 3 is another event"}},
			{"a read of the past", func(b *broken) { b.ops[len(b.ops)-1].Output = logOutput{3} }, []string{"not the history of one log"}},
			{"one leaf acknowledged twice", func(b *broken) { b.ops[2].Output = b.ops[0].Output }, []string{"not the history of one log"}},
		} {
			b := &broken{slices.Clone(h.ops), maps.Clone(whole)}
			for id := range b.logs {
				b.logs[id] = slices.Clone(whole[id])
			}
			x.harm(b)
			seen := history{ops: b.ops, acked: h.acked}
			got := seen.wrong(func(id string) (uint64, bool) { return acked[id], acked[id] < uint64(len(b.logs["knoop-1"])) })
			all := strings.Join(append(got, wrongLogs(b.logs, acked)...), "\n")
			for _, want := range x.want {
				if !strings.Contains(all, want) {
					t.Errorf("%s: found %q, want %q", x.name, all, want)
				}
			}
			if x.want == nil && all != "" {
				t.Errorf("%s: found %q", x.name, all)
			}
		}
	})
}
