package pagetest

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/chromedp"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
)

const draftForm = `{{define "title"}}x{{end}}{{define "main"}}<h1>Wat wilt u? Zeg het.</h1>
<form id="f" method="post" action="/x" data-draft="wish">
<input id="wish" name="wish" aria-label="x"><input id="secret" type="password" name="secret1" aria-label="x">
<input id="code" name="second-code" aria-label="x"><input id="post" name="postcode" aria-label="x">
<label><input type="checkbox" name="ok" value="yes" checked>x</label><label><input type="checkbox" name="no" value="no">x</label>
</form>{{end}}`

// sessionSite shows one form in a session that has left seconds to go; what is posted
// to it comes out of the channel.
func sessionSite(t *testing.T, left time.Duration, private bool) (string, <-chan url.Values) {
	t.Helper()
	files := fstest.MapFS{"templates/form.html": &fstest.MapFile{Data: []byte(draftForm)}}
	k, err := page.New(page.Options{Sources: []fs.FS{files}, ReadAloud: true})
	if err != nil {
		t.Fatal(err)
	}
	v, err := page.NewView(k, "form", page.Sample[int]{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	posted, mux := make(chan url.Values, 10), http.NewServeMux()
	post := func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		r.PostForm.Set("path", r.URL.Path)
		posted <- r.PostForm
		if r.URL.Path == "/session/stay" || r.PostForm.Get("wish") == "meer tijd" {
			web.WriteJSON(w, http.StatusOK, map[string]int{"left": 1800})
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	mux.HandleFunc("POST /session/stay", post)
	mux.HandleFunc("POST /draft", post)
	mux.Handle("GET "+page.AssetPath, k.Assets())
	mux.HandleFunc("GET /in", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<p id=in>in</p>")) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		now := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) // a device's clock says otherwise
		f := page.Frame{SignedIn: true, Now: now, Ends: now.Add(left), Private: private}
		if err := v.Render(w, page.WithFrame(r, f), http.StatusOK, 0); err != nil {
			t.Error(err)
		}
	})
	srv := httptest.NewServer(web.SecurityHeaders(mux))
	t.Cleanup(srv.Close)
	return srv.URL, posted
}

// TestSessionScript presses and types in a real browser.
func TestSessionScript(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	browser := startBrowser(t)
	t.Run("warns, keeps the form, stays", func(t *testing.T) {
		at, posted := sessionSite(t, 100*time.Second, false)
		ctx := newTab(t, browser)
		act(t, ctx, chromedp.Navigate(at), chromedp.WaitVisible("#session"),
			chromedp.SendKeys("#wish", "in de zorg"), chromedp.SendKeys("#secret", "s3cret"), chromedp.SendKeys("#code", "1234"), chromedp.SendKeys("#post", "1234 AB"))
		got := next(t, ctx, posted)
		if got.Get("path") != "/draft" || got.Get("form") != "wish" || got.Get("wish") != "in de zorg" || got.Get("postcode") != "1234 AB" || got.Get("ok") != "yes" ||
			got.Has("no") || got.Has("secret1") || got.Has("second-code") {
			t.Errorf("got the draft %v", got)
		}
		act(t, ctx, chromedp.Click("#session button"), chromedp.WaitNotVisible("#session"))
		if got := next(t, ctx, posted); got.Get("path") != "/session/stay" || got.Get("back") != "/" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a draft moves the end on", func(t *testing.T) {
		at, posted := sessionSite(t, 100*time.Second, false)
		ctx := newTab(t, browser)
		act(t, ctx, chromedp.Navigate(at), chromedp.WaitVisible("#session"), chromedp.SendKeys("#wish", "meer tijd"), chromedp.WaitNotVisible("#session"))
		if got := next(t, ctx, posted); got.Get("path") != "/draft" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("says that it ended", func(t *testing.T) {
		at, _ := sessionSite(t, time.Second, false)
		act(t, newTab(t, browser), chromedp.Navigate(at), chromedp.WaitVisible(`#session:not(:has(form)) [data-ended] a[href="/in"]`))
	})
	t.Run("leaves somebody else's device", func(t *testing.T) {
		at, _ := sessionSite(t, time.Second, true)
		act(t, newTab(t, browser), chromedp.Navigate(at), chromedp.WaitVisible("#in"))
	})
	t.Run("another tab moves the end on", func(t *testing.T) {
		at, _ := sessionSite(t, 100*time.Second, false)
		ctx := newTab(t, browser)
		act(t, ctx, chromedp.Navigate(at), chromedp.WaitVisible("#session"))
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(new BroadcastChannel("session").postMessage(1800), true)`))
		if err != nil {
			t.Fatal(err)
		}
		act(t, ctx, chromedp.WaitNotVisible("#session"))
	})
	t.Run("reads aloud", func(t *testing.T) {
		at, _ := sessionSite(t, time.Hour, false)
		ctx := newTab(t, browser)
		act(t, ctx, chromedp.Navigate(at), chromedp.WaitVisible("[data-read]"))
		said, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`(() => {
			const said = [];
			speechSynthesis.speak = (words) => said.push(words.lang + ": " + words.text);
			const button = document.querySelector("[data-read]");
			button.click();
			said.push(button.getAttribute("aria-pressed"));
			button.click();
			said.push(button.getAttribute("aria-pressed"));
			return said;
		})()`))
		// The other words on the page are the labels of the form.
		got := strings.Join(said, "|")
		if err != nil || !strings.HasPrefix(got, "en: Wat wilt u?|en: Zeg het.|") && !strings.HasPrefix(got, "nl: Wat wilt u?|nl: Zeg het.|") || !strings.HasSuffix(got, "|true|false") {
			t.Errorf("got %v %q", err, got)
		}
	})
}

func newTab(t *testing.T, browser context.Context) context.Context {
	t.Helper()
	tab, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancel := context.WithTimeout(tab, 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func act(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func next(t *testing.T, ctx context.Context, posted <-chan url.Values) url.Values {
	t.Helper()
	select {
	case v := <-posted:
		return v
	case <-ctx.Done():
		t.Fatal("nothing was posted")
		return nil
	}
}
