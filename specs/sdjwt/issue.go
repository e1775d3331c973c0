package sdjwt

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// SD marks the value of an object member, or an element of an array, as
// selectively disclosable. Marks may be nested: an SD inside the value of an SD
// gives recursive disclosures (RFC 9901 4.2.6). The containers on the way to a
// mark must be map[string]any and []any.
type SD struct{ Value any }

// MarshalJSON refuses: a mark that reaches the JSON encoder stands in a typed
// container, where it would be published in clear.
func (SD) MarshalJSON() ([]byte, error) {
	return nil, errors.New("sdjwt.SD inside a type that Issue does not walk")
}

// IssueOptions say what to issue.
type IssueOptions struct {
	Signer crypto.Signer
	// Header goes into the issuer-signed JWT; Type should name the credential
	// format (RFC 9901 9.11). The algorithm follows from the key when empty.
	Header jose.Header
	// Claims is the payload, with SD marks and Decoys at any depth. It is not changed.
	Claims map[string]any
	// Decoys is the number of decoy digests (4.2.5) put beside the digests of each
	// object and each array that has any, besides those that Claims names.
	Decoys int
	// HashAlgorithm is _sd_alg: sha-256 (also when empty), sha-384 or sha-512.
	HashAlgorithm string
	// Rand gives salts, decoys and the order of digests; nil means crypto/rand.
	Rand io.Reader
}

// saltSize is 128 bits: "at least 128 bits of cryptographically secure random
// bits" (9.3).
const saltSize = 16

// Issue makes and signs an SD-JWT. Digests in an _sd array are in the order of
// their text, which says nothing about the order of the claims (4.2.4.1); array
// elements keep their order.
//
// Errors: ErrReservedName for a claim that may not be there, ErrTooLarge, or those
// of jose.Sign.
func Issue(o IssueOptions) (*SDJWT, error) {
	s, err := IssueCompact(o)
	if err != nil {
		return nil, err
	}
	return ParseIssued(s)
}

// IssueCompact is Issue for an issuer that only passes the text on: it saves the
// reading back.
func IssueCompact(o IssueOptions) (string, error) {
	if o.Decoys < 0 || o.Decoys > MaxDisclosures {
		return "", fmt.Errorf("%w: %d decoys", ErrTooLarge, o.Decoys)
	}
	if o.HashAlgorithm == "" {
		o.HashAlgorithm = string(sha256Name)
	}
	alg, err := hashNamed(o.HashAlgorithm)
	if err != nil {
		return "", err
	}
	w := &issuance{alg: alg, decoys: o.Decoys, rand: o.Rand, disclosures: make([]byte, 0, 2048)}
	if w.rand == nil {
		w.rand = rand.Reader
	}
	if _, ok := o.Claims[claimSDAlg]; ok {
		return "", fmt.Errorf("%w: %s", ErrReservedName, claimSDAlg)
	}
	w.ahead = w.need(o.Claims, 0)
	body, err := w.object(make([]byte, 0, 2048), o.Claims, 0)
	if err != nil {
		return "", err
	}
	jwt, err := jose.AppendSigned(nil, o.Signer, o.Header, body)
	if err != nil {
		return "", fmt.Errorf("issuer-signed jwt: %w", err)
	}
	var token strings.Builder
	token.Grow(len(jwt) + 1 + len(w.disclosures))
	token.Write(jwt)
	token.WriteByte('~')
	token.Write(w.disclosures)
	return token.String(), nil
}

// An issuance writes the payload, and on its way writes a disclosure for every
// mark. The bytes of a disclosure are built behind those of the payload in the same
// buffer and taken off again: nested marks make this a stack.
type issuance struct {
	alg         hashAlgorithm
	decoys      int
	rand        io.Reader
	ahead       int    // random bytes that the claims need, to read at once
	pool        []byte // random bytes read ahead
	count       int    // disclosures so far
	disclosures []byte // base64url, each followed by a tilde
}

// value appends v with every mark below it replaced by a digest.
func (w *issuance) value(dst []byte, v any, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrTooLarge, MaxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v[claimSDAlg]; ok {
			return nil, fmt.Errorf("%w: nested %s", ErrReservedName, claimSDAlg)
		}
		return w.object(dst, v, depth)
	case []any:
		return w.array(dst, v, depth)
	case SD:
		return nil, errors.New("an SD mark directly inside an SD mark")
	default:
		return ijson.AppendValue(dst, v)
	}
}

