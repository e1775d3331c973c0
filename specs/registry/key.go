package registry

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
)

// PublicKey is a P-256 public key as it stands in events: the uncompressed point (SEC 1
// 2.3.3, 65 bytes) in base64url without padding. One key has one such text.
type PublicKey string

// pointSize is the length of an uncompressed P-256 point.
const pointSize = 65

// NewPublicKey is the text form of a P-256 key. It fails with [ErrKey] for any other key.
func NewPublicKey(pub crypto.PublicKey) (PublicKey, error) {
	k, ok := pub.(*ecdsa.PublicKey)
	if !ok || k.Curve != elliptic.P256() {
		return "", ErrKey.with("events are signed with P-256 keys only")
	}
	point, err := k.Bytes()
	if err != nil {
		return "", ErrKey.with("not a point of P-256")
	}
	return PublicKey(b64.EncodeToString(point)), nil
}

// ECDSA is the key itself. It fails with [ErrKey] when the text is not canonical or the
// point is not on the curve (the point at infinity has no uncompressed form).
func (k PublicKey) ECDSA() (*ecdsa.PublicKey, error) {
	point, err := decode64(string(k), pointSize)
	if err != nil {
		return nil, ErrKey.with("not 65 bytes in base64url")
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, ErrKey.with("not a point of P-256")
	}
	return pub, nil
}

// Thumbprint is the key's RFC 7638 thumbprint (SHA-256, base64url): the name under which a
// signer refers to it. The key must be valid.
func (k PublicKey) Thumbprint() string {
	point, err := decode64(string(k), pointSize)
	if err != nil {
		return ""
	}
	// RFC 7638 3.2: the required members of an EC key in lexicographic order.
	jwk := `{"crv":"P-256","kty":"EC","x":"` + b64.EncodeToString(point[1:33]) +
		`","y":"` + b64.EncodeToString(point[33:]) + `"}`
	sum := sha256.Sum256([]byte(jwk))
	return b64.EncodeToString(sum[:])
}

// SPKI is the lower-case hexadecimal SHA-256 of the key's SubjectPublicKeyInfo, as it is
// recorded of certificates.
func (k PublicKey) SPKI() string {
	pub, err := k.ECDSA()
	if err != nil {
		return ""
	}
	return SPKIHash(pub)
}

// SPKIHash is the lower-case hexadecimal SHA-256 of a key's SubjectPublicKeyInfo (RFC 5280
// 4.1.2.7), or "" for a key that has none.
func SPKIHash(pub crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// Fingerprint is the lower-case hexadecimal SHA-256 of a certificate in DER.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

var (
	b64       = base64.RawURLEncoding.Strict() // refuses set bits in the last character
	p256Order = elliptic.P256().Params().N
	p256Half  = new(big.Int).Rsh(elliptic.P256().Params().N, 1)
)

// decode64 reads exactly size bytes of canonical base64url.
func decode64(s string, size int) ([]byte, error) {
	if len(s) != b64.EncodedLen(size) {
		return nil, fmt.Errorf("not %d bytes", size)
	}
	// The decoder skips line ends; a text of the right length with one in it is too short.
	out, err := b64.DecodeString(s)
	if err != nil || len(out) != size {
		return nil, fmt.Errorf("not base64url of %d bytes", size)
	}
	return out, nil
}

// sign makes the ES256 signature r||s with low s over an input.
func sign(signer crypto.Signer, input []byte) (string, error) {
	if _, err := NewPublicKey(signer.Public()); err != nil {
		return "", err
	}
	digest := sha256.Sum256(input)
	// crypto.Signer of an ECDSA key answers in ASN.1, from memory and from a token alike.
	der, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("sign event: %w", err)
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) != 0 {
		return "", fmt.Errorf("sign event: the signer did not answer with an ECDSA signature")
	}
	if sig.S.Cmp(p256Half) > 0 {
		sig.S.Sub(p256Order, sig.S) // (r, s) and (r, n-s) both verify; one form is allowed
	}
	raw := make([]byte, 64)
	sig.R.FillBytes(raw[:32])
	sig.S.FillBytes(raw[32:])
	return b64.EncodeToString(raw), nil
}

// verify checks an ES256 signature. High s is refused, so that nobody but the signer can
// make a second signature out of the first.
func verify(key *ecdsa.PublicKey, input []byte, signature string) error {
	raw, err := decode64(signature, 64)
	if err != nil {
		return ErrSignature.with("not 64 bytes in base64url")
	}
	r, s := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(p256Order) >= 0 || s.Cmp(p256Half) > 0 {
		return ErrSignature.with("r or s out of range, or s in the upper half")
	}
	digest := sha256.Sum256(input)
	if !ecdsa.Verify(key, digest[:], r, s) {
		return ErrSignature
	}
	return nil
}
