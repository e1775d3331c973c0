package registry

import (
	"crypto/ed25519"
	"strconv"
	"strings"
	"unicode/utf8"

	"paspoort.example/paspoort/specs/tlog"
)

// unique remembers the first name that was added twice.
type unique struct {
	names map[string]bool
	twice string
}

func (u *unique) add(names ...string) {
	if u.names == nil {
		u.names = map[string]bool{}
	}
	for _, name := range names {
		if u.names[name] && u.twice == "" {
			u.twice = name
		}
		u.names[name] = true
	}
}

// IsID says whether a text can be the id of a member or a node.
func IsID(s string) bool { return isSlug(s) }

// IsHostPort says whether a text can be where a node takes the others: host:port.
func IsHostPort(s string) bool { return isHostPort(s) }

// isSlug is the syntax of the ids of members, nodes and hobbels: 1 to 40 of a-z, 0-9 and '-',
// beginning with a letter or digit.
func isSlug(s string) bool {
	if len(s) == 0 || len(s) > 40 || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// organisationPrefix and 26 characters of base32 in lower case are an organisation's id.
const organisationPrefix = "org_"

func isOrganisation(s string) bool {
	rest, ok := strings.CutPrefix(s, organisationPrefix)
	if !ok || len(rest) != 26 {
		return false
	}
	for _, c := range []byte(rest) {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	// 128 bits fill 25.6 characters: the two low bits of the last one are zero.
	return strings.IndexByte("aeimquy4", rest[25]) >= 0
}

// checkText refuses texts that are empty, too long, padded with space or hold what does not
// show: an organisation must not be able to look like another one. The list is written out,
// since tables of Unicode change with the version of Go and every replica must agree.
func checkText(what, s string, limit int) error {
	if s == "" || len(s) > limit || strings.Trim(s, " \n\u00a0") != s || !utf8.ValidString(s) {
		return ErrBody.with("%s is empty, too long, or begins or ends with a space", what)
	}
	for _, r := range s {
		switch {
		case r == '\n':
		case r < 0x20, r >= 0x7f && r < 0xa0, r == 0xad, // control characters, soft hyphen
			r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, // invisible, direction
			r >= 0xe000 && r <= 0xf8ff, r == 0xfeff, r >= 0xfff0 && r <= 0xffff, r >= 0xe0000: // private, tags
			return ErrBody.with("%s holds a character that does not show", what)
		}
	}
	return nil
}

// isURL accepts an absolute http(s) URL in one spelling: host in lower case, no user, query,
// fragment, dot segments, empty segments or trailing slash. Whether plain http may be used is
// the reader's policy. Written out for the same reason as checkText.
func isURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	if !ok || len(s) > 500 || !isPrintableASCII(s) {
		return false
	}
	host, path, hasPath := strings.Cut(rest, "/")
	if name, port, hasPort := strings.Cut(host, ":"); !isHost(name) || hasPort && !isPort(port) {
		return false
	}
	if !hasPath {
		return true
	}
	for _, segment := range strings.Split(path, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, `?#\"<>^{|}`+"`") {
			return false
		}
	}
	return true
}

// urlHost is the host of a URL that isURL accepts, without port.
func urlHost(s string) string {
	_, rest, _ := strings.Cut(s, "://")
	host, _, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(host, ":")
	return name
}

// isHost accepts a host name or IPv4 address in lower case.
func isHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for _, label := range strings.Split(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || label[0] == '-' || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return true
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// isDID accepts the syntax of a DID (W3C DID Core 3.1) without path, query or fragment.
func isDID(s string) bool {
	parts := strings.SplitN(s, ":", 3)
	return len(s) <= 500 && len(parts) == 3 && parts[0] == "did" && isSlug(parts[1]) && parts[2] != "" &&
		isPrintableASCII(s) && !strings.ContainsAny(s, "/?#")
}

// isHostPort accepts host:port, the host being a name or an IP address (IPv6 in brackets).
func isHostPort(s string) bool {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || !isPort(s[i+1:]) {
		return false
	}
	host := s[:i]
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && inner != "" && strings.Trim(inner, "0123456789abcdef:.") == ""
	}
	return isHost(host)
}

func isPrintableASCII(s string) bool {
	for _, c := range []byte(s) {
		if c <= 0x20 || c >= 0x7f {
			return false
		}
	}
	return true
}

// isSortedSet says whether list is in ascending order without repetition: one set, one text.
func isSortedSet(list []string) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1] >= list[i] {
			return false
		}
	}
	return true
}

// isEd25519 says whether s is a usable Ed25519 public key in base64url: 32 bytes, and none of
// the points of small order that verify anything.
func isEd25519(s string) bool {
	raw, err := decode64(s, 32)
	if err != nil {
		return false
	}
	_, err = tlog.NewVerifierKey("check.example", tlog.TypeLog, ed25519.PublicKey(raw))
	return err == nil
}
