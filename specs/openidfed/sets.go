package openidfed

import (
	"reflect"
	"strings"
)

// Values of policies are compared as sets where they are lists: "The order of the result
// of such an operator value merge is not defined" (6.1.3).

func isList(v any) bool {
	_, ok := v.([]any)
	return ok
}

// comparableList says whether v is a list of texts, numbers or objects, the kinds that
// operators support.
func comparableList(v any) bool {
	list, ok := v.([]any)
	if !ok || len(list) > maxEntries {
		return false
	}
	for _, e := range list {
		switch e.(type) {
		case string, float64, map[string]any:
		default:
			return false
		}
	}
	return true
}

func equal(a, b any) bool {
	x, isX := a.([]any)
	y, isY := b.([]any)
	if isX && isY {
		return subset(x, y) && subset(y, x)
	}
	return reflect.DeepEqual(a, b)
}

func contains(list []any, v any) bool {
	for _, e := range list {
		if reflect.DeepEqual(e, v) {
			return true
		}
	}
	return false
}

func subset(small, large []any) bool {
	for _, e := range small {
		if !contains(large, e) {
			return false
		}
	}
	return true
}

func union(a, b []any) []any {
	out := []any{}
	for _, list := range [][]any{a, b} {
		for _, e := range list {
			if !contains(out, e) {
				out = append(out, e)
			}
		}
	}
	return out
}

func intersection(a, b []any) []any {
	out := []any{}
	for _, e := range a {
		if contains(b, e) && !contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// operatorValue brings the value of an operator into the form it is worked with: lists
// as []any, so that policies made in Go and policies read are one, and the text of a
// scope as its words.
func operatorValue(parameter string, v any) any {
	switch v := v.(type) {
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case string:
		if parameter == scope {
			return words(v)
		}
	case int:
		return float64(v)
	}
	return v
}

func words(text string) []any {
	out := []any{}
	for _, w := range strings.Fields(text) {
		out = append(out, w)
	}
	return out
}

func sentence(list []any) string {
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}
