package statusarchive

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"paspoort.example/paspoort/specs/statuslist"
)

// Doer sends an HTTP request; *http.Client is one. Timeouts, redirects and which addresses may
// be reached are its affair.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Client asks one archive.
type Client struct {
	HTTP Doer
	URL  string // of the archive, without trailing slash
}

// Lists tells which lists the archive keeps. It fails with [ErrAnswer] or an error of HTTP.
func (c Client) Lists(ctx context.Context) ([]List, error) {
	res, err := c.get(ctx, "", nil, "")
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := read(res, maxList)
	if err != nil {
		return nil, err
	}
	return ParseLists(raw)
}

// Token gets the newest token of a list, or that of a moment in the past: the newest that was
// issued by then (8.4 of the draft). Zero means now. It fails with [ErrNotHeld], [ErrAnswer] or
// an error of HTTP. What comes was verified by nobody.
func (c Client) Token(ctx context.Context, uri string, at time.Time) (string, error) {
	q := url.Values{"uri": {uri}}
	if !at.IsZero() {
		q.Set("time", strconv.FormatInt(at.Unix(), 10))
	}
	res, err := c.get(ctx, "/token", q, "")
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := read(res, MaxToken)
	return string(raw), err
}

// Proof gets the two tokens that show what a notice says. Errors are as of Token.
func (c Client) Proof(ctx context.Context, uri, code string) ([]string, error) {
	res, err := c.get(ctx, "/proof", url.Values{"uri": {uri}, "code": {code}}, "")
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if err := refused(res); err != nil {
		return nil, err
	}
	return ReadBundle(res.Body)
}

// Bundle gets the newest token of every list. With the tag of an earlier answer it fails with
// [ErrUnchanged] when there is nothing new; else with [ErrAnswer] or an error of HTTP.
func (c Client) Bundle(ctx context.Context, tag string) (tokens []string, newTag string, err error) {
	res, err := c.get(ctx, "/bundle", nil, tag)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusNotModified {
		return nil, tag, ErrUnchanged
	}
	if err := refused(res); err != nil {
		return nil, "", err
	}
	tokens, err = ReadBundle(res.Body)
	return tokens, res.Header.Get("ETag"), err
}

func (c Client) get(ctx context.Context, path string, q url.Values, tag string) (*http.Response, error) {
	target := c.URL + path
	if len(q) > 0 {
		target += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("status archive: %w", err)
	}
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	if path == "/token" {
		req.Header.Set("Accept", statuslist.MediaType)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask status archive: %w", err)
	}
	return res, nil
}

func refused(res *http.Response) error {
	switch res.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
		return ErrNotHeld
	}
	return fmt.Errorf("%w: status %d", ErrAnswer, res.StatusCode)
}

func read(res *http.Response, limit int64) ([]byte, error) {
	if err := refused(res); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("ask status archive: %w", err)
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%w: too large", ErrAnswer)
	}
	return raw, nil
}
