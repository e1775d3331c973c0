//go:build linux

package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/testkit"
)

// machine is a computer on which the package is installed: a folder that dpkg takes for the
// root of the file system.
type machine struct {
	t    *testing.T
	root string
	deb  string
}

// TestDeb makes the package, installs it, starts a node by what its unit says, and removes
// the package. The program in it is this test binary. There is no systemd that a test may
// use: what systemd does with a unit, the test does in its place, and systemd's own tools
// judge the unit.
func TestDeb(t *testing.T) {
	for _, tool := range []string{"dpkg", "dpkg-deb", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			testkit.Missing(t, "no %s on this system: the Debian package is neither made nor installed here", tool)
		}
	}
	m := &machine{t: t, root: filepath.Join(t.TempDir(), "root"), deb: filepath.Join(t.TempDir(), "paspoort.deb")}
	m.build()
	m.dpkg("--install", m.deb)
	for _, file := range []string{"usr/bin/paspoort", "usr/share/man/man1/paspoort-node-serve.1.gz", "usr/share/bash-completion/completions/paspoort", "usr/share/zsh/vendor-completions/_paspoort", "usr/share/fish/vendor_completions.d/paspoort.fish",
		"usr/lib/systemd/system/paspoort-issuer.service", "usr/lib/systemd/system/paspoort-verifier.service", "usr/lib/systemd/system/paspoort-wallet.service", "usr/share/doc/paspoort/README.Debian"} {
		if _, err := os.Stat(m.path(file)); err != nil {
			t.Error(err)
		}
	}
	t.Run("Unit", m.judge)
	home := m.path("var/lib/paspoort/node")
	m.configure(home)
	m.serve(home)
	m.dpkg("--purge", "paspoort")
	if _, err := os.Stat(m.path("usr/bin/paspoort")); err == nil {
		t.Error("the program is there still")
	}
	for _, kept := range []string{"node.json", "peer.key", "data"} {
		if _, err := os.Stat(filepath.Join(home, kept)); err != nil {
			t.Errorf("removing the package took keys or data along: %v", err)
		}
	}
}

func (m *machine) path(name string) string { return filepath.Join(m.root, name) }

func (m *machine) build() {
	self, err := os.Executable()
	if err != nil {
		m.t.Fatal(err)
	}
	cmd := exec.Command("bash", filepath.Join(testkit.Root(m.t), ".deb/build"), m.deb)
	cmd.Env = append(os.Environ(), "BINARY="+self, "PASPOORT_TEST_PROGRAM=1", "COMPRESS=none", "VERSION=1.2.3")
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%v\n%s", err, out)
	}
}

// dpkg acts on the machine's own list of packages. The scripts of the package run, and see
// that they are not on a live system.
func (m *machine) dpkg(args ...string) {
	m.t.Helper()
	for _, dir := range []string{"info", "updates", "triggers"} {
		if err := os.MkdirAll(m.path("var/lib/dpkg/"+dir), 0o755); err != nil {
			m.t.Fatal(err)
		}
	}
	if err := os.WriteFile(m.path("var/lib/dpkg/available"), nil, 0o644); err != nil {
		m.t.Fatal(err)
	}
	if _, err := os.Stat(m.path("var/lib/dpkg/status")); err != nil {
		if err := os.WriteFile(m.path("var/lib/dpkg/status"), nil, 0o644); err != nil {
			m.t.Fatal(err)
		}
	}
	all := append([]string{"--root=" + m.root, "--log=" + m.path("dpkg.log"), "--force-script-chrootless", "--force-not-root", "--force-depends", "--force-bad-path"}, args...)
	if out, err := exec.Command("dpkg", all...).CombinedOutput(); err != nil {
		m.t.Fatalf("dpkg %v: %v\n%s", args, err, out)
	}
}

// unit gives the settings of the node's unit.
func (m *machine) unit() (text string, settings map[string]string) {
	m.t.Helper()
	raw, err := os.ReadFile(m.path("usr/lib/systemd/system/paspoort-node.service"))
	if err != nil {
		m.t.Fatal(err)
	}
	settings = map[string]string{}
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			settings[name] = value
		}
	}
	return string(raw), settings
}

// judge lets systemd's tools look at the unit: no mistakes, and little that it could harm.
func (m *machine) judge(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		testkit.Missing(t, "no systemd-analyze on this system: nobody judges the unit")
	}
	text, _ := m.unit()
	unit := filepath.Join(t.TempDir(), "paspoort-node.service")
	text = strings.ReplaceAll(text, "/usr/bin/paspoort", m.path("usr/bin/paspoort"))
	if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), unit) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err := exec.Command("systemd-analyze", "security", "--offline=yes", unit).CombinedOutput()
	found := regexp.MustCompile(`exposure level for \S+: ([\d.]+)`).FindSubmatch(out)
	if found == nil {
		testkit.Missing(t, "systemd-analyze security cannot judge a file here: %v", err)
	}
	if exposure, _ := strconv.ParseFloat(string(found[1]), 64); exposure > 2 {
		t.Errorf("exposure %s of 10, at most 2 is wanted:\n%s", found[1], out)
	}
}

