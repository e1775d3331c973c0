package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTokenAddress(t *testing.T) {
	const module = "?module-path=/usr/lib/x.so"
	a, err := parseToken("pkcs11:token=Lid%20Anker;object=stem;id=%01%02;type=private" + module + "&pin-source=file:/etc/pin")
	if err != nil || a.token != "Lid Anker" || a.object != "stem" || string(a.id) != "\x01\x02" || a.module != "/usr/lib/x.so" || a.pinSource != "/etc/pin" {
		t.Errorf("got %+v and %v", a, err)
	}
	for name, address := range map[string]string{
		"a PIN in it": "pkcs11:token=a;object=b" + module + "&pin-value=1234",
		"no token":    "pkcs11:object=b" + module,
		"no key":      "pkcs11:token=a" + module,
		"no library":  "pkcs11:token=a;object=b",
		"twice":       "pkcs11:token=a;token=b;object=b" + module,
		"misspelt":    "pkcs11:tokn=a;object=b" + module,
		"bad escape":  "pkcs11:token=%zz;object=b" + module,
	} {
		if _, err := parseToken(address); !errors.Is(err, ErrToken) || strings.Contains(err.Error(), "1234") {
			t.Errorf("%s: got %v, want ErrToken without the PIN", name, err)
		}
	}
}

func FuzzTokenAddress(f *testing.F) {
	f.Add("pkcs11:token=a;object=b?module-path=/x&pin-source=y")
	f.Add("pkcs11:id=%00;serial=1?module-path=/x")
	f.Fuzz(func(t *testing.T, address string) {
		a, err := parseToken(address)
		if err == nil && (a.module == "" || a.token == "" && a.serial == "" || a.object == "" && len(a.id) == 0) {
			t.Errorf("%q was taken without %+v", address, a)
		}
	})
}

// softHSM makes a token in software with a key on it, and gives the address of the key.
func softHSM(t *testing.T, key crypto.Signer) string {
	t.Helper()
	var module string
	for _, file := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(file); err == nil {
			module = file
		}
	}
	tool, err := exec.LookPath("softhsm2-util")
	if err != nil || module == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("softhsm2 is not installed: apt-get install softhsm2")
		}
		t.Skip("softhsm2 is not installed, so there is no token to test with: apt-get install softhsm2")
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	if err := os.Mkdir(filepath.Join(dir, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", write("softhsm2.conf", "directories.tokendir = "+filepath.Join(dir, "tokens")+"\nobjectstore.backend = file\n"))
	plain := filepath.Join(dir, "key.pem")
	if err := Create(plain, key, ""); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--init-token", "--free", "--label", "Lid Anker", "--so-pin", "87654321", "--pin", "123456"},
		{"--import", plain, "--token", "Lid Anker", "--label", "stem", "--id", "01", "--pin", "123456"},
	} {
		if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	return "pkcs11:token=Lid%20Anker;object=stem?module-path=" + module
}

// TestKeyOnToken signs with a key that stays on its token.
func TestKeyOnToken(t *testing.T) {
	key, err := Generate(ES256)
	if err != nil {
		t.Fatal(err)
	}
	address := softHSM(t, key)
	pin := func(pin string) func() (string, error) { return func() (string, error) { return pin, nil } }
	opened, err := Open(address, pin("123456"))
	if err != nil {
		t.Fatal(err)
	}
	if _, private := opened.Signer.(*ecdsa.PrivateKey); private {
		t.Error("the key left its token")
	}
	digest := sha256.Sum256([]byte("besluit"))
	sig, err := opened.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil || !ecdsa.VerifyASN1(key.Public().(*ecdsa.PublicKey), digest[:], sig) {
		t.Errorf("the signature does not verify: %v", err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(address, pin("000000")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong PIN: got %v", err)
	}
	if _, err := Open(address, nil); !errors.Is(err, ErrPassphrase) {
		t.Errorf("nobody to ask: got %v", err)
	}
	if _, err := Open(strings.Replace(address, "stem", "ander", 1), pin("123456")); !errors.Is(err, ErrToken) {
		t.Errorf("no such key: got %v", err)
	}
	if _, err := Open(strings.Replace(address, "Anker", "Boei", 1), pin("123456")); !errors.Is(err, ErrToken) {
		t.Errorf("no such token: got %v", err)
	}
	if _, err := Open("pkcs11:token=a;object=b?module-path=/nergens.so", pin("1")); !errors.Is(err, ErrToken) {
		t.Errorf("no such library: got %v", err)
	}
	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte("123456\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err = Open(address+"&pin-source=file:"+file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}
