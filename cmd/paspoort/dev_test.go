package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/dev"
)

// region is a running `paspoort dev`.
type region struct {
	cmd   *exec.Cmd
	dir   string
	ready dev.Ready
	file  string
	said  transcript
	done  chan error
}

// transcript is what a process says, read while it goes on.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func startRegion(t *testing.T, dir string) *region {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &region{dir: dir, file: filepath.Join(t.TempDir(), "ready.json"), done: make(chan error, 1)}
	r.cmd = exec.Command(self, "dev", "--data", dir, "--ready-file", r.file, "--tls")
	r.cmd.Env = append(os.Environ(), "PASPOORT_TEST_PROGRAM=1")
	r.cmd.Stdout, r.cmd.Stderr = &r.said, &r.said
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.done <- r.cmd.Wait() }()
	t.Cleanup(func() { _ = r.cmd.Process.Kill() }) // when the test ended it already, this does nothing
	until(t, time.Minute, "the region is up", func() bool {
		select {
		case err := <-r.done:
			t.Fatalf("dev ended: %v\n%s", err, r.said.String())
		default:
		}
		_, err := os.Stat(r.file)
		return err == nil && strings.Contains(r.said.String(), "Ctrl-C") // the last line of the welcome
	})
	body, err := os.ReadFile(r.file) // written atomically: it is whole
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &r.ready); err != nil {
		t.Fatal(err)
	}
	return r
}

// end sends a signal, and waits until every process of the region is gone.
func (r *region) end(t *testing.T, s syscall.Signal) error {
	t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	err := <-r.done
	until(t, time.Minute, "all processes are gone", func() bool { return len(processes(r.dir)) == 0 })
	for _, address := range r.addresses(t) {
		until(t, 30*time.Second, address+" is free", func() bool {
			c, err := net.Dial("tcp", address)
			if err == nil {
				c.Close()
			}
			return err != nil
		})
	}
	return err
}

// processes are the ids of those that were started for a folder, where the system
// tells (/proc); elsewhere only ports are looked at.
func processes(dir string) (ids []string) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil
	}
	for _, file := range lines {
		words, err := os.ReadFile(file)
		if err == nil && bytes.Contains(words, []byte(dir+"/")) && bytes.Contains(words, []byte("serve")) {
			ids = append(ids, filepath.Base(filepath.Dir(file)))
		}
	}
	return ids
}

func (r *region) addresses(t *testing.T) []string {
	t.Helper()
	urls := []string{r.ready.Verifiers[0].URL, r.ready.Wallet.URL}
	for _, i := range slices.Concat(r.ready.Issuers, r.ready.Neighbours[0].Issuers) {
		urls = append(urls, i.URL)
	}
	for _, n := range slices.Concat(r.ready.Regions[0].Nodes, r.ready.Neighbours[0].Nodes) {
		urls = append(urls, n.URL)
	}
	for i, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		urls[i] = "127.0.0.1:" + u.Port()
	}
	return urls
}

func until(t *testing.T, patience time.Duration, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// tryInBrowser opens what the welcome names for people without a terminal, and does with it
// what they would do.
func tryInBrowser(t *testing.T, r *region) {
	t.Helper()
	named := func(label string) []string {
		_, after, _ := strings.Cut(r.said.String(), label)
		line, _, _ := strings.Cut(after, "\n")
		return strings.Fields(line)
	}
	offer, request := named("collect a proof"), named("show what you can")
	if len(offer) != 3 || len(request) != 1 {
		t.Fatalf("the welcome does not say what to open:\n%s", r.said.String())
	}
	person{
		name: "Samira", passphrase: "vier gewone woorden samen", offer: offer[0], code: strings.Trim(offer[2], "()"), request: request[0],
		knownAs: "Opleidingshuis De Vaart", asker: "Zorggroep Linde", skill: "Verzorgen",
	}.lives(newVisitor(t, r.ready.CAFile))
}

// TestDevE2E starts a region, ends it, starts it again, and kills it without a word.
func TestDevE2E(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a region twice; run without -short")
	}
	dir := filepath.Join(t.TempDir(), "region")
	first := startRegion(t, dir)
	for _, want := range []string{"The region is up", "your paspoort          " + first.ready.Wallet.URL, "wallet init --ready-file", first.ready.Neighbours[0].Nodes[0].URL + "  (what Vakschool Lindewaard issues", first.ready.Regions[0].Genesis} {
		if !strings.Contains(first.said.String(), want) {
			t.Errorf("%q is not said:\n%s", want, first.said.String())
		}
	}
	tryInBrowser(t, first)
	federates(t, first)
	audits(t, first)
	archives(t, first)
	remembered := neighbours(t, first)
	second := exec.Command(first.cmd.Path, "dev", "--data", dir, "--tls")
	second.Env = first.cmd.Env
	if out, err := second.CombinedOutput(); err == nil || !strings.Contains(string(out), "runs in this folder already") {
		t.Errorf("a second one in the folder: %v\n%s", err, out)
	}
	if err := first.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("ending: %v\n%s", err, first.said.String())
	}
	if _, err := os.Stat(first.file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the ready file stays behind: %v", err)
	}

	again := startRegion(t, dir)
	if len(processes(dir)) == 0 && runtime.GOOS == "linux" {
		t.Error("control: the processes of a running region are not found")
	}
	was, is := first.ready, again.ready
	if was.Regions[0].Genesis != is.Regions[0].Genesis || was.Issuers[0].URL != is.Issuers[0].URL || was.Wallet != is.Wallet || was.Verifiers[0].AdminToken != is.Verifiers[0].AdminToken {
		t.Errorf("another region: got %+v, want %+v", is, was)
	}
	remembered(again)
	if err := again.end(t, syscall.SIGKILL); err == nil {
		t.Error("it ended by itself before it was killed")
	}
}
