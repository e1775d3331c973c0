package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"

	"paspoort.example/paspoort/specs/ijson"
)

// maxKeyBytes bounds the JSON text of one JWK, certificates included.
const maxKeyBytes = 64 << 10

// Key is a public key with what a JWK says about it (RFC 7517 4). Its JSON form
// is a JWK; one that contains private or symmetric material is refused with
// [ErrPrivate].
type Key struct {
	Public    crypto.PublicKey // *ecdsa.PublicKey, ed25519.PublicKey or *rsa.PublicKey
	KeyID     string           // kid
	Algorithm string           // alg: of a signature, or "ECDH-ES"
	Use       string           // use: "sig", "enc" or empty
	X5C       [][]byte         // x5c: certificates in DER, the first for this key
}

// wireKey has the members of a JWK that are read. The private ones are there only
// to be noticed.
type wireKey struct {
	Kty string   `json:"kty"`
	Crv string   `json:"crv,omitempty"`
	X   string   `json:"x,omitempty"`
	Y   string   `json:"y,omitempty"`
	N   string   `json:"n,omitempty"`
	E   string   `json:"e,omitempty"`
	Kid string   `json:"kid,omitempty"`
	Use string   `json:"use,omitempty"`
	Alg string   `json:"alg,omitempty"`
	X5C []string `json:"x5c,omitempty"`

	D   any `json:"d,omitzero"`
	P   any `json:"p,omitzero"`
	Q   any `json:"q,omitzero"`
	Dp  any `json:"dp,omitzero"`
	Dq  any `json:"dq,omitzero"`
	Qi  any `json:"qi,omitzero"`
	Oth any `json:"oth,omitzero"`
	K   any `json:"k,omitzero"`
}

func (w *wireKey) private() bool {
	for _, m := range []any{w.D, w.P, w.Q, w.Dp, w.Dq, w.Qi, w.Oth, w.K} {
		if m != nil {
			return true
		}
	}
	return false
}

// ParseKey reads one public JWK. Errors wrap [ErrKey] (type, curve, point or size
// not acceptable), [ErrPrivate] or [ErrSyntax].
func ParseKey(raw []byte) (Key, error) {
	var k Key
	err := k.UnmarshalJSON(raw)
	return k, err
}

// UnmarshalJSON reads a public JWK; see [ParseKey].
func (k *Key) UnmarshalJSON(raw []byte) error {
	var w wireKey
	if err := (ijson.Limits{Bytes: maxKeyBytes}).Unmarshal(raw, &w); err != nil {
		return fmt.Errorf("%w: jwk: %w", ErrSyntax, err)
	}
	if w.private() {
		return ErrPrivate
	}
	got, err := w.key()
	if err != nil {
		return err
	}
	*k = got
	return nil
}

// KeyOf reads a public JWK that was decoded already, such as the jwk member of cnf (RFC
// 7800 3.2). Its errors are those of [ParseKey].
func KeyOf(jwk map[string]any) (Key, error) {
	var w wireKey
	for name, value := range jwk {
		if value == nil {
			continue // null is as good as absent
		}
		var into *string
		switch name {
		case "kty":
			into = &w.Kty
		case "crv":
			into = &w.Crv
		case "x":
			into = &w.X
		case "y":
			into = &w.Y
		case "n":
			into = &w.N
		case "e":
			into = &w.E
		case "kid":
			into = &w.Kid
		case "use":
			into = &w.Use
		case "alg":
			into = &w.Alg
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
			return Key{}, ErrPrivate
		case "x5c":
			return keyByJSON(jwk)
		default:
			continue
		}
		text, ok := value.(string)
		if !ok {
			return Key{}, fmt.Errorf("%w: jwk: %s is not a string", ErrSyntax, name)
		}
		*into = text
	}
	return w.key()
}

// keyByJSON reads the rare key that brings certificates.
func keyByJSON(jwk map[string]any) (Key, error) {
	raw, err := ijson.Marshal(jwk)
	if err != nil {
		return Key{}, fmt.Errorf("%w: jwk: %w", ErrSyntax, err)
	}
	return ParseKey(raw)
}

