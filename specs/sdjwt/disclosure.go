package sdjwt

import (
	"fmt"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// A Disclosure is one selectively disclosable member or element (RFC 9901 4.2):
// a salt, for a member its name, and the value. The value may hold digests of
// further disclosures (4.2.6).
type Disclosure struct {
	encoded string // as received; the digest is over these bytes, never a re-encoding
	digest  string // with the SD-JWT's _sd_alg

	Salt    string // at least 128 bits when we made it
	Name    string // empty for an array element
	Element bool   // an array element: [salt, value]
	Value   any    // as in the disclosure, with any _sd and ... still in it
}

// String is the base64url text as it stands between the tildes.
func (d *Disclosure) String() string { return d.encoded }

// Digest is the value by which the SD-JWT refers to d.
func (d *Disclosure) Digest() string { return d.digest }

// parseDisclosure decodes one disclosure. It refuses what is no array of two or
// three elements with a string as salt and a string as name.
func parseDisclosure(encoded string, alg hashAlgorithm) (Disclosure, error) {
	raw, err := jose.DecodeBase64URL(encoded)
	if err != nil {
		return Disclosure{}, fmt.Errorf("%w: base64url", ErrDisclosure)
	}
	var content any // not []any: whole values are decoded the quick way
	if err := ijson.Unmarshal(raw, &content); err != nil {
		return Disclosure{}, fmt.Errorf("%w: %w", ErrDisclosure, err)
	}
	parts, ok := content.([]any)
	if !ok {
		return Disclosure{}, fmt.Errorf("%w: no array", ErrDisclosure)
	}
	d := Disclosure{encoded: encoded, digest: alg.digest(encoded)}
	switch len(parts) {
	case 2: // 4.2.2
		d.Element, d.Value = true, parts[1]
	case 3: // 4.2.1
		if d.Name, ok = parts[1].(string); !ok {
			return Disclosure{}, fmt.Errorf("%w: claim name is not a string", ErrDisclosure)
		}
		d.Value = parts[2]
	default:
		return Disclosure{}, fmt.Errorf("%w: %d elements", ErrDisclosure, len(parts))
	}
	if d.Salt, ok = parts[0].(string); !ok {
		return Disclosure{}, fmt.Errorf("%w: salt is not a string", ErrDisclosure)
	}
	return d, nil
}
