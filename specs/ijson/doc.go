// Package ijson reads and writes JSON that has one meaning only: I-JSON (RFC
// 7493) with the canonical form of RFC 8785 (JCS).
//
// Every JSON text that comes from outside passes through [Unmarshal], because a
// signature is worth nothing when two parsers read two things in the signed
// bytes. Refused are:
//
//   - an object with two members of the same name (RFC 7493 2.3);
//   - bytes that are not UTF-8, and lone surrogates in escapes (RFC 7493 2.1);
//   - anything behind the value but white space (RFC 8259 2);
//   - nesting deeper than [MaxDepth] and texts longer than [MaxBytes];
//   - numbers beyond ±(2^53-1), where they are decoded to a value of type any
//     (RFC 7493 2.2): two readers may otherwise see two numbers;
//   - a member whose name differs from a struct field only in upper or lower
//     case: it is an unknown member, never that field.
//
// Unknown members are ignored, as most standards demand; [UnmarshalClosed]
// refuses them.
//
// Values decoded to any are map[string]any, []any, string, float64, bool and nil.
// Struct tags are those of encoding/json/v2: `omitempty` leaves out a member that
// encodes as "", {}, [] or null; `omitzero` leaves out the zero value of Go.
//
// The package is not a JSON library of its own: the work is done by
// github.com/go-json-experiment/json, whose types do not appear outside.
package ijson
