package page_test

import (
	"io/fs"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/page/pagetest"
)

// The page of all components, in a kit as a wallet host has it.
type components struct {
	State  string
	Wrong  bool
	Proofs []proof
	Groups []string
}

type proof struct {
	Level      int
	What, Text string
}

var (
	levels = []string{"zelf gezegd", "bevestigd door iemand", "bevestigd door een werkgever of leerbedrijf", "onafhankelijk beoordeeld", "erkend waardepapier"}
	skills = []string{"Goed met ouderen omgaan", "Op tijd komen", "Technische tekening lezen", "Lassen (TIG)", "Verzorgende IG"}
)

var (
	noon    = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	session = page.Frame{SignedIn: true, Ends: noon.Add(30 * time.Minute), Last: noon.Add(8 * time.Hour), Greeting: "Samira"}
)

func componentSamples() []page.Sample[components] {
	sample := func(c components, f page.Frame) page.Sample[components] {
		return page.Sample[components]{Name: c.State, Data: c, Frame: f}
	}
	ending, last := session, session
	ending.Now = ending.Ends.Add(-100 * time.Second)
	last.Ends, last.Now, last.Private = last.Last, last.Last.Add(-100*time.Second), true
	last.Greeting = strings.Repeat("Wilhelmina", 6)
	many := components{State: "many"}
	for i := range 160 {
		many.Proofs = append(many.Proofs, proof{i % 5, skills[i%5] + " " + strconv.Itoa(i), levels[i%5]})
	}
	proofs := components{State: "proofs", Proofs: many.Proofs[:5]}
	saved := session
	saved.Notice = "saved"
	return []page.Sample[components]{
		sample(components{State: "form"}, session), sample(components{State: "wrong", Wrong: true}, session),
		sample(proofs, saved), sample(many, session),
		sample(components{State: "code", Groups: []string{"K7QF", "2M4X", "TR9A", "W0HC", "5JNP", "8VDE", "3GYB"}}, page.Frame{}),
		sample(components{State: "empty"}, session), sample(components{State: "ending"}, ending), sample(components{State: "last"}, last),
	}
}

