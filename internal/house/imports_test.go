package house

import (
	"slices"
	"strings"
	"testing"
)

var roles = []string{"node", "issuer", "verifier", "wallet"}

// layer is the first folder of a path inside the module.
func layer(p string) string {
	first, _, _ := strings.Cut(p, "/")
	return first
}

// forTests says whether a folder holds what only tests use: its name ends in test, or
// it stands here.
func forTests(dir string) bool {
	return strings.HasSuffix(dir, "test") || dir == "internal/testkit" || dir == "internal/interop"
}

// arrow says why a file of one folder may not import another, or "".
func arrow(from, to string, test bool) string {
	f, t := layer(from), layer(to)
	switch {
	case slices.Contains(roles, f) && slices.Contains(roles, t) && f != t:
		return "a role never imports another: two roles meet through a protocol package in specs, so that someone else's program can take any role's place"
	case f == "specs" && test && to == "internal/testkit":
		return ""
	case f == "specs" && t != "specs":
		return "specs is the ground floor and imports nothing above it (its tests may use internal/testkit), so that each standard stands on its own"
	case f == "internal" && t != "internal" && t != "specs":
		return "internal is plumbing that knows no role, so it imports specs and internal only"
	case slices.Contains(roles, f) && t == "cmd":
		return "nothing points up: cmd wires the roles, not the other way round"
	case to == "internal/testkit" && !test && !forTests(from):
		return "testkit is for tests; a program that uses it would carry deterministic randomness"
	}
	return ""
}

func TestArrows(t *testing.T) {
	for _, s := range sources(t) {
		s.imports(func(p string, line int) {
			to, ours := strings.CutPrefix(p, module)
			if !ours {
				return
			}
			if why := arrow(s.dir, to, s.test); why != "" {
				t.Errorf("%s:%d imports %s: %s", s.path, line, to, why)
			}
		})
	}
}

// border is a library that stays behind one folder.
var borders = []struct {
	library, folder, why string
	tests                bool // tests may import it anywhere
}{
	{"github.com/lestrrat-go/", "specs/jose", "jwx is the only door to JOSE and end of life upstream: moving off it must be a change in one package", false},
	{"github.com/dgraph-io/", "internal/kv", "Badger stays behind the key-value contract, so that the same state can later be fed by raft", false},
	{"github.com/hashicorp/raft", "node", "raft orders events and nothing else; what it replicates is decided in specs/registry", false},
	{"github.com/chromedp/", "internal/page/pagetest", "the browser is for looking at pages, not part of the product", true},
	{"github.com/spf13/cobra", "cmd/paspoort", "only the command line knows flags", false},
}

func TestBorders(t *testing.T) {
	for _, s := range sources(t) {
		s.imports(func(p string, line int) {
			for _, b := range borders {
				inside := s.dir == b.folder || strings.HasPrefix(s.dir, b.folder+"/")
				if strings.HasPrefix(p, b.library) && !inside && !(s.test && b.tests) {
					t.Errorf("%s:%d imports %s, which stays in %s: %s", s.path, line, p, b.folder, b.why)
				}
			}
			if strings.HasPrefix(p, "github.com/stretchr/testify") {
				t.Errorf("%s:%d imports %s: tests compare got with want and need no assertion library", s.path, line, p)
			}
		})
	}
}

// TestArrowsRefuse is the control: planted imports are refused, good ones pass.
func TestArrowsRefuse(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		test, ok bool
	}{
		{"issuer", "wallet", false, false},
		{"issuer", "wallet", true, false},
		{"issuer/pages", "issuer", false, true},
		{"specs/jose", "internal/kv", false, false},
		{"specs/jose", "internal/testkit", true, true},
		{"specs/jose", "internal/testkit", false, false},
		{"specs/sdjwt", "specs/jose", false, true},
		{"internal/web", "node", false, false},
		{"internal/evidence", "specs/registry", false, true},
		{"node", "cmd/paspoort", false, false},
		{"node", "internal/testkit", false, false},
		{"cmd/paspoort", "wallet", false, true},
		{"cmd/paspoort", "node", true, true},
	} {
		if got := arrow(tt.from, tt.to, tt.test) == ""; got != tt.ok {
			t.Errorf("%s -> %s (test %v): got allowed %v, want %v", tt.from, tt.to, tt.test, got, tt.ok)
		}
	}
}
