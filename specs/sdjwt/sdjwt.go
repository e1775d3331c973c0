package sdjwt

import (
	"crypto"
	"fmt"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Limits on what Parse takes. They are far above any credential of ours and far
// below what would hurt.
const (
	MaxSize        = 1 << 20 // bytes of the whole serialization
	MaxDisclosures = 2048
	MaxDepth       = 64 // nesting of the processed payload, over all disclosures together
)

// Names with a meaning of their own in payloads (RFC 9901 4.1, 4.2.4).
const (
	claimSD       = "_sd"
	claimSDAlg    = "_sd_alg"
	claimEllipsis = "..."
)

// An SDJWT is an SD-JWT or, when it has a KB-JWT, an SD-JWT+KB. It is immutable
// and safe for concurrent use. Nothing in it is trusted before VerifyIssuer and
// Claims have succeeded.
type SDJWT struct {
	signed      *jose.Signed // the issuer-signed JWT
	jwt         string       // its text
	payload     map[string]any
	alg         hashAlgorithm
	disclosures []Disclosure
	kb          *jose.Signed // nil without key binding
	kbText      string
	compact     string // the serialization without KB-JWT, when it was read as one; else empty
}

// Parse reads the compact serialization of an SD-JWT or SD-JWT+KB (RFC 9901 4,
// 7.1 step 1, 7.3 step 3). It checks form and limits and decodes; it verifies no
// signature and does not match digests, which VerifyIssuer and Claims do.
//
// Errors: ErrMalformed, ErrTooLarge, ErrHashAlgorithm, ErrDisclosure, or those of
// jose.Parse.
func Parse(s string) (*SDJWT, error) {
	if len(s) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(s))
	}
	jwt, rest, ok := strings.Cut(s, "~")
	if !ok {
		// Section 4: "the last separating tilde character MUST NOT be omitted".
		return nil, fmt.Errorf("%w: no tilde", ErrMalformed)
	}
	end := strings.LastIndexByte(rest, '~')
	kb := rest[end+1:]
	var disclosures []string
	if end >= 0 {
		n := strings.Count(rest[:end], "~") + 1
		if n > MaxDisclosures {
			return nil, fmt.Errorf("%w: %d disclosures", ErrTooLarge, n)
		}
		disclosures = strings.Split(rest[:end], "~")
	}
	t, err := assemble(jwt, disclosures, kb)
	if err != nil {
		return nil, err
	}
	t.compact = s[:len(s)-len(kb)]
	return t, nil
}

// ParseIssued is Parse for a holder who receives an SD-JWT from an issuer: "If
// the Holder receives an SD-JWT+KB, it MUST be rejected" (7.2).
func ParseIssued(s string) (*SDJWT, error) {
	t, err := Parse(s)
	if err != nil {
		return nil, err
	}
	if t.kb != nil {
		return nil, ErrUnexpectedKeyBinding
	}
	return t, nil
}

// assemble decodes the parts that either serialization delivers. kb is empty
// when there is no key binding.
func assemble(jwt string, disclosures []string, kb string) (*SDJWT, error) {
	signed, err := jose.Parse(jwt)
	if err != nil {
		return nil, fmt.Errorf("%w: issuer-signed jwt: %w", ErrMalformed, err)
	}
	t := &SDJWT{signed: signed, jwt: jwt, kbText: kb}
	if err := ijson.Unmarshal(signed.Payload, &t.payload); err != nil {
		return nil, fmt.Errorf("%w: payload: %w", ErrMalformed, err)
	}
	if t.payload == nil { // the JSON value null
		return nil, fmt.Errorf("%w: payload is no object", ErrMalformed)
	}
	// 7.1 step 2.d: _sd_alg must be understood.
	if t.alg, err = parseHashAlgorithm(t.payload); err != nil {
		return nil, err
	}
	if len(disclosures) > 0 {
		t.disclosures = make([]Disclosure, len(disclosures))
		for i, d := range disclosures {
			if t.disclosures[i], err = parseDisclosure(d, t.alg); err != nil {
				return nil, err
			}
		}
	}
	if kb != "" {
		if t.kb, err = jose.Parse(kb); err != nil {
			return nil, fmt.Errorf("%w: key binding jwt: %w", ErrMalformed, err)
		}
	}
	return t, nil
}

// VerifyIssuer checks the signature over the issuer-signed JWT (7.1 steps 2.a
// and 2.b). algs are the algorithms deemed secure; none given means those of
// DefaultAlgorithms. That pub belongs to the issuer (step 2.c) is the caller's to
// know.
func (t *SDJWT) VerifyIssuer(pub crypto.PublicKey, algs ...jose.Algorithm) error {
	if len(algs) == 0 {
		algs = DefaultAlgorithms()
	}
	if err := t.signed.Verify(pub, algs...); err != nil {
		return fmt.Errorf("issuer-signed jwt: %w", err)
	}
	return nil
}

// DefaultAlgorithms are the signature algorithms that this project deems secure
// for credentials and key bindings.
func DefaultAlgorithms() []jose.Algorithm {
	return []jose.Algorithm{jose.ES256, jose.ES384, jose.EdDSA}
}

// Header is the protected header of the issuer-signed JWT.
func (t *SDJWT) Header() jose.Header { return t.signed.Header }

// Payload is the payload of the issuer-signed JWT before processing, with its
// digests. Use it only to find the key to verify with; the caller must not
// change it.
func (t *SDJWT) Payload() map[string]any { return t.payload }

// IssuerJWT is the text of the issuer-signed JWT, the part before the first
// tilde.
func (t *SDJWT) IssuerJWT() string { return t.jwt }

// Disclosures are the disclosures in the order of the serialization.
func (t *SDJWT) Disclosures() []Disclosure {
	return append([]Disclosure(nil), t.disclosures...)
}

// HasKeyBinding tells an SD-JWT+KB from an SD-JWT. Whether key binding is
// required must not depend on this (7.3 step 1).
func (t *SDJWT) HasKeyBinding() bool { return t.kb != nil }

// WithoutKeyBinding is t as an SD-JWT.
func (t *SDJWT) WithoutKeyBinding() *SDJWT {
	u := *t
	u.kb, u.kbText = nil, ""
	return &u
}

// String is the compact serialization.
func (t *SDJWT) String() string {
	return t.sdJWT() + t.kbText
}

// sdJWT is the compact serialization without the KB-JWT: what sd_hash covers
// (4.3.1), also for tokens that came in a JSON form (8.1).
func (t *SDJWT) sdJWT() string {
	if t.compact != "" {
		return t.compact
	}
	n := len(t.jwt) + 1
	for i := range t.disclosures {
		n += len(t.disclosures[i].encoded) + 1
	}
	var b strings.Builder
	b.Grow(n + len(t.kbText))
	b.WriteString(t.jwt)
	b.WriteByte('~')
	for i := range t.disclosures {
		b.WriteString(t.disclosures[i].encoded)
		b.WriteByte('~')
	}
	return b.String()
}
