package node

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// busyLog takes its time to sync.
type busyLog struct {
	raft.LogStore
	takes atomic.Int64 // a time.Duration
}

func (l *busyLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

func (l *busyLog) StoreLogs(logs []*raft.Log) error {
	<-time.After(time.Duration(l.takes.Load()))
	return l.LogStore.StoreLogs(logs)
}

// TestStopsWhileRaftIsAsked: raft is busy with its disk while it is asked more, and the node is
// stopped. It ends, and with it all who wait: what raft had taken is in the log.
func TestStopsWhileRaftIsAsked(t *testing.T) {
	for name, restarted := range map[string]bool{"with writes": false, "when it begins to lead": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, slow := newClusterOf(t, 1, nil), &busyLog{}
				m := c.nodes["knoop-1"]
				m.parts = func(p *parts) {
					slow.LogStore = p.logs
					p.logs = slow
				}
				c.startNode(m)
				defer c.close()
				c.leader()
				var asking sync.WaitGroup
				if restarted {
					c.stopNode(m.id)
					slow.takes.Store(int64(time.Second))
					c.startNode(m)
					eventually(t, "it leads", func() bool { return m.node.running() && m.node.raft.State() == raft.Leader })
				} else {
					slow.takes.Store(int64(time.Second))
					for _, name := range []string{"De eerste", "De tweede", "De derde"} {
						asking.Go(func() { c.submit(m.id, c.application(name, time.Now())) })
						time.Sleep(50 * time.Millisecond)
					}
					asking.Go(func() { c.linearizable(m.id) })
				}
				time.Sleep(50 * time.Millisecond)
				begin := time.Now()
				c.stopNode(m.id)
				if took := time.Since(begin); took > 10*time.Second {
					t.Errorf("it took %v to stop", took)
				}
				asking.Wait()
			})
		})
	}
}
