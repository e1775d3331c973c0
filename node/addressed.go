package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/raft"
)

// A raft id is a node and the birth of its disk, but raft finds servers by address only: a
// node with a new disk would answer what was meant for its former self, vote in that one's
// name without its memory, and a leader could be chosen that lacks what was acknowledged. So
// each RPC says for which raft id it is, behind the sender's address in its header, and a node
// answers what is for itself only.

// errNotMe answers an RPC for a former self.
var errNotMe = errors.New("that raft id is not this node's any more")

// addressing is a transport that says for whom an RPC is, and reaches only nodes that were
// asked (asked.go).
type addressing struct {
	raft.Transport
	n *Node
}

const addressSeparator = '\n' // in no address and no raft id

func (a addressing) header(h raft.RPCHeader, to raft.ServerID) (raft.RPCHeader, error) {
	if !a.n.mayHear(nodeOf(to)) {
		return h, errUnasked
	}
	h.Addr = fmt.Appendf(nil, "%s%c%s", h.Addr, addressSeparator, to)
	return h, nil
}

// addressed takes that off again. It says whether the RPC is for this node; otherwise it was
// answered.
func (n *Node) addressed(rpc *raft.RPC) bool {
	if !n.running() {
		return refuse(rpc, errors.New("not ready yet"))
	}
	h := headerOf(rpc.Command)
	if h == nil {
		return true // whoever looks at the sender refuses it
	}
	address, to, ok := bytes.Cut(h.Addr, []byte{addressSeparator})
	if ok && string(to) != string(n.raftID) {
		return refuse(rpc, errNotMe)
	}
	h.Addr = address
	return true
}

// headerOf is the header of a request, to be changed in place.
func headerOf(command any) *raft.RPCHeader {
	switch req := command.(type) {
	case *raft.AppendEntriesRequest:
		return &req.RPCHeader
	case *raft.RequestVoteRequest:
		return &req.RPCHeader
	case *raft.RequestPreVoteRequest:
		return &req.RPCHeader
	case *raft.InstallSnapshotRequest:
		return &req.RPCHeader
	}
	return nil
}

// refuse answers an RPC with an error.
func refuse(rpc *raft.RPC, err error) bool {
	if rpc.Reader != nil {
		io.Copy(io.Discard, rpc.Reader)
	}
	var empty any
	if _, ok := rpc.Command.(*raft.AppendEntriesRequest); ok {
		empty = &raft.AppendEntriesResponse{} // raft's transport in memory takes none for an answer
	}
	rpc.Respond(empty, err)
	return false
}

// AppendEntries implements raft.Transport.
func (a addressing) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (err error) {
	changed := *args
	if changed.RPCHeader, err = a.header(args.RPCHeader, id); err != nil {
		return err
	}
	sent := a.n.heard.now()
	if err = a.Transport.AppendEntries(id, target, &changed, resp); err == nil && resp.Success && resp.Term == args.Term {
		a.n.heard.answer(id, sent)
	}
	return err
}

// RequestVote implements raft.Transport.
func (a addressing) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) (err error) {
	changed := *args
	if changed.RPCHeader, err = a.header(args.RPCHeader, id); err != nil {
		return err
	}
	return a.Transport.RequestVote(id, target, &changed, resp)
}

// RequestPreVote implements raft.WithPreVote.
func (a addressing) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) (err error) {
	changed := *args
	if changed.RPCHeader, err = a.header(args.RPCHeader, id); err != nil {
		return err
	}
	return a.Transport.(raft.WithPreVote).RequestPreVote(id, target, &changed, resp)
}

// InstallSnapshot implements raft.Transport.
func (a addressing) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) (err error) {
	changed := *args
	if changed.RPCHeader, err = a.header(args.RPCHeader, id); err != nil {
		return err
	}
	return a.Transport.InstallSnapshot(id, target, &changed, resp, data)
}

// AppendEntriesPipeline implements raft.Transport.
func (a addressing) AppendEntriesPipeline(id raft.ServerID, target raft.ServerAddress) (raft.AppendPipeline, error) {
	if !a.n.mayHear(nodeOf(id)) {
		return nil, errUnasked
	}
	p, err := a.Transport.AppendEntriesPipeline(id, target)
	if err != nil {
		return nil, err
	}
	return addressingPipeline{p, a, id}, nil
}

type addressingPipeline struct {
	raft.AppendPipeline
	a  addressing
	to raft.ServerID
}

// AppendEntries implements raft.AppendPipeline.
func (p addressingPipeline) AppendEntries(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	changed := *args
	var err error
	if changed.RPCHeader, err = p.a.header(args.RPCHeader, p.to); err != nil {
		return nil, err
	}
	return p.AppendPipeline.AppendEntries(&changed, resp)
}
