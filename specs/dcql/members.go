package dcql

import (
	"errors"
	"fmt"
)

func asObject(what string, v any) (map[string]any, error) {
	o, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is not an object", what)
	}
	return o, nil
}

func asString(v any) (string, error) {
	s, ok := v.(string)
	if !ok || s == "" {
		return "", errors.New("not a non-empty string")
	}
	return s, nil
}

func stringMember(o map[string]any, name string, required bool) (string, error) {
	v, ok := o[name]
	if !ok {
		if required {
			return "", fmt.Errorf("%s is missing", name)
		}
		return "", nil
	}
	s, err := asString(v)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func boolMember(o map[string]any, name string) (*bool, error) {
	v, ok := o[name]
	if !ok {
		return nil, nil
	}
	b, ok := v.(bool)
	if !ok {
		return nil, fmt.Errorf("%s is not a boolean", name)
	}
	return &b, nil
}

// arrayOf reads a member that is a non-empty array: the text says so of every array in a query.
func arrayOf[T any](o map[string]any, name string, limit int, required bool, read func(any) (T, error)) ([]T, error) {
	v, ok := o[name]
	if !ok {
		if required {
			return nil, fmt.Errorf("%s is missing", name)
		}
		return nil, nil
	}
	return readArray(name, v, limit, read)
}

func readArray[T any](name string, v any, limit int, read func(any) (T, error)) ([]T, error) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("%s is not a non-empty array", name)
	}
	if len(list) > limit {
		return nil, fmt.Errorf("%s has more than %d elements", name, limit)
	}
	out := make([]T, len(list))
	for i, element := range list {
		var err error
		if out[i], err = read(element); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", name, i, err)
		}
	}
	return out, nil
}

func readStrings(v any) ([]string, error) { return readArray("type set", v, maxValues, asString) }

func readIDs(v any) ([]string, error) { return readArray("list of ids", v, maxCredentials*2, asString) }
