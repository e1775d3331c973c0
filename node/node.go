package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
)

// Node is one registry node. Make it with New, start it with Run.
type Node struct {
	cfg      Config
	log      *slog.Logger
	founding region // of the founding event
	hint     hint   // who the nodes are, as long as this node has fewer leaves than it is of
	genesis  string
	parts

	machine   *machine
	publisher *publisher
	witness   *witness
	outside   *outside
	mirrors   *mirrors
	peerLogs  peerLogs // of accepted regions; nil: none is witnessed
	federated *federation
	archive   *archive
	verified  *leadership
	checker   *evidence.Service // nil: this node checks no credentials
	queue     chan submission

	applications *bucket       // of leaves that strangers make
	digests      *bucket       // of digests that are held against the state
	refusals     *bucket       // of their refusals that are remembered
	checks       chan struct{} // has a token for each check under way

	revocations revocations // that the registry knows, for revocation lists

	counters *counters
	health   health // of the cluster, by the last look

	birth     string
	raftID    raft.ServerID
	joined    bool // was taken in by the leader, possibly after it forgot a former life
	fresh     bool // its raft id is new in this process: there is nothing to forget; see asked.go
	recovered bool // began a new cluster after the loss of the majority, see recover.go
	forgot    bool // has not learnt yet what it signed in that life

	raft *raft.Raft
	// restarted: the disk was given up once since this process began, and not again.
	restarted bool
	leaderCh  <-chan bool
	started   chan struct{}   // closed when raft runs
	leaving   <-chan struct{} // closed when Run is to return
	stopped   chan struct{}   // closed when it stops raft
	// testingLogs makes raft's log a slow one, or one that fails.
	testingLogs func(raft.LogStore) raft.LogStore
	cancel      context.CancelCauseFunc // ends Run with a reason; set before raft runs
	wg          sync.WaitGroup
	questions   questions // to raft, see questions.go

	asked     askedNodes
	clock     clockWatch
	heard     heard
	formedMu  sync.Mutex
	unheardOf string // guarded by formedMu: founding nodes that this one waits for
	births    map[string]string
}

// parts are what a node stands on; tests put memory in their place.
type parts struct {
	store     kv.Store
	files     files
	logs      raft.LogStore
	votes     raft.StableStore
	snapshots raft.SnapshotStore
	transport raft.Transport
	peers     peers
	close     []func() error // in the order of opening
	closeRaft func() error   // closes logs and votes, so that openRaft opens them anew
	serve     func(context.Context, *Node) error
	// openMirrors opens the store of the copies of other regions; nil keeps them in memory.
	openMirrors func() (kv.Store, error)
	// openArchive opens the store of the status archive, see archiveConfig; nil keeps it in memory.
	openArchive func(create bool) (kv.Store, error)
}

// New opens the data folder and checks everything; it starts nothing but what opening a
// store starts. Call Run, also to close it again.
func New(c Config) (*Node, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("node %s: %w", c.ID, err)
	}
	if err := checkSpace(c); err != nil {
		return nil, err
	}
	store, err := kv.OpenBadger(filepath.Join(c.Dir, dirStore), kv.Options{Log: c.Log, MemTable: memTable})
	if err != nil {
		return nil, err
	}
	p := parts{store: store, files: folder{c.Dir, c.Rand}, close: []func() error{store.Close}, openMirrors: mirrorStore(c), openArchive: archiveStore(c)}
	n, err := newNode(c, p)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if n.hint, err = readHint(c.Dir, n.genesis, n.size()); err != nil {
		return nil, errors.Join(fmt.Errorf("node %s: %w", c.ID, err), n.closeParts())
	}
	network, err := newNetwork(n)
	if err != nil {
		return nil, errors.Join(err, n.closeParts())
	}
	n.peers, n.transport, n.serve = network, network, network.run
	return n, nil
}

// newNode makes a node on given parts; raft's own stores and the network may come later.
func newNode(c Config, p parts) (*Node, error) {
	event, charter, err := foundingCharter(c.Founding)
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: c, log: c.Log.With("node", c.ID), founding: regionOfCharter(charter), genesis: event.Event.ID(),
		parts: p, queue: make(chan submission, maxWaiting), applications: newBucket(c.ApplicationsPerMinute), refusals: newBucket(c.ApplicationsPerMinute), digests: newBucket(digestsPerMinute),
		checks: make(chan struct{}, maxChecks), counters: newCounters(), started: make(chan struct{}), stopped: make(chan struct{})}
	if err := kv.CheckFormat(p.store, storeName, storeFormat); err != nil {
		return nil, err
	}
	if err := n.afterPoison(); err != nil {
		return nil, err
	}
	if n.machine, err = openKept(p.store, n.genesis); err != nil {
		return nil, fmt.Errorf("node %s: %w", c.ID, err)
	}
	n.machine.fetch = n.fetchLeaves
	n.outside = newOutside(n)
	if n.publisher, err = newPublisher(n); err != nil {
		return nil, err
	}
	if n.mirrors, err = newMirrors(n); err != nil {
		return nil, err
	}
	n.peerLogs = n.mirrors
	n.witness = newWitness(n, n.publisher.self)
	n.federated = newFederation(federationConfig{
		Genesis: n.genesis, Node: c.ID, Key: c.FederationKey, Reader: n, Peers: n.mirrors.neighbours.List, HTTP: c.Outside, Clock: c.Clock, Log: n.log,
	})
	n.archive = archiveOf(n)
	n.close = append(n.close, n.archive.close)
	if !c.VerifyOff { // without a log: what is checked is nobody's business
		n.checker, err = evidence.New(evidence.Config{
			Copies: []evidence.Copy{n}, Neighbours: n.mirrors.neighbours, Fetch: c.Fetch, StatusFetch: c.StatusFetch, StatusStore: p.store, StatusArchive: n.archive, Clock: c.Clock,
		})
		if err != nil {
			return nil, err
		}
	}
	return n, n.identify()
}

