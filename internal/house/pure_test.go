package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// impureImports are packages that bring the world into specs.
var impureImports = map[string]string{
	"os":           "specs do no I/O of their own: hand in bytes or an fs.FS",
	"os/exec":      "specs do no I/O of their own",
	"log":          "specs return errors and log nothing",
	"math/rand":    "randomness comes in through an io.Reader",
	"math/rand/v2": "randomness comes in through an io.Reader",
	"sync/atomic":  "specs hold no state that goroutines could share",
	"unsafe":       "hostile bytes are parsed in safe Go",
}

// impureCalls are functions that read a clock or reach out.
var impureCalls = map[string]map[string]string{
	"time": {"Now": clock, "Since": clock, "Until": clock, "Sleep": clock, "After": clock, "AfterFunc": clock, "Tick": clock, "NewTimer": clock, "NewTicker": clock},
	"net":  {"Dial": dial, "DialTimeout": dial, "Listen": dial, "LookupHost": dial, "LookupIP": dial, "DefaultResolver": dial},
	"http": {"Get": dial, "Post": dial, "PostForm": dial, "Head": dial, "DefaultClient": dial, "DefaultTransport": dial, "ListenAndServe": dial, "Client": dial, "Transport": dial},
	// A mutex inside a value is the value's own affair; one of the package is found
	// below. sync.OnceValue is a constant that is computed late, and stays allowed.
	"sync": {"WaitGroup": shared, "Map": shared, "Pool": shared, "Cond": shared},
	"slog": {"Default": logs, "Info": logs, "Warn": logs, "Error": logs, "Debug": logs},
}

const (
	clock  = "specs read no clock: time is a parameter, so that a verdict can be given for any day and repeated"
	dial   = "specs do no I/O of their own: a client is handed its HTTP client, so that tests and outbound rules decide where it goes"
	shared = "specs hold no state that goroutines could share"
	logs   = "specs return errors and log nothing: they see credentials"
)

// impure finds what specs may not do in one file that is no test.
func impure(s *source, globals map[string]bool) []finding {
	var out []finding
	add := func(n ast.Node, why string) { out = append(out, finding{s.path, s.line(n), why}) }
	for _, i := range s.ast.Imports {
		name := strings.Trim(i.Path.Value, `"`)
		if why, bad := impureImports[name]; bad {
			add(i, "imports "+name+": "+why)
		}
	}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			add(n, "starts a goroutine: specs start none, the caller owns lifetimes")
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && pkg.Obj == nil {
				if why := impureCalls[pkg.Name][n.Sel.Name]; why != "" {
					add(n, pkg.Name+"."+n.Sel.Name+": "+why)
				}
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if name := global(left, globals); name != "" && n.Tok != token.DEFINE {
					add(n, "writes the package variable "+name+": specs hold no global state, two callers must not meet")
				}
			}
		case *ast.IncDecStmt:
			if name := global(n.X, globals); name != "" {
				add(n, "writes the package variable "+name+": specs hold no global state, two callers must not meet")
			}
		case *ast.ValueSpec:
			if sel, ok := n.Type.(*ast.SelectorExpr); ok && packageLevel[n] && isIdent(sel.X, "sync") {
				add(n, "declares a "+sel.Sel.Name+" of the package: "+shared)
			}
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				add(n, "has an init function: nothing happens because a package was imported")
			}
		}
		return true
	})
	return out
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// global is the package variable that an expression writes to, or "".
func global(e ast.Expr, globals map[string]bool) string {
	for {
		switch x := e.(type) {
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.Ident:
			if !globals[x.Name] {
				return ""
			}
			if x.Obj == nil { // declared in another file of the package
				return x.Name
			}
			if spec, ok := x.Obj.Decl.(*ast.ValueSpec); ok && slices.Contains(spec.Names, declared(x)) {
				return x.Name
			}
			return ""
		default:
			return ""
		}
	}
}

// declared is the identifier in the declaration of x, if that stands at the level
// of the package; the caller compares.
func declared(x *ast.Ident) *ast.Ident {
	spec := x.Obj.Decl.(*ast.ValueSpec)
	for _, name := range spec.Names {
		if name.Name == x.Name && packageLevel[spec] {
			return name
		}
	}
	return nil
}

// packageLevel marks the declarations that stand at the level of a package.
var packageLevel = map[*ast.ValueSpec]bool{}

// globalsOf collects the package variables of files, `_` left out.
func globalsOf(list []*source) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		for _, d := range s.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				packageLevel[v] = true
				for _, name := range v.Names {
					out[name.Name] = name.Name != "_"
				}
			}
		}
	}
	return out
}

func TestSpecsArePure(t *testing.T) {
	byDir := map[string][]*source{}
	for _, s := range sources(t) {
		if strings.HasPrefix(s.dir, "specs/") && !s.test && !strings.HasSuffix(s.dir, "test") {
			byDir[s.dir] = append(byDir[s.dir], s)
		}
	}
	for _, list := range byDir {
		globals := globalsOf(list)
		for _, s := range list {
			report(t, impure(s, globals))
		}
	}
}

// TestPurityRefuses is the control: each planted fault is found, and good code is
// left alone.
func TestPurityRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, code string
		want       int
	}{
		{"clock", `import "time"; func f() { _ = time.Now() }`, 1},
		{"a clock that is handed in", `import "time"; func f(now time.Time) { _ = now.Unix() }`, 0},
		{"goroutine", `func f() { go f() }`, 1},
		{"files", `import "os"`, 1},
		{"client", `import "net/http"; func f() { _, _ = http.Get("x") }`, 1},
		{"init", `func init() {}`, 1},
		{"mutex of the package", `import "sync"; var mu sync.Mutex`, 1},
		{"mutex of a value", `import "sync"; type t struct{ mu sync.Mutex }`, 0},
		{"global written", `var a int; func f() { a = 1 }`, 1},
		{"global counted", `var a int; func f() { a++ }`, 1},
		{"global map written", `var m = map[string]int{}; func f() { m["x"] = 1 }`, 1},
		{"global read", `var m = map[string]int{"x": 1}; func f() int { return m["x"] }`, 0},
		{"local of the same name", `var a int; func f() { a := 2; a = 3; _ = a }`, 0},
		{"parameter of the same name", `var a int; func f(a int) { a = 3; _ = a }`, 0},
	} {
		s := parseSource(t, "specs/x/x.go", "package x\n"+tt.code)
		if got := impure(s, globalsOf([]*source{s})); len(got) != tt.want {
			t.Errorf("%s: got %v, want %d findings", tt.name, got, tt.want)
		}
	}
}
