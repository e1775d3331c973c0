package tlog

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// KeyType is the signature type identifier byte of C2SP signed-note.
type KeyType byte

// The two types this package signs and verifies.
const (
	// TypeLog is a plain Ed25519 note signature: a log under its own checkpoints.
	TypeLog KeyType = 0x01
	// TypeCosigner is a timestamped Ed25519 cosignature (cosignature/v1).
	TypeCosigner KeyType = 0x04
)

// ErrKey says that a verifier key is malformed, of an unknown type, or too weak to
// prove anything.
var ErrKey = errors.New("bad verifier key")

// VerifierKey is a vkey: a named public key for one signature type.
// C2SP signed-note: "The tuple of key name and key ID uniquely identifies the key".
type VerifierKey struct {
	Name   string            // e.g. "aakermonde.example/register"; a log's origin or a cosigner's name
	Type   KeyType           // TypeLog or TypeCosigner
	Public ed25519.PublicKey // 32 bytes, never of small order
}

// NewVerifierKey checks name and public key and returns the key, or [ErrKey].
func NewVerifierKey(name string, t KeyType, public crypto.PublicKey) (VerifierKey, error) {
	pub, ok := public.(ed25519.PublicKey)
	switch {
	case !ok || len(pub) != ed25519.PublicKeySize:
		return VerifierKey{}, fmt.Errorf("%w: not an Ed25519 key", ErrKey)
	case t != TypeLog && t != TypeCosigner:
		return VerifierKey{}, fmt.Errorf("%w: signature type 0x%02x", ErrKey, byte(t))
	case !validName(name):
		return VerifierKey{}, fmt.Errorf("%w: name is empty or holds a space or plus", ErrKey)
	case weakPoint(pub):
		return VerifierKey{}, fmt.Errorf("%w: public key of small order or not canonical", ErrKey)
	}
	return VerifierKey{Name: name, Type: t, Public: bytes.Clone(pub)}, nil
}

// ParseVerifierKey reads "<name>+<hex key id>+<base64(type || key)>" (signed-note,
// "Verifier keys") and refuses every spelling that String would not write.
func ParseVerifierKey(vkey string) (VerifierKey, error) {
	parts := strings.Split(vkey, "+")
	if len(parts) < 3 { // standard base64 may itself hold a plus
		return VerifierKey{}, fmt.Errorf("%w: want name+id+key", ErrKey)
	}
	raw, err := strictBase64(strings.Join(parts[2:], "+"))
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return VerifierKey{}, fmt.Errorf("%w: key is not the base64 of a type byte and 32 bytes", ErrKey)
	}
	key, err := NewVerifierKey(parts[0], KeyType(raw[0]), ed25519.PublicKey(raw[1:]))
	if err != nil {
		return VerifierKey{}, err
	}
	if fmt.Sprintf("%08x", key.KeyHash()) != parts[1] {
		return VerifierKey{}, fmt.Errorf("%w: key id does not belong to the key", ErrKey)
	}
	return key, nil
}

// String is the vkey.
func (k VerifierKey) String() string {
	raw := append([]byte{byte(k.Type)}, k.Public...)
	return fmt.Sprintf("%s+%08x+%s", k.Name, k.KeyHash(), base64.StdEncoding.EncodeToString(raw))
}

// KeyHash is the key ID: SHA-256(name || 0x0A || type || public key)[:4].
func (k VerifierKey) KeyHash() uint32 {
	sum := sha256.Sum256(append([]byte(k.Name+"\n"+string([]byte{byte(k.Type)})), k.Public...))
	return binary.BigEndian.Uint32(sum[:4])
}

// verifier is a VerifierKey as a note.Verifier of golang.org/x/mod.
type verifier struct{ VerifierKey }

func (v verifier) Name() string { return v.VerifierKey.Name }

func (v verifier) Verify(text, sig []byte) bool {
	if v.Type == TypeLog {
		return ed25519.Verify(v.Public, text, sig)
	}
	_, ok := v.openCosignature(text, sig)
	return ok
}

// openCosignature checks a timestamped_signature (tlog-cosignature, "Format") and
// returns its time in POSIX seconds.
func (k VerifierKey) openCosignature(body, sig []byte) (int64, bool) {
	if len(sig) != 8+ed25519.SignatureSize {
		return 0, false
	}
	at := binary.BigEndian.Uint64(sig)
	if at > 1<<63-1 { // "It MUST NOT exceed 2^63 - 1"
		return 0, false
	}
	return int64(at), ed25519.Verify(k.Public, cosignedMessage(int64(at), body), sig[8:])
}

// cosignedMessage: "two newline terminated lines (one header line and one timestamp
// line) followed by the whole note body of the cosigned checkpoint".
func cosignedMessage(at int64, body []byte) []byte {
	msg := append([]byte("cosignature/v1\ntime "), strconv.FormatInt(at, 10)...)
	return append(append(msg, '\n'), body...)
}

// validName: "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or
// plus (U+002B) characters"; control characters cannot occur in a note either.
func validName(name string) bool {
	return name != "" && utf8.ValidString(name) &&
		strings.IndexFunc(name, func(r rune) bool { return r == '+' || r < 0x20 || unicode.IsSpace(r) }) < 0
}

// weakPoint reports that an encoded point is of order 1, 2, 4 or 8, or is not the
// canonical encoding of its point. Under a small-order key one and the same
// "signature" fits many texts, so it would witness whatever anyone likes.
// crypto/ed25519 accepts such keys; RFC 8032 5.1.3 demands y < p.
func weakPoint(pub []byte) bool {
	y := bytes.Clone(pub)
	y[31] &= 0x7f // the sign of x
	if !belowPrime(y) {
		return true
	}
	for _, small := range smallOrderY {
		if bytes.Equal(y, small) {
			return true
		}
	}
	return false
}

// belowPrime reports y < 2^255 - 19, little endian.
func belowPrime(y []byte) bool {
	if y[31] != 0x7f || y[0] < 0xed {
		return true
	}
	for _, b := range y[1:31] {
		if b != 0xff {
			return true
		}
	}
	return false
}

// smallOrderY are the y coordinates, little endian, of the points of small order:
// 0 (order 4), 1 (order 1), p-1 (order 2) and the two of order 8.
var smallOrderY = [][]byte{
	make([]byte, 32),
	append([]byte{1}, make([]byte, 31)...),
	mustHex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	mustHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
	mustHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
}

func mustHex(s string) []byte {
	raw, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return raw
}
