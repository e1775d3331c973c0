package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"paspoort.example/paspoort/internal/testkit"
)

// effort is what a journey asks of a person.
type effort struct {
	actions int // clicks, ticks, choices, and fields filled in
	typed   int // characters
	pages   int
	words   int // on those pages, folded parts left out
}

func (e effort) minus(before effort) effort {
	return effort{e.actions - before.actions, e.typed - before.typed, e.pages - before.pages, e.words - before.words}
}

func (e effort) String() string {
	return fmt.Sprintf("%d actions, %d characters typed, %d words to read on %d pages", e.actions, e.typed, e.words, e.pages)
}

// A seen page, as a person sees it.
type seen struct {
	URL   string `json:"url"`
	Lang  string `json:"lang"`
	Easy  bool   `json:"easy"`
	Text  string `json:"text"`
	Fault string `json:"fault"` // what it complains of
	Words int    `json:"words"`
	Ready bool   `json:"ready"`
}

func (s seen) path() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return s.URL
	}
	return u.Path
}

// lookJS reads the page. old is set on a page that somebody leaves, so a page without it is
// a new one.
const lookJS = `(() => {
	const main = document.querySelector("main"), text = document.body ? document.body.innerText : "";
	return {
		url: location.href, lang: document.documentElement.lang, easy: document.documentElement.classList.contains("easy"), text,
		words: (main ? main.innerText : text).split(/\s+/).filter((w) => /[\p{L}\p{N}]/u.test(w)).length,
		ready: document.readyState === "complete" && !window.old,
		fault: Array.from(document.querySelectorAll(".fault:not([hidden]), .message.failed"), (e) => e.innerText).join("; "),
	};
})()`

// A tab is one page open in Chromium, in a browser profile of its own.
type tab struct {
	t      *testing.T
	ctx    context.Context
	width  int
	effort effort
	page   seen
	name   string // of the pictures
	pages  int
}

// patience is how long a page may take on a slow computer with the race detector.
const patience = 40 * time.Second

// chromium starts the browser that all journeys share. It takes the certificates of the
// region for good ones (spki: the hash of their key), as a person would who trusts them:
// passkeys do not work behind a warning.
func chromium(t *testing.T, spki string) context.Context {
	t.Helper()
	at, err := exec.LookPath("chromium")
	if err != nil {
		testkit.Missing(t, "there is no chromium on this computer; install it to walk the journeys")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(at), chromedp.NoSandbox,
		chromedp.Flag("ignore-certificate-errors-spki-list", spki))
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("%s does not start: %v", at, err)
	}
	return ctx
}

// newTab opens a clean profile: no cookie, nothing stored. accept is the language that the
// browser asks for.
func newTab(t *testing.T, browser context.Context, name string, width int, accept string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of the first step
		t.Fatal(err)
	}
	b := &tab{t: t, ctx: ctx, width: width, name: name}
	height := int64(780)
	if width > 700 {
		height = 900
	}
	b.do(chromedp.EmulateViewport(int64(width), height))
	// A tab in the background is no tab that a person looks at.
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Mozilla/5.0 (journey)", AcceptLanguage: accept})
	return b
}

// limited is for one step.
func (b *tab) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, patience)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.fatalf("%v", err)
	}
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	out, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.fatalf("%v", err)
	}
	return out
}

// ask evaluates an expression on the page.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.fatalf("%.200s: %v", expression, err)
	}
	return out
}

// fatalf ends the test with what the page says, and a picture when those are kept.
func (b *tab) fatalf(format string, args ...any) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	if now, err := chromedp.Run(ctx, chromedp.Evaluate[seen](lookJS)); err == nil {
		b.page = now
	}
	b.picture("failed")
	b.t.Fatalf("%s\nat %s (%s):\n%s", fmt.Sprintf(format, args...), b.page.URL, b.name, b.page.Text)
}

