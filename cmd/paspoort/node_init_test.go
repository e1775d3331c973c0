package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/backup"
	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/conf"
)

// typedInit types node init for a new region in dir, with more flags.
func typedInit(t *testing.T, dir string, more ...string) (code int, errs string) {
	t.Helper()
	args := []string{"node", "init", "--dir", dir, "--id", "knoop-1", "--url", "https://knoop.kring.example", "--peer", "knoop.kring.example:7001",
		"--member", "kring", "--group", "werkgevers", "--name", "Kring"}
	if !slices.Contains(more, "--acme-email") && !slices.Contains(more, "--tls-cert") && !slices.Contains(more, "--no-https") {
		args = append(args, "--behind-proxy")
	}
	more = slices.DeleteFunc(slices.Clone(more), func(s string) bool { return s == "--no-https" })
	code, _, errs = play(t, append(args, more...)...)
	return code, errs
}

// secretFile is a file with a passphrase.
func secretFile(t *testing.T, words string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(path, []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNodeInitRefuses: what the region would refuse later is said before anything is made.
func TestNodeInitRefuses(t *testing.T) {
	good := secretFile(t, "een zin van kring alleen")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a group that is none": {[]string{"--group", "gemeenten", "--passphrase-file", good}, "overheid"},
		"plain http":           {[]string{"--url", "http://knoop.kring.example", "--passphrase-file", good}, "https://knoop.kring.example"},
		"a short passphrase":   {[]string{"--passphrase-file", secretFile(t, "kort")}, "12 characters"},
		"no passphrase":        {nil, "--passphrase-file"},
		"a range that is none": {[]string{"--allow-private", "10.20", "--passphrase-file", good}, "allow_private"},
		"acme and plain http":  {[]string{"--url", "http://127.0.0.1:8101", "--acme-email", "b@kring.example", "--passphrase-file", good}, "acme needs an https url"},
		"no way to https":      {[]string{"--no-https", "--passphrase-file", good}, "--behind-proxy"},
		"two ways to https":    {[]string{"--acme-email", "b@kring.example", "--behind-proxy", "--passphrase-file", good}, "choose one"},
		"files that are away":  {[]string{"--tls-cert", "nergens.pem", "--tls-key", "nergens.key", "--passphrase-file", good}, "nergens"},
		"an id that is none":   {[]string{"--id", "Knoop 1", "--passphrase-file", good}, "such as knoop-1"},
		"a member that is not": {[]string{"--member", "Werk Geversk", "--passphrase-file", good}, "--member"},
		"a peer without port":  {[]string{"--peer", "knoop.kring.example", "--passphrase-file", good}, "host:port"},
		"a CA that is away":    {[]string{"--ca-file", "nergens.pem", "--passphrase-file", good}, "nergens.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			code, errs := typedInit(t, dir, c.args...)
			if code == exitOK || !strings.Contains(errs, c.want) {
				t.Errorf("exit %d, %s", code, errs)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("%d files are left, such as %v (%v)", len(left), left, err)
			}
		})
	}
}

// TestNodeInitOutbound: how the network is reached goes into the configuration.
func TestNodeInitOutbound(t *testing.T) {
	dir, root := t.TempDir(), filepath.Join(t.TempDir(), "root.pem")
	site := httptest.NewTLSServer(http.NotFoundHandler())
	site.Close()
	if err := os.WriteFile(root, ca.PEM(site.Certificate()), 0o600); err != nil {
		t.Fatal(err)
	}
	code, errs := typedInit(t, dir, "--passphrase-file", secretFile(t, "een zin van kring alleen"), "--ca-file", root, "--allow-private", "10.20.0.0/16")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var c conf.Node
	if err := conf.Load(filepath.Join(dir, "node.json"), &c); err != nil {
		t.Fatal(err)
	}
	if c.Outbound.CAFile != root || !slices.Equal(c.Outbound.AllowPrivate, []string{"10.20.0.0/16"}) || c.Outbound.LoopbackHTTP {
		t.Errorf("it reaches %+v", c.Outbound)
	}
	config := filepath.Join(dir, "node.json")
	types := func(args ...string) string {
		code, _, errs := play(t, args...)
		if code == exitOK {
			t.Errorf("%v works", args)
		}
		return errs
	}
	if errs := types("node", "status", "--config", config, "--ca-file", "nergens.pem"); !strings.Contains(errs, "nergens.pem") {
		t.Errorf("the file goes before the flag: %s", errs)
	}
	key := filepath.Join(t.TempDir(), "backup.key")
	recipient, err := backup.NewKey(key)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if errs := types("node", "backup", "--make-key", key); !strings.Contains(errs, "is there already") {
		t.Errorf("the key of backups once more: %s", errs)
	}
	if errs := types("node", "backup", "--config", config, "--recipient", recipient, "--out", "nergens/knoop.backup"); !strings.Contains(errs, "there is no folder nergens") {
		t.Errorf("a backup to nowhere: %s", errs)
	}
	if errs := types("node", "status", "--url", "http://127.0.0.1:1"); !strings.Contains(errs, "does not run") {
		t.Errorf("the status of a node that is stopped: %s", errs)
	}
	errs = types("node", "backup", "--config", config, "--recipient", recipient, "--out", key)
	if after, err := os.ReadFile(key); err != nil || !bytes.Equal(before, after) || !strings.Contains(errs, "--force") {
		t.Errorf("a backup went over another file (%v): %s", err, errs)
	}
}

// TestNodeInitOnThisComputer: several nodes on one computer need no more than their addresses.
func TestNodeInitOnThisComputer(t *testing.T) {
	dir := t.TempDir()
	code, errs := typedInit(t, dir, "--no-https", "--url", "http://127.0.0.1:8101", "--peer", "127.0.0.1:7101", "--passphrase-file", secretFile(t, "een zin van kring alleen"))
	if code != exitOK {
		t.Fatal(errs)
	}
	var c conf.Node
	if err := conf.Load(filepath.Join(dir, "node.json"), &c); err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:8101" || c.AdminListen != "127.0.0.1:9101" || c.PeerListen != ":7101" || c.Profile != "" || !c.Outbound.LoopbackHTTP {
		t.Errorf("got %+v", c)
	}
}
