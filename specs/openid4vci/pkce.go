package openid4vci

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// CheckCodeVerifier holds a code verifier to RFC 7636 4.1: 43 to 128 characters of
// the unreserved set [A-Z] / [a-z] / [0-9] / "-" / "." / "_" / "~".
func CheckCodeVerifier(verifier string) error {
	if len(verifier) < 43 || len(verifier) > 128 {
		return errors.New("openid4vci: a code_verifier has 43 to 128 characters")
	}
	for _, c := range []byte(verifier) {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~':
		default:
			return errors.New("openid4vci: a code_verifier has unreserved characters only")
		}
	}
	return nil
}

// NewCodeVerifier makes a code verifier of 256 random bits, as RFC 7636 7.1
// recommends.
func NewCodeVerifier(rand io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("openid4vci: make code_verifier: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// CodeChallenge is the S256 challenge for verifier (RFC 7636 4.2). The method
// "plain" is not offered: HAIP 1.0 and DIIP v5 both demand S256.
func CodeChallenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// VerifyCodeChallenge is the server's check of RFC 7636 4.6.
func VerifyCodeChallenge(verifier, challenge string) error {
	if err := CheckCodeVerifier(verifier); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(CodeChallenge(verifier)), []byte(challenge)) != 1 {
		return errors.New("openid4vci: the code_verifier does not fit the code_challenge")
	}
	return nil
}
