package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

type comparable interface{ Equal(crypto.PrivateKey) bool }

func TestKeysSurviveTheirFile(t *testing.T) {
	for _, kind := range []Kind{ES256, Ed25519} {
		for _, passphrase := range []string{"", "een lange zin"} {
			t.Run(string(kind)+"/"+passphrase, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "k")
				key, err := Generate(kind)
				if err != nil {
					t.Fatal(err)
				}
				if err := Create(path, key, passphrase); err != nil {
					t.Fatal(err)
				}
				got, err := Load(path, func() (string, error) { return passphrase, nil })
				if err != nil {
					t.Fatal(err)
				}
				if !got.(comparable).Equal(key) {
					t.Error("another key came back")
				}
				if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
					t.Errorf("got mode %v, want 0600", info.Mode())
				}
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	key, _ := Generate(ES256)
	write := func(name, body string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sealed, open := filepath.Join(dir, "sealed"), filepath.Join(dir, "open")
	if err := errors.Join(Create(sealed, key, "goed"), Create(open, key, "")); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(open)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path string
		passphrase func() (string, error)
		want       error
	}{
		{"absent", filepath.Join(dir, "absent"), nil, fs.ErrNotExist},
		{"readable by others", write("loose", string(body), 0o644), nil, ErrPermissions},
		{"sealed without passphrase", sealed, nil, ErrPassphrase},
		{"sealed with a wrong one", sealed, func() (string, error) { return "fout", nil }, ErrPassphrase},
		{"not PEM", write("text", "hallo", 0o600), nil, ErrContents},
		{"trailing bytes", write("trailing", string(body)+"x", 0o600), nil, ErrContents},
		{"damaged", write("damaged", strings.Replace(string(body), "M", "N", 1), 0o600), nil, ErrContents},
		{"too large", write("large", strings.Repeat("x", maxFile+1), 0o600), nil, ErrContents},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Load(tt.path, tt.passphrase); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestOtherKindsOfKeyAreRefused(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"p384": p384, "rsa": rsaKey} {
		path := filepath.Join(t.TempDir(), "k")
		if err := Create(path, key, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, nil); !errors.Is(err, ErrContents) {
			t.Errorf("%s: got %v, want ErrContents", name, err)
		}
	}
}

func TestLoadOrCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	first, err := LoadOrCreate(path, ES256)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreate(path, ES256)
	if err != nil || !again.(comparable).Equal(first) {
		t.Errorf("got another key or %v", err)
	}
	if _, err := LoadOrCreate(path, Ed25519); !errors.Is(err, ErrContents) {
		t.Errorf("got %v, want ErrContents", err)
	}
	if err := Create(path, first, ""); !errors.Is(err, fs.ErrExist) {
		t.Errorf("overwriting: got %v, want ErrExist", err)
	}
}

func TestSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	first, err := Secret(path)
	if err != nil || len(first) != 43 {
		t.Fatalf("got %d characters and %v", len(first), err)
	}
	if again, err := Secret(path); err != nil || again != first {
		t.Errorf("got another secret or %v", err)
	}
}

func TestWriteAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, body := range []string{"one", "two"} {
		if err := WriteAtomic(path, []byte(body), 0o640); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != body {
			t.Errorf("got %q, want %q", got, body)
		}
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("got %v and %v, want one file", names, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("got %v, want 0640", info.Mode())
	}
}

// TestMadeOnce: of processes that start together each gets what is in the file, and
// none ever sees a file that is not whole.
func TestMadeOnce(t *testing.T) {
	for round := range 5 {
		dir := t.TempDir()
		var tokens, keys [8]string
		var wg sync.WaitGroup
		for n := range tokens {
			wg.Go(func() {
				var err error
				if tokens[n], err = Secret(filepath.Join(dir, "token")); err != nil {
					t.Error(err)
				}
				key, err := LoadOrCreate(filepath.Join(dir, "key"), ES256)
				if err != nil {
					t.Error(err)
					return
				}
				der, err := x509.MarshalPKIXPublicKey(key.Public())
				if err != nil {
					t.Error(err)
				}
				keys[n] = string(der)
			})
		}
		wg.Wait()
		for n := range tokens {
			if tokens[n] != tokens[0] || keys[n] != keys[0] {
				t.Fatalf("round %d: two got different secrets", round)
			}
		}
		if files, _ := os.ReadDir(dir); len(files) != 2 {
			t.Errorf("left behind: %v", files)
		}
	}
}
