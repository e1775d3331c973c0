package openidfed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
)

// Doer sends requests; it decides about time, redirects and which addresses may be
// reached.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Client asks the federation endpoints of others. It holds nothing between calls; a
// value may be used by several callers at once when its HTTP may.
type Client struct {
	HTTP Doer
	// AllowHTTP lets entity identifiers and endpoints have plain http, on one's own
	// computer.
	AllowHTTP bool
	Limits    Limits
}

// Limits bound what one call of [Client.Chain] or [Client.TrustMarks] fetches; zero
// stands for the default (18.1: hundreds of fake authority_hints).
type Limits struct {
	Depth   int // superiors between subject and anchor, 5
	Fetches int // requests, 24
	Hints   int // authority_hints of one entity that are looked at, 8
	Marks   int // trust marks of one entity that are looked at, 16
}

func (l Limits) orDefault() Limits {
	set := func(v *int, or int) {
		if *v <= 0 {
			*v = or
		}
	}
	set(&l.Depth, 5)
	set(&l.Fetches, 24)
	set(&l.Hints, 8)
	set(&l.Marks, 16)
	l.Depth = min(l.Depth, MaxChain-2)
	return l
}

// Configuration fetches the Entity Configuration of id (9.1) and checks that it is of
// this entity and signed with one of its own keys. That says nothing about trust.
func (c *Client) Configuration(ctx context.Context, id string, now time.Time) (*Statement, error) {
	if err := CheckEntityID(id); err != nil {
		return nil, err
	}
	s, err := c.statement(ctx, ConfigurationURL(id))
	if err != nil {
		return nil, err
	}
	if !s.IsConfiguration() || s.Subject != id { // 3.2, step 4
		return nil, fmt.Errorf("%w: it is not the entity configuration of %s", ErrResponse, id)
	}
	return verified(s, s.VerifySelf(now))
}

// Subordinate fetches what superior, given by its Entity Configuration, says about sub
// (8.1). The signature is checked with the keys in that configuration.
func (c *Client) Subordinate(ctx context.Context, superior *Statement, sub string, now time.Time) (*Statement, error) {
	at, err := superior.endpoint("federation_fetch_endpoint", url.Values{"sub": {sub}})
	if err != nil {
		return nil, err
	}
	s, err := c.statement(ctx, at)
	if err != nil {
		return nil, err
	}
	if s.Issuer != superior.Subject || s.Subject != sub {
		return nil, fmt.Errorf("%w: the statement is by another or about another", ErrResponse)
	}
	return verified(s, s.Verify(superior.Keys, now))
}

// Subordinates lists the subordinates of an entity (8.2).
func (c *Client) Subordinates(ctx context.Context, superior *Statement, q ListQuery) ([]string, error) {
	v := url.Values{}
	for _, t := range q.EntityTypes {
		v.Add("entity_type", t)
	}
	if q.TrustMarked {
		v.Set("trust_marked", "true")
	}
	if q.TrustMarkType != "" {
		v.Set("trust_mark_type", q.TrustMarkType)
	}
	if q.Intermediate != nil {
		v.Set("intermediate", fmt.Sprint(*q.Intermediate))
	}
	return c.entities(ctx, superior, "federation_list_endpoint", v)
}

// TrustMarked lists who has a Trust Mark of a type of this issuer (8.5).
func (c *Client) TrustMarked(ctx context.Context, issuer *Statement, markType string) ([]string, error) {
	return c.entities(ctx, issuer, "federation_trust_mark_list_endpoint", url.Values{"trust_mark_type": {markType}})
}

// TrustMark asks the issuer for the mark of a subject (8.6). It is read, not judged.
func (c *Client) TrustMark(ctx context.Context, issuer *Statement, markType, sub string) (*TrustMark, error) {
	at, err := issuer.endpoint("federation_trust_mark_endpoint", url.Values{"trust_mark_type": {markType}, "sub": {sub}})
	if err != nil {
		return nil, err
	}
	body, err := c.get(ctx, at, TypeTrustMark, MaxStatement)
	if err != nil {
		return nil, err
	}
	m, err := ParseTrustMark(body)
	if err != nil {
		return nil, err
	}
	if m.Type != markType || m.Subject != sub || m.Issuer != issuer.Subject {
		return nil, fmt.Errorf("%w: another trust mark than asked for", ErrResponse)
	}
	return m, nil
}

// TrustMarkStatus asks the issuer whether a mark is still active (8.4).
func (c *Client) TrustMarkStatus(ctx context.Context, issuer *Statement, mark string, now time.Time) (*TrustMarkStatus, error) {
	at, err := issuer.endpoint("federation_trust_mark_status_endpoint", nil)
	if err != nil {
		return nil, err
	}
	body, err := c.post(ctx, at, url.Values{"trust_mark": {mark}}, TypeTrustMarkStatus)
	if err != nil {
		return nil, err
	}
	return ParseTrustMarkStatus(body, issuer.Subject, mark, issuer.Keys, now)
}

