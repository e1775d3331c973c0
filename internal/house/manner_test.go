package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

const (
	maxFileLines     = 600 // at 400 a second look, at 600 a reason
	maxFunctionLines = 80  // at 45 a second look, at 80 a reason
)

func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		if isGenerated(s) {
			continue
		}
		if lines := bytes.Count(s.text, []byte("\n")); lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d: can a newcomer still tell which file holds a thing?", s.path, lines, maxFileLines)
		}
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil || s.test {
				continue // a table of cases may be longer
			}
			if lines := s.fset.Position(f.End()).Line - s.line(f) + 1; lines > maxFunctionLines {
				t.Errorf("%s:%d: %s has %d lines, more than %d", s.path, s.line(f), f.Name.Name, lines, maxFunctionLines)
			}
		}
	}
}

// unfinished are words of code that is not done. They are written here in halves,
// so that this file does not hold them.
var unfinished = regexp.MustCompile(`\b(` + strings.Join([]string{
	"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK",
	"(?i:not (yet )?imple" + "mented)", "(?i:for n" + "ow)", "(?i:place" + "holder)", "(?i:dummy)", "(?i:st" + "ub(bed)?)", "(?i:simpli" + "fied)",
}, "|") + `)\b`)

// private are traces of where this was made; a stranger's computer has no such
// folders, and which mirror a package came from is nobody's business.
var private = regexp.MustCompile(`(^|[\s"'(=])/(home|root|tmp|Users|wo[r]k)/[\w.-]+|"resolved": "http`)

// words finds what may not stand in a file.
func words(name string, body []byte) []finding {
	var out []finding
	for i, line := range strings.Split(string(body), "\n") {
		if m := unfinished.FindString(line); m != "" {
			out = append(out, finding{name, i + 1, fmt.Sprintf("holds %q: what is here works; what does not work is not here, or is named in specs/README.md", m)})
		}
		if m := private.FindString(line); m != "" {
			out = append(out, finding{name, i + 1, fmt.Sprintf("holds %q: that place exists on one computer only", m)})
		}
	}
	return out
}

func TestWords(t *testing.T) {
	for name, body := range files(t) {
		if strings.HasPrefix(name, "internal/house/") || path.Base(name) == "go.sum" || bytes.IndexByte(body, 0) >= 0 {
			continue
		}
		report(t, words(name, body))
	}
}

func TestWordsRefuse(t *testing.T) {
	for text, want := range map[string]int{
		"// TO" + "DO: later":           1,
		"this is not imple" + "mented":  1,
		"a method, for nowhere":         0,
		"see /home/" + "someone/x":      1,
		"see (/wo" + "rk/main)":         1,
		"stubborn":                      0,
		"the framework/worker":          0,
		`"resolved": "` + "https://x\"": 1,
	} {
		if got := words("x", []byte(text)); len(got) != want {
			t.Errorf("%q: got %v, want %d", text, got, want)
		}
	}
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	said, seen := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		seen[s.dir] = true
		if s.ast.Doc != nil && len(s.ast.Doc.Text()) > 60 {
			said[s.dir] = true
		}
	}
	for dir := range seen {
		if !said[dir] {
			t.Errorf("%s has no package comment: it says what the package is, what it is not, and which document it follows", dir)
		}
	}
}

// TestSpecsAreComplete holds each standard's folder to what the floor promises.
func TestSpecsAreComplete(t *testing.T) {
	type floor struct{ fuzz, example, tests bool }
	have := map[string]*floor{}
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.dir, "specs/") || strings.Count(s.dir, "/") > 1 {
			continue
		}
		if have[s.dir] == nil {
			have[s.dir] = &floor{}
		}
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !s.test {
				continue
			}
			name := f.Name.Name
			have[s.dir].fuzz = have[s.dir].fuzz || strings.HasPrefix(name, "Fuzz")
			have[s.dir].example = have[s.dir].example || strings.HasPrefix(name, "Example")
			have[s.dir].tests = have[s.dir].tests || strings.HasPrefix(name, "Test")
		}
	}
	all := files(t)
	for dir, f := range have {
		if _, ok := all[dir+"/README.md"]; !ok {
			t.Errorf("%s has no README.md: it names the sections that are implemented and the tests that show it", dir)
		}
		if !f.fuzz {
			t.Errorf("%s has no fuzz target: everything here reads bytes of strangers", dir)
		}
		if !f.example {
			t.Errorf("%s has no Example: the worked example of the package comment must compile", dir)
		}
		if !f.tests {
			t.Errorf("%s has no tests", dir)
		}
	}
}

// TestClientsComeFromOutbound: a second HTTP client would be a second set of rules.
func TestClientsComeFromOutbound(t *testing.T) {
	const why = "outside addresses are reached through internal/outbound only: it refuses to reach inside, bounds time and size, keeps no cookies"
	for _, s := range sources(t) {
		if s.test || s.dir == "internal/outbound" || forTests(s.dir) || s.dir == "cmd/bench" || s.path == "node/transport.go" {
			continue // a load generator; and between nodes, where each side knows the other's key, no stranger names an address
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "http" && pkg.Obj == nil {
				switch sel.Sel.Name {
				case "Client", "Transport", "DefaultClient", "DefaultTransport", "Get", "Post", "PostForm":
					t.Errorf("%s:%d: http.%s: %s", s.path, s.line(n), sel.Sel.Name, why)
				}
			}
			return true
		})
	}
}

// TestTestsDoNotSleep: outside a bubble a sleep is either too short or too long.
func TestTestsDoNotSleep(t *testing.T) {
	all, bubbles := sources(t), map[string]bool{}
	for _, s := range all {
		s.imports(func(p string, _ int) { bubbles[s.dir] = bubbles[s.dir] || p == "testing/synctest" })
	}
	for _, s := range all {
		if !s.test || bubbles[s.dir] {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
					t.Errorf("%s:%d sleeps: wait for what should happen, or use testing/synctest, where time is ours", s.path, s.line(n))
				}
			}
			return true
		})
	}
}
