package node

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// region is what a node needs of the charter between replicas: who the nodes are. Before
// the first leaf it is the founding event's word, afterwards the state's.
type region struct {
	name    string
	origin  string
	nodes   map[string]registry.Node
	leaving map[string]registry.Node // see leaving.go
}

// foundingCharter reads the charter of the founding event and checks the event by itself:
// applied to an empty state it must be accepted.
func foundingCharter(raw []byte) (registry.SignedEvent, registry.Charter, error) {
	var c registry.Charter
	event, err := registry.ParseEvent(raw)
	if err != nil {
		return event, c, fmt.Errorf("founding event: %w", err)
	}
	if event.Event.Kind != registry.KindFounded {
		return event, c, fmt.Errorf("founding event: it is of kind %s", event.Event.Kind)
	}
	// Its own time of signing is as good a log time as any to check the signatures with.
	if err := registry.Check(registry.NewState(event.Event.ID()), event, event.Event.SignedTime()); err != nil {
		return event, c, fmt.Errorf("founding event: %w", err)
	}
	return event, c, json.Unmarshal(event.Event.Body, &c)
}

func regionOfCharter(c registry.Charter) region {
	r := region{name: c.Name, origin: c.Origin, nodes: map[string]registry.Node{}}
	for _, node := range c.Nodes {
		r.nodes[node.ID] = node
	}
	return r
}

// region is the region as this node knows it now. It waits for nothing: each RPC of raft asks
// for it, and a heartbeat that waited until a batch is applied would start an election. What
// is in it is not changed.
func (n *Node) region() region {
	if n.hint.leaves > n.machine.stored.Load() {
		return region{name: n.founding.name, origin: n.founding.origin, nodes: n.hint.nodes}
	}
	if nodes := n.machine.charter.Load(); nodes != nil {
		return region{name: n.founding.name, origin: n.founding.origin, nodes: *nodes, leaving: n.machine.leavingNodes()}
	}
	return n.founding
}

// noteNodes remembers who the nodes are. mu is held, or nobody else has m yet.
func (m *machine) noteNodes() {
	nodes, former := map[string]registry.Node{}, map[string]bool{}
	for _, record := range m.state.View().Nodes() {
		if record.Removed != 0 {
			former[record.ID] = true
		} else {
			nodes[record.ID] = record.Node
		}
	}
	m.noteLeaving() // first: who is needed still is never unknown
	m.former.Store(&former)
	m.charter.Store(&nodes)
}

// left says whether the charter had this node once and has it no more, as far as this node
// knows: one that was away when it was decided never hears of it.
func (n *Node) left() bool {
	former := n.machine.former.Load()
	return former != nil && (*former)[n.cfg.ID]
}

// whyLeft is why a node that left does nothing more.
const whyLeft = "the region has decided that this node is not one of its nodes any more: stop it"

// whyLeaving is why a node that left goes on.
const whyLeaving = "the region has decided that this node is not one of its nodes any more, and needs its signature once more: leave it running"

func (n *Node) nodeIDs() []string { return sortedKeys(n.region().nodes) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (n *Node) nodeAddresses() map[string]raft.ServerAddress { return addresses(n.region()) }

func (n *Node) foundingNodes() map[string]raft.ServerAddress { return addresses(n.founding) }

func addresses(r region) map[string]raft.ServerAddress {
	out := map[string]raft.ServerAddress{}
	for id, node := range r.nodes {
		out[id] = raft.ServerAddress(node.RaftAddress)
	}
	return out
}

// node is a node of the region or one that it needs still; empty when it is neither.
func (r region) node(id string) registry.Node {
	if node, ok := r.nodes[id]; ok {
		return node
	}
	return r.leaving[id]
}

// logKey and cosignerKey are a node's keys as C2SP verifier keys.
func (r region) logKey(id string) (tlog.VerifierKey, error) {
	return verifierKey(r.origin, tlog.TypeLog, r.node(id).LogKey)
}

func (r region) cosignerKey(id string) (tlog.VerifierKey, error) {
	return verifierKey(registry.CosignerName(r.origin, id), tlog.TypeCosigner, r.node(id).CosignerKey)
}

func verifierKey(name string, t tlog.KeyType, key string) (tlog.VerifierKey, error) {
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		return tlog.VerifierKey{}, fmt.Errorf("key of %s: %w", name, err)
	}
	return tlog.NewVerifierKey(name, t, ed25519Key(raw))
}

// allKeys are the log and cosigner keys of all nodes.
func (r region) allKeys() []tlog.VerifierKey {
	var out []tlog.VerifierKey
	for _, id := range slices.Concat(sortedKeys(r.nodes), sortedKeys(r.leaving)) {
		for _, key := range []func(string) (tlog.VerifierKey, error){r.logKey, r.cosignerKey} {
			if k, err := key(id); err == nil {
				out = append(out, k)
			}
		}
	}
	return out
}