func (w *issuance) object(dst []byte, in map[string]any, depth int) ([]byte, error) {
	names, more := make([]string, 0, len(in)), 0
	for name := range in {
		if n, ok := in[name].(Decoys); ok && name == claimSD {
			if n < 0 || n > MaxDisclosures {
				return nil, fmt.Errorf("%w: %d decoys", ErrTooLarge, n)
			}
			more = int(n)
			continue
		}
		if name == claimSD || name == claimEllipsis { // 4.1 rule 7
			return nil, fmt.Errorf("%w: %s", ErrReservedName, name)
		}
		names = append(names, name)
	}
	slices.Sort(names) // so that the same random bytes give the same token
	var digests []string
	var err error
	dst = append(dst, '{')
	for _, name := range names {
		if mark, marked := in[name].(SD); marked {
			var digest string
			if dst, digest, err = w.disclose(dst, name, false, mark.Value, depth); err != nil {
				return nil, err
			}
			if digests == nil {
				digests = make([]string, 0, len(names)+w.decoys+more)
			}
			digests = append(digests, digest)
			continue
		}
		if dst, err = ijson.AppendString(dst, name); err != nil {
			return nil, err
		}
		if dst, err = w.value(append(dst, ':'), in[name], depth+1); err != nil {
			return nil, err
		}
		dst = append(dst, ',')
	}
	if dst, err = w.digests(dst, digests, more); err != nil {
		return nil, err
	}
	if depth == 0 {
		dst = append(append(append(dst, `"_sd_alg":"`...), w.alg...), '"', ',')
	}
	return closeWith(dst, '}'), nil
}

// digests appends the member _sd, when there is something to put in it.
func (w *issuance) digests(dst []byte, digests []string, more int) ([]byte, error) {
	if len(digests) > 0 {
		more += w.decoys
	}
	for range more {
		decoy, err := w.decoy()
		if err != nil {
			return nil, err
		}
		digests = append(digests, decoy)
	}
	if len(digests) == 0 {
		return dst, nil
	}
	// 4.2.4.1: "The Issuer MUST hide the original order of the claims in the
	// array"; sorting "alphanumerically" is one of its ways.
	slices.Sort(digests)
	dst = append(dst, `"_sd":[`...)
	for _, d := range digests {
		dst = append(append(append(dst, '"'), d...), '"', ',')
	}
	return append(closeWith(dst, ']'), ','), nil
}

func (w *issuance) array(dst []byte, in []any, depth int) ([]byte, error) {
	decoysAt, err := w.decoyPositions(in)
	if err != nil {
		return nil, err
	}
	dst = append(dst, '[')
	for i := 0; i <= len(in); i++ {
		if dst, err = w.elementDecoys(dst, decoysAt[i]); err != nil {
			return nil, err
		}
		if i == len(in) {
			break
		}
		switch v := in[i].(type) {
		case Decoys:
			if dst, err = w.elementDecoys(dst, int(v)); err != nil {
				return nil, err
			}
		case SD:
			var digest string
			if dst, digest, err = w.disclose(dst, "", true, v.Value, depth); err != nil {
				return nil, err
			}
			dst = appendElementDigest(dst, digest)
		default:
			if dst, err = w.value(dst, v, depth+1); err != nil {
				return nil, err
			}
			dst = append(dst, ',')
		}
	}
	return closeWith(dst, ']'), nil
}

// appendElementDigest appends an element {"...": digest} (4.2.4.2) and a comma.
func appendElementDigest(dst []byte, digest string) []byte {
	return append(append(append(dst, `{"...":"`...), digest...), `"},`...)
}

// closeWith puts the closing bracket in the place of a last comma, or behind an
// opening bracket.
func closeWith(dst []byte, bracket byte) []byte {
	if last := len(dst) - 1; dst[last] == ',' {
		dst[last] = bracket
		return dst
	}
	return append(dst, bracket)
}

// disclose writes one disclosure (4.2.1, 4.2.2) and returns its digest. dst comes
// back as it was.
func (w *issuance) disclose(dst []byte, name string, element bool, v any, depth int) ([]byte, string, error) {
	if name == claimSDAlg {
		return nil, "", fmt.Errorf("%w: %s", ErrReservedName, name)
	}
	if w.count++; w.count > MaxDisclosures {
		return nil, "", fmt.Errorf("%w: more than %d disclosures", ErrTooLarge, MaxDisclosures)
	}
	salt, err := w.random(saltSize)
	if err != nil {
		return nil, "", err
	}
	start := len(dst)
	dst = append(base64.RawURLEncoding.AppendEncode(append(dst, '[', '"'), salt), '"', ',')
	if !element {
		if dst, err = ijson.AppendString(dst, name); err != nil {
			return nil, "", err
		}
		dst = append(dst, ',')
	}
	if dst, err = w.value(dst, v, depth+1); err != nil {
		return nil, "", err
	}
	dst = append(dst, ']')
	at := len(w.disclosures)
	w.disclosures = base64.RawURLEncoding.AppendEncode(w.disclosures, dst[start:])
	digest := w.alg.digestBytes(w.disclosures[at:])
	w.disclosures = append(w.disclosures, '~')
	return dst[:start], digest, nil
}
