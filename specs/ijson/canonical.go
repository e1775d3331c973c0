package ijson

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Marshal encodes v with the members of maps in the order of their names, so that
// equal values give equal bytes. It is not the canonical form: see [Canonical].
func Marshal(v any) ([]byte, error) {
	out, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode json: %w", err)
	}
	return out, nil
}

// AppendString appends s as a JSON string to dst, for code that writes JSON piece by
// piece. It refuses what is not UTF-8.
func AppendString(dst []byte, s string) ([]byte, error) {
	dst, err := jsontext.AppendQuote(dst, s)
	if err != nil {
		return nil, translate(err)
	}
	return dst, nil
}

// Appender is implemented by values that write their own JSON, the same as their
// MarshalJSON gives.
type Appender interface {
	AppendJSON(dst []byte) ([]byte, error)
}

// AppendValue appends v as JSON to dst, as [Marshal] writes it; the values that are met
// most (strings, booleans, null, whole numbers and Appenders) without a detour.
func AppendValue(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		return AppendString(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case Appender:
		return v.AppendJSON(dst)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= MaxInteger && (v != 0 || !math.Signbit(v)) {
			return strconv.AppendInt(dst, int64(v), 10), nil
		}
	}
	raw, err := Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(dst, raw...), nil
}

// Canonical encodes v in the canonical form of RFC 8785: no white space, members
// ordered by UTF-16 code units, numbers as ECMAScript writes them. Numbers beyond
// ±(2^53-1) are refused with [ErrNumber] instead of being rounded.
func Canonical(v any) ([]byte, error) {
	raw, err := Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(raw) <= MaxBytes && isPlain(raw) {
		return raw, nil
	}
	return CanonicalBytes(raw)
}

// CanonicalBytes brings a JSON text into the canonical form of RFC 8785. The text
// is held to the same rules as in [Unmarshal], numbers included.
func CanonicalBytes(raw []byte) ([]byte, error) {
	if err := (Limits{}).check(raw); err != nil {
		return nil, err
	}
	if err := checkNumberTokens(raw); err != nil {
		return nil, err
	}
	out := jsontext.Value(bytes.Clone(raw))
	if err := out.Canonicalize(); err != nil {
		return nil, translate(err)
	}
	return out, nil
}

// IsCanonical says whether raw is a JSON text in canonical form already.
func IsCanonical(raw []byte) bool {
	c, err := CanonicalBytes(raw)
	return err == nil && bytes.Equal(c, raw)
}

func checkNumberTokens(raw []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	for {
		tok, err := dec.ReadToken()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return translate(err)
		}
		if tok.Kind() != '0' {
			continue
		}
		// RFC 8785 3.2.2.3: numbers are IEEE 754 doubles; NaN and Infinity
		// are errors. A double beyond 2^53-1 may stand for several integers.
		f, err := strconv.ParseFloat(tok.String(), 64)
		if err != nil || math.Abs(f) > MaxInteger {
			return ErrNumber
		}
	}
}
