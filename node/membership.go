package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/registry"
)

// Raft membership is not governance: the charter's node list is the truth, and raft's
// configuration follows it.
//
// A node's raft id is "<node id>/<birth>", where birth is random and made with the data
// folder. A wiped or replaced disk has another birth, so that the node that forgot what it
// voted for cannot vote as the one that remembers: it asks to be taken in under its new id,
// as a non-voter, and gets its vote when it has caught up (D6).
//
// A region's first start: the nodes of the founding charter tell each other their births.
// Who has heard all others, and from nobody that a cluster exists, knows the one first
// configuration, writes it down and takes part. It needs every founding node once.

const (
	helloPause   = 100 * time.Millisecond // between rounds of asking
	reconcile    = time.Second            // between looks of the leader at its members
	joinPause    = 500 * time.Millisecond
	catchUpSlack = 64 // raft entries that a non-voter may lack when it gets its vote
)

// members is what a node writes down when it takes part.
type members struct {
	Births map[string]string `json:"births,omitempty"` // node -> birth, of the first configuration
	Joined bool              `json:"joined,omitempty"` // was taken in by the leader instead
	Forgot bool              `json:"forgot,omitempty"` // and does not know yet again what it signed before
}

func (n *Node) raftIDOf(node, birth string) raft.ServerID { return raft.ServerID(node + "/" + birth) }

// formed is the first configuration, if this node knows it. Safe at any time.
func (n *Node) formed() map[string]string {
	n.formedMu.Lock()
	defer n.formedMu.Unlock()
	return maps.Clone(n.births)
}

func (n *Node) setFormed(births map[string]string) {
	n.formedMu.Lock()
	defer n.formedMu.Unlock()
	n.births = births
}

func (n *Node) waitsFor(nodes string) {
	n.formedMu.Lock()
	defer n.formedMu.Unlock()
	n.unheardOf = nodes
}

// waiting are the founding nodes that this one has not heard, while the region has yet to begin.
func (n *Node) waiting() string {
	n.formedMu.Lock()
	defer n.formedMu.Unlock()
	return n.unheardOf
}

// takePart finds out how this node becomes a member: it may have been one before, it may
// be founding the region with the others, or it has to be taken in. It returns the
// configuration to begin with, or nil when the leader will send one.
func (n *Node) takePart(ctx context.Context) (*raft.Configuration, error) {
	founding := n.foundingNodes()
	_, founder := founding[n.cfg.ID]
	founder = founder && n.size() == 0
	told := ""
	for {
		births, exists := n.askBirths(ctx, founding)
		if founder && !exists {
			if err := n.keysOfFounding(); err != nil {
				return nil, err
			}
		}
		switch {
		case exists && founder && births[n.cfg.ID] == n.birth:
			n.waitsFor("")
			return n.begin(founding, births)
		case exists || !founder:
			n.waitsFor("")
			n.log.Info("asking to be taken in", "raft_id", string(n.raftID))
			if _, known := n.region().nodes[n.cfg.ID]; !known {
				n.log.Warn("as far as this node knows the region does not know it (yet): it takes part when the members have approved its card, in the region of its founding file", "region", n.genesis)
			}
			return nil, nil
		case len(births) == len(founding):
			n.waitsFor("")
			return n.begin(founding, births)
		}
		if missing := unheard(founding, births); missing != told {
			n.log.Info("the region begins when all its nodes have heard each other", "waiting_for", missing)
			told = missing
			n.waitsFor(missing)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(helloPause):
		}
	}
}

// keysOfFounding holds this node's keys against the founding charter. Others with the keys of the
// charter wait for a node with these as long as they live. Members may have changed them since:
// then the region exists, its nodes know the new ones, and one of them has answered.
func (n *Node) keysOfFounding() error {
	err := n.cfg.hasKeysOf(n.region().nodes[n.cfg.ID])
	if err == nil {
		return nil
	}
	return fmt.Errorf("node %s: the keys in this folder are not those of %s in the charter, and no node of the region that runs knows them: start it with the key files whose card was signed: %w", n.cfg.ID, n.cfg.ID, err)
}

