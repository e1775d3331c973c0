package host

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"paspoort.example/paspoort/internal/testkit"
)

// chromium is a tab of a browser of its own.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		testkit.Missing(t, "there is no chromium on this computer; install it to test passkeys")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// authenticator gives the tab a device with passkeys.
func authenticator(t *testing.T, ctx context.Context, prf bool) {
	t.Helper()
	if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	_, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, HasPrf: prf, AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func steps(t *testing.T, ctx context.Context, list ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, list...); err != nil {
		body, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
		t.Fatalf("%v at %s", err, body)
	}
}

// where waits until the tab shows a path and gives its text.
func where(t *testing.T, ctx context.Context, path string) string {
	t.Helper()
	look := `({at: location.pathname, ready: document.readyState, text: document.body ? document.body.innerText : ""})`
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var seen struct{ At, Ready, Text string }
	for range 400 {
		now, err := chromedp.Run(ctx, chromedp.Evaluate[struct{ At, Ready, Text string }](look))
		if err == nil {
			seen = now
		}
		if seen.At == path && seen.Ready == "complete" {
			return seen.Text
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("at %s, want %s: %v\n%s", seen.At, path, ctx.Err(), seen.Text)
		}
	}
	t.Fatalf("at %s, want %s\n%s", seen.At, path, seen.Text)
	return ""
}

// TestPasskeys: a passkey with PRF opens the paspoort; one without signs in, and the
// passphrase is asked; one that was taken away does neither.
func TestPasskeys(t *testing.T) {
	for _, prf := range []bool{true, false} {
		t.Run(map[bool]string{true: "with PRF", false: "without"}[prf], func(t *testing.T) {
			g := newRig(t)
			ctx := chromium(t)
			authenticator(t, ctx, prf)
			steps(t, ctx, chromedp.Navigate(g.server.URL+"/begin?lang=nl"),
				chromedp.SendKeys("#name", "Samira"), chromedp.SendKeys("#passphrase", goodSecret), chromedp.Click("main form button[type=submit]"))
			where(t, ctx, "/code")
			steps(t, ctx, chromedp.Navigate(g.server.URL+"/care"))
			where(t, ctx, "/care")
			steps(t, ctx, chromedp.SendKeys("#passkey-label", "Mijn telefoon"), chromedp.Click("button[data-passkey=new]"))
			waitFor(t, ctx, `document.body.innerText.includes("Mijn telefoon")`)
			want := map[bool]string{true: "Opent uw paspoort", false: "typt u nog uw wachtwoordzin"}[prf]
			if got := where(t, ctx, "/care"); !contains(got, want) {
				t.Fatalf("want %q in\n%s", want, got)
			}
			steps(t, ctx, chromedp.Click("form.leave button"))
			where(t, ctx, "/left")
			steps(t, ctx, chromedp.Navigate(g.server.URL+"/in"))
			where(t, ctx, "/in")
			steps(t, ctx, chromedp.Click("button[data-passkey=in]"))
			if prf {
				where(t, ctx, "/paspoort")
				return
			}
			waitFor(t, ctx, `document.body.innerText.includes("U bent herkend")`)
			steps(t, ctx, chromedp.SendKeys("#passphrase", goodSecret), chromedp.Click("main form button[type=submit]"))
			where(t, ctx, "/paspoort")
			// Taken away, it signs nobody in.
			steps(t, ctx, chromedp.Navigate(g.server.URL+"/care"), chromedp.Click("form[action='/passkey/remove'] button"))
			waitFor(t, ctx, `document.body.innerText.includes("weggehaald")`)
			steps(t, ctx, chromedp.Click("form.leave button"))
			where(t, ctx, "/left")
			steps(t, ctx, chromedp.Navigate(g.server.URL+"/in"), chromedp.Click("button[data-passkey=in]"))
			waitFor(t, ctx, `!document.getElementById("passkey-failed").hidden`)
		})
	}
}

// waitFor waits until an expression holds on the page.
func waitFor(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 400 {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	body, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	t.Fatalf("never came: %s\n%s", expression, body)
}

func contains(s, want string) bool { return strings.Contains(s, want) }
