package jose

import (
	"encoding/base64"
	"fmt"

	"paspoort.example/paspoort/specs/ijson"
)

// maxHeaderBytes bounds the JSON text of a header; certificates make it long.
const maxHeaderBytes = 64 << 10

// Header is the protected header of a JWS or JWE (RFC 7515 4, RFC 7516 4).
// Parameters without a field of their own are in Extra, under their own names.
type Header struct {
	Algorithm   Algorithm      // alg
	Type        string         // typ
	KeyID       string         // kid
	ContentType string         // cty
	JWK         *Key           // jwk, a public key
	X5C         [][]byte       // x5c, certificates in DER
	Extra       map[string]any // everything else; nil when there is nothing
}

// wireHeader is the header as it is read. Crit, B64 and Zip are noticed in order to
// be refused.
type wireHeader struct {
	Alg  string         `json:"alg,omitempty"`
	Typ  string         `json:"typ,omitempty"`
	Kid  string         `json:"kid,omitempty"`
	Cty  string         `json:"cty,omitempty"`
	JWK  *Key           `json:"jwk,omitzero"`
	X5C  []string       `json:"x5c,omitempty"`
	Crit any            `json:"crit,omitzero"`
	B64  any            `json:"b64,omitzero"`
	Rest map[string]any `json:",embed"`
}

// parseHeader reads one protected header.
func parseHeader(segment string) (Header, error) {
	if h, ok := plainHeaders[segment]; ok {
		return h, nil
	}
	return readHeader(segment)
}

func readHeader(segment string) (Header, error) {
	if len(segment) > base64.RawURLEncoding.EncodedLen(maxHeaderBytes) {
		return Header{}, fmt.Errorf("%w: header", ErrSize)
	}
	raw, err := DecodeBase64URL(segment)
	if err != nil {
		return Header{}, fmt.Errorf("%w: header", err)
	}
	var w wireHeader
	if err := (ijson.Limits{Depth: 16}).Unmarshal(raw, &w); err != nil {
		return Header{}, fmt.Errorf("%w: header: %w", ErrSyntax, err)
	}
	// RFC 7515 4.1.11: "If any of the listed extension Header Parameters are
	// not understood and supported by the recipient, then the JWS is invalid."
	if w.Crit != nil {
		return Header{}, ErrCritical
	}
	// RFC 7797 6: b64 is only valid together with crit.
	if w.B64 != nil {
		return Header{}, fmt.Errorf("%w: b64", ErrCritical)
	}
	h := Header{Algorithm: Algorithm(w.Alg), Type: w.Typ, KeyID: w.Kid, ContentType: w.Cty, JWK: w.JWK}
	if len(w.Rest) > 0 {
		h.Extra = w.Rest
	}
	h.X5C, err = decodeX5C(w.X5C)
	return h, err
}

// plainHeaders are the headers that every presentation repeats, by their text, as this
// package and most others write them: these bytes need not be read again each time.
var plainHeaders = func() map[string]Header {
	out := map[string]Header{}
	for _, text := range []string{
		`{"alg":"ES256","typ":"kb+jwt"}`, `{"typ":"kb+jwt","alg":"ES256"}`,
		`{"alg":"EdDSA","typ":"kb+jwt"}`, `{"typ":"kb+jwt","alg":"EdDSA"}`,
	} {
		segment := EncodeBase64URL([]byte(text))
		out[segment] = must(readHeader(segment))
	}
	return out
}()

// reserved are the names that Extra must not hold when a header is written.
var reserved = []string{"alg", "typ", "kid", "cty", "jwk", "x5c", "crit", "b64", "zip"}

// encode writes the header as the first segment of a token.
func (h Header) encode() (string, error) {
	for _, name := range reserved {
		if _, ok := h.Extra[name]; ok {
			return "", fmt.Errorf("%w: header parameter %s in Extra", ErrSyntax, name)
		}
	}
	raw, err := h.marshal()
	if err != nil {
		return "", fmt.Errorf("encode header: %w", err)
	}
	if len(raw) > maxHeaderBytes {
		return "", fmt.Errorf("%w: header", ErrSize)
	}
	return EncodeBase64URL(raw), nil
}

// marshal writes the members in a fixed order, those of Extra last.
func (h Header) marshal() ([]byte, error) {
	raw := []byte{'{'}
	var err error
	member := func(name string, v any) {
		if err != nil {
			return
		}
		raw = append(append(append(raw, '"'), name...), '"', ':')
		if raw, err = ijson.AppendValue(raw, v); err == nil {
			raw = append(raw, ',')
		}
	}
	for _, m := range [...]struct{ name, value string }{
		{"alg", string(h.Algorithm)}, {"typ", h.Type}, {"kid", h.KeyID}, {"cty", h.ContentType},
	} {
		if m.value != "" {
			member(m.name, m.value)
		}
	}
	if h.JWK != nil {
		member("jwk", *h.JWK)
	}
	if len(h.X5C) > 0 {
		member("x5c", encodeX5C(h.X5C))
	}
	if err != nil {
		return nil, err
	}
	if len(h.Extra) == 0 {
		return append(raw[:len(raw)-1], '}'), nil
	}
	extra, err := ijson.Marshal(h.Extra)
	if err != nil {
		return nil, err
	}
	return append(raw, extra[1:]...), nil
}