// unheard names the founding nodes that did not answer.
func unheard(founding map[string]raft.ServerAddress, births map[string]string) string {
	var out []string
	for _, id := range sortedKeys(founding) {
		if births[id] == "" {
			out = append(out, id+" at "+string(founding[id]))
		}
	}
	return strings.Join(out, ", ")
}

// askBirths asks the founding nodes. exists says that one of them takes part already; the
// births are then those it began with.
func (n *Node) askBirths(ctx context.Context, founding map[string]raft.ServerAddress) (births map[string]string, exists bool) {
	births = map[string]string{n.cfg.ID: n.birth}
	for _, id := range slices.Sorted(maps.Keys(founding)) {
		if id == n.cfg.ID {
			continue
		}
		h, err := n.askHello(ctx, id)
		if err != nil {
			continue
		}
		if h.Cluster != nil || h.Size > 0 { // a node with leaves founds nothing, even if it forgot with whom it was
			return h.Cluster, true
		}
		births[id] = h.Birth
	}
	return births, false
}

func (n *Node) askHello(ctx context.Context, id string) (hello, error) {
	var h hello
	ctx, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
	defer cancel()
	body, err := n.peers.call(ctx, id, opHello, nil)
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(body, &h); err != nil || h.Node != id {
		return h, fmt.Errorf("hello of %s: not an answer", id)
	}
	return h, nil
}

// begin writes the first configuration down and returns it.
func (n *Node) begin(founding map[string]raft.ServerAddress, births map[string]string) (*raft.Configuration, error) {
	if err := n.files.saveMembers(members{Births: births}); err != nil {
		return nil, err
	}
	n.setFormed(births)
	var c raft.Configuration
	for _, id := range slices.Sorted(maps.Keys(founding)) {
		c.Servers = append(c.Servers, raft.Server{Suffrage: raft.Voter, ID: n.raftIDOf(id, births[id]), Address: founding[id]})
	}
	return &c, nil
}

// join asks until the leader has taken this node in.
func (n *Node) join(ctx context.Context) error {
	for !n.inConfiguration() {
		for _, id := range n.others() {
			call, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
			_, err := n.peers.call(call, id, opJoin, []byte(n.raftID))
			cancel()
			if err == nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(joinPause):
		}
	}
	n.log.Info("taken in", "raft_id", string(n.raftID))
	return nil
}

func (n *Node) inConfiguration() bool {
	return slices.ContainsFunc(n.servers(), func(s raft.Server) bool { return s.ID == n.raftID })
}

func (n *Node) servers() []raft.Server {
	future := n.raft.GetConfiguration()
	if future.Error() != nil {
		return nil
	}
	return future.Configuration().Servers
}

// admit is the leader's side of join: from proved its node id by its certificate, and may
// speak for that node only. A former self of the node loses its place first.
func (n *Node) admit(from, id string) error {
	address, ok := n.nodeAddresses()[from]
	if !ok || nodeOf(raft.ServerID(id)) != from || id == from+"/" || len(id) > 100 {
		return errors.New("not a node of the charter, or another node's raft id")
	}
	if n.raft.State() != raft.Leader {
		return registry.ErrNoLeader
	}
	for _, s := range n.servers() {
		if s.ID == raft.ServerID(id) {
			return nil
		}
		if nodeOf(s.ID) == from {
			if err := n.removeServer(s.ID); err != nil {
				return fmt.Errorf("remove former %s: %w", from, err)
			}
		}
	}
	err := n.ask(func() raft.Future { return n.raft.AddNonvoter(raft.ServerID(id), address, 0, applyTimeout) })
	if err != nil {
		return fmt.Errorf("take in %s: %w", from, err)
	}
	return nil
}

