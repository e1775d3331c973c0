package node

import (
	"errors"
	"testing"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/specs/registry"
)

// eager is raft that takes itself for the leader so many times.
type eager struct{ rounds int }

type verdict struct{ error }

func (v verdict) Error() error { return v.error }

func (e *eager) VerifyLeader() raft.Future {
	if e.rounds--; e.rounds < 0 {
		return verdict{raft.ErrNotLeader}
	}
	return verdict{nil}
}

func (e *eager) CommitIndex() uint64 { return 1 }
func (e *eager) CurrentTerm() uint64 { return 1 }

// TestAnswersFromBeforeDoNotCount: an answer to what was sent before the question does not
// confirm leadership, whatever raft makes of it; one to what was sent after it does.
func TestAnswersFromBeforeDoNotCount(t *testing.T) {
	for _, x := range []struct {
		name  string
		after bool // an answer comes to what was sent after the question
		want  error
	}{{"only from before", false, registry.ErrNoLeader}, {"one from after", true, nil}} {
		var h heard
		early := h.now()
		asked := 0
		l := leadership{raft: &eager{rounds: 3}, moment: h.now, quorumSince: func(moment uint64) bool {
			if asked++; asked == 1 {
				h.answer("knoop-2/a", early)
			} else if x.after {
				h.answer("knoop-2/a", h.now())
			}
			return 1+h.since(moment, []raft.ServerID{"knoop-2/a", "knoop-3/b"}) > 1
		}}
		if err := l.confirm(); !errors.Is(err, x.want) {
			t.Errorf("%s: got %v, want %v", x.name, err, x.want)
		}
		if asked < 2 {
			t.Errorf("%s: an answer from before was enough", x.name)
		}
	}
}
