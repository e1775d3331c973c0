package node

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
)

// diskRegion is a region of real nodes in this process: disks, TLS and ports.
type diskRegion struct {
	*testRegion
	dirs  map[string]string
	peers map[string]net.Listener
	nodes map[string]*Node
	stops map[string]func()
	ended map[string]chan struct{} // closed when a node is to be started again
}

func newDiskRegion(t testing.TB, size int) *diskRegion {
	r := &diskRegion{dirs: map[string]string{}, peers: map[string]net.Listener{}, nodes: map[string]*Node{}, stops: map[string]func(){}, ended: map[string]chan struct{}{}}
	var listeners []net.Listener
	for range size {
		listeners = append(listeners, testkit.Listen(t))
	}
	r.testRegion = newRegion(t, size, time.Now(), func(i int) string { return listeners[i].Addr().String() })
	for i, node := range r.charter.Nodes {
		r.dirs[node.ID], r.peers[node.ID] = t.TempDir(), listeners[i]
		r.start(node.ID)
	}
	t.Cleanup(func() {
		for id := range r.nodes {
			r.stop(id)
		}
	})
	return r
}

func (r *diskRegion) start(id string) {
	cfg := r.config(id)
	cfg.Dir, cfg.Peer, cfg.CheckpointInterval = r.dirs[id], r.peers[id], 20*time.Millisecond
	n, err := New(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done, ended := make(chan error, 1), make(chan struct{})
	go func() {
		err := n.Run(ctx)
		if errors.Is(err, errPutBack) {
			close(ended) // it is to be started again
			err = nil
		}
		done <- err
	}()
	r.nodes[id] = n
	r.ended[id] = ended
	r.stops[id] = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("%s: %v", id, err)
		}
	}
}

// manage does what a service manager does: it starts a node again that ended because its disk
// was put back.
func (r *diskRegion) manage(id string) {
	select {
	case <-r.ended[id]:
		r.stop(id)
		r.again(id)
	default:
	}
}

func (r *diskRegion) stop(id string) {
	if stop := r.stops[id]; stop != nil {
		stop()
	}
	delete(r.stops, id)
	delete(r.nodes, id)
}

// again listens on the same port as before and starts the node on its disk.
func (r *diskRegion) again(id string) {
	l, err := net.Listen("tcp", r.peers[id].Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.peers[id] = l
	r.start(id)
}

func TestNodesOnDisk(t *testing.T) {
	r := newDiskRegion(t, 3)
	write := func(id, name string) {
		t.Helper()
		o, err := r.nodes[id].Submit(context.Background(), registry.Submission{Event: r.application(name, time.Now())})
		if err != nil || o.Err() != nil {
			t.Fatalf("write at %s: %+v, %v", id, o, err)
		}
	}
	eventually(t, "the region is founded", func() bool { return r.nodes["knoop-1"].size() == 1 })
	write("knoop-1", "Zorggroep Linde")
	write("knoop-2", "Machinefabriek Ossekamp")
	_, leader := r.nodes["knoop-1"].raft.LeaderWithID()
	r.stop(nodeOf(leader))
	for id := range r.nodes {
		write(id, "Opleidingshuis "+id)
	}
	r.again(nodeOf(leader))
	for id, n := range r.nodes {
		eventually(t, id+" has everything under a checkpoint", func() bool { return n.covered() == 5 })
	}
}
