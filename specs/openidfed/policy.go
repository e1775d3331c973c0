package openidfed

import (
	"fmt"
	"maps"
	"slices"
)

// Policy is the value of metadata_policy (6.1.2): Entity Type, then parameter, then
// operators. The standard operators are understood (6.1.3.1); others are ignored, as
// 6.1.3.2 demands of operators that are not critical.
type Policy map[string]map[string]ParameterPolicy

// ParameterPolicy holds the operators for one metadata parameter by name.
type ParameterPolicy map[string]any

// operators in the order of application (6.1.3.1).
func operators() []string {
	return []string{"value", "add", "default", "one_of", "subset_of", "superset_of", "essential"}
}

// scope is a string of words that operators treat as a list (6.1.3.1.8).
const scope = "scope"

// parsePolicy reads the claim and checks every combination.
func parsePolicy(raw map[string]any) (Policy, error) {
	out := make(Policy, len(raw))
	for t, v := range raw {
		params, ok := v.(map[string]any)
		if !ok || len(params) > maxEntries {
			return nil, fmt.Errorf("%w: %s is no object", ErrPolicy, t)
		}
		out[t] = make(map[string]ParameterPolicy, len(params))
		for name, v := range params {
			ops, ok := v.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%w: %s.%s is no object", ErrPolicy, t, name)
			}
			out[t][name] = ops
		}
	}
	return out.checked()
}

// checked is a copy without operators that are not understood, every parameter of which
// has values and combinations that the operators allow.
func (p Policy) checked() (Policy, error) {
	out := make(Policy, len(p))
	for t, params := range p {
		out[t] = make(map[string]ParameterPolicy, len(params))
		for name, ops := range params {
			known := ParameterPolicy{}
			for op, v := range ops {
				if slices.Contains(operators(), op) {
					known[op] = operatorValue(name, v)
				}
			}
			if err := known.check(); err != nil {
				return nil, fmt.Errorf("%w: %s.%s: %s", ErrPolicy, t, name, err.Error())
			}
			out[t][name] = known
		}
	}
	return out, nil
}

// MergePolicies merges the policy of a subordinate into that of its superior (6.1.4.1);
// either may be nil. A merge can only narrow. Errors wrap [ErrPolicy].
func MergePolicies(superior, subordinate Policy) (Policy, error) {
	out, err := superior.checked()
	if err != nil {
		return nil, err
	}
	next, err := subordinate.checked()
	if err != nil {
		return nil, err
	}
	for t, params := range next {
		if out[t] == nil {
			out[t] = params
			continue
		}
		for name, ops := range params {
			current := out[t][name]
			if current == nil {
				out[t][name] = ops
				continue
			}
			merged, err := current.merge(ops)
			if err != nil {
				return nil, fmt.Errorf("%w: %s.%s: %s", ErrPolicy, t, name, err.Error())
			}
			out[t][name] = merged
		}
	}
	return out, nil
}

func (p ParameterPolicy) merge(next ParameterPolicy) (ParameterPolicy, error) {
	out := maps.Clone(p)
	for op, b := range next {
		a, both := out[op]
		if !both {
			out[op] = b
			continue
		}
		switch op {
		case "value", "default": // "The operator values MUST be equal."
			if !equal(a, b) {
				return nil, fmt.Errorf("%s is set twice, differently", op)
			}
		case "add", "superset_of":
			out[op] = union(a.([]any), b.([]any))
		case "one_of":
			both := intersection(a.([]any), b.([]any))
			if len(both) == 0 { // "If the intersection is empty, this MUST result in a policy error."
				return nil, fmt.Errorf("nothing is left of one_of")
			}
			out[op] = both
		case "subset_of": // the intersection may be empty
			out[op] = intersection(a.([]any), b.([]any))
		case "essential":
			out[op] = a.(bool) || b.(bool)
		}
	}
	return out, out.check()
}

// check holds the operators of one parameter to the types of 6.1.3.1 and to the
// combinations that each allows.
func (p ParameterPolicy) check() error {
	for _, op := range []string{"add", "one_of", "subset_of", "superset_of"} {
		if v, ok := p[op]; ok && !comparableList(v) {
			return fmt.Errorf("%s is no list of texts, numbers or objects", op)
		}
	}
	if v, ok := p["essential"]; ok {
		if _, is := v.(bool); !is {
			return fmt.Errorf("essential is neither true nor false")
		}
	}
	if v, ok := p["default"]; ok && v == nil {
		return fmt.Errorf("default is null")
	}
	if err := p.checkValue(); err != nil {
		return err
	}
	_, oneOf := p["one_of"]
	for _, op := range []string{"add", "subset_of", "superset_of"} {
		if _, ok := p[op]; ok && oneOf {
			return fmt.Errorf("one_of does not go with %s", op)
		}
	}
	if !p.within("add", "subset_of") {
		return fmt.Errorf("add goes beyond subset_of")
	}
	if !p.within("superset_of", "subset_of") {
		return fmt.Errorf("superset_of goes beyond subset_of")
	}
	return nil
}

