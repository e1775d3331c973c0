package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/audit/audittest"
	"paspoort.example/paspoort/internal/monitor"
	"paspoort.example/paspoort/specs/registry"
)

// TestLogCommands: what somebody types who takes nobody's word: copy, check, watch, and prove.
func TestLogCommands(t *testing.T) {
	r := audittest.Everything(t)
	log := audittest.Serve(t, r.Leaves[:50], audittest.Signed(t, r, r.Leaves[:50]))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { log.ServeHTTP(w, q) }))
	defer server.Close()
	dir := t.TempDir()
	copied := filepath.Join(dir, "copy")
	in := func(want int, says string, words ...string) string {
		t.Helper()
		code, out, errs := play(t, append([]string{"log", "--lang", "nl", "--loopback-http"}, words...)...)
		if code != want || !strings.Contains(out+errs, says) {
			t.Errorf("%v: exit code %d, want %d\n%s%s", words, code, want, out, errs)
		}
		return out
	}
	in(0, "50 regels", "fetch", server.URL, copied)
	in(0, "is in orde: 50 regels", "verify", copied, "--genesis", r.Genesis(), "--offline")
	in(6, "niet alles is bekeken", "verify", server.URL, "--genesis", r.Genesis()) // its nodes have names of no host
	in(5, "een andere regio", "verify", copied, "--genesis", strings.Repeat("0", 64), "--offline")
	in(2, "--genesis", "verify", copied)
	in(2, "64 tekens", "verify", copied, "--genesis", "ba39")
	in(1, "staat geen register", "verify", dir, "--genesis", r.Genesis())
	var report struct{ Verdict, Digest string }
	if err := json.Unmarshal([]byte(in(0, "digest", "verify", copied, "--genesis", r.Genesis(), "--offline", "--json")), &report); err != nil || report.Verdict != "in-order" || report.Digest == "" {
		t.Errorf("report %+v, %v", report, err)
	}

	// A region that shows two histories: the monitor proves it.
	var told []monitor.Message
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		var m monitor.Message
		if err := json.NewDecoder(q.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		told = append(told, m)
	}))
	defer hook.Close()
	config := filepath.Join(dir, "monitor.json")
	text := fmt.Sprintf(`{"data": "watch", "regions": [{"genesis": %q, "nodes": [%q]}], "watches": [{"name": "alles", "everything": true}],
		"webhook": {"url": %q}, "log": {"level": "error"}}`, r.Genesis(), server.URL, hook.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in(0, "", "monitor", "--config", config, "--once")
	leaf, err := registry.ParseLeaf(r.Leaves[49])
	if err != nil {
		t.Fatal(err)
	}
	leaf.LogTime++
	raw, err := leaf.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	other := append(slices.Clone(r.Leaves[:49]), raw)
	log = audittest.Serve(t, other, audittest.Signed(t, r, other))
	in(0, "", "monitor", "--config", config, "--once")
	if len(told) != 1 || len(told[0].Alarms) != 1 || told[0].Alarms[0].Proof == "" {
		t.Fatalf("told %+v", told)
	}
	proof := told[0].Alarms[0].Proof
	in(0, "spreken elkaar tegen", "proof", proof)
	in(0, "de regio zelf ondertekende twee geschiedenissen", "proof", proof, "--log", copied)
	in(3, "bewijst niet", "proof", filepath.Join(copied, "checkpoint"))
	in(5, "twee verschillende geschiedenissen", "verify", server.URL, "--genesis", r.Genesis(), "--offline", "--checkpoint", filepath.Join(copied, "checkpoint"))
}

// audits has a running region checked by somebody who takes nobody's word.
func audits(t *testing.T, r *region) {
	t.Helper()
	for _, known := range r.ready.Regions {
		code, out, errs := play(t, "log", "verify", known.Nodes[0].URL, "--genesis", known.Genesis, "--loopback-http", "--ca-file", r.ready.CAFile, "--lang", "en")
		if code != 0 || !strings.Contains(out, "is in order") {
			t.Errorf("region %.12s: exit code %d\n%s%s", known.Genesis, code, out, errs)
		}
	}
}
