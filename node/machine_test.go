package node

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// aloneMachine is a state machine without a cluster, just founded.
func aloneMachine(t *testing.T) (*testRegion, *kv.Memory, *machine) {
	r := newRegion(t, 1, time.Now(), func(int) string { return "knoop-1.example:7000" })
	store := kv.NewMemory()
	m, err := openMachine(store, r.genesis)
	if err != nil {
		t.Fatal(err)
	}
	founded(t, m.Apply(entry(1, r.start, r.founding)))
	return r, store, m
}

// entry is a committed raft entry.
func entry(index uint64, at time.Time, events ...[]byte) *raft.Log {
	return &raft.Log{Index: index, Term: 1, Type: raft.LogCommand, Data: command{at.Unix(), events}.marshal()}
}

func founded(t *testing.T, response any) {
	t.Helper()
	if o, ok := response.([]registry.Outcome); !ok || len(o) != 1 || o[0].State != registry.OutcomeCommitted {
		t.Fatalf("response = %+v", response)
	}
}

func (r *testRegion) raw(name string, at time.Time) []byte {
	raw, err := r.application(name, at).Marshal()
	if err != nil {
		r.t.Fatal(err)
	}
	return raw
}

// TestStoreThatFails: whatever a failing store did, nothing is acknowledged, the machine
// goes no further, and the next start finds the one or the other.
func TestStoreThatFails(t *testing.T) {
	broken := errors.New("disk broke")
	for how, applied := range map[kv.Failure]uint64{kv.NotDone: 1, kv.DoneButFailed: 2} {
		r, store, m := aloneMachine(t)
		e := entry(2, r.start, r.raw("Zorggroep Linde", r.start))
		store.FailNext(how, broken)
		for range 2 {
			if err, ok := m.Apply(e).(error); !ok || !errors.Is(err, broken) {
				t.Errorf("%v: response %v", how, err)
			}
		}
		if _, err := m.Snapshot(); !errors.Is(err, broken) {
			t.Errorf("%v: a snapshot of a broken machine: %v", how, err)
		}
		again, err := openMachine(store, r.genesis)
		if err != nil {
			t.Fatal(err)
		}
		if again.meta.Applied != applied || again.meta.Size != applied {
			t.Errorf("%v: starts at %+v, want %d", how, again.meta, applied)
		}
		again.Apply(e) // raft repeats what it committed
		if again.meta.Size != 2 || again.state.Size() != 2 {
			t.Errorf("%v: %d leaves after raft repeated it, want 2", how, again.meta.Size)
		}
	}
}

// TestRefusalsAreForgottenInOrder: the memory is bounded, and the same at every node.
func TestRefusalsAreForgottenInOrder(t *testing.T) {
	r, store, m := aloneMachine(t)
	m.keep = 3
	other := newRegion(t, 2, r.start, func(i int) string { return fmt.Sprintf("elders-%d.example:1", i) })
	var ids []string
	for i := range uint64(8) {
		e := other.application(fmt.Sprint("Elders ", i), r.start)
		raw, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.Event.ID())
		out := m.Apply(entry(2+i, r.start, raw)).([]registry.Outcome)
		if !errors.Is(out[0].Err(), registry.ErrRegion) {
			t.Errorf("%+v", out)
		}
	}
	kept := 0
	err := store.View(func(tx kv.Tx) error {
		for i, id := range ids {
			if _, err := tx.Get(keyOutcome(id)); err == nil {
				if kept++; i < len(ids)-3 {
					t.Errorf("refusal %d is still there", i)
				}
			}
		}
		return tx.Scan([]byte("q/"), func(_, _ []byte) error { kept++; return nil })
	})
	if err != nil || kept != 6 {
		t.Errorf("%d keys kept, %v, want 3 refusals and their order", kept, err)
	}
	if m.meta.Size != 1 {
		t.Errorf("refusals made leaves: %d", m.meta.Size)
	}
}

// TestUnknownCommandStops: D5, "a replica that meets an unknown one stops".
func TestUnknownCommandStops(t *testing.T) {
	r, _, m := aloneMachine(t)
	e := entry(2, r.start, r.raw("Zorggroep Linde", r.start))
	e.Data[0] = 9
	if err, ok := m.Apply(e).(error); !ok || !errors.Is(err, errCommand) {
		t.Errorf("response %v", err)
	}
	if err, ok := m.Apply(entry(3, r.start)).(error); !ok || !errors.Is(err, errCommand) {
		t.Errorf("it went on: %v", err)
	}
}

