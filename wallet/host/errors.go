package host

import (
	"fmt"
	"strings"
)

// errorKinds names the types in an error, for the log. Its text stays out: it may repeat
// what somebody typed, or what a stranger's server answered.
func errorKinds(err error) string {
	var kinds []string
	seen := map[string]bool{}
	var walk func(error)
	walk = func(err error) {
		if err == nil || len(kinds) > 8 {
			return
		}
		kind := fmt.Sprintf("%T", err)
		switch inner := err.(type) {
		case interface{ Unwrap() error }:
			walk(inner.Unwrap())
		case interface{ Unwrap() []error }:
			for _, e := range inner.Unwrap() {
				walk(e)
			}
		default:
			if kind == "*errors.errorString" { // a sentinel of ours or of a library: a constant
				kind = err.Error()
			}
		}
		if !seen[kind] && kind != "*fmt.wrapError" && kind != "*fmt.wrapErrors" && kind != "*errors.joinError" {
			seen[kind] = true
			kinds = append(kinds, kind)
		}
	}
	walk(err)
	return strings.Join(kinds, ", ")
}
