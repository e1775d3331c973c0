package wallet_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/wallet"
)

// TestPastedPage: the address of a request's page leads to the request; a page that has
// none, or that says why there is none, is told apart; and a page is followed once only.
func TestPastedPage(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, configID)
	link := w.verifier.skills(false, openid4vp.DirectPost, verzorgen)
	answer := func(status int, contentType, body string) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept") != "application/json" {
				contentType, body = "text/html", "<p>"
			}
			rw.Header().Set("Content-Type", contentType)
			rw.WriteHeader(status)
			fmt.Fprint(rw, body)
		})
	}
	refused := func(err error) bool { _, ok := errors.AsType[*openid4vp.RefusedError](err); return ok }
	none := func(err error) bool { return errors.Is(err, openid4vp.ErrInvocation) }
	for name, c := range map[string]struct {
		page http.Handler
		want func(error) bool
	}{
		"a request":           {answer(200, "application/json", `{"invocation":"`+link+`"}`), func(err error) bool { return err == nil }},
		"answered before":     {answer(410, "application/json", `{"error":"invalid_request_uri","error_description":"answered"}`), refused},
		"gone, as a page":     {answer(404, "text/html", "<p>gone"), refused},
		"an ordinary page":    {answer(200, "text/html", "<p>hello"), none},
		"JSON of another API": {answer(200, "application/json", `{"hello":1}`), none},
		"not strict JSON":     {answer(200, "application/json", `{"invocation":"`+link+`","invocation":"x"}`), none},
		"too large":           {answer(200, "application/json", `{"invocation":"`+link+strings.Repeat("x", openid4vp.MaxInvocationSize)+`"}`), none},
		"another page":        {answer(200, "application/json", `{"invocation":"https://pagina.example.com/r/b"}`), none},
	} {
		t.Run(name, func(t *testing.T) {
			w.hosts["pagina.example.com"] = c.page
			r, err := holder.Request(t.Context(), " https://pagina.example.com/r/a\n", wallet.Trust{})
			if !c.want(err) {
				t.Fatalf("got %v", err)
			}
			if err == nil && (r.Consent.Asker.Name != "Machinefabriek Ossekamp" || len(r.Consent.Items) != 1) {
				t.Errorf("who asks: %+v", r.Consent)
			}
		})
	}
}
