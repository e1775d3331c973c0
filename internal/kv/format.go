package kv

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrFormat: a store or a value was written in a format that this program does not
// read.
var ErrFormat = errors.New("kv: unknown format")

// formatKey holds what the store is; it sorts before every printable key.
const formatKey = "\x00format"

type format struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

// CheckFormat says what the store is: an empty one is marked with name and version,
// a marked one must agree. ErrFormat otherwise: starting on the files of another
// role, or of a newer program, would damage them.
func CheckFormat(s Store, name string, version int) error {
	want := format{name, version}
	return s.Update(func(tx Tx) error {
		raw, err := tx.Get([]byte(formatKey))
		if errors.Is(err, ErrNotFound) {
			return markFormat(tx, want)
		}
		if err != nil {
			return err
		}
		var got format
		if err := json.Unmarshal(raw, &got); err != nil {
			return fmt.Errorf("%w: the mark of the store does not parse: %w", ErrFormat, err)
		}
		if got != want {
			return fmt.Errorf("%w: the store holds %s format %d, this program reads %s format %d",
				ErrFormat, got.Name, got.Version, want.Name, want.Version)
		}
		return nil
	})
}

func markFormat(tx Tx, want format) error {
	empty := true
	err := tx.Scan(nil, func(_, _ []byte) error {
		empty = false
		return ErrStop
	})
	if err != nil {
		return err
	}
	if !empty {
		return fmt.Errorf("%w: the store has contents but does not say what it is", ErrFormat)
	}
	raw, err := json.Marshal(want)
	if err != nil {
		return err
	}
	return tx.Set([]byte(formatKey), raw)
}

// Value puts a format version before a body. Version 0 is not used, so that a
// value of zero bytes never passes for one.
func Value(version byte, body []byte) []byte {
	return append([]byte{version}, body...)
}

// Body takes the format version off a stored value. ErrFormat when there is none.
func Body(value []byte) (version byte, body []byte, err error) {
	if len(value) == 0 || value[0] == 0 {
		return 0, nil, fmt.Errorf("%w: the value does not start with a version", ErrFormat)
	}
	return value[0], value[1:], nil
}

// PutJSON stores v as JSON in format version.
func PutJSON(tx Tx, key []byte, version byte, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("kv: %w", err)
	}
	return tx.Set(key, Value(version, body))
}

// GetJSON reads what PutJSON stored. ErrNotFound when absent, ErrFormat when the
// value has another version.
func GetJSON(tx Tx, key []byte, version byte, v any) error {
	raw, err := tx.Get(key)
	if err != nil {
		return err
	}
	return DecodeJSON(raw, version, v)
}

// DecodeJSON decodes one value that PutJSON stored, as Scan hands it.
func DecodeJSON(value []byte, version byte, v any) error {
	got, body, err := Body(value)
	if err != nil {
		return err
	}
	if got != version {
		return fmt.Errorf("%w: the value has format %d, this program reads %d", ErrFormat, got, version)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return nil
}