// wait looks at the page until it is as wanted.
func (b *tab) wait(what string, good func(seen) bool) {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		// While one page makes way for another there is nothing to ask.
		if now, err := chromedp.Run(ctx, chromedp.Evaluate[seen](lookJS)); err == nil {
			if b.page = now; now.Ready && good(now) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.fatalf("never came: %s", what)
		}
	}
}

// arrive waits for a page and counts it.
func (b *tab) arrive() {
	b.t.Helper()
	b.wait("a page", func(s seen) bool { return strings.HasPrefix(s.URL, "http") })
	b.effort.pages++
	b.effort.words += b.page.Words
	b.pages++
	b.picture(strings.ReplaceAll(strings.Trim(chance.ReplaceAllString(b.page.path(), "$1$2/x"), "/"), "/", "-"))
}

// chance finds secrets and random names, to leave them out of the names of pictures.
var chance = regexp.MustCompile(`(/offer|/present|/shares/made|/s|/view|/r|/o)/[^/]{6,}|(/paspoort)/[a-z2-7]{8}$`)

// open types an address, as a person does who clicked a link elsewhere.
func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
	b.arrive()
}

// goTo opens a path of the site where the tab is.
func (b *tab) goTo(path string) {
	b.t.Helper()
	at, err := url.Parse(b.page.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	b.open(at.Scheme + "://" + at.Host + path)
}

// spot is where something on the page can be pressed.
type spot struct {
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
	Fault string  `json:"fault"`
}

// spotJS finds the first visible element, brings it into view, and looks whether a person
// could press it: not covered, not folded away.
const spotJS = `((find) => {
	const all = Array.from(document.querySelectorAll(find));
	const e = all.find((e) => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length) ;
	if (!e) return {x: 0, y: 0, fault: all.length ? "it is there but cannot be seen" : "it is not there"};
	e.scrollIntoView({block: "center", behavior: "instant"});
	const r = e.getClientRects()[0], x = r.x + r.width / 2, y = r.y + r.height / 2;
	const top = document.elementFromPoint(x, y);
	const label = e.labels && Array.from(e.labels).some((l) => l.contains(top));
	if (e.disabled) return {x, y, fault: "it is disabled"};
	if (!top || !(e === top || e.contains(top) || top.contains(e) || label)) return {x, y, fault: "it is covered by " + (top ? top.outerHTML.slice(0, 200) : "nothing")};
	return {x, y, fault: ""};
})`

func (b *tab) spot(find string) spot {
	b.t.Helper()
	s := ask[spot](b, spotJS+"("+quoted(find)+")")
	if s.Fault != "" {
		b.fatalf("%s: %s", find, s.Fault)
	}
	return s
}

// click presses something that leads nowhere else: a summary, a tick, a download.
func (b *tab) click(find string) {
	b.t.Helper()
	s := b.spot(find)
	b.do(chromedp.MouseClickXY(s.X, s.Y))
	b.effort.actions++
}

// press presses something that leads to another page.
func (b *tab) press(find string) {
	b.t.Helper()
	s := b.spot(find)
	ask[bool](b, `(window.old = true)`)
	b.do(chromedp.MouseClickXY(s.X, s.Y))
	b.effort.actions++
	b.arrive()
}

// submit presses the button of the form that goes to a path.
func (b *tab) submit(action string) {
	b.t.Helper()
	b.press(fmt.Sprintf(`form[action=%q] button[type=submit]`, action))
}

// fill types in a field, in place of what stands there.
func (b *tab) fill(find, text string) {
	b.t.Helper()
	s := b.spot(find)
	b.do(chromedp.MouseClickXY(s.X, s.Y))
	ask[bool](b, `(document.activeElement.select && document.activeElement.select(), true)`)
	call(b, input.InsertText, input.InsertTextParams{Text: text})
	b.effort.actions++
	b.effort.typed += utf8.RuneCountInString(text)
	if got := ask[string](b, `document.querySelector(`+quoted(find)+`).value`); got != text {
		b.fatalf("%s holds %q after typing %q", find, got, text)
	}
}

// choose takes an option of a list.
func (b *tab) choose(find, value string) {
	b.t.Helper()
	b.spot(find)
	ok := ask[bool](b, `((e) => { e.value = `+quoted(value)+`; e.dispatchEvent(new Event("input", {bubbles: true})); return e.value === `+quoted(value)+`; })(document.querySelector(`+quoted(find)+`))`)
	if !ok {
		b.fatalf("%s has no option %q", find, value)
	}
	b.effort.actions++
}

// upload puts a file in a field.
func (b *tab) upload(find, file string) {
	b.t.Helper()
	b.spot(find)
	b.do(chromedp.SetUploadFiles(chromedp.CSS(find), []string{file}))
	b.effort.actions++
}

// at checks the path of the page.
func (b *tab) at(pattern string) {
	b.t.Helper()
	if !regexp.MustCompile("^(?:" + pattern + ")$").MatchString(b.page.path()) {
		b.fatalf("the page is %s, want %s", b.page.path(), pattern)
	}
}

// has says whether something is on the page, seen or not.
func (b *tab) has(find string) bool {
	b.t.Helper()
	return ask[bool](b, `document.querySelector(`+quoted(find)+`) !== null`)
}

// shows says whether something can be seen.
func (b *tab) shows(find string) bool {
	b.t.Helper()
	return ask[bool](b, `Array.from(document.querySelectorAll(`+quoted(find)+`)).some((e) => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0)`)
}

// texts are what the elements say, in order.
func (b *tab) texts(find string) []string {
	b.t.Helper()
	return ask[[]string](b, `Array.from(document.querySelectorAll(`+quoted(find)+`), (e) => (e.value !== undefined && e.tagName !== "LI" && e.tagName !== "BUTTON" ? e.value : e.innerText).trim())`)
}

// textOf is what the only element says.
func (b *tab) textOf(find string) string {
	b.t.Helper()
	all := b.texts(find)
	if len(all) == 0 {
		b.fatalf("%s is not on the page", find)
	}
	return all[0]
}

// says checks what can be read on the page.
func (b *tab) says(want ...string) {
	b.t.Helper()
	for _, w := range want {
		if !strings.Contains(flat(b.page.Text), flat(w)) {
			b.fatalf("the page does not say %q", w)
		}
	}
}

func flat(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// picture keeps what the page looks like when PASPOORT_PAGES names a folder, from the
// root of the project. PASPOORT_JOURNEYS=all keeps every one; else the phone's are kept.
func (b *tab) picture(what string) {
	dir := os.Getenv("PASPOORT_PAGES")
	if dir == "" || (b.width != 360 && what != "failed") {
		return
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(testkit.Root(b.t), dir)
	}
	dir = filepath.Join(dir, "journeys")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := b.limited()
	defer cancel()
	yes := true
	got, err := chromedp.Call(ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{
		Format: cdppage.CaptureScreenshotFormatPng, CaptureBeyondViewport: &yes, FromSurface: &yes, OptimizeForSpeed: &yes})
	if err != nil {
		b.t.Logf("no picture of %s: %v", b.page.path(), err)
		return
	}
	file := filepath.Join(dir, fmt.Sprintf("%s-%02d-%s.png", b.name, b.pages, what))
	if err := os.WriteFile(file, got.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// withoutScript switches scripts off from the next page on.
func (b *tab) withoutScript() {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// sheets prints the page and counts the sheets of A4.
func (b *tab) sheets() int {
	b.t.Helper()
	yes := true
	printed := call(b, cdppage.PrintToPDF, cdppage.PrintToPDFParams{PreferCSSPageSize: &yes})
	// Chromium writes the object of each page in the clear; "/Pages" is their list.
	return bytes.Count(printed.Data, []byte("/Type /Page")) - bytes.Count(printed.Data, []byte("/Type /Pages"))
}

func writeFile(file string, body []byte) error { return os.WriteFile(file, body, 0o600) }
