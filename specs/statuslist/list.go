package statuslist

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// Status is a Status Type value (section 7.1).
type Status uint8

// The registered values of section 14.5. ApplicationSpecific and 12 to 15 have no
// meaning of their own.
const (
	Valid               Status = 0x00 // "valid, correct or legal"
	Invalid             Status = 0x01 // "revoked, annulled, taken back, recalled or cancelled"
	Suspended           Status = 0x02 // "temporarily invalid"
	ApplicationSpecific Status = 0x03
)

// String names the value as the draft does.
func (s Status) String() string {
	switch s {
	case Valid:
		return "VALID"
	case Invalid:
		return "INVALID"
	case Suspended:
		return "SUSPENDED"
	}
	return "status " + strconv.Itoa(int(s))
}

// MaxSize is the most entries that a list made here can have.
const MaxSize = 1 << 28

// Sentinels of lists.
var (
	ErrBits   = errors.New("bits is not 1, 2, 4 or 8")
	ErrIndex  = errors.New("index is beyond the status list")
	ErrStatus = errors.New("status does not fit in the bits of the list")
)

// List is a Status List: Size entries of Bits bits. It is not safe for use from
// several goroutines while one of them calls Set.
type List struct {
	bits int
	size int
	data []byte // entry i in byte i*bits/8, "from the least significant bit"
}

// New makes a list in which every entry has the status fill. For a list that gives
// out entries as credentials are issued, fill is [Invalid]: what was never allocated
// is not valid. It fails with [ErrBits], [ErrStatus] or [ErrIndex] (size).
func New(bits, size int, fill Status) (*List, error) {
	switch {
	case !validBits(bits):
		return nil, ErrBits
	case size < 1 || size > MaxSize:
		return nil, fmt.Errorf("size %d: %w", size, ErrIndex)
	case int(fill) >= 1<<bits:
		return nil, ErrStatus
	}
	pattern := byte(0)
	for at := 0; at < 8; at += bits {
		pattern |= byte(fill) << at
	}
	// Section 4.1 step 2: "a byte array of size = number of Referenced Tokens * bits / 8 or greater".
	return &List{bits: bits, size: size, data: bytes.Repeat([]byte{pattern}, (size*bits+7)/8)}, nil
}

// FromBytes makes a list of an uncompressed byte array, which it copies; an issuer
// keeps a list that way.
func FromBytes(bits int, data []byte) (*List, error) {
	if !validBits(bits) {
		return nil, ErrBits
	}
	return &List{bits: bits, size: len(data) * 8 / bits, data: bytes.Clone(data)}, nil
}

func validBits(bits int) bool { return bits == 1 || bits == 2 || bits == 4 || bits == 8 }

// Bits is the width of an entry: 1, 2, 4 or 8.
func (l *List) Bits() int { return l.bits }

// Size is the number of entries. A decoded list counts the padding of its last byte
// too, since nothing says where it ends.
func (l *List) Size() int { return l.size }

// Bytes is a copy of the uncompressed byte array.
func (l *List) Bytes() []byte { return bytes.Clone(l.data) }

// Clone is an independent copy.
func (l *List) Clone() *List { return &List{l.bits, l.size, bytes.Clone(l.data)} }

// Get returns the status of entry i, or [ErrIndex]: section 8.3, "If the provided
// index is out of bounds of the Status List, no statement about the status of the
// Referenced Token can be made".
func (l *List) Get(i int) (Status, error) {
	if i < 0 || i >= l.size {
		return 0, ErrIndex
	}
	at := i * l.bits
	return Status(l.data[at/8] >> (at % 8) & (1<<l.bits - 1)), nil
}

// Set gives entry i a status. It fails with [ErrIndex] or [ErrStatus]. It does not
// know which changes are allowed: that revocation is final is the issuer's to keep.
func (l *List) Set(i int, s Status) error {
	if i < 0 || i >= l.size {
		return ErrIndex
	}
	if int(s) >= 1<<l.bits {
		return ErrStatus
	}
	at := i * l.bits
	mask := byte(1<<l.bits-1) << (at % 8)
	l.data[at/8] = l.data[at/8]&^mask | byte(s)<<(at%8)
	return nil
}
