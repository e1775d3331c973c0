package node

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"testing"

	"paspoort.example/paspoort/specs/tlog"
)

func TestBundlesAreCompressedForWhoAsks(t *testing.T) {
	s := newAPIStage(t, nil)
	plain := s.call("GET", "/tile/entries/000.p/3", "", "").Body.Bytes()
	for accept, want := range map[string]string{"gzip": "gzip", "br, gzip;q=0.5, identity": "gzip", "gzip;q=0": "", "identity": "", "": ""} {
		r := httptest.NewRequest("GET", "/tile/entries/000.p/3", nil)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("%q: Content-Encoding %q, want %q", accept, got, want)
		}
		body := io.Reader(w.Body)
		if want == "gzip" {
			var err error
			if body, err = gzip.NewReader(w.Body); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := io.ReadAll(body)
		if err != nil || string(raw) != string(plain) {
			t.Errorf("%q: %d bytes, %v, want %d", accept, len(raw), err, len(plain))
		}
	}
	if _, err := tlog.ParseBundle(plain, 3); err != nil {
		t.Error(err)
	}
}
