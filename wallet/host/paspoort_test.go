package host

import (
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/page/pagetest"
)

// TestOnPaper: a paspoort with 200 proofs, and one with the longest words, fit on four
// sheets of A4.
func TestOnPaper(t *testing.T) {
	kit := bare(t).kit
	for _, name := range []string{"many", "most", "full"} {
		for _, lang := range []page.Language{page.Dutch, page.English} {
			if got := pagetest.Sheets(t, kit, "paspoort", name, lang); got > 4 {
				t.Errorf("%s in %s takes %d sheets, want at most 4", name, lang, got)
			} else {
				t.Logf("%s in %s: %d sheets", name, lang, got)
			}
		}
	}
}

// TestLeftOut: what does not stand on the page is counted, on screen and on paper.
func TestLeftOut(t *testing.T) {
	body := sampleHTML(t, "paspoort", "many", page.Dutch)
	for _, want := range []string{"Nog 176 bewijzen", "En nog 176 bewijzen, te zien op https://paspoort.example", `href="/paspoort/all"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if len(body) > 90<<10 {
		t.Errorf("the page weighs %d bytes: too near to what a page may", len(body))
	}
}

func sampleHTML(t *testing.T, name, state string, lang page.Language) string {
	t.Helper()
	for _, s := range bare(t).kit.Samples() {
		if s.Page == name && s.State == state && s.Lang == lang {
			body, err := s.HTML()
			if err != nil {
				t.Fatal(err)
			}
			return string(body)
		}
	}
	t.Fatalf("no sample %s/%s", name, state)
	return ""
}
