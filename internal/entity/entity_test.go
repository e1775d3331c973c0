package entity

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
)

const (
	region = "https://region.example"
	mark   = region + "/keurmerk/toegelaten/opleiding"
	school = "https://school.example"
)

var now = time.Unix(1_800_000_000, 0)

// superior is a region that gives one trust mark.
type superior struct {
	t      *testing.T
	key    *jose.PrivateKey
	gives  bool
	down   bool
	server *openidfed.Server
}

func newSuperior(t *testing.T) *superior {
	s := &superior{t: t, gives: true, key: generate(t)}
	s.server = &openidfed.Server{EntityID: region, Entity: s, MarkIssuer: s}
	return s
}

func generate(t *testing.T) *jose.PrivateKey {
	t.Helper()
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (s *superior) EntityConfiguration(context.Context) (string, error) {
	keys, err := openidfed.Keys(s.key.Public())
	if err != nil {
		return "", err
	}
	st := openidfed.Statement{Issuer: region, Subject: region, IssuedAt: now, ExpiresAt: now.Add(time.Hour), Keys: keys,
		TrustMarkIssuers: map[string][]string{mark: {region}, region + "/other": {region}}, Metadata: openidfed.Metadata{openidfed.FederationEntity: s.server.Endpoints()}}
	return st.Sign(s.key)
}

func (s *superior) TrustMark(_ context.Context, markType, sub string) (string, error) {
	if !s.gives || markType != mark {
		return "", openidfed.Refuse(openidfed.NotFound, "no such mark")
	}
	return openidfed.TrustMark{Issuer: region, Subject: sub, Type: markType, IssuedAt: now, ExpiresAt: now.Add(time.Hour)}.Sign(s.key)
}

func (s *superior) TrustMarked(context.Context, string, string) ([]string, error) { return nil, nil }
func (s *superior) TrustMarkStatus(context.Context, string) (string, error)       { return "", nil }

func (s *superior) Do(r *http.Request) (*http.Response, error) {
	if s.down {
		return nil, errors.New("no route to host")
	}
	rec := httptest.NewRecorder()
	s.server.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// TestEntityCarriesItsMarks: the configuration is signed, names the superiors, and carries the
// marks that they give for as long as they do.
func TestEntityCarriesItsMarks(t *testing.T) {
	s, clock := newSuperior(t), now
	e, err := New(Config{ID: school, Key: generate(t), Authorities: []string{region}, HTTP: s, Clock: func() time.Time { return clock },
		Metadata: openidfed.Metadata{openidfed.FederationEntity: {"display_name": "School Voorbeeld"}}})
	if err != nil {
		t.Fatal(err)
	}
	read := func(marks int) {
		t.Helper()
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, school+openidfed.WellKnown, nil))
		c, err := openidfed.ParseStatement(rec.Body.String())
		if err != nil {
			t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
		}
		if err := c.VerifySelf(clock); err != nil || c.Subject != school || len(c.AuthorityHints) != 1 || c.Metadata.DisplayName() == "" {
			t.Errorf("got %+v, %v", c, err)
		}
		if len(c.TrustMarks) != marks {
			t.Errorf("got %d marks, want %d", len(c.TrustMarks), marks)
		}
	}
	read(0)
	refresh := func(fails bool) {
		t.Helper()
		if err := e.Refresh(t.Context()); (err != nil) != fails {
			t.Errorf("refresh: %v", err)
		}
	}
	refresh(false)
	read(1)
	s.down = true
	refresh(true)
	read(1) // kept while it lasts
	clock = now.Add(time.Hour)
	refresh(true)
	read(0)
	clock, s.down = now, false
	refresh(false)
	read(1)
	s.gives = false
	refresh(false)
	read(0)
}

func TestEntityNeedsASuperior(t *testing.T) {
	if _, err := New(Config{ID: school, Key: generate(t)}); err == nil {
		t.Error("an entity below nobody was made")
	}
	if _, err := New(Config{ID: "school", Key: generate(t), Authorities: []string{region}}); !errors.Is(err, openidfed.ErrStatement) {
		t.Errorf("a name that is no address: got %v", err)
	}
}