// TestLogTime: a leader's clock that ran back stalls writes and makes no leaf.
func TestLogTime(t *testing.T) {
	r, _, m := aloneMachine(t)
	out := m.Apply(entry(2, r.start.Add(-time.Minute), r.raw("Zorggroep Linde", r.start))).([]registry.Outcome)
	if !errors.Is(out[0].Err(), registry.ErrLogTime) || m.meta.Size != 1 {
		t.Errorf("%+v", out)
	}
	n := &Node{cfg: Config{Clock: func() time.Time { return r.start.Add(-3 * time.Second) }}}
	if got := n.stamp(r.start); !got.Equal(r.start) {
		t.Errorf("a clock 3 s behind stamps %v, want the newest stamp %v", got, r.start)
	}
	n.cfg.Clock = func() time.Time { return r.start.Add(-time.Hour) }
	if got := n.stamp(r.start); !got.Before(r.start) {
		t.Errorf("a clock an hour behind stamps %v: nobody would notice", got)
	}
}

// TestDamagedStore: a leaf or tile that was changed on disk is noticed at the start.
func TestDamagedStore(t *testing.T) {
	for _, key := range [][]byte{keyLeaf(0), keyTile(0, 0), keyMeta} {
		r, store, m := aloneMachine(t)
		m.Apply(entry(2, r.start, r.raw("Zorggroep Linde", r.start)))
		err := store.Update(func(tx kv.Tx) error {
			raw, err := tx.Get(key)
			if err != nil {
				return err
			}
			at := len(raw) / 2
			if string(key) == "meta" {
				at = strings.Index(string(raw), `"root":"`) + 10
			}
			raw[at] ^= 1
			return tx.Set(key, raw)
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openMachine(store, r.genesis); err == nil {
			t.Errorf("a store with a changed %q was opened", key)
		}
	}
}

// TestBigBatch: more than a transaction takes at once is stored in parts.
func TestBigBatch(t *testing.T) {
	r, _, m := aloneMachine(t)
	var logs []*raft.Log
	for i := range uint64(20) {
		var events [][]byte
		for j := range 20 {
			events = append(events, r.raw(fmt.Sprintf("Organisatie %d %d", i, j), r.start))
		}
		logs = append(logs, entry(2+i, r.start, events...))
	}
	for i, response := range m.ApplyBatch(logs) {
		out, ok := response.([]registry.Outcome)
		if !ok || len(out) != 20 || out[19].State != registry.OutcomeCommitted || *out[19].Index != uint64(i*20+20) {
			t.Fatalf("entry %d: %+v", i, response)
		}
	}
	if m.meta.Size != 401 || m.meta.Applied != 21 {
		t.Errorf("meta = %+v", m.meta)
	}
}

// slowStore tells of each Update.
type slowStore struct {
	kv.Store
	before func()
}

func (s slowStore) Update(fn func(kv.Tx) error) error {
	s.before()
	return s.Store.Update(fn)
}

// TestReadersGetInWhileCatchingUp: a node that has much to apply answers meanwhile.
func TestReadersGetInWhileCatchingUp(t *testing.T) {
	r, store, m := aloneMachine(t)
	seen := make(chan uint64, 1)
	var once sync.Once
	m.store = slowStore{store, func() {
		once.Do(func() {
			go func() {
				m.mu.RLock()
				defer m.mu.RUnlock()
				seen <- m.meta.Size
			}()
		})
	}}
	var logs []*raft.Log
	for i := range uint64(6) {
		var events [][]byte
		for j := range 2 * maxHeldEvents / 3 {
			events = append(events, r.raw(fmt.Sprintf("Organisatie %d %d", i, j), r.start))
		}
		logs = append(logs, entry(2+i, r.start, events...))
	}
	m.ApplyBatch(logs)
	if got := <-seen; got >= m.meta.Size {
		t.Errorf("a reader waited until all %d leaves were there", got)
	}
}

// TestHeartbeatsWaitForNobody: who the nodes are can be asked while a batch is applied.
func TestHeartbeatsWaitForNobody(t *testing.T) {
	s := newAPIStage(t, nil)
	n := s.node()
	n.machine.mu.Lock()
	defer n.machine.mu.Unlock()
	got := make(chan int)
	go func() { got <- len(n.region().nodes) }()
	select {
	case nodes := <-got:
		if nodes != 1 {
			t.Errorf("%d nodes, want 1", nodes)
		}
	case <-time.After(10 * time.Second):
		t.Error("an RPC of raft waits for the state machine")
	}
}
