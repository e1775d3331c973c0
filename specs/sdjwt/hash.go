package sdjwt

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
)

// hashAlgorithm is a value of _sd_alg (RFC 9901 4.1.1): a Hash Name String of
// the IANA Named Information registry, case-sensitive.
type hashAlgorithm string

const (
	sha256Name hashAlgorithm = "sha-256"
	sha384Name hashAlgorithm = "sha-384"
	sha512Name hashAlgorithm = "sha-512"
)

// parseHashAlgorithm reads _sd_alg from the top level of a payload. Absent
// means sha-256 (4.1.1: "a default value of sha-256 MUST be used").
func parseHashAlgorithm(payload map[string]any) (hashAlgorithm, error) {
	v, ok := payload[claimSDAlg]
	if !ok {
		return sha256Name, nil
	}
	name, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%w: not a string", ErrHashAlgorithm)
	}
	return hashNamed(name)
}

// hashNamed is the algorithm of this name.
func hashNamed(name string) (hashAlgorithm, error) {
	switch alg := hashAlgorithm(name); alg {
	case sha256Name, sha384Name, sha512Name:
		return alg, nil
	}
	return "", ErrHashAlgorithm
}

// digest is base64url(hash(ASCII(s))) (4.2.3, and 4.3.1 for sd_hash).
func (a hashAlgorithm) digest(s string) string {
	var short [256]byte // as most disclosures; a copy on the stack costs nothing to clean up
	if len(s) <= len(short) {
		return a.digestBytes(short[:copy(short[:], s)])
	}
	return a.digestBytes([]byte(s))
}

func (a hashAlgorithm) digestBytes(s []byte) string {
	var text [86]byte // base64url of 64 bytes, the longest
	switch a {
	case sha384Name:
		sum := sha512.Sum384(s)
		return string(base64.RawURLEncoding.AppendEncode(text[:0], sum[:]))
	case sha512Name:
		sum := sha512.Sum512(s)
		return string(base64.RawURLEncoding.AppendEncode(text[:0], sum[:]))
	default:
		sum := sha256.Sum256(s)
		return string(base64.RawURLEncoding.AppendEncode(text[:0], sum[:]))
	}
}

// size is the length of a digest in bytes, for decoys of the same shape.
func (a hashAlgorithm) size() int {
	switch a {
	case sha384Name:
		return sha512.Size384
	case sha512Name:
		return sha512.Size
	default:
		return sha256.Size
	}
}
