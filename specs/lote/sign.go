package lote

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// What is accepted at most. An entity with one service takes about 2 KB, signed 2.7 KB.
const (
	MaxBytes    = 64 << 20
	maxEntities = 100_000
	maxDepth    = 32
)

// MediaType is the media type of a signed list (RFC 7515 9.2.1).
const MediaType = "application/jose"

// Why a list is not accepted.
var (
	ErrList      = errors.New("lote: not a list of trusted entities")
	ErrSignature = errors.New("lote: the list is not signed by a scheme operator that is known here")
	ErrOlder     = errors.New("lote: a newer list was seen already")
	ErrStale     = errors.New("lote: the list should have been replaced by now")
)

// document is the outer shape.
type document struct {
	LoTE *List `json:"LoTE"`
}

// Marshal encodes the list without a signature.
func (l *List) Marshal() ([]byte, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	return ijson.Marshal(document{l})
}

// Unmarshal reads a list without a signature, and refuses what the schema of the standard does.
func Unmarshal(raw []byte) (*List, error) {
	var d document
	if err := (ijson.Limits{Depth: maxDepth, Bytes: MaxBytes}).Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	if d.LoTE == nil {
		return nil, fmt.Errorf("%w: no LoTE", ErrList)
	}
	return d.LoTE, d.LoTE.check()
}

// Sign signs the list at a moment. chain is the certificate for the key, and those above it.
func Sign(l *List, key crypto.Signer, chain []*x509.Certificate, at time.Time) (string, error) {
	payload, err := l.Marshal()
	if err != nil {
		return "", err
	}
	if len(chain) == 0 || !jose.SameKey(chain[0].PublicKey, key.Public()) {
		return "", fmt.Errorf("%w: the certificate is not of the key", ErrSignature)
	}
	sum := sha256.Sum256(chain[0].Raw)
	h := jose.Header{Type: "JOSE", Extra: map[string]any{
		// JAdES 5.1.11 and 5.1.7: the signing time, and which certificate is meant.
		"iat":      at.Unix(),
		"x5t#S256": jose.EncodeBase64URL(sum[:]),
	}}
	for _, c := range chain {
		h.X5C = append(h.X5C, c.Raw)
	}
	return jose.Sign(key, h, payload)
}

// Reader reads signed lists of one scheme.
type Reader struct {
	// Operators are the certificates that are pinned for the scheme's operator.
	Operators []*x509.Certificate
	// Seen is the sequence number of the newest list seen before; 0: none.
	Seen int64
}

// Read reads a list and checks its signature, that it is not older than one that was seen, and
// that it is not overdue. With [ErrStale] alone the list is returned too: it was true once, and
// who uses it says how old it is.
func (r Reader) Read(compact string, now time.Time) (*List, error) {
	signed, err := jose.ParseLimit(compact, MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	if err := r.verify(signed); err != nil {
		return nil, err
	}
	l, err := Unmarshal(signed.Payload)
	if err != nil {
		return nil, err
	}
	switch {
	case l.Scheme.Sequence < r.Seen:
		return nil, fmt.Errorf("%w: number %d after %d", ErrOlder, l.Scheme.Sequence, r.Seen)
	case !now.Before(l.Scheme.NextUpdate):
		return l, fmt.Errorf("%w: since %s", ErrStale, l.Scheme.NextUpdate.UTC().Format(time.RFC3339))
	}
	return l, nil
}

// verify checks the signature against the pinned certificates: the one in the header has to be
// one of them. The header decides nothing else.
func (r Reader) verify(signed *jose.Signed) error {
	if len(signed.Header.X5C) == 0 {
		return fmt.Errorf("%w: no certificate in its header", ErrSignature)
	}
	for _, c := range r.Operators {
		if string(c.Raw) != string(signed.Header.X5C[0]) {
			continue
		}
		sum := sha256.Sum256(c.Raw)
		if t, named := signed.Header.Extra["x5t#S256"]; named && t != jose.EncodeBase64URL(sum[:]) {
			return fmt.Errorf("%w: x5t#S256 names another certificate", ErrSignature)
		}
		if err := signed.Verify(c.PublicKey); err != nil {
			return fmt.Errorf("%w: %w", ErrSignature, err)
		}
		return nil
	}
	return ErrSignature
}
