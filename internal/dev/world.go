package dev

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/registry"
)

// Options say where and how the region runs.
type Options struct {
	// Dir is the folder of the region; it is made when absent.
	Dir string
	// TLS makes every process speak https, with an authority for this computer.
	TLS bool
	// Program is the paspoort binary that is started for each process.
	Program string
	// Say is called with each step of the start, for people. Nil means silence.
	Say func(text string)
	// Clock tells the time. Nil means time.Now.
	Clock func() time.Time
}

// World is a running region with its neighbour.
type World struct {
	// Region is the home of who tries it.
	*Region
	// Neighbour is another region, that the home relies on and that relies on the home.
	Neighbour *Region
	// HTTP reaches the processes.
	HTTP *outbound.Client

	l         layout
	settings  settings
	outbound  outbound.Settings
	program   string
	say       func(string)
	clock     func() time.Time
	lock      *os.File
	starter   *starter
	processes []*Process
}

// startWait is how long a process may take until it can do its work.
const startWait = time.Minute

// Start brings the regions of the folder up: founds them the first time, goes on with them
// after. When it fails everything that was started has ended.
func Start(ctx context.Context, o Options) (*World, error) {
	w, err := open(o)
	if err != nil {
		return nil, err
	}
	err = w.up(ctx)
	if err == nil {
		err = w.befriend(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, w.Stop())
	}
	return w, nil
}

// open takes hold of the folder and prepares everything that needs no process.
func open(o Options) (*World, error) {
	dir, err := filepath.Abs(o.Dir) // configuration files name it from other folders
	if err != nil {
		return nil, err
	}
	w := &World{l: layout{dir}, program: o.Program, say: o.Say, clock: o.Clock}
	if w.say == nil {
		w.say = func(string) {}
	}
	if w.clock == nil {
		w.clock = time.Now
	}
	folders := []string{"logs", "tls", "members"}
	var ports []string
	for _, p := range []plan{aakermonde, lindewaard} {
		folders = append(folders, p.folder)
		for _, n := range p.nodes {
			folders, ports = append(folders, n.id), append(ports, n.id, peerPort(n.id))
		}
		for _, org := range p.organisations {
			folders, ports = append(folders, org.process), append(ports, org.process)
		}
	}
	if err := w.l.make(folders...); err != nil {
		return nil, err
	}
	if w.lock, err = w.l.lock(); err != nil {
		return nil, err
	}
	if err := w.prepare(o.TLS, ports); err != nil {
		return nil, errors.Join(err, w.lock.Close())
	}
	w.starter = newStarter()
	return w, nil
}

func (w *World) prepare(tls bool, ports []string) error {
	var err error
	if w.settings, err = settle(w.l, tls, ports); err != nil {
		return err
	}
	now := w.clock().UTC()
	if tls {
		if err := w.l.localTLS(now); err != nil {
			return err
		}
	}
	w.outbound = w.l.outbound(tls)
	policy, err := w.outbound.Policy()
	if err != nil {
		return err
	}
	policy.MaxBytes = 16 << 20 // a whole registry is asked for
	w.HTTP = outbound.New(policy)
	if w.Region, err = w.newRegion(aakermonde); err != nil {
		return err
	}
	w.Neighbour, err = w.newRegion(lindewaard)
	return err
}

