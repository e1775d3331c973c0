package node

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
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
	m.keep = 1000
	var logs []*raft.Log
	for i := range uint64(14) {
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
	if got := m.meta.Outcomes - m.meta.Oldest; got != m.keep {
		t.Errorf("%d refusals kept, want %d", got, m.keep)
	}
}

// TestDigestsAreFew: a member that sends wrong digests does not keep the leader busy with them.
func TestDigestsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterWith(t, 1, nil)
		defer c.close()
		lead := c.leader()
		busy := 0
		for i := range uint64(10) {
			body := &registry.StateDigest{Digest: fmt.Sprintf("%064x", i), Size: 1}
			e, err := registry.Compose(registry.Draft{Genesis: c.genesis, Now: time.Now()}, registry.KindDigest, body, registry.Party{Name: registry.MemberParty("lid-1"), Key: c.members["lid-1"]})
			if err != nil {
				t.Fatal(err)
			}
			switch o, err := c.submit(lead, e); {
			case errors.Is(err, registry.ErrBusy):
				busy++
			case err != nil || !errors.Is(o.Err(), registry.ErrDigest):
				t.Errorf("digest %d: %+v, %v", i, o, err)
			}
		}
		if busy != 10-digestsPerMinute {
			t.Errorf("%d of 10 were turned away", busy)
		}
	})
}

// TestStrangersFillNoLog: neither events that anybody can make up nor the many applications of
// one who was admitted by nobody make raft's log or the region's grow without end.
func TestStrangersFillNoLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterWith(t, 3, func(cfg *Config) { cfg.ApplicationsPerMinute = 5 })
		defer c.close()
		lead := c.leader()
		last := c.get(lead).raft.LastIndex()
		applicant := c.application("Opleidingshuis De Vaart", time.Now())
		previous, busy := "", 0
		for i := range 20 { // its own applications, each valid
			e := applicant.Event
			e.Predecessor, e.Expires = previous, e.Expires+int64(i)
			signed, err := registry.Sign(e, namedP256("organisation Opleidingshuis De Vaart"))
			if err != nil {
				t.Fatal(err)
			}
			o, err := c.submit("knoop-2", signed)
			switch {
			case errors.Is(err, registry.ErrBusy):
				busy++
			case err != nil || o.Err() != nil:
				t.Fatalf("application %d: %+v, %v", i, o, err)
			default:
				previous = o.Event
			}
		}
		if size := c.size(lead); busy != 15 || size != 6 {
			t.Errorf("%d leaves, %d times busy, want 6 and 15", size, busy)
		}
		for i := range 50 { // forged, stale, of another region, of nobody
			e := applicant
			switch e.Event.Expires += int64(i) + 100; i % 4 {
			case 0:
				e.Event.Genesis = strings.Repeat("ab", 32)
			case 1:
				e.Event.Predecessor = strings.Repeat("cd", 32)
			case 2:
				e.Event.Predecessor = previous
				e.Event.Signers = []registry.Signer{{Party: "member/lid-1", Key: e.Event.Signers[0].Key}}
			default:
				e.Event.Predecessor = previous
				e.Event.Signers = []registry.Signer{{Party: "organisation/org_aaaaaaaaaaaaaaaaaaaaaaaaaa", Key: e.Event.Signers[0].Key}}
			}
			if o, err := c.submit("knoop-3", e); err != nil || o.State != registry.OutcomeRefused {
				t.Errorf("made up event %d: %+v, %v", i, o, err)
			}
		}
		if grown := c.get(lead).raft.LastIndex() - last; grown > 10 {
			t.Errorf("raft's log grew by %d entries, want 10 at most", grown)
		}
	})
}
