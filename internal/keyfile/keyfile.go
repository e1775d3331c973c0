// Package keyfile keeps private keys and secrets in files that only their owner can
// read: PKCS #8 in PEM (RFC 5958, RFC 7468) for keys of ES256 and Ed25519, one line
// for tokens. A passphrase may seal a key file (age, https://age-encryption.org/v1,
// with scrypt), and Open also finds keys that never leave a hardware token (PKCS #11,
// addressed as RFC 7512 says).
//
// It is not the wallet's vault: holder keys never live here.
//
//	key, err := keyfile.LoadOrCreate("issuer.key", keyfile.ES256)
//	key, err := keyfile.Open("pkcs11:token=Bestuur;object=stem?module-path=/usr/lib/x.so", ask)
//	token, err := keyfile.Secret("admin.token")
package keyfile

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

var (
	// ErrPermissions: others than the owner may read the file.
	ErrPermissions = errors.New("file is readable by others, make it 0600")
	// ErrPassphrase: the file is sealed and the passphrase is missing or wrong.
	ErrPassphrase = errors.New("passphrase is missing or wrong")
	// ErrContents: the file does not hold what it should.
	ErrContents = errors.New("file does not hold a key that we use")
)

// Kind is a kind of key.
type Kind string

const (
	// ES256 is ECDSA on P-256.
	ES256 Kind = "ES256"
	// Ed25519 is for logs and cosigners.
	Ed25519 Kind = "Ed25519"
)

const (
	pemKey = "PRIVATE KEY"
	// A key in PEM is a few hundred bytes, a sealed one under a thousand.
	maxFile = 16 << 10
)

// Generate makes a key in memory.
func Generate(kind Kind) (crypto.Signer, error) {
	switch kind {
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("keyfile: no such kind of key: %q", kind)
}

// Create writes key to a new file, sealed when passphrase is not empty. An existing
// file is never overwritten: the error is fs.ErrExist.
func Create(path string, key crypto.Signer, passphrase string) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("keyfile: %w", err)
	}
	body := pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der})
	if passphrase != "" {
		if body, err = seal(body, passphrase); err != nil {
			return fmt.Errorf("keyfile: %w", err)
		}
	}
	return create(path, body)
}

// Load reads a key. passphrase is asked only when the file is sealed; nil means
// there is none.
func Load(path string, passphrase func() (string, error)) (crypto.Signer, error) {
	body, err := read(path)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(body, []byte(armor.Header)) {
		if body, err = unseal(body, passphrase); err != nil {
			return nil, fmt.Errorf("keyfile: %s: %w", path, err)
		}
	}
	key, err := parse(body)
	if err != nil {
		return nil, fmt.Errorf("keyfile: %s: %w", path, err)
	}
	return key, nil
}

// LoadOrCreate reads the key in path, or makes one of this kind there.
func LoadOrCreate(path string, kind Kind) (crypto.Signer, error) {
	key, err := Load(path, nil)
	if err == nil {
		return key, checkKind(path, key, kind)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if key, err = Generate(kind); err != nil {
		return nil, err
	}
	err = Create(path, key, "")
	if errors.Is(err, fs.ErrExist) { // another process was first
		return LoadOrCreate(path, kind)
	}
	return key, err
}

func checkKind(path string, key crypto.Signer, kind Kind) error {
	_, isEd := key.(ed25519.PrivateKey)
	if isEd != (kind == Ed25519) {
		return fmt.Errorf("keyfile: %s: %w: it is not %s", path, ErrContents, kind)
	}
	return nil
}

func parse(body []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(body)
	if block == nil || block.Type != pemKey || len(bytes.TrimSpace(rest)) > 0 {
		return nil, ErrContents
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, ErrContents // the parser's words may repeat parts of the key
	}
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P256() {
			return key, nil
		}
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, ErrContents
}

func seal(body []byte, passphrase string) ([]byte, error) {
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	to.SetWorkFactor(workFactor)
	var out bytes.Buffer
	armored := armor.NewWriter(&out)
	w, err := age.Encrypt(armored, to)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), armored.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unseal(body []byte, passphrase func() (string, error)) ([]byte, error) {
	if passphrase == nil {
		return nil, ErrPassphrase
	}
	words, err := passphrase()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPassphrase, err)
	}
	id, err := age.NewScryptIdentity(words)
	if err != nil {
		return nil, ErrPassphrase
	}
	id.SetMaxWorkFactor(18)
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(body)), id)
	if err != nil {
		return nil, ErrPassphrase
	}
	return io.ReadAll(io.LimitReader(r, maxFile))
}

// Secret reads the token in path, or makes one there of 256 random bits in
// base64url.
func Secret(path string) (string, error) {
	body, err := read(path)
	if err == nil {
		if s := strings.TrimSpace(string(body)); s != "" {
			return s, nil
		}
		return "", fmt.Errorf("keyfile: %s: %w", path, ErrContents)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("keyfile: %w", err)
	}
	s := base64.RawURLEncoding.EncodeToString(raw)
	err = create(path, []byte(s+"\n"))
	if errors.Is(err, fs.ErrExist) { // another process was first
		return Secret(path)
	}
	return s, err
}
