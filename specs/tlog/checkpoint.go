package tlog

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Checkpoint is the body of a checkpoint note (C2SP tlog-checkpoint, "Note text").
type Checkpoint struct {
	Origin     string   // "a unique identifier for the log identity", e.g. "aakermonde.example/register"
	Size       uint64   // number of leaves, below 2^63
	Root       Hash     // RFC 6962 tree hash at Size
	Extensions []string // opaque lines; NOT RECOMMENDED and not ours to interpret
}

// errEmptyTree: "A checkpoint of size zero MUST have the root hash of the empty tree".
var errEmptyTree = errors.New("an empty tree with another root")

// Text is the note text: what a log signs and a witness cosigns.
func (c Checkpoint) Text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
	for _, line := range c.Extensions {
		b.WriteString(line + "\n")
	}
	return b.Bytes()
}

// ParseCheckpoint reads a note text. Whatever it accepts, Text writes back byte for
// byte. It fails with [ErrCheckpoint].
func ParseCheckpoint(text []byte) (Checkpoint, error) {
	var c Checkpoint
	if len(text) > MaxNote || !utf8.Valid(text) || !bytes.HasSuffix(text, []byte("\n")) {
		return c, fmt.Errorf("%w: too large, not UTF-8 or without final newline", ErrCheckpoint)
	}
	lines := strings.Split(string(text[:len(text)-1]), "\n")
	if len(lines) < 3 {
		return c, fmt.Errorf("%w: fewer than three lines", ErrCheckpoint)
	}
	for _, line := range lines { // "The origin MUST be non-empty"; "Extension lines, if any, MUST be non-empty"
		if line == "" || strings.ContainsFunc(line, func(r rune) bool { return r < 0x20 }) {
			return c, fmt.Errorf("%w: empty line or control character", ErrCheckpoint)
		}
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil || strconv.FormatUint(size, 10) != lines[1] { // "with no leading zeroes"
		return c, fmt.Errorf("%w: tree size", ErrCheckpoint)
	}
	root, err := ParseHash(lines[2])
	if err != nil {
		return c, fmt.Errorf("%w: root: %w", ErrCheckpoint, err)
	}
	if size == 0 && root != EmptyRoot() {
		return c, fmt.Errorf("%w: %w", ErrCheckpoint, errEmptyTree)
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: root, Extensions: lines[3:]}, nil
}

// OpenCheckpoint opens a signed checkpoint of the log with this origin: it needs a
// signature of one of the logs' keys (TypeLog, Name equal to origin) or of a cosigner,
// among known. It fails as [Open] and [ParseCheckpoint] do, and with [ErrCheckpoint]
// for another origin.
func OpenCheckpoint(data []byte, origin string, known ...VerifierKey) (Checkpoint, *Note, error) {
	opened, err := Open(data, known...)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	c, err := ParseCheckpoint(opened.Text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if c.Origin != origin {
		return Checkpoint{}, nil, fmt.Errorf("%w: another origin", ErrCheckpoint)
	}
	return c, opened, nil
}

// PeekCheckpoint reads the checkpoint of a note WITHOUT verifying any signature, to
// learn which keys to verify it with. Never act on what it says.
func PeekCheckpoint(data []byte) (Checkpoint, error) {
	if _, err := signatureLines(data); err != nil {
		return Checkpoint{}, err
	}
	at := bytes.LastIndex(data, []byte("\n\n"))
	return ParseCheckpoint(data[:at+1])
}
