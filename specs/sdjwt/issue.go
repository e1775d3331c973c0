package sdjwt

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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
	// Claims is the payload, with SD marks at any depth. It is not changed.
	Claims map[string]any
	// Decoys is the number of decoy digests (4.2.5) put beside the digests of each
	// object and each array that has any.
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
	alg, err := parseHashAlgorithm(map[string]any{claimSDAlg: o.HashAlgorithm})
	if err != nil {
		return "", err
	}
	w := &issuance{alg: alg, decoys: o.Decoys, rand: o.Rand}
	if w.rand == nil {
		w.rand = rand.Reader
	}
	if _, ok := o.Claims[claimSDAlg]; ok {
		return "", fmt.Errorf("%w: %s", ErrReservedName, claimSDAlg)
	}
	payload, err := w.object(o.Claims, 0)
	if err != nil {
		return "", err
	}
	payload[claimSDAlg] = string(alg)
	body, err := marshal(payload)
	if err != nil {
		return "", fmt.Errorf("payload: %w", err)
	}
	jwt, err := jose.Sign(o.Signer, o.Header, body)
	if err != nil {
		return "", fmt.Errorf("issuer-signed jwt: %w", err)
	}
	return jwt + "~" + w.disclosures.String(), nil
}

// An issuance collects disclosures while it turns marks into digests.
type issuance struct {
	alg         hashAlgorithm
	decoys      int
	rand        io.Reader
	pool        []byte // random bytes read ahead
	count       int
	disclosures strings.Builder // each followed by a tilde
	scratch     bytes.Buffer
}

// conceal gives the value with every mark below it replaced by a digest.
func (w *issuance) conceal(v any, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrTooLarge, MaxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v[claimSDAlg]; ok {
			return nil, fmt.Errorf("%w: nested %s", ErrReservedName, claimSDAlg)
		}
		return w.object(v, depth)
	case []any:
		return w.array(v, depth)
	case SD:
		return nil, errors.New("an SD mark directly inside an SD mark")
	default:
		return v, nil
	}
}

func (w *issuance) object(in map[string]any, depth int) (map[string]any, error) {
	out := make(map[string]any, len(in)+2)
	var digests []string
	names := make([]string, 0, len(in))
	for name := range in {
		names = append(names, name)
	}
	slices.Sort(names) // so that the same random bytes give the same token
	for _, name := range names {
		if name == claimSD || name == claimEllipsis { // 4.1 rule 7
			return nil, fmt.Errorf("%w: %s", ErrReservedName, name)
		}
		mark, marked := in[name].(SD)
		if !marked {
			v, err := w.conceal(in[name], depth+1)
			if err != nil {
				return nil, err
			}
			out[name] = v
			continue
		}
		if name == claimSDAlg {
			return nil, fmt.Errorf("%w: %s", ErrReservedName, name)
		}
		v, err := w.conceal(mark.Value, depth+1)
		if err != nil {
			return nil, err
		}
		digest, err := w.disclose(name, false, v)
		if err != nil {
			return nil, err
		}
		digests = append(digests, digest)
	}
	if len(digests) == 0 {
		return out, nil
	}
	for range w.decoys {
		decoy, err := w.decoy()
		if err != nil {
			return nil, err
		}
		digests = append(digests, decoy)
	}
	// 4.2.4.1: "The Issuer MUST hide the original order of the claims in the
	// array"; sorting "alphanumerically" is one of its ways.
	slices.Sort(digests)
	out[claimSD] = digests
	return out, nil
}

func (w *issuance) array(in []any, depth int) ([]any, error) {
	out := make([]any, 0, len(in)+w.decoys)
	concealed := false
	for _, e := range in {
		mark, marked := e.(SD)
		if !marked {
			v, err := w.conceal(e, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			continue
		}
		v, err := w.conceal(mark.Value, depth+1)
		if err != nil {
			return nil, err
		}
		digest, err := w.disclose("", true, v)
		if err != nil {
			return nil, err
		}
		concealed = true
		out = append(out, map[string]any{claimEllipsis: digest})
	}
	if !concealed {
		return out, nil
	}
	for range w.decoys {
		decoy, err := w.decoy()
		if err != nil {
			return nil, err
		}
		at, err := w.below(len(out) + 1)
		if err != nil {
			return nil, err
		}
		out = slices.Insert(out, at, any(map[string]any{claimEllipsis: decoy}))
	}
	return out, nil
}

// disclose writes one disclosure (4.2.1, 4.2.2) and returns its digest.
func (w *issuance) disclose(name string, element bool, v any) (string, error) {
	if w.count++; w.count > MaxDisclosures {
		return "", fmt.Errorf("%w: more than %d disclosures", ErrTooLarge, MaxDisclosures)
	}
	random, err := w.random(saltSize)
	if err != nil {
		return "", err
	}
	parts := make([]any, 0, 3)
	parts = append(parts, base64.RawURLEncoding.EncodeToString(random))
	if !element {
		parts = append(parts, name)
	}
	w.scratch.Reset()
	if err := encode(&w.scratch, append(parts, v)); err != nil {
		return "", fmt.Errorf("disclosure: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(w.scratch.Bytes())
	w.disclosures.WriteString(text)
	w.disclosures.WriteByte('~')
	return w.alg.digest(text), nil
}

// decoy is "a hash over a cryptographically secure random number" (4.2.5); so
// many random bits of the same length cannot be told from one.
func (w *issuance) decoy() (string, error) {
	random, err := w.random(w.alg.size())
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(random), nil
}

// below is a random number in [0, n) for n up to MaxDisclosures: the remainder
// of 32 random bits, whose bias (under 2^-20) only concerns where a decoy stands.
func (w *issuance) below(n int) (int, error) {
	b, err := w.random(4)
	if err != nil {
		return 0, err
	}
	x := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	return int(x % uint32(n)), nil
}

// random takes n bytes, reading ahead so that a token costs one or two reads.
func (w *issuance) random(n int) ([]byte, error) {
	if len(w.pool) < n {
		w.pool = make([]byte, 32*saltSize)
		if _, err := io.ReadFull(w.rand, w.pool); err != nil {
			return nil, fmt.Errorf("random bytes: %w", err)
		}
	}
	b := w.pool[:n]
	w.pool = w.pool[n:]
	return b, nil
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := encode(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// encode writes v as JSON with <, > and & as themselves: JSON does not ask for
// the escapes and these bytes never stand in HTML.
func encode(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the line break that Encode adds
	return nil
}
