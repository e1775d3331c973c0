package node

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// TestWhatRaftWouldGetWrong: a snapshot of what is here is answered and does not empty the
// log; entries that follow the snapshot are taken although the log no longer has its end.
func TestWhatRaftWouldGetWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		lead := c.leader()
		for i := range 4 {
			c.mustSubmit(lead, fmt.Sprint("Organisatie ", i))
		}
		c.cutLogs(lead)
		n := c.get(lead)
		list, err := n.snapshots.List()
		if err != nil || len(list) != 1 {
			t.Fatalf("%d snapshots, %v", len(list), err)
		}
		end, term := list[0].Index, n.raft.CurrentTerm()
		c.mustSubmit(lead, "Na de momentopname")
		c.mustSubmit(lead, "En nog een")
		last := n.raft.LastIndex()
		header := raft.RPCHeader{ID: []byte(n.raftID)}

		answer := make(chan raft.RPCResponse, 1)
		rpc := raft.RPC{Command: &raft.InstallSnapshotRequest{RPCHeader: header, Term: term, LastLogIndex: end, LastLogTerm: list[0].Term}, Reader: bytes.NewReader([]byte("{}")), RespChan: answer}
		if n.guard(&rpc) {
			t.Error("raft gets a snapshot of what is here")
		} else if r, ok := (<-answer).Response.(*raft.InstallSnapshotResponse); !ok || !r.Success {
			t.Errorf("answered with %+v", r)
		}
		newer := raft.RPC{Command: &raft.InstallSnapshotRequest{RPCHeader: header, Term: term, LastLogIndex: last + 5}}
		if !n.guard(&newer) {
			t.Error("control: a snapshot of what is not here does not reach raft")
		}

		first, err := c.nodes[lead].logs.FirstIndex()
		if err != nil {
			t.Fatal(err)
		}
		if first <= end { // as after a snapshot that came from elsewhere
			if err := c.nodes[lead].logs.DeleteRange(first, end); err != nil {
				t.Fatal(err)
			}
		}
		for _, x := range []struct {
			name             string
			prev, term, want uint64
		}{{"the end of the snapshot", end, list[0].Term, 0}, {"control: in another term", end, list[0].Term + 1, end}, {"control: an entry that is there", last - 1, term, last - 1}} {
			req := &raft.AppendEntriesRequest{RPCHeader: header, Term: term, PrevLogEntry: x.prev, PrevLogTerm: x.term}
			if !n.guard(&raft.RPC{Command: req}) || req.PrevLogEntry != x.want {
				t.Errorf("%s: raft is asked for entry %d, want %d", x.name, req.PrevLogEntry, x.want)
			}
		}
	})
}

// TestLogThatIsFull: a leader that has no room for its log acknowledges nothing and leads no
// more; the others go on, and with room made it has everything again.
func TestLogThatIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		defer c.close()
		full := c.leader()
		c.mustSubmit(full, "Voor de volle schijf")
		c.nodes[full].logs.full.Store(true)
		var acked []string
		for i := range 4 {
			for _, id := range c.ids() {
				e := c.application(fmt.Sprint("Organisatie ", i, " ", id), time.Now())
				if o, err := c.submit(id, e); err == nil && o.Err() == nil {
					acked = append(acked, e.Event.ID())
				}
			}
		}
		if now := c.leader(); now == full || len(acked) < 4 {
			t.Errorf("%s leads, %d writes were acknowledged", now, len(acked))
		}
		c.nodes[full].logs.full.Store(false)
		c.sameLogs()
		if lost := c.missing(full, acked); lost > 0 {
			t.Errorf("%d of %d acknowledged writes are lost", lost, len(acked))
		}
	})
}
