package dcql

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Path is a claims path pointer (section 7): strings name a member, nil stands for every element of an array, a
// non-negative int is an index into one. ["degrees", nil, "type"] is every type in degrees.
type Path []any

// Errors of a claims path pointer.
var (
	// ErrPath: the pointer is not a non-empty array of strings, nulls and non-negative integers.
	ErrPath = errors.New("not a claims path pointer")
	// ErrNotFound: the pointer selects nothing in this credential, or meets a value of another kind on its way.
	ErrNotFound = errors.New("claims path pointer selects nothing")
)

// Selected is one claim that a path selected: where it stands (no nil in it) and its value.
type Selected struct {
	Path  Path
	Value any
}

// NewPath makes a path of a decoded JSON value: an array of strings, nulls and non-negative integers.
func NewPath(v any) (Path, error) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("%w: need a non-empty array", ErrPath)
	}
	if len(list) > maxPath {
		return nil, fmt.Errorf("%w: longer than %d", ErrPath, maxPath)
	}
	path := make(Path, len(list))
	for i, c := range list {
		switch c := c.(type) {
		case nil, string:
			path[i] = c
		case int:
			path[i] = c
		case float64:
			if c < 0 || c > math.MaxInt32 || c != math.Trunc(c) {
				return nil, fmt.Errorf("%w: component %d is not a non-negative integer", ErrPath, i)
			}
			path[i] = int(c)
		default:
			return nil, fmt.Errorf("%w: component %d is neither string, null nor number", ErrPath, i)
		}
		if n, ok := path[i].(int); ok && n < 0 {
			return nil, fmt.Errorf("%w: component %d is negative", ErrPath, i)
		}
	}
	return path, nil
}

// Select applies the pointer to the claims of a JSON-based credential (section 7.1.1) and returns what it selects, in the
// order of the document. The error is [ErrNotFound] or [ErrPath].
func (p Path) Select(root any) ([]Selected, error) {
	if len(p) == 0 {
		return nil, ErrPath
	}
	selected := []Selected{{Value: root}}
	for i, component := range p {
		var next []Selected
		for _, s := range selected {
			found, err := s.step(component)
			if err != nil {
				return nil, fmt.Errorf("%w at component %d", err, i)
			}
			next = append(next, found...)
			if len(next) > maxSelected {
				return nil, fmt.Errorf("%w: more than %d claims", ErrNotFound, maxSelected)
			}
		}
		// Section 7.1.1 step 3: an empty selection is an error; nothing can follow from it, so it is found at once.
		if len(next) == 0 {
			return nil, ErrNotFound
		}
		selected = next
	}
	return selected, nil
}

// step is section 7.1.1 steps 2.1 to 2.4 for one selected element. A missing member or index removes the element; a value
// of another kind aborts.
func (s Selected) step(component any) ([]Selected, error) {
	if name, ok := component.(string); ok {
		object, ok := s.Value.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%w: not an object", ErrNotFound)
		}
		value, ok := object[name]
		if !ok {
			return nil, nil
		}
		return []Selected{s.child(name, value)}, nil
	}
	list, ok := s.Value.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: not an array", ErrNotFound)
	}
	switch component := component.(type) {
	case nil:
		all := make([]Selected, len(list))
		for i, value := range list {
			all[i] = s.child(i, value)
		}
		return all, nil
	case int:
		if component < 0 || component >= len(list) {
			return nil, nil
		}
		return []Selected{s.child(component, list[component])}, nil
	}
	return nil, ErrPath
}

func (s Selected) child(component, value any) Selected {
	return Selected{Path: append(slices.Clip(slices.Clone(s.Path)), component), Value: value}
}

// Equal tells whether two pointers have the same components.
func (p Path) Equal(other Path) bool { return slices.Equal(p, other) }

// key is equal for equal pointers.
func (p Path) key() string {
	var b []byte
	for _, c := range p {
		switch c := c.(type) {
		case string:
			b = strconv.AppendQuote(b, c)
		case int:
			b = strconv.AppendInt(b, int64(c), 10)
		}
		b = append(b, ',')
	}
	return string(b)
}

// Covers tells whether a concrete path (without nil) lies at, above or below what the pointer selects: whether a claim at
// other is needed to show what p asks for, or is part of it.
func (p Path) Covers(other Path) bool {
	for i := range min(len(p), len(other)) {
		if p[i] == nil {
			if _, ok := other[i].(int); !ok {
				return false
			}
			continue
		}
		if p[i] != other[i] {
			return false
		}
	}
	return true
}