// reconcileMembers makes raft's configuration follow the charter, one step at a time. Only
// the leader does it, and nobody is removed for being silent.
func (n *Node) reconcileMembers(ctx context.Context) error {
	addresses := n.nodeAddresses()
	if len(addresses) == 0 {
		return nil
	}
	if n.isLeaving(n.cfg.ID) { // the one that stays hears it still
		n.log.Info("gives leadership away", "why", whyLeaving)
		return n.ask(n.raft.LeadershipTransfer)
	}
	for _, s := range n.servers() {
		address, ok := addresses[nodeOf(s.ID)]
		switch {
		case !ok && n.isLeaving(nodeOf(s.ID)):
			if s.Suffrage == raft.Voter {
				n.log.Info("the charter has this node no more, and needs its signature still", "raft_id", string(s.ID))
				return n.ask(func() raft.Future { return n.raft.DemoteVoter(s.ID, 0, applyTimeout) })
			}
		case !ok:
			n.log.Info("the charter has this node no more", "raft_id", string(s.ID))
			return n.removeServer(s.ID)
		case s.Suffrage == raft.Voter && s.Address != address:
			return n.addVoter(s.ID, address)
		case s.Suffrage == raft.Nonvoter && n.caughtUp(ctx, s.ID):
			n.log.Info("caught up and gets its vote", "raft_id", string(s.ID))
			return n.addVoter(s.ID, address)
		}
	}
	return nil
}

func (n *Node) removeServer(id raft.ServerID) error {
	return n.ask(func() raft.Future { return n.raft.RemoveServer(id, 0, applyTimeout) })
}

func (n *Node) addVoter(id raft.ServerID, address raft.ServerAddress) error {
	return n.ask(func() raft.Future { return n.raft.AddVoter(id, address, 0, applyTimeout) })
}

// caughtUp asks a non-voter how far it is.
func (n *Node) caughtUp(ctx context.Context, id raft.ServerID) bool {
	h, err := n.askHello(ctx, nodeOf(id))
	if err != nil || h.RaftID != string(id) {
		return false
	}
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	return h.Applied+catchUpSlack >= n.machine.meta.Applied
}

// runLeader does what only a leader does, whenever this node leads.
func (n *Node) runLeader(ctx context.Context) {
	for ctx.Err() == nil {
		if n.raft.State() == raft.Leader {
			n.lead(ctx)
			n.verified.lead(0)
		}
		select {
		case <-ctx.Done():
		case <-n.leaderCh:
		case <-time.After(reconcile):
		}
	}
}

// lead runs one term: a barrier first, so that all that was committed before is applied
// here; then the founding event, if nothing was logged yet; then the members.
func (n *Node) lead(ctx context.Context) {
	term := n.raft.CurrentTerm()
	if err := n.ask(func() raft.Future { return n.raft.Barrier(applyTimeout) }); err != nil {
		n.log.Warn("lost leadership at once", "error", err)
		return
	}
	n.verified.lead(term)
	n.log.Info("leads", "term", term)
	for n.raft.State() == raft.Leader && n.raft.CurrentTerm() == term {
		if err := n.found(ctx); err != nil {
			n.log.Warn("the founding event was not accepted", "error", err)
		}
		if doubt, outvoted := n.clock.doubted(); outvoted {
			n.log.Warn("gives leadership away", "why", doubt)
			if err := n.ask(n.raft.LeadershipTransfer); err == nil {
				return
			}
		}
		if err := n.reconcileMembers(ctx); err != nil {
			n.log.Warn("members do not follow the charter yet", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-n.leaderCh:
		case <-n.machine.nodes:
		case <-time.After(reconcile):
		}
	}
}

// found proposes the founding event when the log is empty.
func (n *Node) found(ctx context.Context) error {
	n.machine.mu.RLock()
	size := n.machine.meta.Size
	n.machine.mu.RUnlock()
	if size > 0 {
		return nil
	}
	event, err := registry.Prepare(n.cfg.Founding)
	if err != nil {
		return err
	}
	o, err := n.enqueue(ctx, event)
	if err != nil {
		return err
	}
	return o.Err()
}
