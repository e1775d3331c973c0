// Package keyfiletest gives tests a token in software (SoftHSM 2) with a key on it.
package keyfiletest

import (
	"crypto"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/testkit"
)

// PIN is that of the token.
const PIN = "123456"

// Token makes a token for this test alone, puts the key on it, and gives the address of the
// key. Without SoftHSM the test is skipped, and fails where CI=true.
func Token(t testing.TB, key crypto.Signer) (address string) {
	t.Helper()
	var module string
	for _, file := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(file); err == nil {
			module = file
		}
	}
	tool, err := exec.LookPath("softhsm2-util")
	if err != nil || module == "" {
		testkit.Missing(t, "softhsm2 is not installed, so there is no token to test with: apt-get install softhsm2")
	}
	dir := t.TempDir()
	tokens, config, plain := filepath.Join(dir, "tokens"), filepath.Join(dir, "softhsm2.conf"), filepath.Join(dir, "key.pem")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("directories.tokendir = "+tokens+"\nobjectstore.backend = file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", config)
	if err := keyfile.Create(plain, key, ""); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--init-token", "--free", "--label", "Lid Anker", "--so-pin", "87654321", "--pin", PIN},
		{"--import", plain, "--token", "Lid Anker", "--label", "stem", "--id", "01", "--pin", PIN},
	} {
		if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	return "pkcs11:token=Lid%20Anker;object=stem?module-path=" + module
}
