package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/registry"
)

// TestFederationKey: a node of before rules version 3 gets its fifth key, and a member proposes it.
func TestFederationKey(t *testing.T) {
	c := newCouncil(t)
	dir := t.TempDir()
	config, out := filepath.Join(dir, "node.json"), filepath.Join(dir, "node.keys.json")
	file := conf.Node{Server: conf.Server{Listen: "127.0.0.1:0", URL: "https://knoop-1.example"}, ID: "knoop-1", Founding: "founding.json", Data: "data",
		PeerListen: "127.0.0.1:0", PeerKey: "peer.key", LogKey: "log.key", CosignerKey: "cosigner.key", TimestampKey: "timestamp.key"}
	if err := conf.Write(config, file); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := play(t, "node", "federation-key", "--config", config, "--out", out); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	key, err := keyfile.Load(filepath.Join(dir, "federation.key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	proposed := c.asks("kring", "outcome.event", "propose", "node.keys", out, "--yes")
	c.sees("vakbond", []string{"approve", proposed, "--yes"}, "Besloten op")
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var change registry.NodeChange
	want, err := registry.NewPublicKey(key.Public())
	if json.Unmarshal(raw, &change) != nil || err != nil || change.Keys.Federation != want {
		t.Errorf("the file says %s, and the key is %s", raw, want)
	}
	file.FederationKey = "federation.key"
	if err := conf.Write(config, file); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := play(t, "node", "federation-key", "--config", config, "--out", out); code == exitOK {
		t.Error("a second key was made")
	}
}
