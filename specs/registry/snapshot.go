package registry

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/tlog"
)

// Snapshot is a registry in one file, for who checks without a network: all leaves, the
// checkpoint that covers them, the checkpoints at which the nodes handed over, and the
// payloads that are public. It proves itself against a region id that the reader brings:
// nothing in it is believed before that.
//
// The file: the line "paspoort-registry-snapshot/v1"; 4 bytes length, big endian; a JSON
// header; then each leaf behind 2 bytes length, as in the entry bundles of C2SP tlog-tiles.
type Snapshot struct {
	Genesis    string        // region id that the file claims to be of
	Checkpoint []byte        // note over all leaves
	Handovers  [][]byte      // notes, smallest first
	Payloads   []OpenPayload // of one-person firms that agreed to be found
	Leaves     [][]byte
}

// OpenPayload is a sealed payload with its key.
type OpenPayload struct {
	SealedPayload
	Key string `json:"key"` // base64url
}

// Limits of a snapshot.
const (
	MaxSnapshotHeader = 16 << 20
	MaxSnapshotLeaves = 4 << 20

	snapshotMagic = "paspoort-registry-snapshot/v1\n"
)

type snapshotHeader struct {
	Checkpoint string        `json:"checkpoint"`
	Genesis    string        `json:"genesis"`
	Handovers  []string      `json:"handovers,omitempty"`
	Leaves     uint64        `json:"leaves"`
	Payloads   []OpenPayload `json:"payloads,omitempty"`
}

// WriteTo writes the file.
func (s Snapshot) WriteTo(w io.Writer) (int64, error) {
	out := &countingWriter{w: bufio.NewWriter(w)}
	if err := s.writeHeader(out, uint64(len(s.Leaves))); err != nil {
		return 0, err
	}
	if err := out.leaves(s.Leaves); err != nil {
		return out.n, err
	}
	return out.n, out.flush()
}

// writeHeader writes all that comes before the leaves.
func (s Snapshot) writeHeader(out *countingWriter, leaves uint64) error {
	header := snapshotHeader{
		Checkpoint: string(s.Checkpoint), Genesis: s.Genesis, Leaves: leaves, Payloads: s.Payloads,
	}
	for _, note := range s.Handovers {
		header.Handovers = append(header.Handovers, string(note))
	}
	raw, err := ijson.Canonical(header)
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	if len(raw) > MaxSnapshotHeader || leaves > MaxSnapshotLeaves {
		return ErrSnapshot.with("too large for one file")
	}
	out.write([]byte(snapshotMagic))
	out.write(binary.BigEndian.AppendUint32(nil, uint32(len(raw))))
	out.write(raw)
	return nil
}

func (c *countingWriter) leaves(list [][]byte) error {
	for _, leaf := range list {
		if len(leaf) > tlog.MaxEntry {
			return ErrTooLarge
		}
		c.write(binary.BigEndian.AppendUint16(nil, uint16(len(leaf))))
		c.write(leaf)
	}
	return c.err
}

func (c *countingWriter) flush() error {
	if c.err == nil {
		c.err = c.w.Flush()
	}
	return c.err
}

type countingWriter struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (c *countingWriter) write(p []byte) {
	if c.err != nil {
		return
	}
	n, err := c.w.Write(p)
	c.n, c.err = c.n+int64(n), err
}

// ReadSnapshot reads a file. It checks the form only: see [Snapshot.Replay]. It fails with
// [ErrSnapshot].
func ReadSnapshot(r io.Reader) (Snapshot, error) {
	in := bufio.NewReader(r)
	header, err := readHeader(in)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Genesis: header.Genesis, Checkpoint: []byte(header.Checkpoint), Payloads: header.Payloads}
	for _, note := range header.Handovers {
		s.Handovers = append(s.Handovers, []byte(note))
	}
	var length [2]byte
	for range header.Leaves {
		if _, err := io.ReadFull(in, length[:]); err != nil {
			return Snapshot{}, ErrSnapshot.with("cut off")
		}
		leaf := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(in, leaf); err != nil {
			return Snapshot{}, ErrSnapshot.with("cut off")
		}
		s.Leaves = append(s.Leaves, leaf)
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return Snapshot{}, ErrSnapshot.with("bytes behind the last leaf")
	}
	return s, nil
}

