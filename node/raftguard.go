package node

import (
	"errors"
	"io"

	"github.com/hashicorp/raft"
)

// hashicorp/raft v1.7.3 empties its log when a snapshot was sent to it (raft-wal wants its
// entries without gaps) and goes on believing that the entries behind the snapshot are there:
// then it refuses what the leader sends, is sent the snapshot again, and so on for ever. It
// happens to a node that comes back under a new raft id, because the leader says goodbye to
// the old id at the same address. And it refuses entries that follow its snapshot when it has
// entries beyond and no longer the one at which the snapshot ends.
//
// So the node looks at what comes in before raft does.

// errReplaced ends a node of which raft has lost count.
var errReplaced = errors.New("raft's log was replaced by a snapshot that ends before it: start this node again")

// guard looks at an RPC that is for this node. It says whether raft is to have it; otherwise it
// was answered.
func (n *Node) guard(rpc *raft.RPC) bool {
	if from, ok := rpc.Command.(raft.WithRPCHeader); ok && !n.mayHear(nodeOf(raft.ServerID(from.GetRPCHeader().ID))) {
		return refuse(rpc, errUnasked)
	}
	switch req := rpc.Command.(type) {
	case *raft.AppendEntriesRequest:
		if req.PrevLogEntry > 0 && req.PrevLogEntry < n.raft.LastIndex() && n.endsSnapshot(req.PrevLogEntry, req.PrevLogTerm) {
			req.PrevLogEntry, req.PrevLogTerm = 0, 0 // raft asks no further: what a snapshot covers is committed
		}
	case *raft.InstallSnapshotRequest:
		return n.guardSnapshot(rpc, req)
	}
	return true
}

// endsSnapshot says whether the newest snapshot ends at an entry that the log has no more.
func (n *Node) endsSnapshot(index, term uint64) bool {
	var entry raft.Log
	if n.logs.GetLog(index, &entry) == nil {
		return false
	}
	list, err := n.snapshots.List()
	return err == nil && len(list) > 0 && list[0].Index == index && list[0].Term == term
}

func (n *Node) guardSnapshot(rpc *raft.RPC, req *raft.InstallSnapshotRequest) bool {
	if req.LastLogIndex >= n.raft.LastIndex() || req.Term < n.raft.CurrentTerm() {
		return true
	}
	if req.LastLogIndex <= n.raft.AppliedIndex() { // everything in it is here
		_, err := io.Copy(io.Discard, rpc.Reader)
		rpc.Respond(&raft.InstallSnapshotResponse{RPCHeader: raft.RPCHeader{ProtocolVersion: req.ProtocolVersion}, Term: req.Term, Success: err == nil}, err)
		return false
	}
	answer, done := rpc.RespChan, make(chan raft.RPCResponse, 1)
	rpc.RespChan = done
	n.wg.Go(func() {
		select {
		case r := <-done:
			answer <- r
			if s, ok := r.Response.(*raft.InstallSnapshotResponse); ok && s.Success {
				n.cancel(errReplaced)
			}
		case <-n.stopped:
		}
	})
	return true
}
