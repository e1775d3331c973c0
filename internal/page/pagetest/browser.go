package pagetest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/internal/web"
)

// look is a way of looking at a page.
type look struct {
	name          string
	width, height int64
	scheme        string
	axe           string // what axe-core looks at
}

var looks = []look{
	{"phone", 360, 780, "light", axeAll},
	{"desk-dark", 1280, 900, "dark", axeColours},
}

// axeFile is where npm puts axe-core, from the project's root.
const axeFile = "internal/page/axe/node_modules/axe-core/axe.min.js"

// tabs are how many pages are open at once: one is drawn while another is written away.
var tabs = runtime.GOMAXPROCS(0) + 1

// browse opens every sample in Chromium: a picture of each look in dir, and the
// findings of axe-core as errors. Absent means are a skip, and fatal when CI=true. A
// second language changes words and not colours: it is looked at on the phone, where
// words may not fit, and axe has nothing to add.
func browse(t *testing.T, k *page.Kit, dir string) {
	ctx := startBrowser(t)
	axe, err := os.ReadFile(filepath.Join(testkit.Root(t), axeFile))
	if err != nil {
		testkit.Missing(t, "axe-core is not here; run npm ci in internal/page/axe")
	}
	pictures := picturesIn(t, dir)
	srv := httptest.NewServer(gallery(k))
	defer srv.Close()
	free := openTabs(t, ctx)
	start, first := time.Now(), k.Languages()[0]
	count := 0
	t.Run("look", func(t *testing.T) { // returns when all that run beside each other are done
		for _, s := range k.Samples() {
			if s.Page == faultPage && !allFaults(k) {
				continue // every kit has it; the page kit's own tests look at it
			}
			for i, l := range looks {
				if i > 0 && s.Lang != first {
					continue
				}
				count++
				t.Run(fmt.Sprintf("%s/%s/%s/%s", s.Page, s.State, s.Lang, l.name), func(t *testing.T) {
					t.Parallel()
					tab := <-free
					defer func() { free <- tab }()
					tester := ""
					if s.Lang == first {
						tester = string(axe)
					}
					file := pictures + fmt.Sprintf("%s-%s-%s-%s.png", s.Page, s.State, s.Lang, l.name)
					lookAt(t, tab, srv.URL+samplePath(s), l, tester, file)
				})
			}
		}
	})
	if count > 0 {
		t.Logf("%d renderings, %d ms each", count, time.Since(start).Milliseconds()/int64(count))
	}
}

// picturesIn makes the folder for pictures, which counts from the project's root, and
// gives the beginning of their names: two packages may have a page of the same name.
func picturesIn(t *testing.T, dir string) string {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(testkit.Root(t), dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd() // the folder of the package
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, filepath.Base(here)+"-")
}

// startBrowser gives the first tab of a Chromium of its own, until the test ends.
func startBrowser(t *testing.T) context.Context {
	browser := findBrowser(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("%s does not start: %v", browser, err)
	}
	return ctx
}

// openTabs gives tabs that share nothing: a page must not hear what another one says.
func openTabs(t *testing.T, browser context.Context) chan context.Context {
	free := make(chan context.Context, tabs)
	for range tabs {
		tab, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
		t.Cleanup(cancel)
		if err := chromedp.Do(tab); err != nil {
			t.Fatal(err)
		}
		free <- tab
	}
	return free
}

// faultPage is the page about faults, which each kit brings.
const faultPage = "fault"

// allFaults says whether the kit under test is the page kit's own: its sample page is
// called hello.
func allFaults(k *page.Kit) bool {
	return slices.ContainsFunc(k.Samples(), func(s page.Rendering) bool { return s.Page == "hello" })
}

func findBrowser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	testkit.Missing(t, "there is no chromium on this computer; install it to look at the pages")
	return ""
}

func samplePath(s page.Rendering) string {
	return fmt.Sprintf("/sample/%s/%s/%s", s.Page, s.State, s.Lang)
}

// gallery serves the samples with the headers that they get in earnest.
func gallery(k *page.Kit) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(page.AssetPath, k.Assets())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { // codes that pages show
		if path.Base(r.URL.Path) != "qr.svg" || page.WriteQR(w, "https://paspoort.example/sample") != nil {
			http.NotFound(w, r)
		}
	})
	for _, s := range k.Samples() {
		mux.HandleFunc(samplePath(s), func(w http.ResponseWriter, _ *http.Request) {
			body, err := s.HTML()
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(body)
		})
	}
	return web.SecurityHeaders(mux)
}

type axeResult struct {
	Violations []struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			HTML string `json:"html"`
		} `json:"nodes"`
	} `json:"violations"`
}

// axeAll asks for the rules of WCAG 2.2 A and AA and what axe calls best practice.
// Only the violations are worked out in full. The dark differs in its colours alone.
const (
	axeAll     = `axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]})`
	axeColours = `axe.run({runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}, resultTypes: ["violations"]})`
)

// overflow measures how much wider than the screen the page is, as it is and with
// letters twice as large (WCAG 2.2 1.4.4).
const overflow = `(() => {
	const root = document.documentElement, wider = () => root.scrollWidth - window.innerWidth;
	const now = wider();
	root.style.fontSize = "200%";
	const large = wider();
	root.style.fontSize = "";
	return [now, large];
})()`

func lookAt(t *testing.T, ctx context.Context, url string, l look, axe, file string) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
	if err != nil {
		t.Fatal(err)
	}
	err = chromedp.Do(ctx, chromedp.EmulateViewport(l.width, l.height), chromedp.Navigate(url))
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	picture, err := chromedp.Call(ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{
		Format: cdppage.CaptureScreenshotFormatPng, CaptureBeyondViewport: &yes, FromSurface: &yes, OptimizeForSpeed: &yes})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, picture.Data, 0o644); err != nil {
		t.Fatal(err)
	}
	wider, err := chromedp.Run(ctx, chromedp.Evaluate[[]int](overflow))
	if err != nil {
		t.Fatal(err)
	}
	for i, more := range wider {
		if more > 0 {
			t.Errorf("with letters of %d%% the page is %d pixels wider than a screen of %d", 100+100*i, more, l.width)
		}
	}
	if axe == "" {
		return
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[axeResult](axe+";"+l.axe, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found.Violations {
		for _, n := range v.Nodes {
			t.Errorf("axe %s: %s: %s", v.ID, v.Help, n.HTML)
		}
	}
}
