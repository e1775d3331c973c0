package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOperatorAndPublic(t *testing.T) {
	h := site(Options{Role: "issuer"})
	pages := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("the page")) })
	public, operator, bare := Public(h), Operator(h, pages), Operator(h, nil)
	for _, tt := range []struct {
		name, host, path string
		h                http.Handler
		status           int
		body             string
	}{
		{"public has no metrics", "issuer.example", "/metrics", public, 404, "nothing at this address"},
		{"public is public", "issuer.example", "/readyz", public, 200, "ready"},
		{"public pages", "issuer.example", "/offer/7", public, 200, "7"},
		{"operator metrics", "127.0.0.1:9101", "/metrics", operator, 200, "paspoort_http_requests_total"},
		{"operator readiness", "localhost:9101", "/readyz", operator, 200, "ready"},
		{"operator over IPv6", "[::1]:9101", "/healthz", operator, 200, "ok"},
		{"operator page", "127.0.0.1:9101", "/", operator, 200, "the page"},
		{"operator has no public pages", "127.0.0.1:9101", "/offer/7", bare, 404, "/metrics"},
		{"a stranger's name for this address", "evil.example:9101", "/", operator, 421, "localhost"},
		{"a stranger's name for the metrics", "evil.example", "/metrics", operator, 421, "localhost"},
		{"looks like loopback", "127.0.0.1.evil.example", "/", operator, 421, "localhost"},
	} {
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		tt.h.ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s: got %d %.80q, want %d %q", tt.name, w.Code, w.Body.String(), tt.status, tt.body)
		}
	}
	for address, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, ":1": false, "0.0.0.0:1": false, "192.0.2.1:1": false, "127.0.0.1": false} {
		if Loopback(address) != want {
			t.Errorf("%s: got %v", address, !want)
		}
	}
}
