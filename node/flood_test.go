package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// TestManyRefusalsAtOnce: a node that was away meets in one call whatever refusals raft had
// room for. They have to fit the store's transactions, or no node could ever come back.
func TestManyRefusalsAtOnce(t *testing.T) {
	store, err := kv.OpenBadger(t.TempDir(), kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := newRegion(t, 1, time.Now(), func(int) string { return "knoop-1.example:7000" })
	m, err := openMachine(store, r.genesis)
	if err != nil {
		t.Fatal(err)
	}
	founded(t, m.Apply(entry(1, r.start, r.founding)))
	e := r.application("Zorggroep Linde", r.start)
	e.Event.Genesis = fmt.Sprintf("%064x", 1)
	var logs []*raft.Log
	for i := range uint64(20) {
		var events [][]byte
		for j := range maxBatchEvents {
			e.Event.Expires = e.Event.Signed + int64(i)*maxBatchEvents + int64(j) + 1
			raw, err := e.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, raw)
		}
		logs = append(logs, entry(2+i, r.start, events...))
	}
	for i, response := range m.ApplyBatch(logs) {
		if out, ok := response.([]registry.Outcome); !ok || len(out) != maxBatchEvents || out[0].State != registry.OutcomeRefused {
			t.Fatalf("entry %d: %v", i, response)
		}
	}
	if got := m.meta.Outcomes - m.meta.Oldest; got != maxOutcomes {
		t.Errorf("%d refusals kept, want %d", got, maxOutcomes)
	}
}