func readHeader(in *bufio.Reader) (snapshotHeader, error) {
	var header snapshotHeader
	start := make([]byte, len(snapshotMagic)+4)
	if _, err := io.ReadFull(in, start); err != nil || string(start[:len(snapshotMagic)]) != snapshotMagic {
		return header, ErrSnapshot
	}
	size := binary.BigEndian.Uint32(start[len(snapshotMagic):])
	if size > MaxSnapshotHeader {
		return header, ErrSnapshot.with("header too large")
	}
	// Grow with what is there, not with what the file says is there.
	raw, err := io.ReadAll(io.LimitReader(in, int64(size)))
	if err != nil || len(raw) != int(size) {
		return header, ErrSnapshot.with("cut off")
	}
	if err := ijson.UnmarshalClosed(raw, &header); err != nil {
		return header, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if header.Leaves == 0 || header.Leaves > MaxSnapshotLeaves || len(header.Handovers) > 10000 {
		return header, ErrSnapshot.with("no leaves, or too many")
	}
	return header, nil
}

// Replay verifies the snapshot against the region that the reader pinned and replays it. It
// fails with [ErrRegion] for the file of another region, with [ErrSnapshot] when the
// checkpoints are out of order, and as [Replica.Extend] does. Payloads that do not open, or
// that the log erased, are left out.
func (s Snapshot) Replay(genesis string) (*Replica, *Payloads, error) {
	return s.ReplayAhead(genesis, nil)
}

// ReplayAhead is [Snapshot.Replay] by a [Replica] with this Ahead.
func (s Snapshot) ReplayAhead(genesis string, ahead func(*State, [][]byte)) (*Replica, *Payloads, error) {
	r, err := NewReplica(genesis)
	if err != nil {
		return nil, nil, err
	}
	r.Ahead = ahead
	if s.Genesis != genesis {
		return nil, nil, ErrRegion.with("the snapshot is of another region than the one asked for")
	}
	leaves := s.Leaves
	for i, note := range append(append([][]byte{}, s.Handovers...), s.Checkpoint) {
		c, err := tlog.PeekCheckpoint(note)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
		}
		last := i == len(s.Handovers)
		if c.Size < r.Size() || c.Size-r.Size() > uint64(len(leaves)) || last && c.Size != uint64(len(s.Leaves)) {
			return nil, nil, ErrSnapshot.with("checkpoints out of order, or not over these leaves")
		}
		n := c.Size - r.Size()
		if err := r.Extend(leaves[:n], note); err != nil {
			return nil, nil, err
		}
		leaves = leaves[n:]
	}
	payloads, view := &Payloads{}, r.State().View()
	for _, p := range s.Payloads {
		if view.Awaits(p.Commitment) { // not one that was erased (D4)
			_ = payloads.AddOpen(p) // unknown stays unknown
		}
	}
	return r, payloads, nil
}

// BuildSnapshot puts together what a log has, in memory.
func BuildSnapshot(ctx context.Context, log Log) (Snapshot, error) {
	snap, size, err := beginSnapshot(ctx, log)
	if err != nil {
		return Snapshot{}, err
	}
	err = eachLeaves(ctx, log, size, func(more [][]byte) error {
		snap.Leaves = append(snap.Leaves, more...)
		return nil
	})
	return snap, err
}

// WriteSnapshot writes the same file leaf by leaf: whoever serves it to many holds no log in
// memory for each. Until it knows everything but the leaves it writes nothing.
func WriteSnapshot(ctx context.Context, log Log, w io.Writer) error {
	snap, size, err := beginSnapshot(ctx, log)
	if err != nil {
		return err
	}
	out := &countingWriter{w: bufio.NewWriter(w)}
	if err := snap.writeHeader(out, size); err != nil {
		return err
	}
	if err := eachLeaves(ctx, log, size, out.leaves); err != nil {
		return err
	}
	return out.flush()
}

// beginSnapshot is a snapshot without its leaves, and how many those are.
func beginSnapshot(ctx context.Context, log Log) (snap Snapshot, size uint64, err error) {
	if snap.Checkpoint, err = log.Checkpoint(ctx); err != nil {
		return snap, 0, err
	}
	if size, err = noteSize(snap.Checkpoint); err != nil {
		return snap, 0, err
	}
	leaves, err := log.Leaves(ctx, 0, 1)
	if err != nil {
		return snap, 0, err
	}
	if len(leaves) == 0 {
		return snap, 0, ErrNoLog
	}
	first, err := ParseLeaf(leaves[0])
	if err != nil {
		return snap, 0, err
	}
	snap.Genesis = first.Event.ID()
	if snap.Handovers, err = handoversUpTo(ctx, log, snap.Checkpoint, size); err != nil {
		return snap, 0, err
	}
	if p, ok := log.(PayloadSource); ok {
		snap.Payloads, err = p.Payloads(ctx)
	}
	return snap, size, err
}

// eachLeaves gives fn the first size leaves, some at a time.
func eachLeaves(ctx context.Context, log Log, size uint64, fn func([][]byte) error) error {
	for next := uint64(0); next < size; {
		more, err := log.Leaves(ctx, next, size)
		if err != nil {
			return err
		}
		if len(more) == 0 {
			return ErrNoLog
		}
		if err := fn(more); err != nil {
			return err
		}
		next += uint64(len(more))
	}
	return nil
}

// handoversUpTo are the handovers on the way to a checkpoint. One of its own size belongs to
// them: the nodes cosign the same tree again later, without those that left.
func handoversUpTo(ctx context.Context, log Log, newest []byte, size uint64) ([][]byte, error) {
	notes, err := log.Handovers(ctx)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, note := range notes {
		if n, err := noteSize(note); err == nil && n <= size && !bytes.Equal(note, newest) {
			out = append(out, note)
		}
	}
	return out, nil
}
