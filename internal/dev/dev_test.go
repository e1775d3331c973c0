package dev

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
)

// TestMain lets the test binary be the child process of its own tests.
func TestMain(m *testing.M) {
	switch os.Getenv("DEV_TEST_CHILD") {
	case "":
		os.Exit(m.Run())
	case "patient": // ends when asked
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		fmt.Println("patient child", os.Getpid())
		<-asked
		os.Exit(0)
	case "failing":
		fmt.Println("the disk is full")
		os.Exit(3)
	case "parent": // starts a patient child and waits to be killed
		os.Setenv("DEV_TEST_CHILD", "patient")
		s := newStarter()
		p, err := s.start("child", os.Args[0], nil, os.Getenv("DEV_TEST_LOG"))
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(p.Pid())
		select {}
	}
}

func child(t *testing.T, kind string) (*Process, string) {
	t.Helper()
	t.Setenv("DEV_TEST_CHILD", kind)
	log := t.TempDir() + "/child.log"
	s := newStarter()
	t.Cleanup(s.close)
	p, err := s.start(kind, os.Args[0], nil, log)
	if err != nil {
		t.Fatal(err)
	}
	return p, log
}

func TestStopAsksAndWaits(t *testing.T) {
	p, log := child(t, "patient")
	waitFor(t, func() bool { return strings.Contains(readFile(t, log), "patient child") })
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if p.Alive() {
		t.Error("it lives")
	}
	if err := p.Stop(); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}

func TestKillIsNoGoodbye(t *testing.T) {
	p, _ := child(t, "patient")
	if err := p.Kill(); err != nil || p.Alive() {
		t.Errorf("got %v, alive %v", err, p.Alive())
	}
}

func TestFailureTellsTheLastWords(t *testing.T) {
	p, log := child(t, "failing")
	<-p.Done()
	err := p.failure()
	for _, want := range []string{"exit status 3", "the disk is full", log} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

// TestChildrenEndWithTheirParent kills a parent without a word and waits for its
// child to end.
func TestChildrenEndWithTheirParent(t *testing.T) {
	if attributes().Pdeathsig == 0 {
		t.Skip("this system does not end children with their parent")
	}
	log := t.TempDir() + "/child.log"
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DEV_TEST_CHILD=parent", "DEV_TEST_LOG="+log)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent says %q", line)
	}
	waitFor(t, func() bool { return strings.Contains(readFile(t, log), "patient child") })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	waitFor(t, func() bool { return gone(pid) })
}

// gone says whether a process has ended; one that nobody has waited for counts.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(10 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it did not happen within 10 s")
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPortsAreKept(t *testing.T) {
	l := layout{t.TempDir()}
	names := []string{"a", "b", "c"}
	first, err := settle(l, true, names)
	if err != nil {
		t.Fatal(err)
	}
	again, err := settle(l, true, names)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if first.url(n) != again.url(n) || !strings.HasPrefix(first.url(n), "https://localhost:") {
			t.Errorf("%s: got %s and %s", n, first.url(n), again.url(n))
		}
	}
	if first.Ports["a"] == first.Ports["b"] || first.Ports["b"] == first.Ports["c"] {
		t.Errorf("a port was given twice: %v", first.Ports)
	}
	if _, err := settle(l, false, names); err == nil || !strings.Contains(err.Error(), "speaks https") {
		t.Errorf("over http: got %v", err)
	}
	if _, err := settle(l, true, append(names, "d")); err == nil || !strings.Contains(err.Error(), "no port for d") {
		t.Errorf("a new process: got %v", err)
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	l := layout{t.TempDir()}
	s, err := settle(l, true, []string{"opleider"})
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", s.address("opleider"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = settle(l, true, []string{"opleider"})
	if err == nil || !strings.Contains(err.Error(), "opleider: port "+s.address("opleider")+" is taken") {
		t.Errorf("got %v, want process and port", err)
	}
}

