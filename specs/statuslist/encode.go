package statuslist

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// Limits bound what a decoded list may take. A zero field means its default.
type Limits struct {
	Token    int // bytes of the compact token; default [DefaultTokenLimit]
	Inflated int // bytes of the uncompressed array; default [DefaultInflatedLimit]
}

// Defaults of [Limits]: ten million entries of two bits are 2.5 MB, and about 0.8 MB
// compressed when one in twenty is set.
const (
	DefaultTokenLimit    = 8 << 20
	DefaultInflatedLimit = 16 << 20
)

// Sentinels of decoding.
var (
	ErrEncoding = errors.New("malformed status list")
	ErrTooLarge = errors.New("status list is larger than allowed")
)

func (l Limits) token() int {
	if l.Token > 0 {
		return l.Token
	}
	return DefaultTokenLimit
}

func (l Limits) inflated() int {
	if l.Inflated > 0 {
		return l.Inflated
	}
	return DefaultInflatedLimit
}

// Encode returns lst: the base64url of the zlib-compressed byte array (4.1 step 4 and
// 4.2). Equal lists give equal text with the same version of Go; never compare the
// texts of different programs.
func (l *List) Encode() (string, error) {
	var b bytes.Buffer
	// "Implementations are RECOMMENDED to use the highest compression level available."
	w, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	if err != nil {
		return "", fmt.Errorf("compress status list: %w", err)
	}
	if _, err := w.Write(l.data); err != nil {
		return "", fmt.Errorf("compress status list: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("compress status list: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes()), nil
}

// Decode reads bits and lst. It fails with [ErrBits], [ErrEncoding] or [ErrTooLarge],
// and never holds more than the limit.
func Decode(bits int, lst string, limits Limits) (*List, error) {
	if !validBits(bits) {
		return nil, ErrBits
	}
	if len(lst) > limits.token() {
		return nil, ErrTooLarge
	}
	packed, err := base64.RawURLEncoding.Strict().DecodeString(lst)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(packed)) != len(lst) { // line breaks are skipped by the decoder
		return nil, fmt.Errorf("%w: lst is not base64url", ErrEncoding)
	}
	data, err := inflate(packed, limits.inflated())
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: no entries", ErrEncoding)
	}
	return &List{bits: bits, size: len(data) * 8 / bits, data: data}, nil
}

// inflate decompresses one whole zlib stream of at most limit bytes.
func inflate(packed []byte, limit int) ([]byte, error) {
	src := bytes.NewReader(packed) // an io.ByteReader, so that flate takes no byte too many
	r, err := zlib.NewReader(src)
	if err != nil {
		return nil, fmt.Errorf("%w: not zlib", ErrEncoding)
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil { // includes a wrong checksum and a stream that is cut off
		return nil, fmt.Errorf("%w: zlib stream", ErrEncoding)
	}
	if len(data) > limit {
		return nil, ErrTooLarge
	}
	if src.Len() > 0 {
		return nil, fmt.Errorf("%w: bytes after the zlib stream", ErrEncoding)
	}
	return data, nil
}
