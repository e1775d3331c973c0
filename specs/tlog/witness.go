package tlog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxAddCheckpoint bounds a request: the largest note, the longest proof and the line before it.
const maxAddCheckpoint = MaxNote + (MaxProof+1)*64

// Sentinels of witnessing, each with the HTTP status that tlog-witness gives it.
var (
	ErrWitnessRequest = errors.New("malformed add-checkpoint request")                        // 400
	ErrUntrusted      = errors.New("checkpoint is not signed by a key trusted for its log")   // 403
	ErrUnknownLog     = errors.New("this witness does not know the log")                      // 404
	ErrInconsistent   = errors.New("checkpoint does not follow from the one cosigned before") // 422
	// ErrNotNow says that the witness signs nothing at the moment. The text has no word for
	// it; 503 makes a log ask again later.
	ErrNotNow = errors.New("this witness does not sign at the moment")
)

// ConflictError says that the old size of a request is not that of the latest checkpoint
// which the witness cosigned for the log (409).
type ConflictError struct{ Size uint64 }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the witness cosigned a tree of %d leaves last", e.Size)
}

// AddCheckpoint is the request of tlog-witness, "add-checkpoint".
type AddCheckpoint struct {
	Old        uint64 // size of what the witness cosigned last; 0 for nothing
	Path       []Hash // that the new tree begins with the old one
	Checkpoint []byte // the signed checkpoint note, verbatim
}

// Marshal writes the request body.
func (a *AddCheckpoint) Marshal() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", a.Old)
	for _, h := range a.Path {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(a.Checkpoint)
	return b.Bytes()
}

// ParseAddCheckpoint reads a request body; what it accepts, Marshal writes back byte for
// byte. It verifies nothing. It fails with [ErrWitnessRequest], and beside that with
// [ErrInconsistent] for an empty tree that has a root.
func ParseAddCheckpoint(data []byte) (*AddCheckpoint, error) {
	if len(data) > maxAddCheckpoint {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrWitnessRequest, maxAddCheckpoint)
	}
	head, note, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return nil, fmt.Errorf("%w: no empty line before the checkpoint", ErrWitnessRequest)
	}
	lines := strings.Split(string(head), "\n")
	text, ok := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseUint(text, 10, 63)
	if !ok || err != nil || strconv.FormatUint(old, 10) != text { // "with no leading zeroes"
		return nil, fmt.Errorf("%w: old size line", ErrWitnessRequest)
	}
	a := &AddCheckpoint{Old: old, Checkpoint: bytes.Clone(note)}
	if a.Path, err = parseHashes(lines[1:]); err != nil { // "MUST NOT send more than 63 consistency proof lines"
		return nil, fmt.Errorf("%w: %w", ErrWitnessRequest, err)
	}
	c, err := PeekCheckpoint(note)
	if errors.Is(err, errEmptyTree) { // "Otherwise, the witness MUST respond with a 422"
		return nil, fmt.Errorf("%w: %w: %w", ErrWitnessRequest, ErrInconsistent, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWitnessRequest, err)
	}
	if old > c.Size { // "The old size MUST be equal to or lower than the checkpoint size"
		return nil, fmt.Errorf("%w: the old size is beyond the checkpoint", ErrWitnessRequest)
	}
	return a, nil
}

// WitnessStore is what a witness knows of logs. The implementation may be used from many
// goroutines.
type WitnessStore interface {
	// LogKeys are the keys trusted for an origin. It fails with [ErrUnknownLog].
	LogKeys(ctx context.Context, origin string) ([]VerifierKey, error)
	// Latest is the note cosigned last for the log with this [OriginHash], with the log's
	// signature and the cosignature. It fails with [ErrUnknownLog] when there is none.
	Latest(ctx context.Context, originHash string) ([]byte, error)
	// Update gives fn the latest note and keeps what fn returns in its place, on the disk
	// before it returns. Nothing comes between for the same origin ("checking the old size
	// against the latest checkpoint and persisting the new checkpoint must be performed
	// atomically"). An error of fn, or [ErrNotNow] of the store, keeps the old note.
	Update(ctx context.Context, origin string, fn func(latest []byte) ([]byte, error)) error
}

// WitnessServer is the witness: it cosigns what follows from what it cosigned before.
type WitnessServer struct {
	Store  WitnessStore
	Signer *Signer // of TypeCosigner
	Now    func() time.Time
}

// Add is add-checkpoint: it returns the signature line for the checkpoint, without its
// newline. It fails with the sentinels of this file, a [*ConflictError], or an error of the
// store.
func (w *WitnessServer) Add(ctx context.Context, a *AddCheckpoint) (string, error) {
	c, err := PeekCheckpoint(a.Checkpoint)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrWitnessRequest, err)
	}
	signed, err := w.open(ctx, c.Origin, a.Checkpoint)
	if err != nil {
		return "", err
	}
	var line string
	err = w.Store.Update(ctx, c.Origin, func(latest []byte) ([]byte, error) {
		at, err := w.follows(a, c, latest)
		if err != nil {
			return nil, err
		}
		if line, err = w.Signer.Line(signed.Text, at); err != nil {
			return nil, err
		}
		var lines []string
		for _, s := range signed.Signatures {
			lines = append(lines, s.Line)
		}
		return JoinNote(signed.Text, append(lines, line)...), nil
	})
	if err != nil {
		return "", err
	}
	return line, nil
}

// open verifies the log's signature. Other cosigners' lines are ignored as unknown.
func (w *WitnessServer) open(ctx context.Context, origin string, note []byte) (*Note, error) {
	keys, err := w.Store.LogKeys(ctx, origin)
	if err != nil {
		return nil, err
	}
	var trusted []VerifierKey
	for _, k := range keys {
		if k.Type == TypeLog && k.Name == origin {
			trusted = append(trusted, k)
		}
	}
	if len(trusted) == 0 {
		return nil, ErrUnknownLog
	}
	signed, err := Open(note, trusted...)
	switch {
	case errors.Is(err, ErrUnsigned), errors.Is(err, ErrSignature):
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrWitnessRequest, err)
	}
	return signed, nil
}

// follows holds a request against what was cosigned last, and says which time the
// cosignature gets: a clock that went back takes back no statement.
func (w *WitnessServer) follows(a *AddCheckpoint, c Checkpoint, latest []byte) (time.Time, error) {
	last := Checkpoint{Root: EmptyRoot()}
	at := w.Now()
	if latest != nil {
		var signed *Note
		var err error
		if last, signed, err = OpenCheckpoint(latest, c.Origin, w.Signer.VerifierKey()); err != nil {
			return at, fmt.Errorf("the record of the log is damaged: %w", err)
		}
		if t := signed.Signatures[0].Time; at.Before(t) {
			at = t
		}
	}
	switch {
	case a.Old > c.Size:
		return at, fmt.Errorf("%w: the old size is beyond the checkpoint", ErrWitnessRequest)
	case a.Old != last.Size:
		return at, &ConflictError{last.Size}
	case a.Old == c.Size && c.Root != last.Root: // "the witness MUST check that the root hashes are also identical"
		return at, fmt.Errorf("%w: another root at the same size", ErrInconsistent)
	}
	if err := VerifyConsistency(a.Old, c.Size, a.Path, last.Root, c.Root); err != nil {
		return at, fmt.Errorf("%w: %w", ErrInconsistent, err)
	}
	return at, nil
}

// OriginHash names a log under a witness's monitoring prefix: "the SHA-256 hash of the log's
// origin, hex encoded, in lowercase".
func OriginHash(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:])
}
