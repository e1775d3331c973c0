package openidfed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
)

// threeLevels is an anchor, an intermediate and an issuer below it.
func threeLevels(t testing.TB) (w *world, anchor, middle, leaf *party) {
	w = newWorld(t)
	anchor, middle = w.add("anchor.example", Statement{}), w.add("middle.example", Statement{})
	leaf = w.add("leaf.example", Statement{Metadata: Metadata{
		CredentialIssuer: {"display": []any{}, "credential_endpoint": "https://leaf.example/e/credential"},
		VCIssuer:         {"jwks": map[string]any{"keys": []any{}}},
	}})
	middle.under(anchor, Statement{Policy: Policy{CredentialIssuer: {"credential_endpoint": {"essential": true}}}})
	leaf.under(middle, Statement{Metadata: Metadata{
		CredentialIssuer:  {"credential_configurations_supported": map[string]any{"diploma": map[string]any{}}},
		"openid_provider": {"issuer": "https://never.example"},
	}})
	return w, anchor, middle, leaf
}

func TestChainIsFoundAndMetadataResolved(t *testing.T) {
	w, anchor, _, leaf := threeLevels(t)
	c := Client{HTTP: w}
	chain, err := c.Chain(context.Background(), leaf.id, []TrustAnchor{anchor.anchor()}, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(chain.Statements) != 4 || chain.Anchor != anchor.id || chain.AnchorConfiguration() == nil {
		t.Errorf("got %d statements to %s", len(chain.Statements), chain.Anchor)
	}
	if chain.Metadata[CredentialIssuer]["credential_configurations_supported"] == nil {
		t.Error("what the superior says is missing")
	}
	if _, there := chain.Metadata["openid_provider"]; there {
		t.Error("a superior gave the subject an entity type that it does not have")
	}
	if got, want := len(w.asked), 5; got != want { // three configurations, two statements
		t.Errorf("got %d requests, want %d: %v", got, want, w.asked)
	}
	// The same chain read from its tokens.
	again, err := ParseChain(chain.Tokens())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ValidateChain(again, []TrustAnchor{anchor.anchor()}, now); err != nil {
		t.Error(err)
	}
}

func TestChainIsRefused(t *testing.T) {
	zero := 0
	for name, tt := range map[string]struct {
		change func(w *world, anchor, middle, leaf *party)
		want   error
	}{
		"no way up":    {func(_ *world, _, _, leaf *party) { leaf.own.AuthorityHints = nil }, ErrNoChain},
		"not about it": {func(_ *world, _, middle, leaf *party) { delete(middle.below, leaf.id) }, ErrNoChain},
		"other keys": {func(_ *world, anchor, middle, leaf *party) {
			s := middle.below[leaf.id]
			s.Keys = anchor.keys
			middle.below[leaf.id] = s
		}, ErrSignature},
		"old statement": {func(_ *world, _, middle, leaf *party) {
			s := middle.below[leaf.id]
			s.ExpiresAt = now
			middle.below[leaf.id] = s
		}, ErrExpired},
		"a loop": {func(_ *world, anchor, middle, leaf *party) {
			middle.own.AuthorityHints = []string{leaf.id}
			leaf.below[middle.id] = Statement{Keys: middle.keys}
		}, ErrNoChain},
		"path too long": {func(_ *world, anchor, middle, _ *party) {
			anchor.below[middle.id] = Statement{Keys: middle.keys, Constraints: &Constraints{MaxPathLength: &zero}}
		}, ErrConstraints},
		"name not permitted": {func(_ *world, anchor, middle, _ *party) {
			anchor.below[middle.id] = Statement{Keys: middle.keys, Constraints: &Constraints{Permitted: []string{".other.example"}}}
		}, ErrConstraints},
		"policy not met": {func(_ *world, anchor, middle, _ *party) {
			anchor.below[middle.id] = Statement{Keys: middle.keys, Policy: Policy{CredentialIssuer: {"x": {"essential": true}}}}
		}, ErrMetadata},
		"policies contradict": {func(_ *world, anchor, middle, leaf *party) {
			anchor.below[middle.id] = Statement{Keys: middle.keys, Policy: Policy{CredentialIssuer: {"x": {"value": "a"}}}}
			middle.below[leaf.id] = Statement{Keys: leaf.keys, Policy: Policy{CredentialIssuer: {"x": {"value": "b"}}}}
		}, ErrPolicy},
	} {
		t.Run(name, func(t *testing.T) {
			w, anchor, middle, leaf := threeLevels(t)
			tt.change(w, anchor, middle, leaf)
			c := Client{HTTP: w}
			_, err := c.Chain(context.Background(), leaf.id, []TrustAnchor{anchor.anchor()}, now)
			if !errors.Is(err, ErrNoChain) || !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestHostileHints: hundreds of authority_hints cost a bounded number of requests (18.1).
func TestHostileHints(t *testing.T) {
	w := newWorld(t)
	anchor := w.add("anchor.example", Statement{})
	bad := w.add("bad.example", Statement{})
	for i := range 500 {
		bad.own.AuthorityHints = append(bad.own.AuthorityHints, fmt.Sprintf("https://h%d.example", i))
	}
	c := Client{HTTP: w}
	if _, err := c.Chain(context.Background(), bad.id, []TrustAnchor{anchor.anchor()}, now); !errors.Is(err, ErrNoChain) {
		t.Errorf("got %v", err)
	}
	if len(w.asked) > 9 {
		t.Errorf("got %d requests, want at most 9", len(w.asked))
	}
	// A pinned anchor at the end of the list is tried first.
	bad.own.AuthorityHints = append(bad.own.AuthorityHints, anchor.id)
	anchor.below[bad.id] = Statement{Keys: bad.keys}
	if _, err := c.Chain(context.Background(), bad.id, []TrustAnchor{anchor.anchor()}, now); err != nil {
		t.Error(err)
	}
	// An endless ladder of intermediates ends at the depth.
	w = newWorld(t)
	below := w.add("l0.example", Statement{})
	leaf := below
	for i := 1; i < 20; i++ {
		above := w.add(fmt.Sprintf("l%d.example", i), Statement{})
		below.under(above, Statement{})
		below = above
	}
	c = Client{HTTP: w, Limits: Limits{Fetches: 1000}}
	if _, err := c.Chain(context.Background(), leaf.id, []TrustAnchor{below.anchor()}, now); !errors.Is(err, ErrNoChain) {
		t.Errorf("got %v", err)
	}
	if len(w.asked) > 13 {
		t.Errorf("got %d requests", len(w.asked))
	}
}

func TestPlainHTTPIsRefused(t *testing.T) {
	c := Client{HTTP: newWorld(t)}
	if _, err := c.Configuration(context.Background(), "http://a.example", now); !errors.Is(err, ErrResponse) {
		t.Errorf("got %v", err)
	}
}

// TestKeysOfSeveralNodes: any key in the anchor's set may sign, and pinning one is enough
// while it signs the configuration.
func TestKeysOfSeveralNodes(t *testing.T) {
	w := newWorld(t)
	anchor, leaf := w.add("anchor.example", Statement{}), w.add("leaf.example", Statement{})
	leaf.under(anchor, Statement{})
	second, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	pinned := anchor.anchor()
	if anchor.keys, err = Keys(anchor.key.Public(), second.Public()); err != nil {
		t.Fatal(err)
	}
	first := anchor.key
	statement := func(key *jose.PrivateKey) *Statement {
		s := Statement{Issuer: anchor.id, Subject: leaf.id, IssuedAt: now, ExpiresAt: now.Add(time.Hour), Keys: leaf.keys}
		token, err := s.Sign(key)
		if err != nil {
			t.Fatal(err)
		}
		out, err := ParseStatement(token)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	chain := []*Statement{leaf.read(Statement{Keys: leaf.keys, AuthorityHints: []string{anchor.id}}, leaf.id), statement(second), anchor.read(Statement{Keys: anchor.keys}, anchor.id)}
	if _, err := ValidateChain(chain, []TrustAnchor{pinned}, now); err != nil {
		t.Error(err)
	}
	anchor.key = second // the configuration signed with a key that was not pinned
	chain[2] = anchor.read(Statement{Keys: anchor.keys}, anchor.id)
	if _, err := ValidateChain(chain, []TrustAnchor{pinned}, now); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v, want %v", err, ErrSignature)
	}
	anchor.key = first
}

func TestTrustMarks(t *testing.T) {
	const typ, owned = "https://anchor.example/e/mark/a", "https://owner.example/mark/b"
	w, anchor, middle, leaf := threeLevels(t)
	owner := w.add("owner.example", Statement{})
	anchor.own.TrustMarkIssuers = map[string][]string{typ: {anchor.id}, owned: {middle.id}}
	anchor.own.TrustMarkOwners = map[string]TrustMarkOwner{owned: {EntityID: owner.id, Keys: owner.keys}}
	sign := func(by *party, m TrustMark) string {
		m.Issuer, m.IssuedAt = by.id, now
		if m.Subject == "" {
			m.Subject = leaf.id
		}
		token, err := m.Sign(by.key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	delegation := func(d Delegation) string {
		d.IssuedAt = now
		token, err := d.Sign(owner.key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := delegation(Delegation{Issuer: owner.id, Subject: middle.id, Type: owned})
	for name, tt := range map[string]struct {
		typ, token string
		valid      bool
	}{
		"of the anchor":                  {typ, sign(anchor, TrustMark{Type: typ}), true},
		"expired":                        {typ, sign(anchor, TrustMark{Type: typ, ExpiresAt: now}), false},
		"about another":                  {typ, sign(anchor, TrustMark{Type: typ, Subject: middle.id}), false},
		"by one who may not":             {typ, sign(middle, TrustMark{Type: typ}), false},
		"type the anchor does not know":  {"https://x.example", sign(anchor, TrustMark{Type: "https://x.example"}), false},
		"delegated":                      {owned, sign(middle, TrustMark{Type: owned, Delegation: good}), true},
		"owned, without delegation":      {owned, sign(middle, TrustMark{Type: owned}), false},
		"delegated for another type":     {owned, sign(middle, TrustMark{Type: owned, Delegation: delegation(Delegation{Issuer: owner.id, Subject: middle.id, Type: typ})}), false},
		"delegated to another":           {owned, sign(middle, TrustMark{Type: owned, Delegation: delegation(Delegation{Issuer: owner.id, Subject: leaf.id, Type: owned})}), false},
		"delegated by another":           {owned, sign(middle, TrustMark{Type: owned, Delegation: delegation(Delegation{Issuer: leaf.id, Subject: middle.id, Type: owned})}), false},
		"delegation expired":             {owned, sign(middle, TrustMark{Type: owned, Delegation: delegation(Delegation{Issuer: owner.id, Subject: middle.id, Type: owned, ExpiresAt: now})}), false},
		"delegation of a type not owned": {typ, sign(anchor, TrustMark{Type: typ, Delegation: good}), false},
	} {
		t.Run(name, func(t *testing.T) {
			leaf.own.TrustMarks = []TrustMarkEntry{{Type: tt.typ, Token: tt.token}}
			anchors := []TrustAnchor{anchor.anchor()}
			c := Client{HTTP: w}
			chain, err := c.Chain(context.Background(), leaf.id, anchors, now)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(c.TrustMarks(context.Background(), chain, anchors, now)) == 1; got != tt.valid {
				t.Errorf("got valid %v, want %v", got, tt.valid)
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	const typ = "https://anchor.example/e/mark/a"
	w, anchor, middle, leaf := threeLevels(t)
	anchor.own.TrustMarkIssuers = map[string][]string{typ: {anchor.id}}
	token, err := TrustMark{Issuer: anchor.id, Subject: leaf.id, Type: typ, IssuedAt: now, Extra: map[string]any{"x": "y"}}.Sign(anchor.key)
	if err != nil {
		t.Fatal(err)
	}
	anchor.marks[leaf.id] = token
	anchor.old = []HistoricalKey{{Key: middle.keys.Keys[0], IssuedAt: now.Add(-time.Hour), ExpiresAt: now, RevokedAt: now, Reason: KeyCompromised}}
	ctx, c, anchors := context.Background(), Client{HTTP: w}, []TrustAnchor{anchor.anchor()}
	anchor.resolve = func(q ResolveQuery) (string, error) {
		chain, err := c.Chain(ctx, q.Subject, anchors, now)
		if err != nil {
			return "", err
		}
		return NewResolved(anchor.id, chain, nil, q.EntityTypes, now).Sign(anchor.key)
	}
	a, err := c.Configuration(ctx, anchor.id, now)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := c.Subordinates(ctx, a, ListQuery{EntityTypes: []string{VCIssuer}, TrustMarked: true, TrustMarkType: typ}); err != nil || !reflect.DeepEqual(list, []string{middle.id}) {
		t.Errorf("list: got %v, %v", list, err)
	}
	yes := true
	var refused *Error
	if _, err := c.Subordinates(ctx, a, ListQuery{Intermediate: &yes}); !errors.As(err, &refused) || refused.Code != UnsupportedParameter {
		t.Errorf("list intermediates: got %v", err)
	}
	if list, err := c.TrustMarked(ctx, a, typ); err != nil || len(list) != 1 {
		t.Errorf("marked: got %v, %v", list, err)
	}
	m, err := c.TrustMark(ctx, a, typ, leaf.id)
	if err != nil || m.Validate(leaf.id, a.Keys, a, now) != nil || m.Extra["x"] != "y" {
		t.Errorf("mark: got %v, %v", m, err)
	}
	if s, err := c.TrustMarkStatus(ctx, a, token, now); err != nil || s.Status != MarkActive {
		t.Errorf("status: got %v, %v", s, err)
	}
	delete(anchor.marks, leaf.id)
	if s, err := c.TrustMarkStatus(ctx, a, token, now); err != nil || s.Status != MarkRevoked {
		t.Errorf("status after withdrawal: got %v, %v", s, err)
	}
	if h, err := c.HistoricalKeys(ctx, a, now); err != nil || len(h.Keys) != 1 || h.Keys[0].Reason != KeyCompromised || !h.Keys[0].RevokedAt.Equal(now) {
		t.Errorf("historical keys: got %v, %v", h, err)
	}
	r, err := c.Resolve(ctx, a, ResolveQuery{Subject: leaf.id, TrustAnchors: []string{anchor.id}, EntityTypes: []string{CredentialIssuer}}, now)
	if err != nil || len(r.Metadata) != 1 || len(r.TrustChain) != 4 || !r.ExpiresAt.Equal(now.Add(time.Hour)) {
		t.Fatalf("resolve: got %v, %v", r, err)
	}
	statements, err := ParseChain(r.TrustChain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ValidateChain(statements, anchors, now); err != nil {
		t.Error(err)
	}
}

func TestErrorAnswers(t *testing.T) {
	_, anchor, _, _ := threeLevels(t)
	for name, tt := range map[string]struct {
		method, target string
		status         int
		code           Code
	}{
		"unknown subject":     {"GET", "/e/federation/fetch?sub=https://x.example", 404, NotFound},
		"no subject":          {"GET", "/e/federation/fetch", 400, InvalidRequest},
		"about itself":        {"GET", "/e/federation/fetch?sub=https://anchor.example/e", 400, InvalidRequest},
		"subject twice":       {"GET", "/e/federation/fetch?sub=https://x.example&sub=https://y.example", 400, InvalidRequest},
		"subject no entity":   {"GET", "/e/federation/fetch?sub=x", 400, InvalidRequest},
		"post":                {"POST", "/e/federation/fetch?sub=https://x.example", 405, InvalidRequest},
		"status without form": {"POST", "/e/federation/trust-mark-status", 400, InvalidRequest},
		"no anchor":           {"GET", "/e/federation/resolve?sub=https://x.example", 400, InvalidRequest},
		"not resolved":        {"GET", "/e/federation/resolve?sub=https://x.example&trust_anchor=https://anchor.example/e", 404, InvalidSubject},
		"list filter":         {"GET", "/e/federation/list?intermediate=true", 400, UnsupportedParameter},
		"bool":                {"GET", "/e/federation/list?trust_marked=1", 400, InvalidRequest},
		"nothing here":        {"GET", "/.well-known/openid-federation", 404, NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			anchor.server.ServeHTTP(rec, httptest.NewRequest(tt.method, "https://anchor.example"+tt.target, nil))
			if rec.Code != tt.status || !strings.Contains(rec.Body.String(), `"error":"`+string(tt.code)+`"`) || rec.Header().Get("Content-Type") != "application/json" {
				t.Errorf("got %d %s %s, want %d %s", rec.Code, rec.Header().Get("Content-Type"), rec.Body, tt.status, tt.code)
			}
		})
	}
	rec := httptest.NewRecorder()
	anchor.server.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://anchor.example/e/.well-known/openid-federation", nil))
	if rec.Code != 200 || rec.Header().Get("Content-Type") != "application/entity-statement+jwt" {
		t.Errorf("configuration: got %d %v", rec.Code, rec.Header())
	}
}
