package jose

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
)

// MaxBytes is the length of a token that [Parse] reads at most. [ParseLimit] has
// its own, for the tokens that may be longer.
const MaxBytes = 1 << 20

// Sign makes a JWS in compact form (RFC 7515 3.1). An empty h.Algorithm stands for
// the one that fits the key. The signer may be a [PrivateKey], a key of the standard
// library or a hardware key.
func Sign(signer crypto.Signer, h Header, payload []byte) (string, error) {
	token, err := AppendSigned(nil, signer, h, payload)
	return string(token), err
}

// AppendSigned is [Sign] that appends the token to dst, for who goes on behind it. On error
// it returns nil.
func AppendSigned(dst []byte, signer crypto.Signer, h Header, payload []byte) ([]byte, error) {
	fits, err := AlgorithmFor(signer.Public())
	if err != nil {
		return nil, err
	}
	if h.Algorithm == "" {
		h.Algorithm = fits
	}
	impl, ok := signers[h.Algorithm]
	if !ok || h.Algorithm != fits {
		return nil, fmt.Errorf("%w: cannot sign with %.20q and this key", ErrAlgorithm, string(h.Algorithm))
	}
	header, err := h.encode()
	if err != nil {
		return nil, err
	}
	enc, start := base64.RawURLEncoding, len(dst)
	dst = slices.Grow(dst, len(header)+2+enc.EncodedLen(len(payload))+enc.EncodedLen(h.Algorithm.signatureSize()))
	dst = enc.AppendEncode(append(append(dst, header...), '.'), payload)
	sig, err := impl.Sign(dst[start:], opaque{signer})
	if err != nil {
		return nil, fmt.Errorf("jose: sign: %w", err)
	}
	return enc.AppendEncode(append(dst, '.'), sig), nil
}

// opaque shows a key to jwx as something that signs and no more. Of a key whose type it
// knows jwx makes a copy for each signature, and crypto/ecdsa then prepares (and remembers)
// the copy as a new key.
type opaque struct{ crypto.Signer }

// Signed is a JWS that was read. Nothing in it may be relied on before
// [Signed.Verify] returned nil, except to find out which key to try.
type Signed struct {
	Header  Header
	Payload []byte

	compact   string
	signature []byte
}

// Parse reads a JWS in compact form of at most [MaxBytes]. The signature is not
// checked yet. Errors wrap [ErrSyntax], [ErrSize], [ErrCritical], or say what is wrong
// with a key or certificate in the header.
func Parse(compact string) (*Signed, error) { return ParseLimit(compact, MaxBytes) }

// ParseLimit is [Parse] with another limit on the length.
func ParseLimit(compact string, limit int) (*Signed, error) {
	if len(compact) > limit {
		return nil, fmt.Errorf("%w: token of %d bytes, at most %d", ErrSize, len(compact), limit)
	}
	header, rest, ok := strings.Cut(compact, ".")
	payload, signature, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || strings.Contains(signature, ".") {
		return nil, fmt.Errorf("%w: a compact JWS has three parts", ErrSyntax)
	}
	h, err := parseHeader(header)
	if err != nil {
		return nil, err
	}
	s := &Signed{Header: h, compact: compact}
	if s.Payload, err = DecodeBase64URL(payload); err != nil {
		return nil, fmt.Errorf("%w: payload", err)
	}
	if s.signature, err = DecodeBase64URL(signature); err != nil {
		return nil, fmt.Errorf("%w: signature", err)
	}
	return s, nil
}

// String returns the token in compact form.
func (s *Signed) String() string { return s.compact }

// Claims decodes the payload as a JSON object of claims, under the rules of ijson.
func (s *Signed) Claims(v any) error {
	if err := ijson.Unmarshal(s.Payload, v); err != nil {
		return fmt.Errorf("%w: payload: %w", ErrSyntax, err)
	}
	return nil
}

// defaultAlgorithms are allowed where the caller names none.
var defaultAlgorithms = []Algorithm{ES256, ES384, EdDSA}

// Verify checks the signature with this key. The algorithm must be one of allowed
// (by default ES256, ES384 and EdDSA; RS256 has to be named) and the one that goes
// with the type of the key, so that the token does not choose how it is checked (RFC
// 8725 3.1, 3.2). Errors wrap [ErrAlgorithm], [ErrKey] or [ErrSignature].
func (s *Signed) Verify(pub crypto.PublicKey, allowed ...Algorithm) error {
	if len(allowed) == 0 {
		allowed = defaultAlgorithms
	}
	alg := s.Header.Algorithm
	impl, known := verifiers[alg]
	if !known || !slices.Contains(allowed, alg) {
		return fmt.Errorf("%w: %.20q", ErrAlgorithm, string(alg))
	}
	fits, err := AlgorithmFor(pub)
	if err != nil {
		return err
	}
	if fits != alg {
		return fmt.Errorf("%w: %s with a key for %s", ErrAlgorithm, alg, fits)
	}
	// jwx checks that an ECDSA point is on its curve; the rest is checked here.
	if _, ec := pub.(*ecdsa.PublicKey); !ec {
		if err := CheckPublicKey(pub); err != nil {
			return err
		}
	}
	if size := alg.signatureSize(); size != 0 && len(s.signature) != size {
		return ErrSignature
	}
	input := s.compact[:strings.LastIndexByte(s.compact, '.')]
	if impl.Verify([]byte(input), s.signature, pub) != nil {
		return ErrSignature
	}
	return nil
}
