package node

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// space is the network namespace of one node: a machine of its own with one network card.
type space struct {
	t        *testing.T
	name     string // of the namespace
	card     string // the other end of its card, at the bridge
	address  string
	hasNetem bool
}

// run runs a command of iproute2.
func run(args ...string) error {
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (s *space) inside(args ...string) error {
	return run(append([]string{"ip", "netns", "exec", s.name}, args...)...)
}

// newSpaces makes a bridge and a machine at it for each node; the test takes them down.
func newSpaces(t *testing.T, size int) []*space {
	id := os.Getpid() % 10000
	bridge, net := fmt.Sprintf("pp%d", id), fmt.Sprintf("10.77.%d.", id%250)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(run("ip", "link", "add", bridge, "type", "bridge"))
	t.Cleanup(func() { run("ip", "link", "del", bridge) })
	must(run("ip", "addr", "add", net+"254/24", "dev", bridge))
	must(run("ip", "link", "set", bridge, "up"))
	var all []*space
	for i := range size {
		s := &space{t: t, name: fmt.Sprintf("%s-%d", bridge, i+1), card: fmt.Sprintf("%sv%d", bridge, i+1), address: net + strconv.Itoa(i+1)}
		must(run("ip", "netns", "add", s.name))
		t.Cleanup(func() { run("ip", "netns", "del", s.name) })
		must(run("ip", "link", "add", s.card, "type", "veth", "peer", "name", "card", "netns", s.name))
		must(run("ip", "link", "set", s.card, "master", bridge, "up"))
		t.Cleanup(func() { run("ip", "link", "del", s.card) })
		must(s.inside("ip", "addr", "add", s.address+"/24", "dev", "card"))
		must(s.inside("ip", "link", "set", "card", "up"))
		must(s.inside("ip", "link", "set", "lo", "up"))
		s.hasNetem = s.inside("tc", "qdisc", "add", "dev", "card", "root", "netem", "delay", "0ms") == nil
		all = append(all, s)
	}
	return all
}

// spaced are processes that each have a network namespace.
func spaced(t *testing.T, spaces []*space) *processes {
	p := &processes{dir: t.TempDir(), listeners: map[string]*os.File{}, urls: map[string]string{}, running: map[string]*exec.Cmd{}, spaces: map[string]string{}}
	p.testRegion = newRegion(t, len(spaces), time.Now(), func(i int) string { return spaces[i].address + ":7000" })
	for i, node := range p.charter.Nodes {
		p.listeners[node.ID], p.spaces[node.ID] = nil, spaces[i].name
	}
	p.writeConfigs()
	t.Cleanup(p.end)
	return p
}

// address is a node's address for other nodes.
func (p *processes) address(id string) string {
	for _, node := range p.charter.Nodes {
		if node.ID == id {
			return node.RaftAddress
		}
	}
	return ""
}

// TestChaos runs nodes on machines of their own, as network namespaces are, and lets network
// and power fail by chance, for as long as PASPOORT_CHAOS says; make chaos does.
func TestChaos(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv(chaosVariable))
	switch {
	case os.Getenv(chaosVariable) == "":
		t.Skip("the long run: make chaos")
	case err != nil:
		t.Fatalf("%s is how long it takes, like 5m: %v", chaosVariable, err)
	case os.Getuid() != 0:
		t.Skip("network namespaces need root")
	}
	spaces := newSpaces(t, 3)
	p := spaced(t, spaces)
	for id := range p.listeners {
		p.start(id)
	}
	p.leader()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d; packets delayed and lost: %t", seed, spaces[0].hasNetem)
	random := rand.New(rand.NewPCG(seed, 1))
	tr := p.newTraffic(8, seed)
	done := map[string]int{}
	for end := time.Now().Add(length); time.Now().Before(end); {
		i := random.IntN(len(spaces))
		s, id := spaces[i], p.charter.Nodes[i].ID
		other := spaces[(i+1+random.IntN(len(spaces)-1))%len(spaces)]
		name, fault, mend := chaos(s, other, p, id, random)
		fault()
		tr.goesOn("with " + name + " at " + id)
		mend()
		tr.goesOn("after " + name + " at " + id)
		for _, node := range p.charter.Nodes { // one at a time: two of three may not fail together
			eventually(t, node.ID+" votes and signs", func() bool { return p.votes(node.ID) })
		}
		done[name]++
	}
	t.Logf("faults: %v", done)
	tr.end()
}

// chaos picks what fails.
func chaos(s, other *space, p *processes, id string, random *rand.Rand) (name string, fault, mend func()) {
	must := func(args ...string) {
		s.t.Helper()
		if err := run(args...); err != nil {
			s.t.Fatal(err)
		}
	}
	inside := func(args ...string) func() {
		return func() { must(append([]string{"ip", "netns", "exec", s.name}, args...)...) }
	}
	kinds := 4
	if s.hasNetem {
		kinds = 6
	}
	switch random.IntN(kinds) {
	case 0:
		return "SIGKILL", func() { p.kill(id) }, func() { p.start(id) }
	case 1:
		return "cable out", func() { must("ip", "link", "set", s.card, "down") }, func() { must("ip", "link", "set", s.card, "up") }
	case 2: // its packets to one other are lost; the other's arrive
		return "one way", inside("ip", "route", "add", "blackhole", other.address+"/32"), inside("ip", "route", "del", "blackhole", other.address+"/32")
	case 3:
		return "SIGSTOP", func() { p.signal(id, true) }, func() { p.signal(id, false) }
	case 4:
		return "delay", inside("tc", "qdisc", "change", "dev", "card", "root", "netem", "delay", "60ms", "30ms"), inside("tc", "qdisc", "change", "dev", "card", "root", "netem", "delay", "0ms")
	}
	return "loss", inside("tc", "qdisc", "change", "dev", "card", "root", "netem", "loss", "25%"), inside("tc", "qdisc", "change", "dev", "card", "root", "netem", "loss", "0%")
}
