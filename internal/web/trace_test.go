package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// collector takes OTLP over HTTP and gives the bodies.
func collector(t *testing.T) (url string, bodies <-chan []byte) {
	t.Helper()
	out := make(chan []byte, 16)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body)
		}
		raw, err := io.ReadAll(body)
		if err == nil && r.URL.Path == "/v1/traces" {
			out <- raw
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, out
}

// Spans name route, method and status, and nothing that came with a request.
func TestTracing(t *testing.T) {
	url, bodies := collector(t)
	stop, err := StartTracing(t.Context(), Tracing{Endpoint: url}, "issuer")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Role: "issuer"})
	s.Pages.HandleFunc("/offer/{id}", func(_ http.ResponseWriter, r *http.Request) {
		ctx, end := Span(r.Context(), "look it up")
		_ = ctx
		end(io.ErrUnexpectedEOF)
	}).Methods("GET")
	s.Pages.Handle("/secret/{id}", Unrecorded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))).Methods("GET")
	h := s.Handler()
	do(t, h, "GET", "/offer/Willemijn?name=Willemijn", "", "User-Agent", "Willemijn", "Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	do(t, h, "GET", "/secret/Willemijn", "")
	do(t, h, "GET", "/nowhere/Willemijn", "")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := stop(ctx); err != nil {
		t.Fatal(err)
	}
	do(t, h, "GET", "/offer/8", "") // off again
	body := <-bodies
	for _, want := range []string{"paspoort-issuer", "GET /offer/{id}", "look it up", "GET unknown", "http.response.status_code"} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("no %q in what was sent", want)
		}
	}
	for _, never := range []string{"Willemijn", "/secret", "192.0.2.1", "unexpected EOF", "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6", "host.name"} {
		if bytes.Contains(body, []byte(never)) {
			t.Errorf("%q was sent", never)
		}
	}
	if len(bodies) != 0 {
		t.Error("spans were sent after the end")
	}
}

func TestTracingSettings(t *testing.T) {
	for _, c := range []Tracing{{}, {Endpoint: "127.0.0.1:4318"}, {Endpoint: "ftp://a.example"}, {Endpoint: "http://127.0.0.1:4318", Share: 2}} {
		if stop, err := StartTracing(t.Context(), c, "node"); err == nil {
			stop(t.Context())
			t.Errorf("%+v: taken", c)
		} else if !strings.HasPrefix(err.Error(), "tracing: ") {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}
