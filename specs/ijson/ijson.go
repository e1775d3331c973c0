package ijson

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What [Unmarshal] accepts at most. [Limits] can only lower the depth; the size may
// be raised by a caller that knows why (a status list of millions of entries).
const (
	MaxDepth = 64       // nested objects and arrays
	MaxBytes = 16 << 20 // bytes of JSON text

	// MaxInteger is the largest integer that every reader understands alike
	// (RFC 7493 2.2); the smallest is its negative.
	MaxInteger = 1<<53 - 1
)

// Why a text was refused. The error returned wraps exactly one of them.
var (
	ErrSyntax    = errors.New("not a JSON text")                   // grammar, UTF-8, trailing bytes
	ErrDuplicate = errors.New("member name occurs twice")          // RFC 7493 2.3
	ErrDepth     = errors.New("nested too deep")                   // beyond the depth limit
	ErrSize      = errors.New("text too long")                     // beyond the size limit
	ErrNumber    = errors.New("number beyond what I-JSON carries") // RFC 7493 2.2
	ErrType      = errors.New("value does not fit")                // JSON fine, Go type differs
)

// Limits narrow what is read. The zero value stands for [MaxDepth] and [MaxBytes].
type Limits struct {
	Depth int // nested objects and arrays; at most MaxDepth
	Bytes int // length of the text
}

// Unmarshal decodes one JSON text into v under the rules of the package. On error
// the contents of v are not to be used.
func Unmarshal(data []byte, v any) error {
	return Limits{}.Unmarshal(data, v)
}

// UnmarshalClosed is [Unmarshal] that also refuses members that v has no field for
// ([ErrType]): for our own formats, where an unknown member is a newer version.
func UnmarshalClosed(data []byte, v any) error {
	return Limits{}.unmarshal(data, v, json.RejectUnknownMembers(true))
}

// Unmarshal is the package's Unmarshal under these limits.
func (l Limits) Unmarshal(data []byte, v any) error {
	return l.unmarshal(data, v)
}

func (l Limits) unmarshal(data []byte, v any, opts ...json.Options) error {
	if err := l.check(data); err != nil {
		return err
	}
	switch v := v.(type) {
	case *any:
		if err := json.Unmarshal(data, v, opts...); err != nil {
			return translate(err)
		}
		return checkNumbers(*v)
	case *map[string]any:
		return l.unmarshalObject(data, v, opts)
	default:
		opts = append(opts, checkedAny)
		return translate(json.Unmarshal(data, v, opts...))
	}
}

// unmarshalObject decodes by way of any, for which the library has a quicker way than for
// a map. The value null gives a nil map.
func (l Limits) unmarshalObject(data []byte, v *map[string]any, opts []json.Options) error {
	var got any
	if err := json.Unmarshal(data, &got, opts...); err != nil {
		return translate(err)
	}
	object, ok := got.(map[string]any)
	if !ok && got != nil {
		return &typeError{text: ErrType.Error() + ": not an object"}
	}
	*v = object
	return checkNumbers(got)
}

// check looks at size and depth before anything is decoded.
func (l Limits) check(data []byte) error {
	size, depth := l.Bytes, l.Depth
	if size <= 0 {
		size = MaxBytes
	}
	if depth <= 0 || depth > MaxDepth {
		depth = MaxDepth
	}
	if len(data) > size {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrSize, len(data), size)
	}
	// No text is deeper than it has opening brackets, and few have more than
	// the limit: only those are walked.
	if bytes.Count(data, []byte{'{'})+bytes.Count(data, []byte{'['}) <= depth {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	for {
		if _, err := dec.ReadToken(); err == io.EOF {
			return nil
		} else if err != nil {
			return translate(err)
		}
		if dec.StackDepth() > depth {
			return fmt.Errorf("%w: more than %d levels", ErrDepth, depth)
		}
	}
}

// checkedAny holds the numbers inside values of type any to [MaxInteger].
var checkedAny = json.WithUnmarshalers(json.UnmarshalFromFunc(
	func(dec *jsontext.Decoder, v *any) error {
		if err := json.UnmarshalDecode(dec, v, plain); err != nil {
			return err
		}
		return checkNumbers(*v)
	}))

// plain stands for "no unmarshalers": inside checkedAny it stops the recursion and
// lets the library take its quick way through values of type any.
var plain = json.WithUnmarshalers(json.UnmarshalFromFunc(
	func(*jsontext.Decoder, *struct{ unused struct{} }) error { return errors.ErrUnsupported }))

// checkNumbers refuses numbers beyond ±(2^53-1) anywhere in v. From 2^53 on every
// float64 is an integer, so this covers large integers and large exponents alike.
func checkNumbers(v any) error {
	switch v := v.(type) {
	case float64:
		if v > MaxInteger || v < -MaxInteger {
			return ErrNumber
		}
	case []any:
		for _, e := range v {
			if err := checkNumbers(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, e := range v {
			if err := checkNumbers(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// translate turns the library's errors into ours. The text of the library is left
// out: it quotes names and values from the input, which may be personal.
func translate(err error) error {
	var syntactic *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNumber):
		return ErrNumber
	case errors.Is(err, jsontext.ErrDuplicateName):
		return ErrDuplicate
	case errors.As(err, &syntactic):
		return fmt.Errorf("%w: at byte %d", ErrSyntax, syntactic.ByteOffset)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it ends early", ErrSyntax)
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return &typeError{
			text:  fmt.Sprintf("%v: %v at byte %d, wanted %v", ErrType, semantic.JSONKind, semantic.ByteOffset, semantic.GoType),
			cause: semantic.Err,
		}
	}
	return &typeError{text: ErrType.Error(), cause: err}
}

// typeError is an [ErrType] that lets a caller find the cause with errors.Is and
// keeps its text to itself.
type typeError struct {
	text  string
	cause error
}

func (e *typeError) Error() string { return e.text }

func (e *typeError) Unwrap() []error {
	if e.cause == nil {
		return []error{ErrType}
	}
	return []error{ErrType, e.cause}
}
