package pagetest

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"paspoort.example/paspoort/internal/page"
)

// The width of A4 within its margins, in pixels of CSS.
const paperWidth, paperHeight = 680, 1017

// Sheets prints one sample on A4 in a language and gives the number of sheets.
// With PASPOORT_PAGES set it leaves the paper in that folder, and a picture of it. It
// needs Chromium: without, the test is skipped, and fails when CI=true.
func Sheets(t *testing.T, k *page.Kit, name, state string, lang page.Language) int {
	t.Helper()
	var sample *page.Rendering
	for _, s := range k.Samples() {
		if s.Page == name && s.State == state && s.Lang == lang {
			sample = &s
			break
		}
	}
	if sample == nil {
		t.Fatalf("there is no sample %s/%s/%s", name, state, lang)
	}
	srv := httptest.NewServer(gallery(k))
	defer srv.Close()
	ctx := startBrowser(t)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(paperWidth, paperHeight), chromedp.Navigate(srv.URL+samplePath(*sample))); err != nil {
		t.Fatal(err)
	}
	yes := true
	printed, err := chromedp.Call(ctx, cdppage.PrintToPDF, cdppage.PrintToPDFParams{PreferCSSPageSize: &yes})
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("PASPOORT_PAGES"); dir != "" {
		media := emulation.SetEmulatedMediaParams{Media: "print"}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		file := picturesIn(t, dir) + fmt.Sprintf("%s-%s-%s-paper", name, state, lang)
		if err := os.WriteFile(file+".png", picture, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file+".pdf", printed.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// Chromium writes the object of each page in the clear; "/Pages" is their list.
	sheets := bytes.Count(printed.Data, []byte("/Type /Page")) - bytes.Count(printed.Data, []byte("/Type /Pages"))
	if sheets < 1 {
		t.Fatal("no pages are found in what Chromium printed")
	}
	return sheets
}
