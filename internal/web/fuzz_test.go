package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzReadJSON: any body is read or refused with a status of the 4xx kind, and the
// refusal repeats nothing of it.
func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"a":1,"a":2}`, `[[[[`, "\xff", `{"a":"Willemijn"}`, ``, `{"a":1e400}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		var v struct {
			A int `json:"a"`
		}
		err := ReadJSON(r, 1000, &v)
		if err == nil {
			return
		}
		refusal, ok := err.(*Error)
		if !ok || refusal.Status < 400 || refusal.Status > 499 {
			t.Errorf("%q: got %v", body, err)
		}
		if len(body) > 12 && strings.Contains(refusal.Description, body) {
			t.Errorf("the refusal repeats %q", body)
		}
	})
}

// FuzzBearer: only the token opens the door.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer s3cret", "bearer  s3cret ", "Bearer", "Basic s3cret", "Bearer s3cret x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		opened := false
		h := Bearer("s3cret")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { opened = true }))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{header}
		h.ServeHTTP(httptest.NewRecorder(), r)
		scheme, token, _ := strings.Cut(header, " ")
		if opened != (strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) == "s3cret") {
			t.Errorf("%q: opened %v", header, opened)
		}
	})
}
