package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"paspoort.example/paspoort/specs/ijson"
)

// PrivateKey is a signing key that does not show itself: printed, logged or
// encoded it gives its type only. Use [MarshalPrivate] to store it. It also serves
// to decrypt when it is on P-256.
type PrivateKey struct {
	key crypto.Signer // *ecdsa.PrivateKey or ed25519.PrivateKey
}

// Generate makes a new key for ES256, ES384 or EdDSA.
func Generate(alg Algorithm) (*PrivateKey, error) {
	var (
		key crypto.Signer
		err error
	)
	switch alg {
	case ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ES384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("%w: cannot sign with %.20q", ErrAlgorithm, string(alg))
	}
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	return &PrivateKey{key}, nil
}

// Public returns the public half.
func (k *PrivateKey) Public() crypto.PublicKey { return k.key.Public() }

// Sign implements [crypto.Signer].
func (k *PrivateKey) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.key.Sign(r, digest, opts)
}

// ECDSA returns the key itself when it is one on P-256 or P-384.
func (k *PrivateKey) ECDSA() (*ecdsa.PrivateKey, bool) {
	e, ok := k.key.(*ecdsa.PrivateKey)
	return e, ok
}

const hidden = "private key (hidden)"

// String hides the key.
func (k *PrivateKey) String() string { return hidden }

// GoString hides the key.
func (k *PrivateKey) GoString() string { return hidden }

// Format hides the key under every verb.
func (k *PrivateKey) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the key in logs.
func (k *PrivateKey) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON refuses: a private key is stored knowingly, by [MarshalPrivate].
func (k *PrivateKey) MarshalJSON() ([]byte, error) {
	return nil, errors.New("jose: a private key is not encoded with the rest")
}

// unwrap gives the key of the standard library inside, where there is one.
func unwrap(s crypto.Signer) crypto.Signer {
	if k, ok := s.(*PrivateKey); ok {
		return k.key
	}
	return s
}

// MarshalPrivate encodes a key as a private JWK, for key stores only.
func MarshalPrivate(s crypto.Signer) ([]byte, error) {
	w, err := publicMembers(s.Public())
	if err != nil {
		return nil, err
	}
	switch k := unwrap(s).(type) {
	case *ecdsa.PrivateKey:
		d, err := k.Bytes()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		w.D = EncodeBase64URL(d)
	case ed25519.PrivateKey:
		w.D = EncodeBase64URL(k.Seed())
	default:
		return nil, fmt.Errorf("%w: type %T cannot be stored", ErrKey, s)
	}
	return ijson.Marshal(w)
}

// ParsePrivate reads what [MarshalPrivate] wrote. The public members must belong to
// the private one.
func ParsePrivate(raw []byte) (*PrivateKey, error) {
	var w wireKey
	if err := (ijson.Limits{Bytes: maxKeyBytes}).Unmarshal(raw, &w); err != nil {
		return nil, fmt.Errorf("%w: private jwk: %w", ErrSyntax, err)
	}
	encoded, ok := w.D.(string)
	if !ok {
		return nil, fmt.Errorf("%w: no private member", ErrKey)
	}
	pub, err := w.public()
	if err != nil {
		return nil, err
	}
	d, err := DecodeBase64URL(encoded)
	if err != nil {
		return nil, err
	}
	key, err := privateFor(pub, d)
	if err != nil {
		return nil, err
	}
	if !SameKey(pub, key.Public()) {
		return nil, fmt.Errorf("%w: private and public members differ", ErrKey)
	}
	return &PrivateKey{key}, nil
}

func privateFor(pub crypto.PublicKey, d []byte) (crypto.Signer, error) {
	switch p := pub.(type) {
	case *ecdsa.PublicKey:
		key, err := ecdsa.ParseRawPrivateKey(p.Curve, d)
		if err != nil {
			return nil, fmt.Errorf("%w: private member out of range", ErrKey)
		}
		return key, nil
	case ed25519.PublicKey:
		if len(d) != ed25519.SeedSize {
			return nil, fmt.Errorf("%w: Ed25519 seed of %d bytes", ErrKey, len(d))
		}
		return ed25519.NewKeyFromSeed(d), nil
	}
	return nil, fmt.Errorf("%w: cannot sign with %T", ErrKey, pub)
}
