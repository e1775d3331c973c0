package pagetest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
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
}

var looks = []look{
	{"phone", 390, 844, "light"},
	{"desk-dark", 1280, 900, "dark"},
}

// axeFile is where npm puts axe-core, from the project's root.
const axeFile = "internal/page/axe/node_modules/axe-core/axe.min.js"

// browse opens every sample in Chromium: a picture of each look in dir, and the
// findings of axe-core as errors. Absent means are a skip, and fatal when CI=true.
func browse(t *testing.T, k *page.Kit, dir string) {
	browser := findBrowser(t)
	axe, err := os.ReadFile(filepath.Join(testkit.Root(t), axeFile))
	if err != nil {
		testkit.Missing(t, "axe-core is not here; run npm ci in internal/page/axe")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(testkit.Root(t), dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gallery(k))
	defer srv.Close()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil { // the first run starts the browser, for all samples
		t.Fatalf("%s does not start: %v", browser, err)
	}
	for _, s := range k.Samples() {
		if s.Page == faultPage && !allFaults(k) {
			continue // every kit has it; the page kit's own tests look at it
		}
		for i, l := range looks {
			if i > 0 && s.Lang != k.Languages()[0] {
				continue // a second language changes words, not colours
			}
			t.Run(fmt.Sprintf("%s/%s/%s/%s", s.Page, s.State, s.Lang, l.name), func(t *testing.T) {
				file := filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%s.png", s.Page, s.State, s.Lang, l.name))
				lookAt(t, ctx, srv.URL+samplePath(s), l, string(axe), file)
			})
		}
	}
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
		if path, err := exec.LookPath(name); err == nil {
			return path
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

// axeRun asks for the rules of WCAG 2.2 A and AA and what axe calls best practice.
const axeRun = `axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})`

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
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		t.Fatal(err)
	}
	overflow, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`))
	if err != nil {
		t.Fatal(err)
	}
	if overflow > 0 {
		t.Errorf("the page is %d pixels wider than a screen of %d", overflow, l.width)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[axeResult](axe+";"+axeRun, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found.Violations {
		for _, n := range v.Nodes {
			t.Errorf("axe %s: %s: %s", v.ID, v.Help, n.HTML)
		}
	}
}
