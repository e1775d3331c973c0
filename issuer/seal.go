package issuer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// errSealed: a stored value was sealed under another secret, or was damaged.
var errSealed = errors.New("issuer: a sealed value does not open: is this the secret of this store?")

// vault seals what the store must not show and makes secrets. A key that was
// deleted may stay in a database file for a while; what it holds is sealed.
type vault struct {
	secret []byte
	rand   io.Reader
}

// derive makes a key for one purpose (RFC 5869).
func (v vault) derive(purpose string) ([]byte, error) {
	k, err := hkdf.Key(sha256.New, v.secret, nil, "paspoort issuer "+purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("issuer: derive key: %w", err)
	}
	return k, nil
}

func (v vault) aead(purpose string) (cipher.AEAD, error) {
	k, err := v.derive(purpose)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	return aead, nil
}

// seal encrypts under a key for this purpose only, so that a value cannot be put in
// the place of another.
func (v vault) seal(purpose string, plain []byte) ([]byte, error) {
	aead, err := v.aead(purpose)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(v.rand, nonce); err != nil {
		return nil, fmt.Errorf("issuer: draw nonce: %w", err)
	}
	return aead.Seal(nonce, nonce, plain, nil), nil
}

func (v vault) open(purpose string, sealed []byte) ([]byte, error) {
	aead, err := v.aead(purpose)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errSealed
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], nil)
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// mac authenticates data for one purpose.
func (v vault) mac(purpose string, data []byte) ([]byte, error) {
	k, err := v.derive(purpose)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, k)
	h.Write(data)
	return h.Sum(nil), nil
}

// token draws n random bytes in base64url.
func (v vault) token(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(v.rand, b); err != nil {
		return "", fmt.Errorf("issuer: draw token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Bytes of random names and secrets.
const (
	idBytes     = 16 // 128 bits: ids and addresses
	secretBytes = 32 // 256 bits: codes and tokens
)

// digits draws a numeric code of n digits, each equally likely.
func (v vault) digits(n int) (string, error) {
	out := make([]byte, 0, n)
	var b [1]byte
	for len(out) < n {
		if _, err := io.ReadFull(v.rand, b[:]); err != nil {
			return "", fmt.Errorf("issuer: draw code: %w", err)
		}
		if b[0] < 250 { // 250 = 25 * 10; above, some digits would come more often
			out = append(out, '0'+b[0]%10)
		}
	}
	return string(out), nil
}

func hash(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }
