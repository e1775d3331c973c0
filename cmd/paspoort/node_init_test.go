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
	errs = types("node", "backup", "--config", config, "--recipient", recipient, "--out", key)
	if after, err := os.ReadFile(key); err != nil || !bytes.Equal(before, after) || !strings.Contains(errs, "--force") {
		t.Errorf("a backup went over another file (%v): %s", err, errs)
	}
}
