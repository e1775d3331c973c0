package paspoort

import (
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// A node's timestamp: our own addition, versioned by the commitment's prefix.
// The wallet sends 32 bytes that tell nothing, the node signs when it saw them
// and stores nothing, and the wallet shows the answer inside the key binding.
const (
	TimestampType   = "paspoort-timestamp+jwt"
	TimestampsClaim = "paspoort_timestamps" // in the KB-JWT

	commitmentPrefix = "paspoort/timestamp/v1\n"
	saltSize         = 16
	maxTimestamps    = 16
	maxTimestampSize = 4096
)

// ErrTimestamp says that a timestamp is malformed or not for this credential.
var ErrTimestamp = errors.New("timestamp does not hold")

// Commitment hides which copy it is about: SHA-256 over a prefix, a salt of 16
// random bytes and the SHA-256 of the issuer-signed JWT's text.
func Commitment(salt []byte, issuerJWT string) [32]byte {
	inner := sha256.Sum256([]byte(issuerJWT))
	h := sha256.New()
	h.Write([]byte(commitmentPrefix))
	h.Write(salt)
	h.Write(inner[:])
	return [32]byte(h.Sum(nil))
}

// TimestampClaims is the payload of a timestamp.
type TimestampClaims struct {
	Issuer     string `json:"iss"`  // hash of the region's genesis
	Node       string `json:"node"` // id of the node
	Commitment string `json:"commitment"`
	IssuedAt   int64  `json:"iat"`
}

// A TimestampProof is what the wallet keeps and shows: the salt that opens the
// commitment, and the node's answer.
type TimestampProof struct {
	Salt      string `json:"salt"`
	Timestamp string `json:"timestamp"`
}

// SignTimestamp is the node's half.
func SignTimestamp(signer crypto.Signer, region, node string, commitment [32]byte, now time.Time) (string, error) {
	payload, err := json.Marshal(TimestampClaims{region, node, jose.EncodeBase64URL(commitment[:]), now.Unix()})
	if err != nil {
		return "", err
	}
	return jose.Sign(signer, jose.Header{Algorithm: jose.ES256, Type: TimestampType, KeyID: node}, payload)
}

// ReadTimestamp opens a proof for one issuer-signed JWT without checking the
// signature: use it to learn whose key is needed. The error wraps ErrTimestamp.
func ReadTimestamp(p TimestampProof, issuerJWT string) (TimestampClaims, *jose.Signed, error) {
	salt, err := jose.DecodeBase64URL(p.Salt)
	if err != nil || len(salt) != saltSize {
		return TimestampClaims{}, nil, fmt.Errorf("%w: salt", ErrTimestamp)
	}
	signed, err := jose.ParseLimit(p.Timestamp, maxTimestampSize)
	if err != nil || signed.Header.Type != TimestampType {
		return TimestampClaims{}, nil, fmt.Errorf("%w: not a timestamp", ErrTimestamp)
	}
	var c TimestampClaims
	if err := ijson.Unmarshal(signed.Payload, &c); err != nil {
		return TimestampClaims{}, nil, fmt.Errorf("%w: payload", ErrTimestamp)
	}
	want := Commitment(salt, issuerJWT)
	if c.Commitment != jose.EncodeBase64URL(want[:]) {
		return TimestampClaims{}, nil, fmt.Errorf("%w: for another credential", ErrTimestamp)
	}
	if c.Node == "" || c.IssuedAt <= 0 || signed.Header.KeyID != c.Node {
		return TimestampClaims{}, nil, fmt.Errorf("%w: node or time", ErrTimestamp)
	}
	return c, signed, nil
}

// A NodeKey finds the timestamp key that a node of a region had at a time, from
// a registry copy; ok is false when the registry knows none.
type NodeKey func(region, node string, at time.Time) (key crypto.PublicKey, ok bool)

// CheckTimestamp turns a proof into a fact.
func CheckTimestamp(p TimestampProof, issuerJWT string, keys NodeKey) Timestamp {
	c, signed, err := ReadTimestamp(p, issuerJWT)
	if err != nil {
		return Timestamp{Valid: Finding{Failed, "timestamp_invalid"}}
	}
	t := Timestamp{Region: c.Issuer, Node: c.Node, At: time.Unix(c.IssuedAt, 0).UTC()}
	key, ok := keys(c.Issuer, c.Node, t.At)
	switch {
	case !ok:
		t.Valid = Finding{Unknown, "node_unknown"}
	case signed.Verify(key, jose.ES256) != nil:
		t.Valid = Finding{Failed, "timestamp_invalid"}
	default:
		t.Valid = Finding{OK, ""}
	}
	return t
}

// TimestampProofs reads the claim of a verified KB-JWT. What is malformed is
// left out: a timestamp can only help.
func TimestampProofs(kb map[string]any) (out []TimestampProof) {
	list, _ := kb[TimestampsClaim].([]any)
	for _, e := range list[:min(len(list), maxTimestamps)] {
		m, _ := e.(map[string]any)
		salt, _ := m["salt"].(string)
		stamp, _ := m["timestamp"].(string)
		if salt != "" && stamp != "" {
			out = append(out, TimestampProof{salt, stamp})
		}
	}
	return out
}