// HistoricalKeys asks an entity for the keys it used before (8.7).
func (c *Client) HistoricalKeys(ctx context.Context, entity *Statement, now time.Time) (*HistoricalKeys, error) {
	at, err := entity.endpoint("federation_historical_keys_endpoint", nil)
	if err != nil {
		return nil, err
	}
	body, err := c.get(ctx, at, TypeKeySet, MaxStatement)
	if err != nil {
		return nil, err
	}
	return ParseHistoricalKeys(body, entity.Subject, entity.Keys, now)
}

// Resolve asks a resolver about a subject (8.3). Whoever pinned the anchor checks the
// chain in the answer with [ValidateChain] and has to trust the resolver in nothing.
func (c *Client) Resolve(ctx context.Context, resolver *Statement, q ResolveQuery, now time.Time) (*Resolved, error) {
	v := url.Values{"sub": {q.Subject}, "trust_anchor": q.TrustAnchors}
	if len(q.EntityTypes) > 0 {
		v["entity_type"] = q.EntityTypes
	}
	at, err := resolver.endpoint("federation_resolve_endpoint", v)
	if err != nil {
		return nil, err
	}
	body, err := c.get(ctx, at, TypeResolveResponse, maxResolved)
	if err != nil {
		return nil, err
	}
	return ParseResolved(body, resolver.Subject, q.Subject, resolver.Keys, now)
}

// endpoint is a URL out of federation_entity with parameters added; it "MAY contain
// port, path, and query parameter components" (5.1.1).
func (s *Statement) endpoint(name string, q url.Values) (string, error) {
	raw := s.Metadata.Text(FederationEntity, name)
	u, err := url.Parse(raw)
	if raw == "" || err != nil || u.Host == "" || u.Fragment != "" {
		return "", fmt.Errorf("%w: %s has no %s", ErrResponse, s.Subject, name)
	}
	merged := u.Query()
	for k, v := range q {
		merged[k] = v
	}
	u.RawQuery = merged.Encode()
	return u.String(), nil
}

func (c *Client) statement(ctx context.Context, at string) (*Statement, error) {
	body, err := c.get(ctx, at, TypeStatement, MaxStatement)
	if err != nil {
		return nil, err
	}
	return ParseStatement(body)
}

func (c *Client) entities(ctx context.Context, s *Statement, name string, q url.Values) ([]string, error) {
	at, err := s.endpoint(name, q)
	if err != nil {
		return nil, err
	}
	body, err := c.get(ctx, at, "", maxList)
	if err != nil {
		return nil, err
	}
	return parseEntities([]byte(body))
}

// get fetches an answer of one typ; "" stands for JSON.
func (c *Client) get(ctx context.Context, at, typ string, limit int64) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return "", fmt.Errorf("make request: %w", err)
	}
	return c.send(r, typ, limit)
}

func (c *Client) post(ctx context.Context, at string, form url.Values, typ string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.send(r, typ, MaxStatement)
}

func (c *Client) send(r *http.Request, typ string, limit int64) (string, error) {
	if r.URL.Scheme != "https" && !(c.AllowHTTP && r.URL.Scheme == "http") {
		return "", fmt.Errorf("%w: %s is not https", ErrResponse, r.URL.Redacted())
	}
	want := mediaJSON
	if typ != "" {
		want = mediaPrefix + typ
	}
	r.Header.Set("Accept", want)
	response, err := c.HTTP.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return "", fmt.Errorf("call %s: %w", r.URL.Host, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return "", fmt.Errorf("read the answer of %s: %w", r.URL.Host, err)
	}
	if int64(len(body)) > limit {
		return "", fmt.Errorf("%w: longer than %d bytes", ErrResponse, limit)
	}
	if response.StatusCode != http.StatusOK {
		return "", readError(response.StatusCode, r.URL.Host, body)
	}
	if t, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || t != want {
		return "", fmt.Errorf("%w: the content type of %s is not %s", ErrResponse, r.URL.Host, want)
	}
	return string(body), nil
}

// readError reads an error answer (8.9); it is unsigned and believed in nothing (18.2).
func readError(status int, host string, body []byte) error {
	var e struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if (ijson.Limits{Depth: 4, Bytes: 8 << 10}).Unmarshal(body, &e) == nil && e.Code != "" && len(e.Code) < 64 {
		return fmt.Errorf("%s answers %d: %w", host, status, Refuse(Code(e.Code), e.Description[:min(len(e.Description), 300)]))
	}
	return fmt.Errorf("%w: %s answers status %d", ErrResponse, host, status)
}
