package sdjwtvc

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrIntegrity: a document is not the one that a reference names, or the
// reference's integrity metadata cannot be read.
var ErrIntegrity = errors.New("integrity check failed")

// digests are the hash functions of W3C SRI 3.2, weakest first.
var digests = []struct {
	name string
	sum  func([]byte) []byte
}{
	{"sha256", func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }},
	{"sha384", func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }},
	{"sha512", func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }},
}

// VerifyIntegrity checks content against an "integrity metadata" string (section
// 5, W3C SRI 3 and 3.3.5): hash expressions with white space between, of which
// those with the strongest function count and one must match. A string without
// any expression that we can read fails: SRI would let it pass, section 5 says
// "MUST verify". Error: ErrIntegrity.
func VerifyIntegrity(metadata string, content []byte) error {
	strongest := -1
	var expected [][]byte
	for _, expression := range strings.Fields(metadata) {
		name, value, _ := strings.Cut(expression, "-")
		value, _, _ = strings.Cut(value, "?") // options, none of which is defined
		for i, d := range digests {
			if d.name != name || i < strongest {
				continue
			}
			sum, err := decodeSRI(value)
			if err != nil {
				return fmt.Errorf("%w: %s value is not base64", ErrIntegrity, name)
			}
			if i > strongest {
				strongest, expected = i, nil
			}
			expected = append(expected, sum)
		}
	}
	if strongest < 0 {
		return fmt.Errorf("%w: no known hash function", ErrIntegrity)
	}
	got := digests[strongest].sum(content)
	for _, want := range expected {
		if bytes.Equal(got, want) {
			return nil
		}
	}
	return ErrIntegrity
}

// Integrity is the integrity metadata of content, with SHA-256.
func Integrity(content []byte) string {
	return "sha256-" + base64.StdEncoding.EncodeToString(digests[0].sum(content))
}

// decodeSRI decodes the base64-value of SRI 3.5, whose grammar (that of CSP) has
// both alphabets and optional padding.
func decodeSRI(s string) ([]byte, error) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("line break")
	}
	return base64.RawStdEncoding.DecodeString(s)
}