// configure makes a region of one node with the program that was installed.
func (m *machine) configure(home string) {
	m.t.Helper()
	for _, dir := range []string{home, m.path("other")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			m.t.Fatal(err)
		}
		key, err := keyfile.Generate(keyfile.ES256)
		if err != nil {
			m.t.Fatal(err)
		}
		if err := keyfile.Create(filepath.Join(dir, "member.key"), key, ""); err != nil {
			m.t.Fatal(err)
		}
	}
	public, between, admin := testkit.Listen(m.t), testkit.Listen(m.t), testkit.Listen(m.t) // together, so that they differ
	public.Close()
	between.Close()
	admin.Close()
	passphrase := m.path("passphrase")
	if err := os.WriteFile(passphrase, []byte("een zin voor de autoriteit\n"), 0o600); err != nil {
		m.t.Fatal(err)
	}
	m.run(home, "node", "init", "--passphrase-file", passphrase, "--id", "knoop-1", "--url", "http://"+public.Addr().String(), "--peer", between.Addr().String(), "--listen", public.Addr().String(),
		"--peer-listen", between.Addr().String(), "--admin-listen", admin.Addr().String(), "--member", "werkgeverskring", "--group", "werkgevers", "--name", "Werkgeverskring Aakermonde", "--member-key", "member.key", "--ca", "--profile=")
	m.run(m.path("other"), "region", "card", "--member", "opleidersberaad", "--group", "opleiders", "--name", "Opleidersberaad Aakermonde", "--member-key", "member.key")
	cards, err := filepath.Glob(m.path("other/*card*"))
	own, err2 := filepath.Glob(filepath.Join(home, "*card*"))
	if err != nil || err2 != nil || len(cards) != 1 || len(own) != 1 {
		m.t.Fatalf("cards: %v %v", cards, own)
	}
	m.run(home, "region", "found", "--name", "Regio Aakermonde", "--origin", "aakermonde.example/register", own[0], cards[0])
	m.run(home, "region", "sign", "founding.draft.json", "--key", "member.key", "--yes")
	m.run(home, "region", "sign", "founding.draft.json", "--key", m.path("other/member.key"), "--yes")
}

func (m *machine) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(m.path("usr/bin/paspoort"), args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PASPOORT_TEST_PROGRAM=1", "LANG=en_GB.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (m *machine) run(dir string, args ...string) {
	m.t.Helper()
	if out, err := m.command(dir, args...).CombinedOutput(); err != nil {
		m.t.Fatalf("paspoort %v: %v\n%s", args, err, out)
	}
}

// serve does what systemd would: starts the unit's command in its folder, waits until it
// says that it is there, and asks it to stop.
func (m *machine) serve(home string) {
	m.t.Helper()
	_, unit := m.unit()
	words := strings.Fields(unit["ExecStart"])
	if words[0] != "/usr/bin/paspoort" || unit["Type"] != "notify" || unit["WorkingDirectory"] != "/var/lib/paspoort/node" || unit["User"] != "paspoort-node" {
		m.t.Fatalf("got %v", unit)
	}
	socket := filepath.Join(m.t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		m.t.Fatal(err)
	}
	defer l.Close()
	cmd := m.command(home, words[1:]...)
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=300000")
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	heard := map[string]bool{}
	l.SetReadDeadline(time.Now().Add(time.Minute))
	for buf := make([]byte, 100); !heard["READY=1"] || !heard["WATCHDOG=1"]; {
		n, err := l.Read(buf)
		if err != nil {
			cmd.Process.Kill()
			cmd.Wait()
			m.t.Fatalf("heard %v: %v\n%s", heard, err, log.String())
		}
		heard[string(buf[:n])] = true
	}
	m.ask(home)
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		m.t.Errorf("asked to stop: %v\n%s", err, log.String())
	}
	for line := range strings.Lines(log.String()) {
		if !json.Valid([]byte(line)) {
			m.t.Errorf("not a line of JSON: %s", line)
		}
	}
}

// ask waits until the node is ready, at the operator's address.
func (m *machine) ask(home string) {
	m.t.Helper()
	raw, err := os.ReadFile(filepath.Join(home, "node.json"))
	if err != nil {
		m.t.Fatal(err)
	}
	var c struct {
		Admin string `json:"admin_listen"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	get := func(path string) int {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.Admin+path, nil)
		if err != nil {
			m.t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for get("/readyz") != http.StatusOK {
		select {
		case <-tick.C:
		case <-ctx.Done():
			m.t.Fatal("the node did not become ready")
		}
	}
	for _, path := range []string{"/", "/metrics", "/status.json"} {
		if status := get(path); status != http.StatusOK {
			m.t.Errorf("%s: got %d", path, status)
		}
	}
}
