package statusarchive

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
)

func parse(t *testing.T, target string) *url.URL {
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func FuzzReadBundle(f *testing.F) {
	f.Add([]byte("a.b.c\nd.e.f\n"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tokens, err := ReadBundle(bytes.NewReader(raw))
		if err != nil {
			return
		}
		again, err := ReadBundle(strings.NewReader(strings.Join(tokens, "\n")))
		if err != nil || len(again) != len(tokens) {
			t.Errorf("%q came back as %q, %v", tokens, again, err)
		}
	})
}

func FuzzParseLists(f *testing.F) {
	f.Add([]byte(`{"lists":[{"uri":"https://vaart.example/status/1","organisation":"org_a","issued_at":"2026-03-02T12:00:00Z","digest":"00","days":1}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := ParseLists(raw)
		if err != nil && all != nil {
			t.Error("lists beside an error")
		}
		for _, l := range all {
			if l.URI == "" || l.IssuedAt.IsZero() {
				t.Errorf("accepted %+v", l)
			}
		}
	})
}