// identify reads who this node is to raft.
func (n *Node) identify() error {
	birth, err := n.files.birth()
	if err != nil {
		return err
	}
	n.formedMu.Lock() // others may ask already, see hello; what else there is, they ask when raft runs
	n.birth, n.raftID = birth, n.raftIDOf(n.cfg.ID, birth)
	n.formedMu.Unlock()
	m, err := n.files.loadMembers()
	if err != nil || m == nil {
		return err
	}
	n.joined, n.forgot = m.Joined, m.Forgot
	n.recovered = m.Forgot && len(m.Births) > 0 // nothing but Recover writes that
	n.setFormed(m.Births)
	return nil
}

// Run takes part until ctx ends or the node cannot go on, and closes everything.
func (n *Node) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	n.cancel, n.leaving = cancel, ctx.Done()
	if n.serve != nil {
		n.wg.Go(func() {
			if err := n.serve(ctx, n); err != nil {
				cancel(err)
			}
		})
	}
	err := n.take(ctx, cancel)
	if err == nil {
		<-ctx.Done()
		if err = context.Cause(ctx); errors.Is(err, context.Canceled) {
			err = nil
		}
	} else if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, errStopped)) {
		err = nil
	}
	cancel(nil)
	close(n.stopped)
	return errors.Join(err, n.shutdown())
}

// take brings the node into the cluster and starts its work.
func (n *Node) take(ctx context.Context, cancel context.CancelCauseFunc) error {
	if err := n.rememberOrStartOver(ctx); err != nil {
		return err
	}
	if err := n.startRaft(ctx); err != nil {
		return err
	}
	close(n.started)
	for _, work := range []func(context.Context){n.runLeader, n.runBatches, n.runPayloads, n.runCRLs, n.runErasures, n.runAudit, n.publisher.run, n.outside.run, n.mirrors.run, n.federated.run, n.archive.run, n.watchSpace, n.watchClock, n.askAll} {
		n.wg.Go(func() { work(ctx) })
	}
	n.wg.Go(func() {
		if err := n.machine.broken(ctx); err != nil && !errors.Is(err, errStopped) {
			n.log.Error("cannot go on", "error", err)
			cancel(err)
		}
	})
	if !n.inConfiguration() {
		return n.join(ctx)
	}
	return nil
}

// broken waits until the machine failed or lost its rows, or ctx ended.
func (m *machine) broken(ctx context.Context) error {
	for {
		m.mu.RLock()
		failed, moved := m.failed, m.moved
		m.mu.RUnlock()
		if failed != nil {
			return failed
		}
		select {
		case <-ctx.Done():
			return nil
		case lost := <-m.lost:
			return lost
		case <-moved:
		}
	}
}

// running says whether raft runs.
func (n *Node) running() bool {
	select {
	case <-n.started:
		return true
	default:
		return false
	}
}

// rememberOrStartOver asks the others, before raft may vote, whether this node's disk
// forgot something (D6). A node with a former life that nobody can tell about waits: alone
// it could decide nothing anyway.
func (n *Node) rememberOrStartOver(ctx context.Context) error {
	if n.formed() == nil && !n.joined || len(n.signers()) == 0 {
		n.fresh = true
		return nil
	}
	for {
		newest, answered := n.publisher.newestElsewhere(ctx, n.signers())
		if answered > 0 {
			if !newest.newer(n.publisher.record) || n.publisher.caughtUpWith(newest) {
				return nil
			}
			n.log.Warn("this disk was put back or is damaged: coming back under a new raft id", "cosigned", newest.Size, "remembered", n.publisher.record.Size)
			return n.startOver()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(helloPause):
		}
	}
}

// startOver gives the data folder a new birth.
func (n *Node) startOver() error {
	f, ok := n.files.(interface{ rebirth() error })
	if !ok {
		return errors.New("these files cannot start over")
	}
	if err := f.rebirth(); err != nil {
		return fmt.Errorf("start over: %w", err)
	}
	if err := n.files.saveMembers(members{Joined: true, Forgot: true}); err != nil {
		return err
	}
	n.setFormed(nil)
	n.fresh = true
	return n.identify()
}

// shutdown waits until raft has answered all who asked it something, without the network if it
// takes long, stops it, waits for all goroutines, and closes the parts in reverse.
func (n *Node) shutdown() error {
	answered := n.questions.close()
	select {
	case <-answered:
	case <-time.After(n.cfg.Election):
	}
	var err error
	if c, ok := n.transport.(raft.WithClose); ok {
		err = c.Close()
	}
	<-answered
	if n.raft != nil {
		err = errors.Join(err, n.raft.Shutdown().Error())
	}
	n.wg.Wait()
	return errors.Join(err, n.closeParts())
}

func (n *Node) closeParts() error {
	var err error
	if n.closeRaft != nil && n.logs != nil {
		err = n.closeRaft()
	}
	for i := len(n.close) - 1; i >= 0; i-- {
		err = errors.Join(err, n.close[i]())
	}
	return err
}
