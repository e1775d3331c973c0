package registry

import (
	"strconv"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/tlog"
)

// LeafVersion is the version of the form of leaves.
const LeafVersion = 1

// MaxLeaf is the most bytes that a leaf can have: an event and what the leader adds. It is
// below [tlog.MaxEntry].
const MaxLeaf = MaxEvent + 256

// Leaf is one entry of the log: an accepted event with the time that the leader stamped on
// it. Which commitments it carries stands in the event, under its signatures.
type Leaf struct {
	Event      Event    `json:"event"`
	LogTime    int64    `json:"log_time"` // seconds since 1970, UTC
	Signatures []string `json:"signatures"`
	Version    int      `json:"version"`
}

// NewLeaf stamps an event with a log time.
func NewLeaf(s SignedEvent, logTime time.Time) Leaf {
	return Leaf{Event: s.Event, LogTime: logTime.Unix(), Signatures: s.Signatures, Version: LeafVersion}
}

// Signed is the event of the leaf with its signatures.
func (l Leaf) Signed() SignedEvent {
	return SignedEvent{Event: l.Event, Signatures: l.Signatures}
}

// Marshal is the canonical form of the leaf: the bytes that the log holds. A leaf that came
// out of [ParseLeaf] or that [Apply] accepted can always be encoded.
func (l Leaf) Marshal() ([]byte, error) {
	raw, err := ijson.Canonical(l)
	if err != nil {
		return nil, ErrMalformed.with("the leaf cannot be encoded")
	}
	return raw, nil
}

// LeafOf is the canonical form of the leaf of an event whose canonical form is given, as
// [ParseEvent] took it: the same as Marshal of its leaf, without encoding it once more.
func LeafOf(event []byte, logTime time.Time) ([]byte, error) {
	i, err := signaturesAt(event)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(event)+64)
	out = strconv.AppendInt(append(append(out, event[:i]...), `,"log_time":`...), logTime.Unix(), 10)
	out = append(append(out, event[i:len(event)-1]...), `,"version":`...)
	return append(strconv.AppendInt(out, LeafVersion, 10), '}'), nil
}

// ParseLeaf reads a leaf and checks its form. It fails with [ErrTooLarge] or [ErrMalformed].
func ParseLeaf(raw []byte) (Leaf, error) {
	var l Leaf
	if len(raw) > MaxLeaf {
		return l, ErrTooLarge
	}
	if err := parseCanonical(raw, &l); err != nil {
		return Leaf{}, err
	}
	if l.Version != LeafVersion || l.LogTime <= 0 {
		return Leaf{}, ErrMalformed.with("not a leaf of version %d", LeafVersion)
	}
	if err := l.Signed().checkForm(); err != nil {
		return Leaf{}, err
	}
	return l, nil
}

// LeafHash is the leaf's hash in the log's Merkle tree (RFC 6962 2.1).
func LeafHash(raw []byte) tlog.Hash { return tlog.LeafHash(raw) }
