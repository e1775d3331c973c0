package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// The operations between nodes of a region. They travel over the connection on which
// raft's do, mutually authenticated with the charter's keys; from is what the certificate
// says, never what the message says.
const (
	opHello     = "hello"      // who are you, how far are you
	opSubmit    = "submit"     // an event for the leader
	opReadIndex = "read-index" // the leader's confirmed commit index
	opJoin      = "join"       // take me in under this raft id
	opCosign    = "cosign"     // cosign my checkpoint
	opWitnessed = "witnessed"  // the largest checkpoint you saw with my cosignature
	opLeaves    = "leaves"     // leaves from an index
	opHandovers = "handovers"  // the checkpoints that you keep
	opPublished = "published"  // the checkpoint that you serve
)

// peers calls another node of the region. The error is [ErrPeer] when the other node
// answered with a refusal, anything else when it may not have been reached.
type peers interface {
	call(ctx context.Context, node, op string, body []byte) ([]byte, error)
}

// ErrPeer is a refusal by another node.
var ErrPeer = errors.New("refused by the other node")

// maxPeerBody bounds messages between nodes.
const maxPeerBody = 4 << 20

// hello is the answer to opHello.
type hello struct {
	Node    string            `json:"node"`
	Birth   string            `json:"birth"`             // of its disk, see membership.go
	Cluster map[string]string `json:"cluster,omitempty"` // node -> birth, once it takes part
	RaftID  string            `json:"raft_id"`
	Applied uint64            `json:"applied"`
	Size    uint64            `json:"size"`
	Time    int64             `json:"time,omitempty"` // of its clock, POSIX milliseconds
	Rules   int               `json:"rules"`          // newest version that the program knows, see rules.go
}

// servePeer answers a call of another node. The errors it returns go to the other side as
// text, so they hold nothing secret.
func (n *Node) servePeer(ctx context.Context, from, op string, body []byte) ([]byte, error) {
	if n.isLeaving(from) && !slices.Contains(forLeaving, op) {
		return nil, errors.New(whyLeft)
	}
	switch op {
	case opHello:
		return json.Marshal(n.hello())
	case opLeaves:
		return n.serveLeaves(body)
	case opWitnessed:
		return n.serveWitnessed(string(body))
	}
	if !n.running() {
		return nil, errors.New("not ready yet")
	}
	switch op {
	case opSubmit:
		return n.serveSubmit(ctx, body)
	case opReadIndex:
		index, err := n.verified.index(ctx)
		return strconv.AppendUint(nil, index, 10), err
	case opJoin:
		return nil, n.admit(from, string(body))
	case opCosign:
		return n.serveCosign(from, body)
	case opTree:
		return n.serveTree(body)
	case opPublished:
		note, _ := n.publisher.Checkpoint()
		return note, nil
	case opHandovers:
		list, err := n.Handovers(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(list)
	case opPayloads:
		return n.servePayloads()
	case opKeepPayload:
		return nil, n.takePayloads(body)
	case opCRLs:
		return n.serveCRLs()
	case opKeepCRL:
		_, err := n.keepCRL(body, false)
		return nil, err
	}
	return nil, errors.New("no such operation")
}

func (n *Node) hello() hello {
	n.formedMu.Lock()
	birth, raftID := n.birth, n.raftID
	n.formedMu.Unlock()
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	return hello{Node: n.cfg.ID, Birth: birth, Cluster: n.formed(), RaftID: string(raftID),
		Applied: n.machine.meta.Applied, Size: n.machine.meta.Size, Time: n.cfg.Clock().UnixMilli(), Rules: registry.RulesVersion}
}

// serveSubmit takes an event that a follower forwards. It is never forwarded again: a
// node that does not lead any more says so.
func (n *Node) serveSubmit(ctx context.Context, raw []byte) ([]byte, error) {
	if n.raft.State() != raft.Leader {
		return nil, registry.ErrNoLeader
	}
	event, err := registry.Prepare(raw)
	if err != nil {
		return json.Marshal(refusal("", err))
	}
	o, err := n.enqueue(ctx, event)
	if err != nil {
		return nil, err
	}
	return json.Marshal(o)
}

// forward sends an event to the leader and translates its answer. Whatever is not
// certainly "not done" is an unknown outcome.
func (n *Node) forward(ctx context.Context, leader string, raw []byte) (registry.Outcome, error) {
	body, err := n.peers.call(ctx, leader, opSubmit, raw)
	var o registry.Outcome
	switch {
	case err == nil:
		if err := json.Unmarshal(body, &o); err != nil {
			return o, fmt.Errorf("%w: answer of %s", registry.ErrOutcome, leader)
		}
		return o, nil
	case errors.Is(err, ErrPeer) && strings.Contains(err.Error(), registry.ErrNoLeader.Code):
		return o, registry.ErrNoLeader
	case errors.Is(err, ErrPeer) && strings.Contains(err.Error(), registry.ErrBusy.Code):
		return o, registry.ErrBusy
	case errors.Is(err, errNotSent):
		return o, registry.ErrNoLeader
	}
	return o, fmt.Errorf("%w: %w", registry.ErrOutcome, err)
}

// errNotSent: the connection could not be made, so the other node got nothing.
var errNotSent = errors.New("the other node cannot be reached")

// serveLeaves gives leaves from an index on, as an entry bundle of tlog-tiles.
func (n *Node) serveLeaves(body []byte) ([]byte, error) {
	from, err := strconv.ParseUint(string(body), 10, 63)
	if err != nil {
		return nil, errors.New("not an index")
	}
	n.machine.mu.RLock()
	size := n.machine.meta.Size
	n.machine.mu.RUnlock()
	var out []byte
	err = n.store.View(func(tx kv.Tx) error {
		for i := from; i < size && len(out) < maxBatchBytes; i++ {
			raw, err := readLeaf(tx, i)
			if err != nil {
				return err
			}
			if out, err = tlog.AppendEntry(out, raw); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// fetchLeaves asks the other nodes for leaves from an index on, for Restore. Whom it asks first
// depends on its birth: a node that was given wrong leaves comes back with another birth.
func (n *Node) fetchLeaves(from, to uint64) ([][]byte, error) {
	last := errors.New("there is no other node to ask")
	others := n.others()
	first := int(crc32.ChecksumIEEE([]byte(n.birth))) % max(1, len(others))
	for _, id := range slices.Concat(others[first:], others[:first]) {
		select {
		case <-n.leaving: // a long log does not hold up who stops this node
			return nil, errStopped
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), n.cfg.PeerTimeout)
		body, err := n.peers.call(ctx, id, opLeaves, strconv.AppendUint(nil, from, 10))
		cancel()
		if err == nil && len(body) > 0 {
			return splitLeaves(body, to-from)
		}
		last = err
	}
	return nil, fmt.Errorf("leaves from %d: %w", from, last)
}

func splitLeaves(body []byte, most uint64) ([][]byte, error) {
	var out [][]byte
	for len(body) >= 2 && uint64(len(out)) < most {
		size := 2 + (int(body[0])<<8 | int(body[1]))
		if size > len(body) {
			return nil, errors.New("leaves are cut off")
		}
		out, body = append(out, body[2:size]), body[size:]
	}
	return out, nil
}

// others are the other nodes of the charter, sorted by id.
func (n *Node) others() []string {
	ids := n.nodeIDs()
	return slices.DeleteFunc(ids, func(id string) bool { return id == n.cfg.ID })
}

// nodeOf is the node id in a raft id "node/birth".
func nodeOf(id raft.ServerID) string {
	node, _, _ := strings.Cut(string(id), "/")
	return node
}
