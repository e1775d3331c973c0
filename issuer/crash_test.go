package issuer

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/privacyscan"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/statuslist"
)

// crashDir, when set, makes this test binary an issuer that issues until it is
// killed, and says what it gave out after it gave it out.
const crashDir = "PASPOORT_TEST_ISSUER_DIR"

// given is one credential that a wallet got, as the child tells it.
type given struct {
	ID      string                 `json:"id"`
	Refresh string                 `json:"refresh"`
	Refs    []statuslist.Reference `json:"refs"`
	Revoked bool                   `json:"revoked"`
}

// TestCrashChild is not a test of its own: TestKilledIssuer runs it in a process.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("only as a child of TestKilledIssuer")
	}
	r := newRig(t, diskStore(t, dir))
	out := json.NewEncoder(os.Stdout)
	for n := 0; ; n++ {
		o := r.offer(opleiding, true)
		h := r.accept(o, 3)
		g := given{ID: o.ID, Refresh: h.token.RefreshToken}
		for _, c := range h.copies {
			g.Refs = append(g.Refs, r.reference(c))
		}
		if n%3 == 1 {
			status, _ := r.call(http.MethodPost, "/api/v1/credentials/"+o.ID+"/revoke", nil)
			g.Revoked = status == http.StatusOK
		}
		if n%4 == 3 {
			if err := r.Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.Encode(g); err != nil {
			t.Fatal(err)
		}
	}
}

