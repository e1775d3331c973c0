package node

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/registry"
)

// The test binary runs itself as a node when this variable names a file. The listener for
// other nodes comes from the parent, so that the address in the charter is a free port and
// stays taken while the node is dead; for HTTP it takes a port of its own and reports it.
const nodeVariable = "PASPOORT_TEST_NODE"

type childConfig struct {
	ID, Dir  string
	Founding []byte
	Faults   childFaults
	Listen   string // in a network of its own; else the listener comes from the parent
}

func TestMain(m *testing.M) {
	if path := os.Getenv(nodeVariable); path != "" {
		if err := runChild(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var c childConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	peer, host, err := c.listen()
	if err != nil {
		return err
	}
	n, err := c.Faults.start(Config{ID: c.ID, Dir: c.Dir, Founding: c.Founding, Peer: peer, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: childLevel()})),
		TLSKey: namedP256("tls " + c.ID), TimestampKey: namedP256("timestamp " + c.ID), LogKey: namedEd25519("log " + c.ID), CosignerKey: namedEd25519("cosigner " + c.ID),
		CheckpointInterval: 50 * time.Millisecond})
	if err != nil {
		return err
	}
	handler, err := n.Handler()
	if err != nil {
		return err
	}
	public, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	fmt.Println("http://" + public.Addr().String())
	go web.Serve(context.Background(), public, handler, nil)
	return n.Run(context.Background())
}

// listen gives the listener for other nodes, and the host on which people are served.
func (c childConfig) listen() (net.Listener, string, error) {
	if c.Listen == "" {
		l, err := net.FileListener(os.NewFile(3, "peer"))
		return l, "127.0.0.1", err
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, "", err
	}
	l, err := net.Listen("tcp", c.Listen)
	return l, host, err
}

// processes are the nodes of a region, each a process of its own.
type processes struct {
	*testRegion
	dir       string
	listeners map[string]*os.File
	mu        sync.Mutex
	running   map[string]*exec.Cmd
	urls      map[string]string
	programs  map[string]string // of nodes that run another program than this one
	faults    map[string]childFaults
	spaces    map[string]string // network namespaces of nodes that have one; see chaos_fault_test.go
}

