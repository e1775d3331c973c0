package node

import (
	"sync"

	"github.com/hashicorp/raft"
)

// Raft's VerifyLeader counts the answer to a heartbeat that was sent before it was asked. A
// leader whose process stood still (a machine that was paused or moved) finds such answers
// waiting when it goes on, takes itself for the leader still, and would give a stale read as
// a linearizable one, while another leads. So the answers are looked at too: those that count
// were sent for after the question.

// heard keeps, for each raft id, the newest request that it answered as a follower of this node.
type heard struct {
	mu       sync.Mutex
	clock    uint64 // counts requests and questions
	answered map[raft.ServerID]uint64
}

// now is a moment between requests.
func (h *heard) now() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	return h.clock
}

// answer notes that a request that was sent at a moment was answered.
func (h *heard) answer(id raft.ServerID, sent uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answered == nil {
		h.answered = map[raft.ServerID]uint64{}
	}
	h.answered[id] = max(h.answered[id], sent)
}

// since counts the ids that answered what was sent after a moment.
func (h *heard) since(moment uint64, ids []raft.ServerID) (count int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		if h.answered[id] > moment {
			count++
		}
	}
	return count
}

// quorumSince says whether this node led at some time after a moment: it and those that
// answered what was sent since are a majority of the voters.
func (n *Node) quorumSince(moment uint64) bool {
	var others []raft.ServerID
	voters, self := 0, 0
	for _, s := range n.servers() {
		if s.Suffrage != raft.Voter {
			continue
		}
		if voters++; s.ID == n.raftID {
			self = 1
		} else {
			others = append(others, s.ID)
		}
	}
	return self+n.heard.since(moment, others) > voters/2
}
