package registry

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/ijson"
)

// Limits on what comes from outside.
const (
	MaxEvent   = 32 << 10 // bytes of a signed event
	MaxSigners = 16       // signers of one event
	maxDepth   = 12       // nesting of a leaf

	maxTime       = 1 << 36 // some time in the year 4147: what is computed from it stays an exact number
	signatureSize = 86      // characters of 64 bytes in base64url

	// signingPrefix keeps a signature over an event from being one over anything else.
	signingPrefix = "paspoort/registry/event/v1\n"
)

// Event is what is signed. Its members stand in the order of the canonical form. Times are
// seconds since 1970 in UTC.
type Event struct {
	Body        json.RawMessage   `json:"body"`                  // one of the types in body*.go, by kind
	Commitments map[string]string `json:"commitments,omitempty"` // field -> commitment to a payload (hex SHA-256)
	Expires     int64             `json:"expires"`               // last second at which it may enter the log
	Genesis     string            `json:"genesis,omitempty"`     // region id; absent in the genesis event only
	Kind        Kind              `json:"kind"`
	Predecessor string            `json:"predecessor,omitempty"` // id of the subject's last event; absent when it has none
	Rules       int               `json:"rules"`                 // rules version it was signed under
	Signed      int64             `json:"signed"`                // when, by the first signer's clock
	Signers     []Signer          `json:"signers"`               // in the order of the signatures
	Subject     string            `json:"subject"`               // e.g. "organisation/org_..."
}

// Signer names who signs with which key. Both are signed themselves.
type Signer struct {
	Key   string `json:"key"`   // RFC 7638 thumbprint
	Party string `json:"party"` // "member/<id>" or "organisation/<id>"
}

// SignedEvent is an event with a signature by each of its signers, as it is submitted.
type SignedEvent struct {
	Event      Event    `json:"event"`
	Signatures []string `json:"signatures"` // ES256 r||s, base64url
}

// SigningInput is what the signers of e sign.
func (e Event) SigningInput() ([]byte, error) {
	raw, err := ijson.Canonical(e)
	if err != nil {
		return nil, ErrMalformed.with("the event cannot be encoded")
	}
	return append([]byte(signingPrefix), raw...), nil
}

// ID is the event's name: the SHA-256 of its signing input in lower-case hexadecimal. It is
// the same whatever the signatures are. An event that cannot be encoded has the id "".
func (e Event) ID() string {
	input, err := e.SigningInput()
	if err != nil {
		return ""
	}
	return eventID(input)
}

func eventID(input []byte) string {
	sum := sha256.Sum256(input)
	return hex.EncodeToString(sum[:])
}

// SignedTime is when the event was signed, by the first signer's clock.
func (e Event) SignedTime() time.Time { return time.Unix(e.Signed, 0).UTC() }

// Sign signs e with the keys of all its signers, in their order. It fails with [ErrKey] when
// a key is not the one that the event names.
func Sign(e Event, keys ...crypto.Signer) (SignedEvent, error) {
	if len(keys) != len(e.Signers) {
		return SignedEvent{}, ErrSigner.with("%d keys for %d signers", len(keys), len(e.Signers))
	}
	input, err := e.SigningInput()
	if err != nil {
		return SignedEvent{}, err
	}
	out := SignedEvent{Event: e}
	for i, key := range keys {
		pub, err := NewPublicKey(key.Public())
		if err != nil {
			return SignedEvent{}, err
		}
		if pub.Thumbprint() != e.Signers[i].Key {
			return SignedEvent{}, ErrKey.with("signer %d names another key", i+1)
		}
		sig, err := sign(key, input)
		if err != nil {
			return SignedEvent{}, err
		}
		out.Signatures = append(out.Signatures, sig)
	}
	return out, nil
}

// Marshal is the canonical form of the signed event.
func (s SignedEvent) Marshal() ([]byte, error) {
	raw, err := ijson.Canonical(s)
	if err != nil {
		return nil, ErrMalformed.with("the event cannot be encoded")
	}
	return raw, nil
}

// size is the length of the canonical form, from the signing input.
func (s SignedEvent) size(input []byte) int {
	n := len(input) - len(signingPrefix) + len(`{"event":,"signatures":[]}`) - 1
	for _, sig := range s.Signatures {
		n += len(sig) + len(`"",`)
	}
	return n
}

// ParseEvent reads a signed event from outside and checks its form: size, depth, canonical
// bytes, known members. Signatures and authority are for [Apply]. It fails with [ErrTooLarge]
// or [ErrMalformed].
func ParseEvent(raw []byte) (SignedEvent, error) {
	var s SignedEvent
	if len(raw) > MaxEvent {
		return s, ErrTooLarge
	}
	if err := parseCanonical(raw, &s); err != nil {
		return SignedEvent{}, err
	}
	return s, s.checkForm()
}

// parseCanonical decodes raw and holds it against its own re-encoding: what is signed has
// one spelling only (D5).
func parseCanonical(raw []byte, v any) error {
	limits := ijson.Limits{Depth: maxDepth}
	if err := limits.Unmarshal(raw, v); err != nil {
		return ErrMalformed.with("%v", err)
	}
	again, err := ijson.Canonical(v)
	if err != nil {
		return ErrMalformed.with("%v", err)
	}
	if !bytes.Equal(again, raw) {
		return ErrMalformed.with("the bytes are not their own canonical form, or have unknown members")
	}
	return nil
}

// checkForm checks what can be checked of an event without a state.
func (s SignedEvent) checkForm() error {
	e := s.Event
	switch {
	case len(e.Signers) == 0 || len(e.Signers) > MaxSigners:
		return ErrMalformed.with("an event has 1 to %d signers", MaxSigners)
	case len(s.Signatures) != len(e.Signers):
		return ErrMalformed.with("an event has one signature for each signer")
	case e.Predecessor != "" && !isHash(e.Predecessor):
		return ErrMalformed.with("the predecessor is not an event id")
	case e.Genesis != "" && !isHash(e.Genesis):
		return ErrMalformed.with("the genesis is not a region id")
	case e.Signed <= 0 || e.Signed > maxTime || e.Expires < e.Signed || e.Expires-e.Signed > maxLifetime:
		return ErrMalformed.with("an event expires after it was signed, and within a year")
	case len(e.Body) == 0 || e.Body[0] != '{':
		return ErrMalformed.with("the body is not an object")
	}
	for i, signer := range e.Signers {
		if len(s.Signatures[i]) != signatureSize {
			return ErrMalformed.with("signature %d is not 64 bytes in base64url", i+1)
		}
		if _, err := decode64(signer.Key, 32); err != nil {
			return ErrMalformed.with("signer %d does not name its key by thumbprint", i+1)
		}
		if slices.Contains(e.Signers[:i], signer) {
			return ErrMalformed.with("signer %d occurs twice", i+1)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(e.Commitments)) {
		if !committable[field] || !isHash(e.Commitments[field]) {
			return ErrCommitment.with("not a field that can be committed to")
		}
	}
	return nil
}

// isHash says whether s is a SHA-256 in lower-case hexadecimal.
func isHash(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
