package node

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/registry"
)

// region for tests: a charter with four members and n nodes, all keys made from names.
type testRegion struct {
	t        testing.TB
	charter  registry.Charter
	founding []byte
	genesis  string
	members  map[string]crypto.Signer
	nodes    map[string]nodeKeys
	start    time.Time
}

type nodeKeys struct {
	tls, timestamp *ecdsa.PrivateKey
	log, cosigner  ed25519.PrivateKey
}

func namedP256(name string) *ecdsa.PrivateKey {
	for i := 0; ; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "node test key %s %d", name, i))
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:]); err == nil {
			return key
		}
	}
}

func namedEd25519(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("node test seed " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicText(t testing.TB, key crypto.Signer) registry.PublicKey {
	pub, err := registry.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// newRegion founds a region at start; address gives the raft address of each node.
func newRegion(t testing.TB, size int, start time.Time, address func(i int) string) *testRegion {
	r := &testRegion{t: t, members: map[string]crypto.Signer{}, nodes: map[string]nodeKeys{}, start: start}
	r.charter = registry.Charter{Admission: registry.DefaultTerm(), Criteria: "criteria-1", Name: "Regio Aakermonde",
		Nonce: b64(make([]byte, 16)), Origin: "aakermonde.example/register", Thresholds: registry.DefaultThresholds()}
	for i, group := range []registry.Group{registry.Werkgevers, registry.Werknemers, registry.Opleiders, registry.Overheid} {
		id := fmt.Sprintf("lid-%d", i+1)
		r.members[id] = namedP256(id)
		r.charter.Members = append(r.charter.Members, registry.Member{Group: group, ID: id, Key: publicText(t, r.members[id]), Name: "Lid " + id})
	}
	for i := range size {
		r.charter.Nodes = append(r.charter.Nodes, r.node(i+1, address(i)))
	}
	r.charter.Anchors = []registry.Anchor{registry.NewAnchor([]byte("test anchor certificate"), "lid-4")}
	event, err := registry.Found(r.charter, start, r.members)
	if err != nil {
		t.Fatal(err)
	}
	if r.founding, err = event.Marshal(); err != nil {
		t.Fatal(err)
	}
	r.genesis = event.Event.ID()
	return r
}

// node makes the keys of a node and its entry for the charter.
func (r *testRegion) node(i int, address string) registry.Node {
	id := fmt.Sprintf("knoop-%d", i)
	k := nodeKeys{tls: namedP256("tls " + id), timestamp: namedP256("timestamp " + id), log: namedEd25519("log " + id), cosigner: namedEd25519("cosigner " + id)}
	r.nodes[id] = k
	return registry.Node{CosignerKey: b64(k.cosigner.Public().(ed25519.PublicKey)), ID: id, LogKey: b64(k.log.Public().(ed25519.PublicKey)),
		Operator: "lid-1", RaftAddress: address, TLSKey: registry.SPKIHash(k.tls.Public()), TimestampKey: publicText(r.t, k.timestamp),
		URL: "https://" + id + ".example"}
}

func (r *testRegion) config(id string) Config {
	k := r.nodes[id]
	return Config{ID: id, Founding: r.founding, TLSKey: k.tls, LogKey: k.log, CosignerKey: k.cosigner, TimestampKey: k.timestamp, Log: testLog(r.t)}
}

// testLog shows what nodes say when PASPOORT_NODE_LOG is set.
func testLog(testing.TB) *slog.Logger {
	if os.Getenv("PASPOORT_NODE_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// application is an event that anybody may send: the application of a new organisation.
func (r *testRegion) application(name string, now time.Time) registry.SignedEvent {
	return r.applicationUnder(0, name, now)
}

// applicationUnder is one signed under a version of the rules; 0 is the newest.
func (r *testRegion) applicationUnder(rules int, name string, now time.Time) registry.SignedEvent {
	key := namedP256("organisation " + name)
	sum := sha256.Sum256([]byte(name))
	id, err := registry.NewOrganisationID(bytes.NewReader(sum[:]))
	if err != nil {
		r.t.Fatal(err)
	}
	body := &registry.Application{Criteria: "criteria-1", Key: publicText(r.t, key), Name: name, Organisation: id, Purposes: []string{"werving"}, Role: registry.Verifier,
		Aliases: []registry.Alias{{Type: registry.AliasURL, Value: "https://" + strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example"}}}
	e, err := registry.Compose(registry.Draft{Genesis: r.genesis, Now: now, Rules: rules}, registry.KindApplied, body, registry.Party{Name: registry.OrganisationParty(id), Key: key})
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// cluster is nodes in memory: raft's own transport, stores that survive a node's stop, and
// peer calls as function calls; cuts between nodes hold for both.
type cluster struct {
	*testRegion
	mu    sync.Mutex
	nodes map[string]*member
	cut   map[[2]string]bool
}

type member struct {
	id    string
	node  *Node
	disk  *memoryFiles
	store kv.Store
	logs  *tornLog
	snaps *heldSnaps
	trans *raft.InmemTransport
	bend  func(*raft.InmemTransport) raft.Transport // what raft speaks through, when it lies
	parts func(*parts)                              // puts other disks in place
	stop  context.CancelFunc
	done  chan error
	tune  func(*Config)
}

func newCluster(t testing.TB, size int) *cluster {
	return newClusterWith(t, size, nil)
}

func newClusterWith(t testing.TB, size int, tune func(*Config)) *cluster {
	c := newClusterOf(t, size, tune)
	for _, m := range c.nodes {
		c.startNode(m)
	}
	return c
}

// newClusterOf starts nobody yet.
func newClusterOf(t testing.TB, size int, tune func(*Config)) *cluster {
	c := &cluster{testRegion: newRegion(t, size, time.Now(), func(i int) string { return fmt.Sprintf("knoop-%d.example:7000", i+1) }),
		nodes: map[string]*member{}, cut: map[[2]string]bool{}}
	for _, node := range c.charter.Nodes {
		c.add(node.ID, tune)
	}
	return c
}

func (c *cluster) add(id string, tune func(*Config)) *member {
	m := &member{id: id, tune: tune}
	m.wipe()
	c.nodes[id] = m
	return m
}

// wipe gives a member an empty disk.
func (m *member) wipe() {
	m.disk, m.store = &memoryFiles{forget: m.wipeRaft}, kv.NewMemory()
	m.logs, m.snaps = &tornLog{}, &heldSnaps{}
	m.wipeRaft()
}

// wipeRaft is what a new birth does to raft's files.
func (m *member) wipeRaft() {
	m.logs.InmemStore, m.snaps.SnapshotStore = raft.NewInmemStore(), raft.NewInmemSnapshotStore()
	m.logs.synced.Store(0)
}

// heldSnaps is a snapshot store that can be replaced.
type heldSnaps struct{ raft.SnapshotStore }

func (c *cluster) startNode(m *member) {
	cfg := c.config(m.id)
	if m.tune != nil {
		m.tune(&cfg)
	}
	_, m.trans = raft.NewInmemTransport(raft.ServerAddress(m.id + ".example:7000"))
	var transport raft.Transport = m.trans
	if m.bend != nil {
		transport = m.bend(m.trans)
	}
	transport = &guarded{Transport: transport, rpcs: make(chan raft.RPC)}
	// A part of the store ends with the whole: the disk outlives the node.
	p := parts{store: kv.Sub(m.store, ""), files: m.disk, logs: m.logs, votes: m.logs, snapshots: m.snaps, transport: transport, peers: callers{c, m.id}, closeRaft: func() error { return nil }}
	if m.parts != nil {
		m.parts(&p)
	}
	n, err := newNode(cfg.withDefaults(), p)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	c.mu.Lock()
	m.node, m.stop, m.done = n, stop, done
	c.connect()
	c.mu.Unlock()
	n.wg.Go(func() { transport.(*guarded).run(n) })
	go func() { done <- n.Run(ctx) }()
}

// connect makes raft's connections as the cuts allow. mu is held.
func (c *cluster) connect() {
	for _, a := range c.nodes {
		for _, b := range c.nodes {
			if a == b || a.trans == nil || b.trans == nil {
				continue
			}
			if a.node == nil || b.node == nil || c.cut[pair(a.id, b.id)] {
				a.trans.Disconnect(b.trans.LocalAddr())
			} else {
				a.trans.Connect(b.trans.LocalAddr(), b.trans)
			}
		}
	}
}

// guarded looks at what comes in as a node's network does.
type guarded struct {
	raft.Transport
	rpcs chan raft.RPC
}

func (g *guarded) Consumer() <-chan raft.RPC { return g.rpcs }

func (g *guarded) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return g.Transport.(raft.WithPreVote).RequestPreVote(id, target, args, resp)
}

func (g *guarded) run(n *Node) {
	for {
		select {
		case rpc := <-g.Transport.Consumer():
			if from, ok := rpc.Command.(raft.WithRPCHeader); ok && !n.knowsNode(nodeOf(raft.ServerID(from.GetRPCHeader().ID))) {
				refuse(&rpc, errNotSent)
				continue
			}
			if !n.addressed(&rpc) || !n.guard(&rpc) {
				continue
			}
			select {
			case g.rpcs <- rpc:
			case <-n.stopped:
				refuse(&rpc, raft.ErrTransportShutdown)
				return
			}
		case <-n.stopped:
			return
		}
	}
}

// knowsNode is what a node's network asks of a certificate.
func (n *Node) knowsNode(id string) bool {
	return n.region().node(id).ID != ""
}

func pair(a, b string) [2]string {
	if a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

// isolate cuts a node off from all others; heal joins everybody again.
func (c *cluster) isolate(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for other := range c.nodes {
		c.cut[pair(id, other)] = true
	}
	c.connect()
}

func (c *cluster) heal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = map[[2]string]bool{}
	c.connect()
}

func (c *cluster) stopNode(id string) {
	c.mu.Lock()
	m := c.nodes[id]
	stop, done := m.stop, m.done
	m.node = nil
	c.connect()
	c.mu.Unlock()
	stop()
	if err := <-done; err != nil {
		c.t.Errorf("%s: %v", id, err)
	}
}

// close stops everybody; a bubble must be empty at its end.
func (c *cluster) close() {
	for _, id := range c.ids() {
		if c.get(id) != nil {
			c.stopNode(id)
		}
	}
}

func (c *cluster) ids() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for id := range c.nodes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (c *cluster) get(id string) *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[id].node
}

// callers carries peer calls of one node.
type callers struct {
	c    *cluster
	from string
}

func (p callers) call(ctx context.Context, to, op string, body []byte) ([]byte, error) {
	reach := func() *Node {
		p.c.mu.Lock()
		defer p.c.mu.Unlock()
		if m := p.c.nodes[to]; m != nil && m.node != nil && m.node.knowsNode(p.from) && !p.c.cut[pair(p.from, to)] {
			return m.node
		}
		return nil
	}
	n := reach()
	if n == nil {
		return nil, errNotSent
	}
	type result struct {
		body []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		out, err := n.servePeer(ctx, p.from, op, body)
		done <- result{out, err}
	}()
	select {
	case r := <-done:
		if reach() == nil { // cut while it was under way: the answer is lost
			return nil, errors.New("connection lost")
		}
		if r.err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPeer, r.err)
		}
		return r.body, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// memoryFiles is a disk for the small files, with the two ways to fail: not done and
// reported; or lost: done, reported as done, and gone after a restart.
type memoryFiles struct {
	mu      sync.Mutex
	id      string
	members *members
	rec     record
	synced  record
	lose    bool
	fail    error
	count   int
	forget  func() // what else a new birth wipes
}

func (f *memoryFiles) birth() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.id == "" {
		var err error
		f.id, err = newBirth(nil)
		return f.id, err
	}
	return f.id, nil
}

func (f *memoryFiles) rebirth() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.id, f.members = "", nil
	f.forget()
	return nil
}

func (f *memoryFiles) loadMembers() (*members, error) { return f.members, nil }

func (f *memoryFiles) saveMembers(m members) error {
	f.members = &m
	return nil
}

func (f *memoryFiles) loadRecord() (record, error) { return f.rec, nil }

func (f *memoryFiles) saveRecord(r record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	if f.rec, f.count = r, f.count+1; !f.lose {
		f.synced = r
	}
	return nil
}

// leader waits for a node that leads and may answer linearizable reads.
func (c *cluster) leader() string {
	for range 2000 {
		for _, id := range c.ids() {
			n := c.get(id)
			if n == nil || !n.running() || n.size() == 0 {
				continue
			}
			if _, err := n.verified.index(context.Background()); err == nil {
				return id
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.t.Fatal("no leader")
	return ""
}

// eventually waits for something to become true; in a bubble that costs no time.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 6000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("did not happen: %s", what)
}

func (c *cluster) submit(id string, e registry.SignedEvent) (registry.Outcome, error) {
	n := c.get(id)
	if n == nil {
		return registry.Outcome{}, errNotSent
	}
	return n.Submit(context.Background(), registry.Submission{Event: e})
}

func (c *cluster) size(id string) uint64 {
	n := c.get(id)
	n.machine.mu.RLock()
	defer n.machine.mu.RUnlock()
	return n.machine.meta.Size
}
