package page_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/page/pagetest"
)

func source(files ...string) fs.FS {
	out := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		out[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return out
}

const hello = `{{define "title"}}{{t "hello.title"}}{{end}}
{{define "main"}}<h1>{{t "hello.title"}}</h1><p>{{tn "hello.n" .N "who" .Who}} {{day .When}} {{moment .When}} {{age .Old}} <a href="{{applink .Link}}">{{tk "hello.state" .State}}</a></p>{{end}}`

const helloNL = `{"hello.title":"Hallo","hello.n":{"one":"{n} bewijs van {who}","other":"{n} bewijzen van {who}"},"hello.state.open":"open"}`
const helloEN = `{"hello.title":"Hello","hello.n":{"one":"{n} proof of {who}","other":"{n} proofs of {who}"},"hello.state.open":"open"}`

type greeting struct {
	N          int
	Who, State string
	Link       string
	When       time.Time
	Old        time.Duration
}

var sample = greeting{2, "<Jij>", "open", "openid4vp://?request_uri=https%3A%2F%2Fa.example", time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), 90 * time.Minute}

func kit(t *testing.T) (*page.Kit, page.View[greeting]) {
	t.Helper()
	k, err := page.New(page.Options{Owner: "Regio Aakermonde", Sources: []fs.FS{
		source("templates/hello.html", hello, "catalogs/nl.json", helloNL, "catalogs/en.json", helloEN)}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := page.NewView(k, "hello", page.Sample[greeting]{Name: "open", Data: sample})
	if err != nil {
		t.Fatal(err)
	}
	return k, v
}

func TestPages(t *testing.T) {
	k, _ := kit(t)
	pagetest.Run(t, k)
	pagetest.Readable(t, k)
}

func TestRender(t *testing.T) {
	_, v := kit(t)
	for _, tt := range []struct {
		name, target, accept, cookie string
		want                         []string
	}{
		{"dutch by default", "/", "", "", []string{`<html lang="nl">`, "2 bewijzen van &lt;Jij&gt;", "2 maart 2026", "13.00 uur", "1 uur"}},
		{"english asked by the browser", "/", "de, en;q=0.5", "", []string{`<html lang="en">`, "2 proofs", "2 March 2026", "1 hour"}},
		{"greater weight wins", "/", "en;q=0.1, nl-BE;q=0.2", "", []string{`<html lang="nl">`}},
		{"a broken weight is none", "/", "en;q=9", "", []string{`<html lang="nl">`}},
		{"cookie over browser", "/", "en", "lang=nl", []string{`<html lang="nl">`}},
		{"choice over cookie", "/?a=1&lang=en", "", "lang=nl", []string{`<html lang="en">`, `href="/?a=1&amp;lang=nl"`}},
		{"a choice that is none", "/?lang=xx", "", "", []string{`<html lang="nl">`}},
		{"links to wallets", "/", "", "", []string{`href="openid4vp://?request_uri=https%3A%2F%2Fa.example"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", tt.target, nil)
			r.Header.Set("Accept-Language", tt.accept)
			r.Header.Set("Cookie", tt.cookie)
			w := httptest.NewRecorder()
			if err := v.Render(w, r, 200, sample); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("%q is not in\n%s", want, w.Body)
				}
			}
		})
	}
}

func TestFailingTemplateSendsNothingOfItself(t *testing.T) {
	_, v := kit(t)
	w := httptest.NewRecorder()
	bad := sample
	bad.Link = "javascript:alert(1)"
	if err := v.Render(w, httptest.NewRequest("GET", "/", nil), 200, bad); err == nil {
		t.Error("a link with a strange scheme passes")
	}
	if w.Code != 500 || strings.Contains(w.Body.String(), "Jij") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestFaultHasItsStatus(t *testing.T) {
	k, _ := kit(t)
	for kind, want := range map[page.FaultKind]int{page.NotFound: 404, page.Gone: 410, page.Elsewhere: 502} {
		w := httptest.NewRecorder()
		if err := k.Fault(w, httptest.NewRequest("GET", "/x", nil), page.Fault{Kind: kind}); err != nil || w.Code != want {
			t.Errorf("%s: got %d and %v, want %d", kind, w.Code, err, want)
		}
	}
	if err := k.Fault(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil), page.Fault{Kind: "odd"}); err == nil {
		t.Error("a fault that does not exist passes")
	}
}

func TestBadSourcesAreRefusedAtStart(t *testing.T) {
	const main = `{{define "main"}}<h1>x</h1>{{end}}`
	const title = `{{define "title"}}x{{end}}`
	for _, tt := range []struct {
		name, want string
		fs         fs.FS
	}{
		{"a text that is missing in one language", `en: no text for "a"`, source("templates/x.html", title+main+`{{define "next"}}{{t "a"}}{{end}}`, "catalogs/nl.json", `{"a":"A"}`)},
		{"a text that is missing in both", `nl: no text for "a"`, source("templates/x.html", title+main+`{{define "next"}}{{if true}}{{with (t "a")}}{{.}}{{end}}{{end}}{{end}}`)},
		{"an empty text", `the text for "a" is empty`, source("templates/x.html", title+main+`{{define "next"}}{{t "a"}}{{end}}`, "catalogs/nl.json", `{"a":" "}`, "catalogs/en.json", `{"a":"A"}`)},
		{"other values", "has other values", source("templates/x.html", title+main+`{{define "next"}}{{t "a" "x" 1}}{{end}}`, "catalogs/nl.json", `{"a":"{x}"}`, "catalogs/en.json", `{"a":"{y}"}`)},
		{"other forms", "has other values or forms", source("templates/x.html", title+main+`{{define "next"}}{{tn "a" 1}}{{end}}`, "catalogs/nl.json", `{"a":"a"}`, "catalogs/en.json", `{"a":{"one":"a","other":"a"}}`)},
		{"a text that nobody uses", "is used by no template", source("catalogs/nl.json", `{"a":"A"}`, "catalogs/en.json", `{"a":"A"}`)},
		{"a key that cannot be checked", "needs its key as a constant", source("templates/x.html", title+`{{define "main"}}{{t .}}{{end}}`)},
		{"a prefix of nothing", `no text begins with "zz."`, source("templates/x.html", title+`{{define "main"}}{{tk "zz" .}}{{end}}`)},
		{"no main", `does not define "main"`, source("templates/x.html", title)},
		{"bad template", "x:", source("templates/x.html", "{{")},
		{"a page twice", "two templates are called fault", source("templates/fault.html", title+main)},
		{"a key twice", "stands in two catalogs", source("catalogs/nl.json", `{"layout.skip":"x"}`)},
		{"bad catalog", "catalogs/nl.json", source("catalogs/nl.json", `[]`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := page.New(page.Options{Sources: []fs.FS{tt.fs}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	k, _ := kit(t)
	if _, err := page.NewView[int](k, "absent"); !errors.Is(err, page.ErrNoPage) {
		t.Errorf("got %v, want ErrNoPage", err)
	}
}

// TestCheckSeesFaults is the control of pagetest: planted faults are found.
func TestCheckSeesFaults(t *testing.T) {
	const frame = `<html lang="nl"><title>x</title><a class="skip" href="#main">x</a><header></header><main><h1>x</h1>%</main><footer></footer>`
	if got := pagetest.Check([]byte(strings.Replace(frame, "%", "", 1))); len(got) > 0 {
		t.Fatalf("a good page has faults: %v", got)
	}
	for planted, want := range map[string]string{
		`<p style="color:red">x</p>`:                "inline style",
		`<p onclick="x()">x</p>`:                    "inline onclick",
		`<style>p{}</style>`:                        "inline <style>",
		`<script>1</script>`:                        "inline <script>",
		`<img src="/x">`:                            "no alt",
		`<input name="q">`:                          "no label",
		`<button></button>`:                         "says nothing",
		`<button>a</button><a class="button">b</a>`: "one clear next step",
		`<h3>x</h3>`:                                "no level skipped",
		`<p id="a">x</p><p id="a">x</p>`:            "have the id",
		`<p>%!d(string=x)</p>`:                      "did not come through",
		strings.Repeat("x", 100<<10):                "weighs",
	} {
		got := strings.Join(pagetest.Check([]byte(strings.Replace(frame, "%", planted, 1))), "\n")
		if !strings.Contains(got, want) {
			t.Errorf("%.40s: got %q, want %q", planted, got, want)
		}
	}
}

func TestAssets(t *testing.T) {
	k, v := kit(t)
	w := httptest.NewRecorder()
	if err := v.Render(w, httptest.NewRequest("GET", "/", nil), 200, sample); err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(w.Body.String(), `rel="stylesheet" href="`)
	path, _, _ := strings.Cut(after, `"`)
	if !found {
		t.Fatal("the page names no style sheet")
	}
	css := httptest.NewRecorder()
	k.Assets().ServeHTTP(css, httptest.NewRequest("GET", path, nil))
	if css.Code != 200 || !strings.HasPrefix(css.Header().Get("Content-Type"), "text/css") {
		t.Errorf("%s: got %d %v", path, css.Code, css.Header())
	}
	none := httptest.NewRecorder()
	k.Assets().ServeHTTP(none, httptest.NewRequest("GET", page.AssetPath+"nothing.css", nil))
	if none.Code != 404 {
		t.Errorf("got %d, want 404", none.Code)
	}
}

func TestQR(t *testing.T) {
	svg, err := page.QR("openid4vp://?client_id=x&request_uri=https%3A%2F%2Flocalhost%3A4000%2Frequests%2F1")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(svg, []byte("<svg ")) || bytes.Contains(svg, []byte("style")) {
		t.Errorf("got %.80s", svg)
	}
	if again, _ := page.QR("openid4vp://?client_id=x&request_uri=https%3A%2F%2Flocalhost%3A4000%2Frequests%2F1"); !bytes.Equal(svg, again) {
		t.Error("the same text draws another code")
	}
	if _, err := page.QR(strings.Repeat("x", 4000)); err == nil {
		t.Error("a text that fits no code passes")
	}
}

// TestLanguageSwitchStaysHere: a path with two slashes is shown on the page for what is
// not there, and its links must not lead to the site that it names.
func TestLanguageSwitchStaysHere(t *testing.T) {
	k, _ := kit(t)
	r := httptest.NewRequest("GET", "/", nil)
	r.URL.Path = "//elsewhere.example/x"
	w := httptest.NewRecorder()
	k.NotFound().ServeHTTP(w, r)
	if body := w.Body.String(); strings.Contains(body, `href="//`) || !strings.Contains(body, `href="/elsewhere.example/x?lang=en"`) {
		t.Errorf("got %s", body)
	}
}
