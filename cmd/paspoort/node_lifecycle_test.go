package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/node"
)

// houses are the organisations of specs/operations.md, each with a machine: here a folder, two
// ports, and processes of its own.
type houses struct {
	t       *testing.T
	dir     string
	public  map[string]string // organisation -> host:port
	between map[string]string
	values  map[string]string // GENESIS, EVENT: what the commands print for the next ones
	nodes   map[string]*exec.Cmd
}

func newHouses(t *testing.T, names ...string) *houses {
	h := &houses{t: t, dir: t.TempDir(), public: map[string]string{}, between: map[string]string{}, values: map[string]string{}, nodes: map[string]*exec.Cmd{}}
	for _, name := range names {
		if err := os.MkdirAll(h.path(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(h.path(name, "passphrase"), []byte("een zin van "+name+" alleen\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		public, between := testkit.Listen(t), testkit.Listen(t) // two at a time, so that they differ
		h.public[name], h.between[name] = public.Addr().String(), between.Addr().String()
		public.Close()
		between.Close()
	}
	t.Cleanup(func() {
		for name := range h.nodes {
			h.kill(name)
			if t.Failed() {
				if log, err := os.ReadFile(h.path(name, "log")); err == nil {
					t.Logf("%s:\n%s", name, log[max(0, len(log)-2000):])
				}
			}
		}
	})
	return h
}

func (h *houses) path(parts ...string) string {
	return filepath.Join(append([]string{h.dir}, parts...)...)
}

func (h *houses) url(name string) string {
	return "http://localhost" + h.public[name][strings.LastIndexByte(h.public[name], ':'):]
}

// eventually waits until something is so.
func (h *houses) eventually(what string, ok func() bool) {
	h.t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatalf("did not happen: %s", what)
		}
	}
}

// command is a command line of the page as it is typed here: addresses are of this computer,
// and what a person would answer is in flags.
func (h *houses) command(who, line string) []string {
	for name := range h.public {
		line = strings.ReplaceAll(line, "https://knoop."+name+".example", h.url(name))
		line = strings.ReplaceAll(line, "knoop."+name+".example:7001", h.between[name])
	}
	for name, value := range h.values {
		line = strings.ReplaceAll(line, name, value)
	}
	line = regexp.MustCompile(`--acme-email \S+`).ReplaceAllString(line, "--listen "+h.public[who]+" --peer-listen "+h.between[who]+" --admin-listen=")
	line = strings.ReplaceAll(line, "--profile wan", "--profile=")
	var words []string
	for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		words = append(words, strings.Trim(w, `"`))
	}
	switch strings.Join(words[1:min(3, len(words))], " ") {
	case "region sign":
		words = append(words, "--yes")
	case "registry approve":
		words = append(words, "--yes", "--reason", "gezien")
	case "registry init":
		words = append(words, "--loopback-http")
	case "node join":
		words = append(words, "--loopback-http", "--yes")
	case "node leave":
		words = append(words, "--yes")
	}
	return words[1:]
}

// process is a command that runs until it is killed.
func (h *houses) process(who string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = h.path(who)
	cmd.Env = append(append(os.Environ(), "PASPOORT_TEST_PROGRAM=1"), h.settings(who)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// run runs a command to its end, in the folder of an organisation, and gives what it printed.
// Only nodes are processes of their own: to start one for each command costs more than the rest.
func (h *houses) run(who, line string) (string, error) {
	h.t.Helper()
	args := h.command(who, line)
	h.t.Chdir(h.path(who))
	for _, setting := range h.settings(who) {
		name, value, _ := strings.Cut(setting, "=")
		h.t.Setenv(name, value)
	}
	var out, errs bytes.Buffer
	if code := run(h.t.Context(), args, strings.NewReader(""), &out, &errs); code != exitOK {
		return out.String(), fmt.Errorf("exit code %d: %s", code, errs.String())
	}
	return out.String(), nil
}

func (h *houses) settings(who string) []string {
	return []string{"PASPOORT_KEY_PASSPHRASE_FILE=" + h.path(who, "passphrase"), "PASPOORT_SEAT=" + h.path(who, "seat.json"),
		"LANG=en_GB.UTF-8", "TMPDIR=" + h.dir}
}

func (h *houses) must(who, line string) string {
	h.t.Helper()
	out, err := h.run(who, line)
	if err != nil {
		h.t.Fatalf("%s$ %s\n%s%v", who, line, out, err)
	}
	return out
}

// serve starts a node.
func (h *houses) serve(who string) {
	h.t.Helper()
	log, err := os.OpenFile(h.path(who, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		h.t.Fatal(err)
	}
	defer log.Close()
	cmd := h.process(who, "node", "serve", "--config", "node.json")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.nodes[who] = cmd
}

func (h *houses) kill(who string) {
	if cmd := h.nodes[who]; cmd != nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
	delete(h.nodes, who)
}

func (h *houses) status(who string) (s node.Status, err error) {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(h.url(who) + "/v1/status")
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// settled waits until every node that runs has a vote, signs, and has all leaves under a
// checkpoint, at least so many.
func (h *houses) settled(leaves uint64) {
	h.t.Helper()
	for who := range h.nodes {
		h.eventually(who+" takes part", func() bool {
			s, err := h.status(who)
			if err != nil || s.Leaves < leaves || !s.Signs || s.Checkpoint == nil || s.Checkpoint.Size != s.Leaves {
				return false
			}
			for _, p := range s.Peers {
				if p.Member != "voter" {
					return false
				}
			}
			return true
		})
	}
}

// blocks are the command lines of the page, with whose they are.
func blocks(t *testing.T) (out [][2]string) {
	t.Helper()
	page, err := os.ReadFile("../../specs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	who := ""
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			who = "" // of other blocks, and at the end of each
			if name, ok := strings.CutPrefix(line, "```sh "); ok {
				who = name
			}
		case who != "":
			out = append(out, [2]string{who, line})
		}
	}
	return out
}

var given = regexp.MustCompile(`^# give (\S+) to (\S+)(?: as (\S+))?$`)

// follow does what one line of the page says.
func (h *houses) follow(who, line string) {
	h.t.Helper()
	if m := given.FindStringSubmatch(line); m != nil {
		to := m[3]
		if to == "" {
			to = m[1]
		}
		body, err := os.ReadFile(h.path(who, m[1]))
		if err == nil {
			err = os.WriteFile(h.path(m[2], to), body, 0o600)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		return
	}
	if strings.HasPrefix(line, "paspoort node serve") {
		h.serve(who)
		return
	}
	if strings.HasPrefix(line, "paspoort node status") || strings.HasPrefix(line, "paspoort registry") {
		h.settled(1) // a person looks until the region runs
	}
	out := h.must(who, line)
	if m := regexp.MustCompile(`everybody pins: ([0-9a-f]{64})`).FindStringSubmatch(out); m != nil {
		h.values["GENESIS"] = m[1]
	}
	if m := regexp.MustCompile(`registry approve ([0-9a-f]{64})`).FindStringSubmatch(out); m != nil {
		h.values["EVENT"] = m[1]
	}
}

// TestOperations follows specs/operations.md line by line, with a process for each node: three
// organisations found a region and take in a fourth node. Then what else the page tells: backup
// and drill, handing over the lead, and losing the majority for good.
func TestOperations(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes are for the long run")
	}
	h := newHouses(t, "kring", "anker", "gemeente", "rijn")
	for _, b := range blocks(t) {
		h.follow(b[0], b[1])
	}
	h.settled(3) // founding, proposal, approval
	if out := h.must("rijn", "paspoort node status --config node.json --all"); strings.Count(out, "signs") != 4 {
		t.Errorf("not all four nodes answer:\n%s", out)
	}
	h.handOver()
	key, file := h.backup()
	h.loseMajority(key, file)
	h.leaves()
}

// handOver: the node that leads hands over, one that does not says who does.
func (h *houses) handOver() {
	h.t.Helper()
	ids := map[string]string{"knoop-1": "kring", "knoop-2": "anker", "knoop-3": "gemeente", "knoop-4": "rijn"}
	var leader string
	h.eventually("a leader", func() bool {
		s, err := h.status("kring")
		leader = s.Leader
		return err == nil && leader != ""
	})
	next := "knoop-4" // that came last: it leads as well as the others, without having been started anew
	if leader == next {
		next = "knoop-1"
	}
	if _, err := h.run(ids[next], "paspoort node transfer-leadership --to "+leader); err == nil || !strings.Contains(err.Error(), leader+" leads") {
		h.t.Errorf("a follower handed over: %v", err)
	}
	if out := h.must(ids[leader], "paspoort node transfer-leadership --to "+next); out != "leader: "+next+"\n" {
		h.t.Errorf("got %q, want %s to lead", out, next)
	}
	info, err := os.Stat(h.path(ids[leader], "data", "control.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		h.t.Errorf("the control socket: %v, %v", info, err)
	}
}

// backup makes one of a running node and tries it, whole and damaged.
func (h *houses) backup() (key, file string) {
	h.t.Helper()
	key, file = h.path("backup.key"), h.path("knoop-2.backup")
	out := h.must("kring", "paspoort node backup --make-key "+key)
	recipient := regexp.MustCompile(`age1\S+`).FindString(out)
	h.must("anker", "paspoort node backup --recipient "+recipient+" --out "+file)
	out = h.must("kring", "paspoort node restore "+file+" --key "+key+" --drill --node https://knoop.gemeente.example")
	if !strings.Contains(out, "✓ same history") || strings.Contains(out, "✕") {
		h.t.Errorf("the drill says:\n%s", out)
	}
	out, err := h.run("kring", "paspoort node restore "+file+" --key "+key+" --drill --node http://127.0.0.1:1")
	if err == nil || !strings.Contains(out, "the backup itself is sound") || !strings.Contains(err.Error(), "could not be compared") {
		h.t.Errorf("a drill with a node that is away: %v\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(file+".damaged", raw, 0o600); err != nil {
		h.t.Fatal(err)
	}
	if out, err := h.run("kring", "paspoort node restore "+file+".damaged --key "+key+" --drill"); err == nil {
		h.t.Errorf("a damaged backup passed the drill:\n%s", out)
	}
	half := h.path("half")
	if _, err := h.run("kring", "paspoort node restore "+file+".damaged --key "+key+" --dir "+half); err == nil {
		h.t.Error("a damaged backup was restored")
	}
	if left, err := os.ReadDir(half); err != nil || len(left) > 0 {
		h.t.Errorf("of a damaged backup %v stays behind, %v", left, err)
	}
	if left, _ := filepath.Glob(h.path("paspoort-drill-*")); len(left) > 0 {
		h.t.Errorf("the drill left %v behind", left)
	}
	return key, file
}

// loseMajority: three of four nodes stop, the disks of two are gone. One recovers, one gives
// way, one comes from its backup, one has its keys only.
func (h *houses) loseMajority(key, file string) {
	h.t.Helper()
	if _, err := h.run("kring", "paspoort node check"); err == nil || !strings.Contains(err.Error(), "stop the node first") {
		h.t.Errorf("check of a running node: %v", err)
	}
	for who := range h.public {
		h.kill(who)
	}
	if err := errors.Join(os.RemoveAll(h.path("anker")), os.RemoveAll(h.path("gemeente", "data"))); err != nil {
		h.t.Fatal(err)
	}
	h.must("kring", "paspoort node check")
	h.must("kring", "paspoort node restore "+file+" --key "+key+" --dir "+h.path("anker"))
	recovering := "paspoort node recover --yes --from " + h.path("rijn", "data")
	if _, err := h.run("kring", recovering); err == nil || !strings.Contains(err.Error(), "could not be asked") || !strings.Contains(err.Error(), "connection refused") {
		h.t.Errorf("recovered though no node could be asked: %v", err)
	}
	h.must("kring", recovering+" --unreachable knoop-2,knoop-3,knoop-4")
	h.must("rijn", "paspoort node recover --yes --give-way")
	for who := range h.public {
		h.serve(who)
	}
	h.settled(3)
	if err := os.WriteFile(h.path("gemeente", "passphrase"), []byte("een zin van gemeente alleen\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// leaves: members decide that a node leaves. It says so as long as it runs; then it is stopped,
// and the others go on, also after one of them was started anew.
func (h *houses) leaves() {
	h.t.Helper()
	leave := "paspoort node leave knoop-4 --reason verhuizing"
	approve := "paspoort registry approve EVENT --node https://knoop.kring.example --region GENESIS --as member/werkgeverskring --key member.key --loopback-http"
	tooEarly := func(who, line string) {
		h.t.Helper()
		before, err := h.status("gemeente")
		if _, refused := h.run(who, line+" --wait 0s"); err != nil || refused == nil || !strings.Contains(refused.Error(), "knoop-2 does not answer") || !strings.Contains(refused.Error(), "--anyway") {
			h.t.Errorf("%s while knoop-2 is away: %v, %v", line, refused, err)
		}
		if after, err := h.status("gemeente"); err != nil || after.Leaves != before.Leaves {
			h.t.Errorf("it left something in the log: %d leaves, then %d, %v", before.Leaves, after.Leaves, err)
		}
	}
	h.kill("anker")
	tooEarly("gemeente", leave)
	h.serve("anker")
	h.follow("gemeente", leave) // it waits for the one that starts
	h.settled(4)                // the proposal is everywhere
	h.kill("anker")
	tooEarly("kring", approve)
	h.serve("anker")
	h.must("kring", approve)
	h.eventually("knoop-4 says that it left", func() bool {
		s, err := h.status("rijn")
		return err == nil && s.State == "left" && !s.Signs
	})
	if out := h.must("rijn", "paspoort node status --config node.json"); !strings.Contains(out, "not one of its nodes any more") {
		h.t.Errorf("its operator reads:\n%s", out)
	}
	h.kill("rijn")
	h.settled(5)
	h.kill("anker")
	h.serve("anker")
	h.settled(5)
	for who := range h.nodes {
		if s, err := h.status(who); err != nil || len(s.Peers) != 3 {
			h.t.Errorf("at %s the region has these nodes: %+v, %v", who, s.Peers, err)
		}
	}
}