func holderKit(t *testing.T) (*page.Kit, page.View[components]) {
	t.Helper()
	k, err := page.New(page.Options{
		Owner: "Regio Aakermonde", Sources: []fs.FS{os.DirFS("testdata")}, ReadAloud: true,
		Languages: []page.Language{page.Dutch, page.EasyDutch, page.English},
		Member: []page.Link{{Key: "kit.nav.start", Path: "/kit"}, {Key: "kit.nav.collect", Path: "/offer"}, {Key: "kit.nav.shares", Path: "/shares"},
			{Key: "kit.nav.history", Path: "/history"}, {Key: "kit.nav.care", Path: "/care"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := page.NewView(k, "kit", componentSamples()...)
	if err != nil {
		t.Fatal(err)
	}
	return k, v
}

func TestPagesOfComponents(t *testing.T) {
	k, _ := holderKit(t)
	pagetest.Run(t, k)
	pagetest.Readable(t, k)
	if os.Getenv("PASPOORT_PAGES") != "" {
		if got := pagetest.Sheets(t, k, "kit", "many", page.Dutch); got > 4 {
			t.Errorf("160 proofs take %d sheets of paper, more than 4", got)
		}
	}
}

func TestEasyDutch(t *testing.T) {
	_, v := holderKit(t)
	plain, pv := kit(t)
	if got := plain.Languages(); len(got) != 2 {
		t.Errorf("a kit that does not ask speaks %v", got)
	}
	for _, tt := range []struct {
		name, target, accept, cookie, want string
	}{
		{"chosen", "/?lang=nl-A2", "", "", `<html lang="nl" class="easy">`},
		{"chosen before", "/", "en", "lang=nl-A2", `<html lang="nl" class="easy">`},
		{"never by the browser", "/", "nl-A2", "", `<html lang="nl">`},
		{"offered", "/", "", "", `href="/?lang=nl-A2" lang="nl" hreflang="nl">Makkelijk Nederlands</a>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", tt.target, nil)
			r.Header.Set("Accept-Language", tt.accept)
			r.Header.Set("Cookie", tt.cookie)
			w := httptest.NewRecorder()
			if err := v.Render(w, r, 200, components{State: "empty"}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%q is not in\n%s", tt.want, w.Body)
			}
		})
	}
	// The cookie of a site beside it means Dutch to a kit without easy Dutch.
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Cookie", "lang=nl-A2")
	w := httptest.NewRecorder()
	if err := pv.Render(w, r, 200, sample); err != nil || !strings.Contains(w.Body.String(), `<html lang="nl">`) || w.Header().Get("Content-Language") != "nl" {
		t.Errorf("got %v %s", err, w.Body)
	}
}

func TestFrame(t *testing.T) {
	_, v := holderKit(t)
	now := session
	now.Now = noon
	final := now
	final.Ends = final.Last
	for _, tt := range []struct {
		name     string
		frame    page.Frame
		has, not []string
	}{
		{"nobody", page.Frame{}, nil, []string{`action="/leave"`, `id="session"`, `href="/shares"`}},
		{"signed in", now, []string{`action="/leave"`, "Dag Samira", `data-left="1800"`, `href="/kit" aria-current="page"`, "om 12.30 uur af", `name="back" value="/kit"`}, []string{"data-private", `class="reminder"`}},
		{"final", final, []string{`data-left="28800"`, "Om 20.00 uur melden wij u af", "data-final"}, nil},
		{"private", page.Frame{SignedIn: true, Ends: noon, Private: true}, []string{"data-private", `class="reminder"`}, nil},
		{"notice", page.Frame{Notice: "left"}, []string{`role="status"><p>U bent afgemeld.`}, nil},
		{"a notice that is none", page.Frame{Notice: "<x>"}, nil, []string{`role="status"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, r := httptest.NewRecorder(), page.WithFrame(httptest.NewRequest("GET", "/kit", nil), tt.frame)
			if err := v.Render(w, r, 200, components{State: "empty"}); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.has {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("no %q in\n%s", want, w.Body)
				}
			}
			for _, bad := range tt.not {
				if strings.Contains(w.Body.String(), bad) {
					t.Errorf("%q in\n%s", bad, w.Body)
				}
			}
		})
	}
	// On somebody else's device the choice of language goes when the browser closes.
	w, r := httptest.NewRecorder(), page.WithFrame(httptest.NewRequest("GET", "/kit?lang=en", nil), page.Frame{SignedIn: true, Ends: noon, Private: true})
	if err := v.Render(w, r, 200, components{State: "empty"}); err != nil || strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age") {
		t.Errorf("got %v %q", err, w.Header().Get("Set-Cookie"))
	}
}

func TestViewNeedsSamples(t *testing.T) {
	k, _ := holderKit(t)
	if _, err := page.NewView[int](k, "kit"); err == nil || !strings.Contains(err.Error(), "no samples") {
		t.Errorf("got %v", err)
	}
}

// TestSourcesAreJoined: a source may bring several catalogs per language, its own style
// and script, and pictures.
func TestSourcesAreJoined(t *testing.T) {
	const x = `{{define "title"}}{{t "a"}}{{end}}{{define "main"}}<h1>{{t "b"}}</h1><img src="{{asset "kaart.svg"}}" alt="">{{end}}`
	files := []string{"templates/x.html", x, "catalogs/nl.json", `{"a":"A"}`, "catalogs/share.nl.json", `{"b":"B"}`, "catalogs/en.json", `{"a":"A","b":"B"}`,
		"assets/x.css", ".x{}", "assets/x.js", "(() => { x })()", "assets/kaart.svg", "<svg/>"}
	k, err := page.New(page.Options{Sources: []fs.FS{source(files...)}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := page.NewView(k, "x", page.Sample[int]{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := v.Render(w, httptest.NewRequest("GET", "/", nil), 200, 0); err != nil {
		t.Fatal(err)
	}
	for marker, want := range map[string]string{`rel="stylesheet" href="`: ".x{}", `<script src="`: "(() => { x })();", `<img src="/assets/kaart`: ""} {
		_, after, found := strings.Cut(w.Body.String(), marker)
		path, _, _ := strings.Cut(after, `"`)
		if want == "" {
			path = "/assets/kaart" + path
		}
		file := httptest.NewRecorder()
		k.Assets().ServeHTTP(file, httptest.NewRequest("GET", path, nil))
		if !found || file.Code != 200 || !strings.Contains(file.Body.String(), want) {
			t.Errorf("%s: %d, no %q at the end", path, file.Code, want)
		}
	}
	for name, bad := range map[string][]string{
		"stands in two catalogs":   append(files, "catalogs/more.nl.json", `{"a":"A"}`),
		"two assets are called":    append(files, "assets/icon.svg", "<svg/>"),
		"an asset is css, js or":   append(files, "assets/x.png", ""),
		"catalogs/more.nl-A2.json": append(files, "catalogs/more.nl-A2.json", `[]`),
	} {
		_, err := page.New(page.Options{Sources: []fs.FS{source(bad...)}, Languages: []page.Language{page.Dutch, page.EasyDutch}})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q in it", err, name)
		}
	}
}
