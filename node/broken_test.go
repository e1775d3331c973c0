package node

import (
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// holey is a log of which one entry cannot be read.
type holey struct{ *raft.InmemStore }

func (h holey) GetLog(index uint64, entry *raft.Log) error {
	if index == 2 {
		return errors.New("sealed segment has no index block")
	}
	return h.InmemStore.GetLog(index, entry)
}

type noMachine struct{ raft.FSM }

// TestBrokenLog: a log that raft cannot read is an error and not the end of the process; the
// node then comes back under a new raft id.
func TestBrokenLog(t *testing.T) {
	logs := holey{raft.NewInmemStore()}
	for i := uint64(1); i <= 3; i++ {
		if err := logs.StoreLog(&raft.Log{Index: i, Term: 1, Type: raft.LogNoop}); err != nil {
			t.Fatal(err)
		}
	}
	_, transport := raft.NewInmemTransport("knoop-1")
	c := raft.DefaultConfig()
	c.LocalID, c.Logger = "knoop-1", nil
	c.LogLevel = "OFF"
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = time.Second, time.Second, time.Second
	r, err := newRaft(c, noMachine{}, logs, logs, raft.NewDiscardSnapshotStore(), transport)
	if r != nil || !errors.Is(err, errLogBroken) {
		t.Errorf("got %v, %v, want errLogBroken", r, err)
	}
}