func (w *wireKey) key() (Key, error) {
	pub, err := w.public()
	if err != nil {
		return Key{}, err
	}
	// A point that was parsed is on its curve; the rest is checked here.
	if _, ec := pub.(*ecdsa.PublicKey); !ec {
		if err := CheckPublicKey(pub); err != nil {
			return Key{}, err
		}
	}
	fits, _ := AlgorithmFor(pub)
	if _, signature := verifiers[Algorithm(w.Alg)]; signature && Algorithm(w.Alg) != fits {
		return Key{}, fmt.Errorf("%w: alg is for another type of key", ErrKey)
	}
	k := Key{Public: pub, KeyID: w.Kid, Algorithm: w.Alg, Use: w.Use}
	if k.X5C, err = decodeX5C(w.X5C); err != nil || len(k.X5C) == 0 {
		return k, err
	}
	certs, err := ParseCertificates(k.X5C)
	if err != nil {
		return Key{}, err
	}
	// RFC 7517 4.7: "The key in the first certificate MUST match the public
	// key represented by other members of the JWK."
	if !SameKey(certs[0].PublicKey, pub) {
		return Key{}, fmt.Errorf("%w: x5c is for another key", ErrKey)
	}
	return k, nil
}

func (w *wireKey) public() (crypto.PublicKey, error) {
	switch {
	case w.Kty == "EC" && w.Crv == "P-256":
		return ecPoint(elliptic.P256(), 32, w.X, w.Y)
	case w.Kty == "EC" && w.Crv == "P-384":
		return ecPoint(elliptic.P384(), 48, w.X, w.Y)
	case w.Kty == "OKP" && w.Crv == "Ed25519":
		x, err := DecodeBase64URL(w.X)
		return ed25519.PublicKey(x), err
	case w.Kty == "RSA":
		return w.rsa()
	}
	return nil, fmt.Errorf("%w: kty %.10q with crv %.10q not supported", ErrKey, w.Kty, w.Crv)
}

func ecPoint(curve elliptic.Curve, size int, x, y string) (crypto.PublicKey, error) {
	bx, errX := DecodeBase64URL(x)
	by, errY := DecodeBase64URL(y)
	if err := errors.Join(errX, errY); err != nil {
		return nil, err
	}
	// RFC 7518 6.2.1.2: "The length of this octet string MUST be the full size
	// of a coordinate".
	if len(bx) != size || len(by) != size {
		return nil, fmt.Errorf("%w: coordinate is not %d bytes long", ErrKey, size)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, bx...), by...))
	if err != nil {
		return nil, fmt.Errorf("%w: point not on the curve", ErrKey)
	}
	return pub, nil
}

