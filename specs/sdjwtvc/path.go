package sdjwtvc

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/sdjwt"
)

// ErrPath: a claims path is malformed, or meets an array where it wants an object
// or the other way round (4.6.1.2).
var ErrPath = errors.New("claims path does not fit")

// A Path is a claims path (4.6.1): a string for a member, nil for all elements of
// an array, an int for one element.
type Path []any

// maxPath bounds the components of a path.
const maxPath = 64

// UnmarshalJSON reads "a non-empty array of strings, null values, or non-negative
// integers".
func (p *Path) UnmarshalJSON(raw []byte) error {
	var in []any
	if err := ijson.Unmarshal(raw, &in); err != nil {
		return err
	}
	if len(in) == 0 || len(in) > maxPath {
		return fmt.Errorf("%w: %d components", ErrPath, len(in))
	}
	out := make(Path, len(in))
	for i, c := range in {
		switch c := c.(type) {
		case nil, string:
			out[i] = c
		case float64:
			if c < 0 || c != math.Trunc(c) || c > math.MaxInt32 {
				return fmt.Errorf("%w: component %d", ErrPath, i)
			}
			out[i] = int(c)
		default:
			return fmt.Errorf("%w: component %d", ErrPath, i)
		}
	}
	*p = out
	return nil
}

// key is a text that is equal for equal paths.
func (p Path) key() string {
	raw, _ := json.Marshal([]any(p)) // strings, nil and ints always encode
	return string(raw)
}

// Select processes p over a credential as issued (4.6.1.2, and 4.6 for what is
// not disclosed). It returns the places selected, hidden elements among them, and
// whether something not disclosed could have been selected as well. Error:
// ErrPath, when a component meets a value of the wrong kind.
func (p Path) Select(root *sdjwt.Node) (selected []*sdjwt.Node, open bool, err error) {
	selected = []*sdjwt.Node{root}
	for i, component := range p {
		var next []*sdjwt.Node
		for _, n := range selected {
			if n.Hidden {
				// "its contents are unknown, so any deeper path components select no claims"
				open = true
				continue
			}
			switch c := component.(type) {
			case string:
				if n.Members == nil {
					return nil, false, fmt.Errorf("%w: component %d wants an object", ErrPath, i)
				}
				if m, ok := n.Members[c]; ok {
					next = append(next, m)
				} else if n.HiddenMembers > 0 {
					open = true
				}
			case nil:
				if n.Elements == nil {
					return nil, false, fmt.Errorf("%w: component %d wants an array", ErrPath, i)
				}
				next = append(next, n.Elements...)
			case int:
				if n.Elements == nil {
					return nil, false, fmt.Errorf("%w: component %d wants an array", ErrPath, i)
				}
				if c < len(n.Elements) {
					next = append(next, n.Elements[c])
				}
			}
		}
		selected = next
	}
	return selected, open, nil
}
