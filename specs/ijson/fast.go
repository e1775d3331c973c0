package ijson

import "bytes"

// isPlain says whether a JSON text that is known to be valid is its own canonical form, as far
// as that can be seen in one quick pass: no white space, no escapes, whole numbers that every
// reader has exactly, and members in order with names in ASCII. False means "look closer".
func isPlain(raw []byte) bool {
	var last [MaxDepth + 1][]byte // the name of the last member, for each level
	var object [MaxDepth + 1]bool
	depth, name := 0, false // name: a string that comes now is one
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '"':
			end := plainString(raw, i+1, name)
			if end < 0 {
				return false
			}
			if name {
				if last[depth] != nil && bytes.Compare(last[depth], raw[i+1:end]) >= 0 {
					return false
				}
				last[depth], name = raw[i+1:end], false
			}
			i = end + 1
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return false
			}
			last[depth], object[depth], name = nil, c == '{', c == '{'
			i++
		case c == '}' || c == ']':
			depth--
			name = false
			i++
		case c == ',':
			name = object[depth]
			i++
		case c == ':':
			i++
		case c == '-' || '0' <= c && c <= '9':
			if i = plainNumber(raw, i); i < 0 {
				return false
			}
		case 'a' <= c && c <= 'z': // true, false, null
			i++
		default:
			return false
		}
	}
	return true
}

// plainString gives where a string without escapes ends, or -1. The order of names beyond ASCII
// is by UTF-16, which is not the order of their bytes.
func plainString(raw []byte, from int, ascii bool) int {
	n := bytes.IndexByte(raw[from:], '"')
	if n < 0 {
		return -1
	}
	text := raw[from : from+n]
	if bytes.IndexByte(text, '\\') >= 0 {
		return -1
	}
	for _, c := range text {
		if ascii && c >= 0x80 {
			return -1
		}
	}
	return from + n
}

// plainNumber gives where a whole number of at most 15 digits ends, or -1.
func plainNumber(raw []byte, i int) int {
	start := i
	if raw[i] == '-' {
		start++
	}
	for i = start; i < len(raw) && '0' <= raw[i] && raw[i] <= '9'; {
		i++
	}
	switch n := i - start; {
	case n == 0 || n > 15, raw[start] == '0' && (n > 1 || start > 0 && raw[start-1] == '-'):
		return -1
	case i < len(raw) && (raw[i] == '.' || raw[i] == 'e' || raw[i] == 'E'):
		return -1
	}
	return i
}
