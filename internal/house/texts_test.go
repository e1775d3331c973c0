package house

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go/ast"
)

var (
	testName = regexp.MustCompile("`((?:[a-z0-9]+\\.)?(?:Test|Fuzz|Benchmark)[A-Z0-9][A-Za-z0-9_]*)(\\.\\.\\.)?`")
	mdLink   = regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)
)

// namedTests gives the tests that a text names, with or without their package;
// a name that ends in three dots stands for all that begin with it.
func namedTests(text string) (names []string) {
	for _, m := range testName.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1]+m[2])
	}
	return names
}

// TestTextsNameRealTests: a table that says which test shows what is worth
// nothing once the test has another name.
func TestTextsNameRealTests(t *testing.T) {
	var have []string
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil {
				have = append(have, f.Name.Name, path.Base(s.dir)+"."+f.Name.Name)
			}
		}
	}
	named := 0
	for name, body := range files(t) {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, test := range namedTests(string(body)) {
			named++
			prefix, open := strings.CutSuffix(test, "...")
			if !slices.ContainsFunc(have, func(h string) bool { return h == test || open && strings.HasPrefix(h, prefix) }) {
				t.Errorf("%s names %s, which is no test: a reader who looks for the proof finds nothing", name, test)
			}
		}
	}
	if named == 0 {
		t.Error("no text names a test: the search is broken")
	}
}

// TestTextsLinkToFiles: links inside the tree lead somewhere.
func TestTextsLinkToFiles(t *testing.T) {
	all := files(t)
	for name, body := range all {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, m := range mdLink.FindAllStringSubmatch(string(body), -1) {
			target := path.Join(path.Dir(name), m[1])
			_, isFile := all[target]
			isDir := false
			for other := range all {
				isDir = isDir || strings.HasPrefix(other, strings.TrimSuffix(target, "/")+"/")
			}
			if !isFile && !isDir {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
	}
}

// TestNamedTestsAreFound is the control of the search.
func TestNamedTestsAreFound(t *testing.T) {
	got := namedTests("see `TestOne` and `jose.FuzzTwo`, `TestRulesOf...`, TestPlain and `testing`")
	if want := []string{"TestOne", "jose.FuzzTwo", "TestRulesOf..."}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
