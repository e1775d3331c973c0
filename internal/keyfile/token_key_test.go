package keyfile_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/keyfile/keyfiletest"
)

// TestKeyOnToken signs with a key that stays on its token.
func TestKeyOnToken(t *testing.T) {
	key, err := keyfile.Generate(keyfile.ES256)
	if err != nil {
		t.Fatal(err)
	}
	address := keyfiletest.Token(t, key)
	pin := func(pin string) func() (string, error) { return func() (string, error) { return pin, nil } }
	opened, err := keyfile.Open(address, pin(keyfiletest.PIN))
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
	if _, err := keyfile.Open(address, pin("000000")); !errors.Is(err, keyfile.ErrPassphrase) {
		t.Errorf("wrong PIN: got %v", err)
	}
	if _, err := keyfile.Open(address, nil); !errors.Is(err, keyfile.ErrPassphrase) {
		t.Errorf("nobody to ask: got %v", err)
	}
	if _, err := keyfile.Open(strings.Replace(address, "stem", "ander", 1), pin(keyfiletest.PIN)); !errors.Is(err, keyfile.ErrToken) {
		t.Errorf("no such key: got %v", err)
	}
	if _, err := keyfile.Open(strings.Replace(address, "Anker", "Boei", 1), pin(keyfiletest.PIN)); !errors.Is(err, keyfile.ErrToken) {
		t.Errorf("no such token: got %v", err)
	}
	if _, err := keyfile.Open("pkcs11:token=a;object=b?module-path=/nergens.so", pin("1")); !errors.Is(err, keyfile.ErrToken) {
		t.Errorf("no such library: got %v", err)
	}
	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte(keyfiletest.PIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err = keyfile.Open(address+"&pin-source=file:"+file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}
