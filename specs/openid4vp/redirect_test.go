package openid4vp_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/openid4vp"
)

// answers is a verifier that gives one answer to everything.
type answers string

func (a answers) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(a)))}, nil
}

// TestRedirect: what the verifier gives is opened in the holder's browser, so it must be a
// page on the web and nothing that runs or reads here.
func TestRedirect(t *testing.T) {
	for uri, open := range map[string]bool{
		"https://werkgever.example/klaar?response_code=abc": true,
		"http://localhost:8080/klaar":                       true,
		"javascript:alert(1)":                               false,
		"data:text/html,<script>alert(1)</script>":          false,
		"file:///etc/passwd":                                false,
		"vbscript://x/y":                                    false,
		"https:///klaar":                                    false,
		"https://werkgever.example@kwaad.example/":          false,
		"/klaar": false,
	} {
		c := openid4vp.Client{HTTP: answers(`{"redirect_uri":"` + uri + `"}`)}
		x := &openid4vp.Exchange{Request: &openid4vp.Request{ResponseURI: "https://werkgever.example/response"}}
		got, err := c.Refuse(t.Context(), x, openid4vp.AccessDenied, "")
		if err != nil || (got == uri) != open || !open && got != "" {
			t.Errorf("%s: got %q, %v", uri, got, err)
		}
	}
}
