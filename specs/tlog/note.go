package tlog

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Limits on a note from outside. C2SP signed-note: verifiers "MUST accept at least up
// to 16 signatures"; an ML-DSA-44 signature takes some 3.3 kB in base64.
const (
	MaxNote       = 512 << 10
	MaxSignatures = 100
)

// Sentinels of opening a note.
var (
	ErrNote       = errors.New("malformed note")
	ErrUnsigned   = errors.New("note carries no signature of a known key")
	ErrSignature  = errors.New("signature of a known key does not verify")
	ErrCheckpoint = errors.New("malformed checkpoint")
)

// Signature is one verified signature line of a note.
type Signature struct {
	Key  VerifierKey
	Time time.Time // when it was cosigned; zero for TypeLog
	Line string    // the line as it stood, without its newline
}

// Note is an opened note: its text and the signatures of known keys.
type Note struct {
	Text       []byte      // the signed text with its final newline, without the blank line
	Signatures []Signature // each key at most once, in the order of the note; never empty
}

// Open reads a signed note and verifies it with the known keys. Signatures of other
// keys are ignored ("Verifiers MUST ignore signatures from unknown keys"); one bad
// signature of a known key refuses the whole note.
// It fails with [ErrNote], [ErrUnsigned] or [ErrSignature].
func Open(data []byte, known ...VerifierKey) (*Note, error) {
	if _, err := signatureLines(data); err != nil {
		return nil, err
	}
	list := make([]note.Verifier, len(known))
	for i, k := range known {
		list[i] = verifier{k}
	}
	opened, err := note.Open(data, note.VerifierList(list...))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		return nil, ErrUnsigned
	case errors.As(err, &invalid):
		return nil, fmt.Errorf("%w: %s", ErrSignature, invalid.Name)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNote, err)
	}
	out := &Note{Text: []byte(opened.Text)}
	for _, s := range opened.Sigs {
		for _, k := range known {
			if k.Name == s.Name && k.KeyHash() == s.Hash {
				out.Signatures = append(out.Signatures, verified(k, s))
				break
			}
		}
	}
	return out, nil
}

func verified(k VerifierKey, s note.Signature) Signature {
	out := Signature{Key: k, Line: "— " + s.Name + " " + s.Base64}
	if k.Type == TypeCosigner {
		raw, _ := base64.StdEncoding.DecodeString(s.Base64) // note.Open decoded it before
		out.Time = time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC()
	}
	return out
}

// signatureLines splits off the signature block and refuses what x/mod would let
// pass: more bytes than MaxNote and signatures in another base64 than the canonical.
func signatureLines(data []byte) ([]string, error) {
	if len(data) > MaxNote {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrNote, MaxNote)
	}
	at := bytes.LastIndex(data, []byte("\n\n"))
	if at < 0 || at+2 >= len(data) || data[len(data)-1] != '\n' {
		return nil, fmt.Errorf("%w: no signature block", ErrNote)
	}
	lines := strings.Split(string(data[at+2:len(data)-1]), "\n")
	if len(lines) > MaxSignatures {
		return nil, fmt.Errorf("%w: more than %d signatures", ErrNote, MaxSignatures)
	}
	for _, line := range lines {
		rest, ok := strings.CutPrefix(line, "— ")
		name, sig, cut := strings.Cut(rest, " ")
		if raw, err := strictBase64(sig); !ok || !cut || !validName(name) || err != nil || len(raw) < 5 {
			return nil, fmt.Errorf("%w: bad signature line", ErrNote)
		}
	}
	return lines, nil
}

// SignatureLines returns the signature lines of a note, verified or not, each without
// its newline; a log uses it to gather cosignatures that it cannot check itself.
func SignatureLines(data []byte) ([]string, error) { return signatureLines(data) }

// Signer signs notes under a name with an Ed25519 key, as a log (TypeLog) or as a
// cosigner (TypeCosigner). "The same public key SHOULD NOT be reused for different
// signature types": give a node two keys.
type Signer struct {
	key    VerifierKey
	signer crypto.Signer
}

// NewSigner wraps an Ed25519 signer. It fails with [ErrKey].
func NewSigner(name string, t KeyType, signer crypto.Signer) (*Signer, error) {
	key, err := NewVerifierKey(name, t, signer.Public())
	if err != nil {
		return nil, err
	}
	return &Signer{key, signer}, nil
}

// VerifierKey is the public half.
func (s *Signer) VerifierKey() VerifierKey { return s.key }

// Line signs text (which ends in a newline) and returns the signature line without
// its newline. at counts only for a cosigner: the moment up to which text is the
// largest consistent tree this cosigner has seen.
func (s *Signer) Line(text []byte, at time.Time) (string, error) {
	raw := binary.BigEndian.AppendUint32(nil, s.key.KeyHash())
	message := text
	if s.key.Type == TypeCosigner {
		if at.Unix() < 0 {
			return "", fmt.Errorf("cosign at %s: before 1970", at.UTC().Format(time.RFC3339))
		}
		raw = binary.BigEndian.AppendUint64(raw, uint64(at.Unix()))
		message = cosignedMessage(at.Unix(), text)
	}
	sig, err := s.signer.Sign(nil, message, &ed25519.Options{}) // RFC 8032 Ed25519 takes no randomness
	if err != nil {
		return "", fmt.Errorf("sign note: %w", err)
	}
	return "— " + s.key.Name + " " + base64.StdEncoding.EncodeToString(append(raw, sig...)), nil
}

// JoinNote makes a note of a text and its signature lines.
func JoinNote(text []byte, lines ...string) []byte {
	out := append(bytes.Clone(text), '\n')
	for _, line := range lines {
		out = append(append(out, line...), '\n')
	}
	return out
}