// up starts the nodes of both regions, has their organisations admitted, and starts these. The two
// do not know each other yet: see [World.befriend].
func (w *World) up(ctx context.Context) error {
	w.say(fmt.Sprintf("%s and %s: starting %d nodes", w.name, w.Neighbour.name, len(w.nodes)+len(w.Neighbour.nodes)))
	for _, r := range w.regions() {
		for _, n := range r.nodes {
			if err := w.startNode(r, n.id); err != nil {
				return err
			}
		}
	}
	for _, r := range w.regions() {
		for _, n := range r.nodes {
			if err := w.ready(ctx, n.id); err != nil {
				return err
			}
		}
		if err := r.admitAll(ctx); err != nil {
			return err
		}
	}
	for _, r := range w.regions() {
		for _, o := range r.organisations {
			if err := w.ready(ctx, o.process); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *World) regions() []*Region { return []*Region{w.Region, w.Neighbour} }

func (w *World) server(process string) conf.Server {
	s := conf.Server{Listen: w.settings.address(process), URL: w.settings.url(process)}
	if w.settings.TLS {
		s.TLSCert, s.TLSKey = w.l.path(localCert), w.l.path(localKey)
	}
	return s
}

// startNode writes a node's file and starts it.
func (w *World) startNode(r *Region, id string) error {
	err := conf.Write(w.l.config(id), conf.Node{
		Server: w.server(id), ID: id, Founding: w.l.path(r.foundingAt()), Data: "data",
		PeerListen: w.settings.address(peerPort(id)), PeerKey: "peer.key", LogKey: "log.key",
		CosignerKey: "cosigner.key", TimestampKey: "timestamp.key", FederationKey: "federation.key", Check: true, Outbound: w.outbound, MirrorSeconds: 1, ArchiveSeconds: 5,
	})
	if err != nil {
		return err
	}
	return w.start(id, "node", "serve", "--config", w.l.config(id))
}

func (w *World) startRole(o organisation) error {
	command := map[registry.Role]string{registry.Issuer: "issuer", registry.Verifier: "verifier", registry.WalletHost: "wallet"}[o.role]
	return w.start(o.process, command, "serve", "--config", w.l.config(o.process))
}

func (w *World) start(name string, args ...string) error {
	p, err := w.starter.start(name, w.program, args, w.l.log(name))
	if err != nil {
		return err
	}
	w.processes = slices.DeleteFunc(w.processes, func(old *Process) bool { return old.Name == name })
	w.processes = append(w.processes, p)
	return nil
}

// Process gives the process by its name, or nil.
func (w *World) Process(name string) *Process {
	for _, p := range w.processes {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// ready waits until the process says that it can do its work, or has ended.
func (w *World) ready(ctx context.Context, name string) error {
	p := w.Process(name)
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last := errors.New("it does not answer")
	for {
		if err := w.ask(ctx, w.settings.url(name)+"/readyz"); err == nil {
			return nil
		} else if ctx.Err() == nil {
			last = err
		}
		select {
		case <-p.Done():
			return p.failure()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready after %v (%w); %s", name, startWait, last, lastWords(p.log))
		case <-tick.C:
		}
	}
}

func (w *World) ask(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := w.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &outbound.StatusError{Code: resp.StatusCode}
	}
	return nil
}

// Wait blocks until ctx ends (nil) or a process ends by itself (why it did).
func (w *World) Wait(ctx context.Context) error {
	ended := make(chan *Process, len(w.processes))
	for _, p := range w.processes {
		go func() {
			<-p.Done()
			ended <- p
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case p := <-ended:
		if ctx.Err() != nil {
			return nil
		}
		return p.failure()
	}
}

// end ends every process: roles first, all at once, and then the nodes on which they
// rely.
func (w *World) end() error {
	isNode := func(p *Process) bool {
		return slices.ContainsFunc(slices.Concat(w.nodes, w.Neighbour.nodes), func(n nodeOf) bool { return n.id == p.Name })
	}
	var first, last []*Process
	for _, p := range w.processes {
		if isNode(p) {
			last = append(last, p)
		} else {
			first = append(first, p)
		}
	}
	err := errors.Join(stopAll(first), stopAll(last))
	w.processes = nil
	w.HTTP.CloseIdleConnections()
	return err
}

func stopAll(list []*Process) error {
	faults := make([]error, len(list))
	var all sync.WaitGroup
	for i, p := range list {
		all.Go(func() {
			if p.Alive() {
				faults[i] = p.Stop()
			}
		})
	}
	all.Wait()
	return errors.Join(faults...)
}

// Stop ends every process and lets go of the folder.
func (w *World) Stop() error {
	faults := []error{w.end()}
	if w.starter != nil {
		w.starter.close()
		w.starter = nil
		faults = append(faults, w.lock.Close())
	}
	return errors.Join(faults...)
}
