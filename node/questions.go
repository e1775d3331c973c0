package node

import (
	"sync"

	"github.com/hashicorp/raft"
)

// hashicorp/raft, told to shut down, leaves questions behind that it took and did not get to:
// who waits for the answer waits for ever, and the node would not end. So raft is told so when
// nobody waits any more: from then on this node asks nothing, and what was asked before raft
// answers, at the latest when it hears no other node and leads no more.

// questions counts who waits for an answer of raft.
type questions struct {
	mu   sync.Mutex
	over bool
	wg   sync.WaitGroup
}

// begin says whether raft may still be asked something; then end has to follow its answer.
func (q *questions) begin() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.over {
		q.wg.Add(1)
	}
	return !q.over
}

func (q *questions) end() { q.wg.Done() }

// close ends the asking. The channel is closed when all answers are there.
func (q *questions) close() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	answered := make(chan struct{})
	go func() {
		q.wg.Wait()
		close(answered)
	}()
	return answered
}

// ask asks raft something and waits for its answer.
func (n *Node) ask(question func() raft.Future) error {
	if !n.questions.begin() {
		return raft.ErrRaftShutdown
	}
	defer n.questions.end()
	return question().Error()
}

// verifying is raft whose VerifyLeader is asked so.
type verifying struct {
	*raft.Raft
	n *Node
}

// VerifyLeader implements leaderRaft.
func (v verifying) VerifyLeader() raft.Future { return verified{v} }

// verified is a question that is asked when somebody wants its answer.
type verified struct{ v verifying }

// Error implements raft.Future.
func (f verified) Error() error { return f.v.n.ask(f.v.Raft.VerifyLeader) }
