package node

import (
	"context"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/testkit"
)

// childFaults are what is wrong with one node that runs as a process of its own.
type childFaults struct {
	Via      map[string]string // where to dial instead of an address: the near end of a link
	SlowDisk time.Duration     // that each sync of raft's log takes longer
	Skew     time.Duration     // that its clock is ahead
	MinFree  uint64            // see Config; 0 means 1 MiB, because a test has other files than a machine
}

// start makes the node with its faults.
func (f childFaults) start(c Config) (*Node, error) {
	dialer := &net.Dialer{}
	c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if via, ok := f.Via[address]; ok {
			address = via
		}
		return dialer.DialContext(ctx, network, address)
	}
	c.ApplicationsPerMinute = 1 << 20 // clients of a test are strangers
	c.Clock = func() time.Time { return time.Now().Add(f.Skew) }
	if c.MinFree = f.MinFree; f.MinFree == 0 {
		c.MinFree = 1 << 20
	}
	n, err := New(c)
	if err == nil && f.SlowDisk > 0 {
		n.testingLogs = func(logs raft.LogStore) raft.LogStore { return slowLog{logs, f.SlowDisk} }
	}
	return n, err
}

// slowLog is a log on a disk that takes its time to sync.
type slowLog struct {
	raft.LogStore
	delay time.Duration
}

func (l slowLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

func (l slowLog) StoreLogs(entries []*raft.Log) error {
	<-time.After(l.delay)
	return l.LogStore.StoreLogs(entries)
}

// links are the ways between nodes, one for each that dials each other.
type links map[[2]string]*testkit.Link

// linked puts a link between each two nodes. Call it before they start.
func (p *processes) linked() links {
	all := links{}
	p.faults = map[string]childFaults{}
	for _, from := range p.charter.Nodes {
		f := childFaults{Via: map[string]string{}}
		for _, to := range p.charter.Nodes {
			if to.ID != from.ID {
				l := testkit.NewLink(p.t, to.RaftAddress)
				all[[2]string{from.ID, to.ID}], f.Via[to.RaftAddress] = l, l.Addr()
			}
		}
		p.faults[from.ID] = f
	}
	p.writeConfigs()
	return all
}

// each calls fn for the links on which one node dials, and for those on which it is dialled.
func (l links) each(id string, dials, dialled func(*testkit.Link)) {
	for ends, link := range l {
		switch id {
		case ends[0]:
			dials(link)
		case ends[1]:
			dialled(link)
		}
	}
}

// cut separates a node from all others.
func (l links) cut(id string) { l.each(id, (*testkit.Link).Cut, (*testkit.Link).Cut) }

// mute lets nothing out that a node sends; it hears everything.
func (l links) mute(id string) { l.each(id, (*testkit.Link).HoldThere, (*testkit.Link).HoldBack) }

// deafen lets nothing in; the others hear it.
func (l links) deafen(id string) { l.each(id, (*testkit.Link).HoldBack, (*testkit.Link).HoldThere) }

// slow makes everything to and from a node take so much longer.
func (l links) slow(id string, delay time.Duration) {
	l.each(id, func(k *testkit.Link) { k.Slow(delay) }, func(k *testkit.Link) { k.Slow(delay) })
}

func (l links) free() {
	for _, link := range l {
		link.Free()
	}
}

// childLevel is what a node that is a process of its own says.
func childLevel() slog.Level {
	if os.Getenv("PASPOORT_NODE_LOG") != "" {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
