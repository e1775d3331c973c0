package testkit

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Folder is one folder of published test vectors. It is a file system rooted at
// that folder, and knows its path for the few readers that need one.
type Folder struct {
	fs.FS
	Path string
}

// Vectors opens the folder sub of the published test vectors. They are read where
// they are and never copied into this tree: the folder stands in the environment
// as PASPOORT_VECTORS, or beside the project as ../shared/vectors. Without it the
// test is skipped with a sentence; when CI=true it fails, because a run that
// proves nothing must not look green.
func Vectors(t testing.TB, sub string) Folder {
	t.Helper()
	root := os.Getenv("PASPOORT_VECTORS")
	if root == "" {
		root = filepath.Join(Root(t), "..", "shared", "vectors")
	}
	path := filepath.Join(root, filepath.FromSlash(sub))
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		Missing(t, "the test vectors %q are not here; put them beside the project as ../shared/vectors or set PASPOORT_VECTORS", sub)
	}
	return Folder{FS: os.DirFS(path), Path: path}
}

// Missing ends a test whose means are absent: a skip on a desk, a failure when
// CI=true.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Root is the folder of the project: the nearest one upward with a go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod in this folder or above it")
		}
		dir = parent
	}
}

// Read returns the bytes of one file of the folder.
func (f Folder) Read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := fs.ReadFile(f.FS, name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// JSON decodes one file of the folder into v, with the standard library's lenient
// decoder: the reader under test is another one.
func (f Folder) JSON(t testing.TB, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(f.Read(t, name), v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Glob lists the files that match, and fails when none does: a test that finds no
// cases proves nothing.
func (f Folder) Glob(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := fs.Glob(f.FS, pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no test vectors match %q in %s", pattern, f.Path)
	}
	return names
}
