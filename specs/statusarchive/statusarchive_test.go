package statusarchive

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

const uri = "https://vaart.example/status/1"

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// shelf keeps tokens of one list, by when they were issued.
type shelf struct {
	tokens map[time.Time]string
	broken error
}

func (s *shelf) Lists(context.Context) ([]List, error) {
	l := List{URI: uri, Organisation: "org_a", Digest: "00", Days: len(s.tokens), Notices: []Notice{{Code: Shrunk, Seen: noon, Count: 1, Before: noon, After: noon}}}
	for at := range s.tokens {
		if at.After(l.IssuedAt) {
			l.IssuedAt = at
		}
	}
	return []List{l}, s.broken
}

func (s *shelf) Token(_ context.Context, of string, at time.Time) (token string, err error) {
	var best time.Time
	for issued, text := range s.tokens {
		if of == uri && (at.IsZero() || !issued.After(at)) && issued.After(best) {
			best, token = issued, text
		}
	}
	if token == "" {
		return "", errors.Join(ErrNotHeld, s.broken)
	}
	return token, nil
}

func (s *shelf) Proof(_ context.Context, of, code string) ([]string, error) {
	if of != uri || code != Shrunk {
		return nil, ErrNotHeld
	}
	return []string{"a.b.c", "d.e.f"}, nil
}

func TestBothHalves(t *testing.T) {
	s := &shelf{tokens: map[time.Time]string{noon: "old.old.old", noon.Add(24 * time.Hour): "new.new.new"}}
	srv := httptest.NewServer(http.StripPrefix("/v1/statuses", &Server{Archive: s, MaxAge: time.Minute}))
	defer srv.Close()
	c := Client{HTTP: srv.Client(), URL: srv.URL + "/v1/statuses"}
	ctx := t.Context()
	if all, err := c.Lists(ctx); err != nil || len(all) != 1 || all[0].Days != 2 || all[0].Notices[0].Code != Shrunk {
		t.Errorf("lists: %+v, %v", all, err)
	}
	for name, tt := range map[string]struct {
		uri  string
		at   time.Time
		want string
		err  error
	}{
		"newest":       {uri, time.Time{}, "new.new.new", nil},
		"of the day":   {uri, noon.Add(time.Hour), "old.old.old", nil},
		"before all":   {uri, noon.Add(-time.Hour), "", ErrNotHeld},
		"another list": {uri + "0", time.Time{}, "", ErrNotHeld},
	} {
		if got, err := c.Token(ctx, tt.uri, tt.at); err != nil && got != "" || err == nil && got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	tokens, tag, err := c.Bundle(ctx, "")
	if err != nil || !slices.Equal(tokens, []string{"new.new.new"}) || tag == "" {
		t.Fatalf("bundle: %v %q %v", tokens, tag, err)
	}
	if _, _, err := c.Bundle(ctx, tag); !errors.Is(err, ErrUnchanged) {
		t.Errorf("the same bundle again: %v", err)
	}
	s.tokens[noon.Add(25*time.Hour)] = "newer.newer.newer"
	if tokens, _, err := c.Bundle(ctx, tag); err != nil || len(tokens) != 1 || tokens[0] != "newer.newer.newer" {
		t.Errorf("a new bundle: %v %v", tokens, err)
	}
	if proof, err := c.Proof(ctx, uri, Shrunk); err != nil || len(proof) != 2 {
		t.Errorf("proof: %v %v", proof, err)
	}
	if _, err := c.Proof(ctx, uri, Revived); !errors.Is(err, ErrNotHeld) {
		t.Errorf("proof of nothing: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	s := &shelf{tokens: map[time.Time]string{noon: "a.b.c"}}
	h := &Server{Archive: s}
	for name, tt := range map[string]struct {
		method, target string
		broken         error
		want           int
	}{
		"posted":         {http.MethodPost, "/", nil, http.StatusMethodNotAllowed},
		"no uri":         {http.MethodGet, "/token", nil, http.StatusBadRequest},
		"time in words":  {http.MethodGet, "/token?uri=x&time=noon", nil, http.StatusBadRequest},
		"another path":   {http.MethodGet, "/else", nil, http.StatusNotFound},
		"archive broken": {http.MethodGet, "/", errors.New("disk"), http.StatusInternalServerError},
	} {
		s.broken = tt.broken
		w := httptest.NewRecorder()
		h.ServeHTTP(w, &http.Request{Method: tt.method, URL: parse(t, tt.target), Header: http.Header{}})
		if w.Code != tt.want {
			t.Errorf("%s: %d, want %d", name, w.Code, tt.want)
		}
	}
}

// A bundle that breaks off is no bundle.
func TestBrokenBundle(t *testing.T) {
	s := &failing{shelf{tokens: map[time.Time]string{noon: "a.b.c"}}}
	srv := httptest.NewServer(&Server{Archive: s})
	defer srv.Close()
	if tokens, _, err := (Client{HTTP: srv.Client(), URL: srv.URL}).Bundle(t.Context(), ""); err == nil {
		t.Errorf("read %v", tokens)
	}
}

type failing struct{ shelf }

func (*failing) Token(context.Context, string, time.Time) (string, error) {
	return "", errors.New("disk")
}

func TestReadBundleRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty line": "a.b.c\n\nd.e.f\n", "not a token": "<html>", "too long": strings.Repeat("a", MaxToken+1),
	} {
		if got, err := ReadBundle(strings.NewReader(text)); !errors.Is(err, ErrAnswer) || got != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