func TestFolderIsHeldOnce(t *testing.T) {
	o := Options{Dir: t.TempDir(), TLS: true}
	w, err := open(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(o); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
	again, err := open(o)
	if err != nil {
		t.Fatalf("after the end: %v", err)
	}
	defer again.Stop()
	if again.Genesis != w.Genesis {
		t.Error("the same folder gives another region")
	}
}

// TestFoundingHolds replays the founding event as a node would.
func TestFoundingHolds(t *testing.T) {
	w, err := open(Options{Dir: t.TempDir(), TLS: true, Clock: testkit.NewClock(time.Time{}).Now})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	for _, r := range w.regions() {
		event, err := r.founding(w.l, w.settings, testkit.Noon)
		if err != nil {
			t.Fatal(err)
		}
		state := registry.NewState(r.Genesis)
		if _, err := registry.Apply(state, registry.NewLeaf(event, testkit.Noon)); err != nil {
			t.Fatal(err)
		}
		region := state.View().Region(testkit.Noon)
		groups := map[registry.Group]bool{}
		for _, m := range region.Members {
			groups[m.Group] = true
		}
		if nodes := state.View().ActiveNodes(); len(groups) != 4 || len(nodes) != len(r.nodes) || region.Name != r.name {
			t.Errorf("%s: got %d groups and %d nodes, want 4 and %d", region.Name, len(groups), len(nodes), len(r.nodes))
		}
	}
	if other, err := open(Options{Dir: t.TempDir(), TLS: true}); err != nil || other.Genesis == w.Genesis {
		t.Errorf("another folder gives the same region, or %v", err)
	} else if err := other.Stop(); err != nil {
		t.Error(err)
	}
}

func TestReadyFile(t *testing.T) {
	w, err := open(Options{Dir: t.TempDir(), TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	file := t.TempDir() + "/ready.json"
	if err := w.WriteReady(file); err != nil {
		t.Fatal(err)
	}
	var got Ready
	if ok, err := readJSON(file, &got); !ok || err != nil {
		t.Fatal(err)
	}
	if other := got.Neighbours; len(other) != 1 || other[0].Genesis != w.Neighbour.Genesis || other[0].Genesis == w.Genesis || len(other[0].Nodes) != 1 || len(other[0].Issuers) != 1 || len(other[0].Issuers[0].AdminToken) != 43 {
		t.Errorf("neighbours: got %+v", other)
	}
	if len(got.Regions) != 1 || len(got.Regions[0].Nodes) != 3 || len(got.Issuers) != 2 || len(got.Verifiers) != 1 {
		t.Errorf("got %+v", got)
	}
	if want := w.settings.url(wallet); got.Wallet.URL != want || want == got.Verifiers[0].URL {
		t.Errorf("wallet host: got %q, want %q", got.Wallet.URL, want)
	}
	if got.Regions[0].Genesis != w.Genesis || got.Issuers[0].Role != "opleider" || len(got.Issuers[0].AdminToken) != 43 || got.CAFile == "" {
		t.Errorf("got %+v", got)
	}
	if got.Issuers[0].Configurations[0] != "Opleiding_dc_sd_jwt" {
		t.Errorf("got %v", got.Issuers[0].Configurations)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v and %v, want 0600: the file holds tokens", info.Mode(), err)
	}
}

// TestButtonsLeadToTheWalletHost: issuers and verifiers are told where people have their
// paspoort, and the host which region to rely on.
func TestButtonsLeadToTheWalletHost(t *testing.T) {
	w, err := open(Options{Dir: t.TempDir(), TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	for _, o := range w.organisations {
		if err := w.writeConfig(o); err != nil {
			t.Fatal(err)
		}
	}
	var issues conf.Issuer
	var asks conf.Verifier
	var keeps conf.WalletHost
	for process, into := range map[string]any{opleider: &issues, verifier: &asks, wallet: &keeps} {
		if err := conf.Load(w.l.config(process), into); err != nil {
			t.Fatal(err)
		}
	}
	for want, got := range map[string][]conf.Wallet{"/offer": issues.Wallets, "/present": asks.Wallets} {
		if len(got) != 1 || got[0].URL != keeps.URL+want || got[0].Name != keeps.Name || keeps.Name == "" {
			t.Errorf("got %+v, want %s%s of %s", got, keeps.URL, want, keeps.Name)
		}
	}
	if len(keeps.Regions) != 1 || keeps.Regions[0].Genesis != w.Genesis || len(keeps.Regions[0].Nodes) != len(w.nodes) {
		t.Errorf("the host relies on %+v", keeps.Regions)
	}
}