func newProcesses(t *testing.T, size int) *processes {
	p := &processes{dir: t.TempDir(), listeners: map[string]*os.File{}, running: map[string]*exec.Cmd{}, urls: map[string]string{}}
	var listeners []net.Listener
	for range size {
		listeners = append(listeners, testkit.Listen(t))
	}
	p.testRegion = newRegion(t, size, time.Now(), func(i int) string { return listeners[i].Addr().String() })
	for i, node := range p.charter.Nodes {
		f, err := listeners[i].(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		listeners[i].Close()
		p.listeners[node.ID] = f
	}
	p.writeConfigs()
	t.Cleanup(p.end)
	return p
}

// end kills all and shows what they said, if that is wanted.
func (p *processes) end() {
	for id := range p.listeners {
		p.kill(id)
		p.listeners[id].Close()
		if p.t.Failed() {
			if raw, err := os.ReadFile(p.log(id)); err == nil {
				p.t.Logf("%s:\n%s", id, raw[max(0, len(raw)-2000):])
			}
		}
	}
}

// writeConfigs tells each node of the region as it is founded now.
func (p *processes) writeConfigs() {
	p.t.Helper()
	for id := range p.listeners {
		c := childConfig{ID: id, Dir: filepath.Join(p.dir, id), Founding: p.founding, Faults: p.faults[id]}
		if p.spaces != nil {
			c.Listen = p.address(id)
		}
		raw, err := json.Marshal(c)
		if err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(p.config(id), raw, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *processes) config(id string) string { return filepath.Join(p.dir, id+".json") }
func (p *processes) log(id string) string    { return filepath.Join(p.dir, id+".log") }

// start runs a node and waits until it reports its address.
func (p *processes) start(id string) {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	log, err := os.OpenFile(p.log(id), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(cmp.Or(p.programs[id], self))
	if space := p.spaces[id]; space != "" {
		cmd = exec.Command("ip", "netns", "exec", space, self)
	}
	cmd.Env = append(os.Environ(), nodeVariable+"="+p.config(id))
	cmd.ExtraFiles, cmd.Stderr = []*os.File{p.listeners[id]}, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		raw, _ := os.ReadFile(p.log(id))
		p.t.Fatalf("%s did not start: %v\n%s", id, err, raw)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[id], p.urls[id] = cmd, strings.TrimSpace(line)
}

// kill ends a node with SIGKILL: nothing can be tidied up.
func (p *processes) kill(id string) {
	p.mu.Lock()
	cmd := p.running[id]
	delete(p.running, id)
	delete(p.urls, id)
	p.mu.Unlock()
	if cmd != nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

func (p *processes) client(id string) (registry.Client, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	url, ok := p.urls[id]
	return registry.Client{HTTP: &http.Client{Timeout: 5 * time.Second}, URL: url}, ok
}

func (p *processes) status(id string) (s Status, err error) {
	c, ok := p.client(id)
	if !ok {
		return s, errNotSent
	}
	resp, err := http.Get(c.URL + "/v1/status")
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

func (p *processes) leader() string {
	p.t.Helper()
	for range 1000 {
		for id := range p.listeners {
			if s, err := p.status(id); err == nil && s.State == "leader" && s.Leaves > 0 {
				return id
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatal("no leader")
	return ""
}

// TestKilledLeaders kills the leader time and again while clients write: nothing that was
// acknowledged is lost, writes resume, each killed node comes back and signs.
func TestKilledLeaders(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes are for the long run")
	}
	p := newProcesses(t, 3)
	for id := range p.listeners {
		p.start(id)
	}
	p.leader()
	var (
		mu    sync.Mutex
		acked = map[string]uint64{} // event id -> leaf
	)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 3 {
		writers.Go(func() {
			rnd := rand.New(rand.NewPCG(7, uint64(w)))
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				c, ok := p.client(fmt.Sprintf("knoop-%d", 1+rnd.IntN(3)))
				if !ok {
					continue
				}
				e := p.application(fmt.Sprintf("Organisatie %d %d", w, i), time.Now())
				o, err := c.Submit(context.Background(), registry.Submission{Event: e})
				if err == nil && o.Err() == nil && o.Index != nil {
					mu.Lock()
					acked[e.Event.ID()] = *o.Index
					mu.Unlock()
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(acked)
	}
	for range 3 {
		before := count()
		eventually(t, "writes go on", func() bool { return count() > before+5 })
		victim := p.leader()
		p.kill(victim)
		before = count()
		eventually(t, "writes resume after the leader was killed", func() bool { return count() > before+5 })
		p.start(victim)
		eventually(t, victim+" is ready again", func() bool { s, err := p.status(victim); return err == nil && s.Leader != "" && s.Signs })
	}
	close(stop)
	writers.Wait()
	p.checkEverywhere(acked)
}

// checkEverywhere waits until all nodes have everything under a checkpoint, and compares.
func (p *processes) checkEverywhere(acked map[string]uint64) {
	p.t.Helper()
	p.checkLogs(acked)
	if len(acked) < 30 {
		p.t.Errorf("only %d writes were acknowledged: the test tested little", len(acked))
	}
}

// checkLogs is checkEverywhere for however few writes.
func (p *processes) checkLogs(acked map[string]uint64) {
	p.t.Helper()
	logs := map[string][][]byte{}
	for id := range p.listeners {
		eventually(p.t, id+" has everything under a checkpoint", func() bool {
			a, err1 := p.status(id)
			b, err2 := p.status(p.leader())
			return err1 == nil && err2 == nil && a.Leaves == b.Leaves && a.Checkpoint != nil && a.Checkpoint.Size == a.Leaves
		})
		c, _ := p.client(id)
		s, err := p.status(id)
		if err != nil {
			p.t.Fatal(err)
		}
		for uint64(len(logs[id])) < s.Leaves {
			leaves, err := c.Leaves(context.Background(), uint64(len(logs[id])), s.Leaves)
			if err != nil || len(leaves) == 0 {
				p.t.Fatalf("%s: %d leaves, %v", id, len(leaves), err)
			}
			logs[id] = append(logs[id], leaves...)
		}
	}
	for _, wrong := range wrongLogs(logs, acked) {
		p.t.Error(wrong)
	}
}

// TestStrangersAreShutOut: a key that the charter does not name gets no connection, and a
// node cannot speak for another.
func TestStrangersAreShutOut(t *testing.T) {
	r := newDiskRegion(t, 2)
	eventually(t, "the region is founded", func() bool { return r.nodes["knoop-1"].size() == 1 })
	stranger := r.config("knoop-2")
	stranger.TLSKey = namedP256("a stranger")
	stranger.Dir, stranger.Peer = t.TempDir(), testkit.Listen(t)
	n, err := New(stranger)
	if err != nil {
		t.Fatal(err)
	}
	defer n.closeParts()
	defer stranger.Peer.Close()
	if _, err := n.peers.call(context.Background(), "knoop-1", opHello, nil); err == nil {
		t.Error("a stranger was answered")
	}
	// A node of the charter, on its own connection, in the name of another.
	w := r.nodes["knoop-2"].transport.(*network)
	victim := r.nodes["knoop-1"]
	leader := victim.raftID
	if err := r.nodes["knoop-1"].transport.(*network).authentic("knoop-2", &fakeRPC{id: string(leader), addr: "x"}); err == nil {
		t.Error("an RPC in another node's name was taken")
	}
	if _, err := w.call(context.Background(), "knoop-1", opJoin, []byte("knoop-1/0123456789abcdef")); !errors.Is(err, ErrPeer) {
		t.Errorf("joining as another node: %v", err)
	}
	if _, err := w.call(context.Background(), "knoop-1", "no-such-thing", nil); !errors.Is(err, ErrPeer) {
		t.Errorf("unknown operation: %v", err)
	}
	if _, err := w.call(context.Background(), "knoop-1", opSubmit, make([]byte, maxPeerBody+1)); err == nil {
		t.Error("too large a message was taken")
	}
}

type fakeRPC struct{ id, addr string }

func (f *fakeRPC) GetRPCHeader() raft.RPCHeader {
	return raft.RPCHeader{ID: []byte(f.id), Addr: []byte(f.addr)}
}
