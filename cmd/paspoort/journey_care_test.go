package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// cares is journey 6: what happened, a lost passphrase, and the end.
func (p *traveller) cares() {
	p.t.Helper()
	p.goTo("/history")
	p.reads("history.title")
	p.says("Opleidingshuis De Vaart", "Zorggroep Linde")
	file := p.download(`form[action="/history/export"] button`)
	if body := read(p.t, file); !strings.Contains(body, "Zorggroep Linde") || !strings.Contains(body, "receipt") {
		p.fatalf("the history on file says %.300s", body)
	}
	if n := p.sheets(); n > 4 {
		p.fatalf("the history takes %d sheets", n)
	}
	p.recovers()
	p.ends()
}

// recovers comes back on a new device with only the paper.
func (p *traveller) recovers() {
	p.t.Helper()
	old := p.code
	b := p.another("recover")
	b.open(b.host + "/recover?lang=" + p.lang)
	b.reads("recover.title")
	b.fill("#code", strings.ToLower(strings.ReplaceAll(old, "-", " ")))
	b.submit("/recover")
	b.at("/passphrase")
	b.passphrase = "acht " + strings.ToLower(strings.Fields(p.name)[1]) + " lantaarns"
	p.land.remember(b.passphrase)
	b.fill("#passphrase", b.passphrase)
	b.submit("/passphrase")
	b.papers()
	if b.code == old {
		b.fatalf("the recovery code that was typed still is the code")
	}
	b.fill("#last", b.code[len(b.code)-5:])
	b.submit("/code")
	b.goTo("/paspoort")
	b.says("Verzorgen", p.own)

	// The device that lost the passphrase is signed out, and the old words open nothing.
	p.goTo("/paspoort")
	p.at("/in")
	p.fill("#passphrase", p.passphrase)
	p.submit("/in")
	p.reads("in.wrong")
	p.passphrase, p.code = b.passphrase, b.code
	p.fill("#passphrase", p.passphrase)
	p.submit("/in")
	p.at("/paspoort")
}

// ends deletes everything.
func (p *traveller) ends() {
	p.t.Helper()
	p.goTo("/care")
	p.press(`a[href="/end"]`)
	p.reads("end.title")
	p.reads("end.nobackups")
	p.fill("#passphrase", "niet de goede woorden")
	p.submit("/end")
	p.reads("fault-at.passphrase")
	p.fill("#passphrase", p.passphrase)
	p.submit("/end")
	p.at("/ended")
	p.reads("ended.title")
	b := p.another("gone")
	b.signIn(false)
	b.at("/in")
	b.reads("in.wrong")
	if left := p.cookies(); len(left) > 0 {
		p.fatalf("after the end cookies stay behind: %q", left)
	}
}

// takesAlong is journey 7 with the browser alone: everything in one file, and back. Opening
// one is slow by design, so that is done on one screen.
func (p *traveller) takesAlong() {
	p.t.Helper()
	before := p.proofs()
	file := p.archive("een twee drie vier " + p.tab.name)
	if p.width != 360 {
		return
	}
	p.bringBack(file, "een twee drie vier "+p.tab.name)
	p.reads("notice.imported-nothing")
	if got := p.proofs(); got != before {
		p.fatalf("%d proofs after bringing back, want %d: nothing doubles", got, before)
	}
}

// archive downloads the whole paspoort.
func (p *traveller) archive(passphrase string) (file string) {
	p.t.Helper()
	p.land.remember(passphrase)
	p.goTo("/care")
	p.press(`a[href="/take"]`)
	p.reads("take.title")
	p.fill("#passphrase", passphrase)
	file = p.download(`form[action="/take"] button[type=submit]`)
	if body := read(p.t, file); !strings.HasPrefix(body, "age-encryption.org/v1") && !strings.HasPrefix(body, "-----BEGIN AGE") {
		p.fatalf("the archive begins with %.40q", body)
	}
	return file
}

// bringBack takes an archive in.
func (p *traveller) bringBack(file, passphrase string) {
	p.t.Helper()
	p.goTo("/take")
	p.upload("#archive", file)
	p.fill("#archive-passphrase", passphrase)
	p.submit("/take/back")
	p.at("/paspoort")
}

// download presses something that gives a file, and waits until it is whole.
func (p *traveller) download(find string) (file string) {
	p.t.Helper()
	dir := p.t.TempDir()
	ctx, cancel := p.limited()
	defer cancel()
	params := browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir, BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID}
	if _, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, params); err != nil {
		p.fatalf("%v", err)
	}
	p.click(find)
	until(p.t, patience, "the file is there", func() bool {
		all, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, f := range all {
			if !strings.HasSuffix(f, ".crdownload") {
				file = f
			}
		}
		return file != "" && len(all) == 1
	})
	return file
}

func read(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