func (w *wireKey) rsa() (crypto.PublicKey, error) {
	n, errN := DecodeBase64URL(w.N)
	e, errE := DecodeBase64URL(w.E)
	if err := errors.Join(errN, errE); err != nil {
		return nil, err
	}
	// RFC 7518 2, Base64urlUInt: "utilizing the minimum number of octets".
	if len(n) == 0 || len(e) == 0 || n[0] == 0 || e[0] == 0 || len(e) > 4 {
		return nil, fmt.Errorf("%w: RSA number not in its shortest form or too large", ErrKey)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
}

// MarshalJSON writes the key as a public JWK.
func (k Key) MarshalJSON() ([]byte, error) { return k.AppendJSON(nil) }

// AppendJSON appends the key as a public JWK: the required members in lexicographic order,
// as for a thumbprint, and then what else is known of the key.
func (k Key) AppendJSON(dst []byte) ([]byte, error) {
	w, err := publicMembers(k.Public)
	if err != nil {
		return nil, err
	}
	dst = w.required(dst)
	dst = dst[:len(dst)-1]
	for _, m := range [...]struct{ name, value string }{{"kid", k.KeyID}, {"use", k.Use}, {"alg", k.Algorithm}} {
		if m.value == "" {
			continue
		}
		dst = append(append(append(dst, `,"`...), m.name...), `":`...)
		if dst, err = ijson.AppendString(dst, m.value); err != nil {
			return nil, err
		}
	}
	if len(k.X5C) > 0 {
		if dst, err = ijson.AppendValue(append(dst, `,"x5c":`...), encodeX5C(k.X5C)); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func publicMembers(pub crypto.PublicKey) (wireKey, error) {
	if p, ok := pub.(*ecdsa.PublicKey); ok {
		if _, err := AlgorithmFor(p); err != nil {
			return wireKey{}, err
		}
		point, err := p.Bytes() // fails off the curve
		if err != nil {
			return wireKey{}, fmt.Errorf("%w: point not on the curve", ErrKey)
		}
		half := len(point) / 2
		return wireKey{Kty: "EC", Crv: p.Params().Name,
			X: EncodeBase64URL(point[1 : 1+half]), Y: EncodeBase64URL(point[1+half:])}, nil
	}
	if err := CheckPublicKey(pub); err != nil {
		return wireKey{}, err
	}
	switch p := pub.(type) {
	case ed25519.PublicKey:
		return wireKey{Kty: "OKP", Crv: "Ed25519", X: EncodeBase64URL(p)}, nil
	case *rsa.PublicKey:
		return wireKey{Kty: "RSA", N: EncodeBase64URL(p.N.Bytes()),
			E: EncodeBase64URL(big.NewInt(int64(p.E)).Bytes())}, nil
	}
	return wireKey{}, fmt.Errorf("%w: type %T not supported", ErrKey, pub)
}

// Thumbprint is the JWK thumbprint of RFC 7638 with SHA-256, in base64url.
func Thumbprint(pub crypto.PublicKey) (string, error) {
	w, err := publicMembers(pub)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(w.required(nil))
	return EncodeBase64URL(sum[:]), nil
}

// required appends the JSON text with the required members in lexicographic order and no
// white space (RFC 7638 3, 3.2; RFC 8037 2). Their values are base64url and names of curves:
// nothing in them needs escaping.
func (w *wireKey) required(dst []byte) []byte {
	var members [4][2]string
	switch w.Kty {
	case "EC":
		members = [4][2]string{{"crv", w.Crv}, {"kty", w.Kty}, {"x", w.X}, {"y", w.Y}}
	case "OKP":
		members = [4][2]string{{"crv", w.Crv}, {"kty", w.Kty}, {"x", w.X}}
	default:
		members = [4][2]string{{"e", w.E}, {"kty", w.Kty}, {"n", w.N}}
	}
	dst = append(dst, '{')
	for _, m := range members {
		if m[0] != "" {
			dst = append(append(append(append(append(dst, '"'), m[0]...), `":"`...), m[1]...), `",`...)
		}
	}
	dst[len(dst)-1] = '}'
	return dst
}

// SameKey says whether two public keys are the same key.
func SameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && b != nil && k.Equal(b)
}

func decodeX5C(x5c []string) ([][]byte, error) {
	if len(x5c) > maxChain {
		return nil, fmt.Errorf("%w: more than %d certificates", ErrSize, maxChain)
	}
	var out [][]byte
	for _, c := range x5c {
		der, err := decodeBase64(c)
		if err != nil {
			return nil, fmt.Errorf("%w: x5c", err)
		}
		out = append(out, der)
	}
	return out, nil
}

func encodeX5C(x5c [][]byte) []string {
	var out []string
	for _, der := range x5c {
		out = append(out, base64.StdEncoding.EncodeToString(der))
	}
	return out
}

// KeySet is a JWK Set (RFC 7517 5).
type KeySet struct {
	Keys []Key `json:"keys"`
}

// UnmarshalJSON reads a JWK Set. Keys that are not acceptable here are left out:
// "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" values that
// are not understood by them, that are missing required members, or for which
// values are out of the supported ranges" (RFC 7517 5).
func (s *KeySet) UnmarshalJSON(raw []byte) error {
	var w struct {
		Keys []rawJSON `json:"keys"`
	}
	if err := ijson.Unmarshal(raw, &w); err != nil {
		return fmt.Errorf("%w: jwk set: %w", ErrSyntax, err)
	}
	if w.Keys == nil || len(w.Keys) > maxSetKeys {
		return fmt.Errorf("%w: jwk set without keys or with too many", ErrSyntax)
	}
	s.Keys = nil
	for _, one := range w.Keys {
		if k, err := ParseKey(one); err == nil {
			s.Keys = append(s.Keys, k)
		}
	}
	return nil
}

// maxSetKeys bounds the keys of a JWK Set.
const maxSetKeys = 100

// rawJSON is a JSON value that is decoded later.
type rawJSON []byte

func (r *rawJSON) UnmarshalJSON(b []byte) error {
	*r = bytes.Clone(b)
	return nil
}

// Find returns the key with this kid. With an empty kid it returns the only key of
// the set.
func (s KeySet) Find(keyID string) (Key, bool) {
	if keyID == "" {
		if len(s.Keys) == 1 {
			return s.Keys[0], true
		}
		return Key{}, false
	}
	for _, k := range s.Keys {
		if k.KeyID == keyID {
			return k, true
		}
	}
	return Key{}, false
}