// checkValue checks what value may be combined with (6.1.3.1.1).
func (p ParameterPolicy) checkValue() error {
	value, ok := p["value"]
	if !ok {
		return nil
	}
	if _, defaulted := p["default"]; value == nil && defaulted {
		return fmt.Errorf("value null does not go with default")
	}
	if value == nil && p["essential"] == true {
		return fmt.Errorf("value null does not go with essential")
	}
	if list, ok := p["one_of"].([]any); ok && !contains(list, value) {
		return fmt.Errorf("value is not in one_of")
	}
	for _, op := range []string{"add", "subset_of", "superset_of"} {
		if _, ok := p[op]; ok && !isList(value) {
			return fmt.Errorf("value is no list and does not go with %s", op)
		}
	}
	if !p.within("add", "value") || !p.within("value", "subset_of") || !p.within("superset_of", "value") {
		return fmt.Errorf("value contradicts add, subset_of or superset_of")
	}
	return nil
}

// within says whether the values of operator a are a subset of those of b, where both
// are lists.
func (p ParameterPolicy) within(a, b string) bool {
	small, ok := p[a].([]any)
	if !ok {
		return true
	}
	large, ok := p[b].([]any)
	return !ok || subset(small, large)
}

// apply applies the resolved policy to metadata in place (6.1.4.2). A type that the
// subject does not have stays absent.
func (p Policy) apply(m Metadata) error {
	for t, params := range p {
		if _, present := m[t]; !present {
			continue
		}
		for name, ops := range params {
			v, present := m[t][name]
			if text, is := v.(string); is && name == scope {
				v = words(text)
			}
			v, present, err := ops.apply(v, present)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", t, name, err)
			}
			if !present {
				delete(m[t], name)
				continue
			}
			if list, is := v.([]any); is && name == scope {
				v = sentence(list)
			}
			m[t][name] = v
		}
	}
	return nil
}

// Apply is a copy of metadata with a policy applied. Errors wrap [ErrMetadata] when the
// metadata does not comply, and [ErrPolicy] when the policy cannot be applied at all.
func (p Policy) Apply(m Metadata) (Metadata, error) {
	checked, err := p.checked()
	if err != nil {
		return nil, err
	}
	out := m.clone()
	return out, checked.apply(out)
}

// apply runs the operators in their order on one parameter.
func (p ParameterPolicy) apply(v any, present bool) (any, bool, error) {
	for _, op := range operators() {
		with, ok := p[op]
		if !ok {
			continue
		}
		switch op {
		case "value":
			v, present = with, with != nil // null removes
			continue
		case "default":
			if !present {
				v, present = with, true
			}
			continue
		case "add":
			if !present {
				v, present = with, true
				continue
			}
		case "essential":
			if with == true && !present {
				return nil, false, fmt.Errorf("%w: it is essential and absent", ErrMetadata)
			}
			continue
		}
		if !present { // one_of, subset_of, superset_of: "If the metadata parameter is present"
			continue
		}
		var err error
		if v, err = applyList(op, with.([]any), v); err != nil {
			return nil, false, err
		}
	}
	return v, present, nil
}

// applyList is an operator with a list on a parameter that is present.
func applyList(op string, with []any, v any) (any, error) {
	if op == "one_of" {
		switch v.(type) {
		case string, float64, map[string]any:
		default:
			return nil, fmt.Errorf("%w: one_of on a value that is no text, number or object", ErrPolicy)
		}
		if !contains(with, v) {
			return nil, fmt.Errorf("%w: not one_of the values allowed", ErrMetadata)
		}
		return v, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: %s on a value that is no list", ErrPolicy, op)
	}
	switch op {
	case "add":
		return union(list, with), nil
	case "subset_of":
		return intersection(list, with), nil
	default:
		if !subset(with, list) {
			return nil, fmt.Errorf("%w: not a superset_of the values demanded", ErrMetadata)
		}
		return list, nil
	}
}
