package sdjwt

import (
	"fmt"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
)

// unprotected holds the header parameters of RFC 9901 8.1; others are as usual
// not protected and not read.
type unprotected struct {
	Disclosures []string `json:"disclosures,omitempty"`
	KBJWT       *string  `json:"kb_jwt,omitempty"`
}

// A signature is one member of signatures, or the flattened form's own.
type signature struct {
	Header    *unprotected `json:"header,omitempty"`
	Protected string       `json:"protected"`
	Signature string       `json:"signature"`
}

// flattened is the Flattened JSON Serialization (8.2).
type flattened struct {
	Header    *unprotected `json:"header,omitempty"`
	Payload   string       `json:"payload"`
	Protected string       `json:"protected"`
	Signature string       `json:"signature"`
}

// either is both JSON forms at once, to see which one arrived.
type either struct {
	flattened
	Signatures []signature `json:"signatures"`
}

// maxSignatures bounds the general form.
const maxSignatures = 16

// ParseJSON reads the Flattened (RFC 9901 8.2) or General (8.3) JSON
// Serialization: one SDJWT for each signature over the same payload. All have the
// disclosures; the key binding belongs to the first, whose compact form sd_hash
// covers (8.1). Errors: those of Parse.
func ParseJSON(data []byte) ([]*SDJWT, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(data))
	}
	var e either
	if err := ijson.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	signatures := e.Signatures
	if signatures == nil {
		signatures = []signature{{Header: e.Header, Protected: e.Protected, Signature: e.Signature}}
	} else if e.Signature != "" || e.Protected != "" || e.Header != nil {
		// RFC 7515 7.2.2: the signatures member MUST NOT be present in the flattened form.
		return nil, fmt.Errorf("%w: both JSON forms at once", ErrMalformed)
	}
	if len(signatures) == 0 || len(signatures) > maxSignatures {
		return nil, fmt.Errorf("%w: %d signatures", ErrMalformed, len(signatures))
	}
	var first unprotected
	if h := signatures[0].Header; h != nil {
		first = *h
	}
	if len(first.Disclosures) > MaxDisclosures {
		return nil, fmt.Errorf("%w: %d disclosures", ErrTooLarge, len(first.Disclosures))
	}
	out := make([]*SDJWT, len(signatures))
	for i, s := range signatures {
		// 8.3: "MUST be included in the first unprotected header and MUST NOT be
		// present in any following unprotected headers."
		if i > 0 && s.Header != nil && (s.Header.Disclosures != nil || s.Header.KBJWT != nil) {
			return nil, fmt.Errorf("%w: disclosures outside the first header", ErrMalformed)
		}
		kb := ""
		if i == 0 && first.KBJWT != nil {
			if kb = *first.KBJWT; kb == "" {
				return nil, fmt.Errorf("%w: empty kb_jwt", ErrMalformed)
			}
		}
		t, err := assemble(s.Protected+"."+e.Payload+"."+s.Signature, first.Disclosures, kb)
		if err != nil {
			return nil, err
		}
		out[i] = t
	}
	return out, nil
}

// JSON is t in the Flattened JSON Serialization (8.2).
func (t *SDJWT) JSON() ([]byte, error) {
	parts := strings.Split(t.jwt, ".")
	if len(parts) != 3 {
		return nil, ErrMalformed
	}
	f := flattened{Protected: parts[0], Payload: parts[1], Signature: parts[2], Header: &unprotected{}}
	for i := range t.disclosures {
		f.Header.Disclosures = append(f.Header.Disclosures, t.disclosures[i].encoded)
	}
	if t.kb != nil {
		f.Header.KBJWT = &t.kbText
	}
	return ijson.Marshal(f)
}
