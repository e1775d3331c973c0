package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"paspoort.example/paspoort/internal/testkit"
)

const module = "paspoort.example/paspoort/"

// source is one parsed Go file.
type source struct {
	path string // from the root, with slashes: specs/jose/jws.go
	dir  string
	test bool
	ast  *ast.File
	fset *token.FileSet
	text []byte
}

func (s *source) line(n ast.Node) int { return s.fset.Position(n.Pos()).Line }

// imports calls fn with each import path.
func (s *source) imports(fn func(path string, line int)) {
	for _, i := range s.ast.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		fn(p, s.line(i))
	}
}

// files gives every file of the project by its path from the root, without what
// is generated or fetched.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	all, err := readTree(testkit.Root(t))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The tree is read and parsed once for all tests.
var (
	treeOnce struct {
		sync.Once
		files map[string][]byte
		err   error
	}
	sourcesOnce struct {
		sync.Once
		list []*source
	}
)

func readTree(root string) (map[string][]byte, error) {
	treeOnce.Do(func() { treeOnce.files, treeOnce.err = walkTree(root) })
	return treeOnce.files, treeOnce.err
}

func walkTree(root string) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case ".git", "build", "node_modules", ".paspoort":
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(file)
		out[filepath.ToSlash(rel)] = body
		return err
	})
	return out, err
}

func sources(t *testing.T) []*source {
	t.Helper()
	all := files(t)
	sourcesOnce.Do(func() {
		for name, body := range all {
			if strings.HasSuffix(name, ".go") {
				sourcesOnce.list = append(sourcesOnce.list, parseSource(t, name, string(body)))
			}
		}
	})
	if len(sourcesOnce.list) < 20 {
		t.Fatalf("got %d Go files: the tree was not found", len(sourcesOnce.list))
	}
	return sourcesOnce.list
}

func parseSource(t *testing.T, name, text string) *source {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return &source{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), f, fset, []byte(text)}
}

// finding is a broken rule.
type finding struct {
	path string
	line int
	why  string
}

func report(t *testing.T, found []finding) {
	t.Helper()
	for _, f := range found {
		t.Errorf("%s:%d: %s", f.path, f.line, f.why)
	}
}

func isGenerated(s *source) bool { return ast.IsGenerated(s.ast) }
