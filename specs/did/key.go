package did

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"

	"paspoort.example/paspoort/specs/jose"
)

// Multicodec codes of public keys.
const (
	codeEd25519 = 0xed
	codeP256    = 0x1200
	codeP384    = 0x1201
	codeRSA     = 0x1205
)

// resolveKey: the id is the key in multibase and multicodec (did:key 3.1).
func resolveKey(did, id string) (*Document, error) {
	pub, err := parseMultikey(id)
	if err != nil {
		return nil, err
	}
	method := did + "#" + id
	jwk, err := jose.Key{Public: pub}.MarshalJSON()
	if err != nil {
		return nil, err
	}
	ref := []Relationship{{Reference: method}}
	return &Document{
		Context: []any{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"},
		ID:      did,
		VerificationMethod: []Method{{
			ID: method, Type: "JsonWebKey2020", Controller: did, PublicKeyJWK: jwk,
		}},
		AssertionMethod: ref,
		Authentication:  ref,
	}, nil
}

// parseMultikey decodes a public key in multibase: "z" for base58btc, then a
// multicodec code and the key.
func parseMultikey(s string) (crypto.PublicKey, error) {
	body, ok := strings.CutPrefix(s, "z")
	if !ok {
		return nil, fmt.Errorf("%w: key not in base58btc", ErrSyntax)
	}
	raw, err := decodeBase58(body)
	if err != nil {
		return nil, err
	}
	code, n := binary.Uvarint(raw)
	// The code must have its one shortest form, else a key has two DIDs.
	if n <= 0 || len(binary.AppendUvarint(nil, code)) != n {
		return nil, fmt.Errorf("%w: multicodec", ErrSyntax)
	}
	pub, err := keyOfCode(code, raw[n:])
	if err != nil {
		return nil, err
	}
	return pub, jose.CheckPublicKey(pub)
}

func keyOfCode(code uint64, b []byte) (crypto.PublicKey, error) {
	switch code {
	case codeEd25519:
		return ed25519.PublicKey(b), nil
	case codeP256:
		return compressedPoint(elliptic.P256(), b)
	case codeP384:
		return compressedPoint(elliptic.P384(), b)
	case codeRSA:
		k, err := x509.ParsePKCS1PublicKey(b)
		if err != nil {
			return (*rsa.PublicKey)(nil), fmt.Errorf("%w: RSA key", ErrSyntax)
		}
		return k, nil
	}
	return nil, fmt.Errorf("%w: multicodec %#x not supported", jose.ErrKey, code)
}

func compressedPoint(curve elliptic.Curve, b []byte) (crypto.PublicKey, error) {
	x, y := elliptic.UnmarshalCompressed(curve, b)
	if x == nil {
		return nil, fmt.Errorf("%w: point not on the curve", jose.ErrKey)
	}
	size := (curve.Params().BitSize + 7) / 8
	point := append([]byte{4}, make([]byte, 2*size)...)
	x.FillBytes(point[1 : 1+size])
	y.FillBytes(point[1+size:])
	return ecdsa.ParseUncompressedPublicKey(curve, point)
}

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// decodeBase58 decodes base58btc. Every text without foreign characters has one
// value and every value one text.
func decodeBase58(s string) ([]byte, error) {
	if len(s) > maxDID {
		return nil, ErrSyntax
	}
	n, base := new(big.Int), big.NewInt(58)
	for _, c := range []byte(s) {
		digit := strings.IndexByte(base58Alphabet, c)
		if digit < 0 {
			return nil, fmt.Errorf("%w: not base58", ErrSyntax)
		}
		n.Add(n.Mul(n, base), big.NewInt(int64(digit)))
	}
	zeros := len(s) - len(strings.TrimLeft(s, "1"))
	return append(make([]byte, zeros), n.Bytes()...), nil
}