// diskStore opens the store of a folder.
func diskStore(t testing.TB, dir string) func(*Config) {
	return func(c *Config) {
		store, err := kv.OpenBadger(dir, kv.Options{Sync: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		c.Store, c.StatusReserve = store, 40
	}
}

// TestKilledIssuer: an issuer is killed in the middle of its work, again and again.
// What it answered is there afterwards: states, entries, refresh tokens; and no
// index was ever given out twice.
func TestKilledIssuer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	dir := t.TempDir()
	var all []given
	for range 3 {
		all = append(all, runUntilKilled(t, dir)...)
	}
	if len(all) < 6 {
		t.Fatalf("only %d credentials before the end: nothing is shown", len(all))
	}
	r := newRig(t, diskStore(t, dir))
	r.publish()
	seen := map[statuslist.Reference]string{}
	for _, g := range all {
		for _, ref := range g.Refs {
			if other, twice := seen[ref]; twice {
				t.Errorf("%v was given to %s and %s", ref, other, g.ID)
			}
			seen[ref] = g.ID
		}
		checkSurvivor(t, r, g)
	}
	for range 5 {
		for _, c := range r.accept(r.offer(opleiding, false), 10).copies {
			if id, twice := seen[r.reference(c)]; twice {
				t.Errorf("a new copy has the entry of %s", id)
			}
		}
	}
}

func checkSurvivor(t *testing.T, r *rig, g given) {
	t.Helper()
	_, body := r.call(http.MethodGet, "/api/v1/credentials/"+g.ID, nil)
	want, wantStatus := Valid, statuslist.Valid
	if g.Revoked {
		want, wantStatus = Revoked, statuslist.Invalid
	}
	// A step whose answer the child had no time to tell may have been done.
	if body["state"] != string(want) && body["state"] != string(Revoked) {
		t.Errorf("%s: state %v, want %v", g.ID, body["state"], want)
	}
	lists, err := r.readLists()
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range g.Refs {
		number := slices.IndexFunc(r.lists(), func(n int) bool { return r.statusURI(n) == ref.URI })
		if number < 0 {
			t.Errorf("%s: the list of %v is gone", g.ID, ref)
			continue
		}
		if got, err := lists[r.lists()[number]].Get(ref.Index); err != nil || got != wantStatus && body["state"] != string(Revoked) {
			t.Errorf("%s: entry %v is %v, want %v (%v)", g.ID, ref, got, wantStatus, err)
		}
	}
	session, err := r.client().Resume(t.Context(), testURL, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = session.Refresh(t.Context(), g.Refresh)
	if revoked := body["state"] == string(Revoked); (err != nil) != revoked {
		t.Errorf("%s: refresh: %v, revoked %v", g.ID, err, revoked)
	}
}

// runUntilKilled lets a child work for a while and kills it with SIGKILL.
func runUntilKilled(t *testing.T, dir string) (out []given) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.v=false")
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var g given
		if json.Unmarshal(lines.Bytes(), &g) == nil && g.ID != "" {
			out = append(out, g)
		}
		if len(out) == 5 {
			// At any moment of the next one: the child goes on while this is sent.
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(out) < 5 {
		t.Fatalf("the child ended by itself: %v\n%s", err, complaints.String())
	}
	return out
}

// TestDiskShowsNobody: claims are sealed in the store, before and after they are
// deleted, and no code or token stands there in clear.
func TestDiskShowsNobody(t *testing.T) {
	dir := t.TempDir()
	var log strings.Builder
	r := newRig(t, diskStore(t, dir), func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	o := r.offer(opleiding, true)
	h := r.accept(o, 2)
	kept := r.offer(opleiding, "vaart-geheim-2026")
	offer, err := r.client().Offer(t.Context(), kept.Invocation)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.session.Notify(t.Context(), h.token, openid4vci.Notification{ID: h.answer.NotificationID, Event: openid4vci.CredentialFailure, Description: "Phone of Samira is full"}); err != nil {
		t.Fatal(err)
	}
	_, metrics := r.get("/metrics")
	if err := r.config.Store.Close(); err != nil { // closed, its files are as short as what they hold
		t.Fatal(err)
	}
	secrets := []string{"Voorbeeld-Idrissi", "Samira", "dagelijkse zorg", h.token.AccessToken, h.token.RefreshToken,
		offer.PreAuthorized().Code, "vaart-geheim-2026", h.answer.NotificationID, h.copies[0][:60]}
	scan, err := privacyscan.New(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	report, err := scan.Tree(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		t.Errorf("found: %v", f)
	}
	control, err := privacyscan.New(o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if report, err = control.Tree(dir); err != nil || len(report.Findings) == 0 {
		t.Errorf("the scan does not even find an id that must be there (%v)", err)
	}
	for place, text := range map[string]string{"metrics": metrics, "log": log.String()} {
		if found := scan.Bytes(place, []byte(text)); len(found) > 0 || text == "" {
			t.Errorf("%s: %v", place, found)
		}
		if strings.Contains(text, strings.TrimPrefix(o.Page, testURL)) {
			t.Errorf("%s: shows the address of an offer", place)
		}
	}
}

// TestOpenedByAnotherSecret fails at once and says why.
func TestOpenedByAnotherSecret(t *testing.T) {
	r := newRig(t)
	r.config.Secret = []byte("another-secret-altogether")
	if _, err := New(r.config); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestConfigRefuses(t *testing.T) {
	r := newRig(t)
	for name, change := range map[string]func(*Config){
		"no URL":              func(c *Config) { c.URL = "" },
		"URL with path":       func(c *Config) { c.URL += "/vaart" },
		"URL with slash":      func(c *Config) { c.URL += "/" },
		"no store":            func(c *Config) { c.Store = nil },
		"short secret":        func(c *Config) { c.Secret = []byte("short") },
		"no types":            func(c *Config) { c.Types = nil },
		"unknown type":        func(c *Config) { c.Types = append(c.Types[:0:0], "Diploma") },
		"own words":           func(c *Config) { c.Types = append(c.Types[:0:0], "Zelfverklaring") },
		"no key":              func(c *Config) { c.CredentialKey = nil },
		"certificate of more": func(c *Config) { c.CredentialChain = c.StatusChain },
		"reserve too large":   func(c *Config) { c.StatusReserve = c.StatusListSize },
		"status too short":    func(c *Config) { c.StatusLifetime = time.Minute },
		"wallet without name": func(c *Config) { c.Wallets = []Wallet{{URL: "https://wallet.example/offer"}} },
	} {
		c := r.config
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	other := kv.NewMemory()
	if err := kv.CheckFormat(other, "wallet", 1); err != nil {
		t.Fatal(err)
	}
	c := r.config
	c.Store = other
	if _, err := New(c); err == nil {
		t.Error("the store of another role: accepted")
	}
}
