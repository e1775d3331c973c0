package node

import (
	"net/http"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/registry"
)

// Status is how a node and its cluster are doing.
type Status struct {
	Node       string           `json:"node"`
	Region     string           `json:"region"` // genesis
	Name       string           `json:"name"`   // of the region
	State      string           `json:"state"`  // starting, follower, candidate, leader, left
	Leader     string           `json:"leader,omitempty"`
	Term       uint64           `json:"term"`
	RaftIndex  uint64           `json:"raft_index"` // of the last entry in this node's log
	Applied    uint64           `json:"applied"`    // of the last entry in this node's store
	Leaves     uint64           `json:"leaves"`
	Rules      int              `json:"rules"`       // version in force
	RulesKnown int              `json:"rules_known"` // newest one that this program knows
	LogTime    time.Time        `json:"log_time"`
	Age        int64            `json:"age_seconds"` // since this node last heard from a leader; -1: never, and it has no leaf
	Checkpoint *CheckpointState `json:"checkpoint"`  // null before the first one that counts
	Signs      bool             `json:"signs"`
	Withheld   string           `json:"withheld,omitempty"`  // why it does not sign
	WaitsFor   string           `json:"waits_for,omitempty"` // founding nodes that it has not heard, before the region begins
	Forked     bool             `json:"forked"`              // it met another history than its own, and stands behind neither
	Verifies   bool             `json:"verifies"`            // POST /v1/verify is on
	Peers      []Peer           `json:"peers"`
	Witnesses  []WitnessState   `json:"witnesses"` // of the region's log, from outside it
}

// CheckpointState is the checkpoint that a node serves.
type CheckpointState struct {
	Size     uint64    `json:"size"`
	Freshest time.Time `json:"freshest"` // when a quorum last stood behind it
	Cosigned []string  `json:"cosigned"` // nodes
	Trust    string    `json:"trust"`    // "witnessed", or "own nodes only": no witness outside the region
	// Witnesses are those, by id, that cosigned a tree of this size for this node.
	Witnesses []string `json:"witnesses,omitempty"`
}

// Peer is a node of the charter in raft's configuration.
type Peer struct {
	ID     string `json:"id"`
	URL    string `json:"url"`
	Member string `json:"member"` // voter, nonvoter, or absent
}

// Status tells how this node is doing.
func (n *Node) Status() Status {
	s := Status{Node: n.cfg.ID, Region: n.genesis, State: "starting", Verifies: n.checker != nil, Withheld: n.publisher.withheld(), Peers: []Peer{}, Witnesses: n.outside.witnessStates()}
	s.Signs, s.Forked, s.WaitsFor = s.Withheld == "", n.publisher.forked(), n.waiting()
	n.machine.mu.RLock()
	s.Applied, s.Leaves, s.LogTime, s.Age = n.machine.meta.Applied, n.machine.meta.Size, n.machine.state.LogTime(), n.age()
	s.Name = n.founding.name
	if s.RulesKnown = registry.RulesVersion; s.Leaves > 0 {
		s.Rules = n.machine.state.Rules()
		s.Name = n.machine.state.View().Region(s.LogTime).Name
	}
	n.machine.mu.RUnlock()
	if s.Leaves == 0 && n.contact().IsZero() {
		s.Age = neverHeard
	}
	if _, seen := n.publisher.Checkpoint(); seen != nil {
		s.Checkpoint = &CheckpointState{Size: seen.Checkpoint.Size, Freshest: seen.Freshest(), Trust: trustOwn, Cosigned: sortedKeys(seen.Cosignatures)}
		if fresh := n.publisher.freshness(); !fresh.OwnNodesOnly {
			s.Checkpoint.Trust, s.Checkpoint.Freshest = trustWitnessed, fresh.Time
			for _, w := range s.Witnesses {
				if w.Size == fresh.Size && !w.At.IsZero() {
					s.Checkpoint.Witnesses = append(s.Checkpoint.Witnesses, w.ID)
				}
			}
		}
	}
	suffrage := map[string]string{}
	if n.running() {
		_, leader := n.raft.LeaderWithID()
		s.Leader, s.Term, s.RaftIndex, s.State = nodeOf(leader), n.raft.CurrentTerm(), n.raft.LastIndex(), stateName(n.raft.State())
		for _, server := range n.servers() {
			suffrage[nodeOf(server.ID)] = map[raft.ServerSuffrage]string{raft.Voter: "voter", raft.Nonvoter: "nonvoter"}[server.Suffrage]
		}
	}
	if n.left() {
		s.State, s.Leader = stateLeft, ""
		if n.isLeaving(n.cfg.ID) {
			s.State = stateLeaving
		}
	}
	region := n.region()
	for _, id := range sortedKeys(region.nodes) {
		p := Peer{ID: id, URL: region.nodes[id].URL, Member: suffrage[id]}
		if p.Member == "" {
			p.Member = "absent"
		}
		s.Peers = append(s.Peers, p)
	}
	return s
}

// How a checkpoint is trusted, for people.
const (
	trustOwn       = "own nodes only"
	trustWitnessed = "witnessed"
)

// neverHeard is the age of a node that has nothing from any leader.
const neverHeard = -1

// stateLeft is the state of a node that the charter has no more, whatever raft makes of it;
// stateLeaving that of one that has to sign once more.
const (
	stateLeft    = "left"
	stateLeaving = "leaving"
)

func stateName(s raft.RaftState) string {
	return map[raft.RaftState]string{raft.Follower: "follower", raft.Candidate: "candidate", raft.Leader: "leader", raft.Shutdown: "stopped"}[s]
}

func (n *Node) getStatus(w http.ResponseWriter, _ *http.Request) {
	web.WriteJSON(w, http.StatusOK, n.Status())
}
