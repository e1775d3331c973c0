// Package outbound is the one HTTP client for addresses that came from outside: an
// issuer named in an offer, a status list named in a credential, another region.
//
// Such an address may be chosen by an attacker, so the client cannot be used to
// reach inside (server-side request forgery): each address is judged after it was
// resolved, at the moment of connecting, redirects included; private, loopback and
// reserved ranges are refused unless the policy names them. It speaks https only,
// follows at most a few redirects, keeps no cookies, uses no proxy, and reads no
// more than a limit. Plain http exists for one case, a region on your own
// computer: the one value Policy.AllowLoopbackHTTP, with no branch anywhere else.
//
// doyensec/safeurl was weighed: it wants a list of allowed ports, has no redirect or
// body limits, and cannot bind plain http to loopback; the check itself is the
// same (a dialer's Control function).
//
//	c := outbound.New(outbound.Policy{})
//	body, contentType, err := c.Get(ctx, "https://opleider.example/.well-known/did.json", "application/json")
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

var (
	// ErrAddress: the name resolves to an address that the policy does not allow.
	ErrAddress = errors.New("address is not allowed")
	// ErrURL: not an absolute https URL (or http on loopback where allowed), or one
	// with a user name in it.
	ErrURL = errors.New("url is not allowed")
	// ErrRedirect: too many redirects, a change of scheme, or one for a request
	// that is not GET or HEAD.
	ErrRedirect = errors.New("redirect is not followed")
	// ErrTooLarge: the answer is larger than the limit.
	ErrTooLarge = errors.New("answer is too large")
)

// StatusError is an answer other than 200 to Get.
type StatusError struct{ Code int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("answered %d %s", e.Code, http.StatusText(e.Code))
}

// Policy says where the client may go and how long and large an answer may be. The
// zero Policy is the one for the open internet.
type Policy struct {
	// AllowLoopbackHTTP permits plain http, and only to loopback addresses; it also
	// permits https to them. What may only be named as https, such as did:web, is then
	// asked again in plain http where a server on loopback speaks nothing else. For a
	// region on one computer.
	AllowLoopbackHTTP bool

	// AllowPrivate lists address ranges that are permitted though they are private
	// or reserved. Loopback gives the two of this computer.
	AllowPrivate []netip.Prefix

	// Roots are the certificate authorities for https. Nil means the system's.
	Roots *x509.CertPool

	// Timeout of one request with its redirects and its body. Zero means 10 s.
	Timeout time.Duration

	// MaxBytes of an answer after decompression. Zero means 1 MiB.
	MaxBytes int64

	// MaxRedirects that are followed. Zero means 3, negative means none.
	MaxRedirects int
}

// Loopback are the address ranges of this computer, for Policy.AllowPrivate.
func Loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// Client fetches under a Policy. Safe for use from many goroutines.
type Client struct {
	policy Policy
	http   *http.Client
}

// New gives a client under p.
func New(p Policy) *Client {
	if p.Timeout == 0 {
		p.Timeout = 10 * time.Second
	}
	if p.MaxBytes == 0 {
		p.MaxBytes = 1 << 20
	}
	if p.MaxRedirects == 0 {
		p.MaxRedirects = 3
	}
	c := &Client{policy: p}
	c.http = &http.Client{
		Transport:     &byScheme{policy: p, https: p.transport(p.allowed), http: p.transport(onlyLoopback)},
		CheckRedirect: c.checkRedirect,
		Timeout:       p.Timeout,
	}
	return c
}

// transport connects only to addresses that allowed accepts. The check runs in the
// dialer, after the name was resolved, so that a name which changes its mind
// between check and use (DNS rebinding) gains nothing. Proxy stays nil: one from
// the environment would do the resolving in our place.
func (p Policy) transport(allowed func(netip.Addr) bool) *http.Transport {
	dialer := &net.Dialer{
		Timeout: p.Timeout,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !allowed(to.Addr()) {
				return ErrAddress
			}
			return nil
		},
	}
	return &http.Transport{
		DialContext:           dialer.DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: p.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   p.Timeout,
		ResponseHeaderTimeout: p.Timeout,
		IdleConnTimeout:       30 * time.Second,
		MaxIdleConnsPerHost:   8,
		ForceAttemptHTTP2:     true,
		// Headers count too: RFC 9110 sets no limit, we do.
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// byScheme sends plain http through a transport that reaches loopback only.
type byScheme struct {
	policy      Policy
	https, http *http.Transport
}

func (t *byScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" {
		return t.http.RoundTrip(r)
	}
	resp, err := t.https.RoundTrip(r)
	if spokePlain(err) && r.Body == nil && t.policy.AllowLoopbackHTTP && isLoopbackName(r.URL.Hostname()) {
		plain := r.Clone(r.Context())
		plain.URL.Scheme = "http"
		return t.http.RoundTrip(plain)
	}
	return resp, err
}

// spokePlain says whether a handshake failed because the other side answered in plain
// http; net/http turns the same error into http.ErrSchemeMismatch above the transport.
func spokePlain(err error) bool {
	bad, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok && string(bad.RecordHeader[:]) == "HTTP/"
}

// CloseIdleConnections closes connections that wait for a next request.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

func (t *byScheme) CloseIdleConnections() {
	t.https.CloseIdleConnections()
	t.http.CloseIdleConnections()
}

// CheckURL says whether the policy lets the client ask this URL at all: ErrURL if
// not. Where the name leads is judged when connecting.
func (c *Client) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("outbound: %w", ErrURL) // url.Parse repeats the whole URL, which may hold a secret
	}
	return c.checkURL(u)
}

func (c *Client) checkURL(u *url.URL) error {
	switch {
	case u.Host == "" || u.Hostname() == "":
		return fmt.Errorf("outbound: %w: it has no host", ErrURL)
	case u.User != nil:
		return fmt.Errorf("outbound: %w: it holds a user name", ErrURL)
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && c.policy.AllowLoopbackHTTP && isLoopbackName(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("outbound: %w: plain http, use https", ErrURL)
	}
	return fmt.Errorf("outbound: %w: it is not https", ErrURL)
}

func (c *Client) checkRedirect(r *http.Request, via []*http.Request) error {
	switch first := via[0]; {
	case len(via) > c.policy.MaxRedirects:
		return fmt.Errorf("%w: more than %d", ErrRedirect, max(c.policy.MaxRedirects, 0))
	case r.URL.Scheme != first.URL.Scheme:
		return fmt.Errorf("%w: it changes the scheme", ErrRedirect)
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return fmt.Errorf("%w: the request was a %s", ErrRedirect, first.Method)
	}
	return c.checkURL(r.URL)
}

// Do sends a request. Reading the body of the answer fails with ErrTooLarge past
// the limit. Errors name the host and never the rest of the URL, which may hold a
// code or a person's link.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	if err := c.checkURL(r.URL); err != nil {
		return nil, err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("outbound: %s %s: %w", r.Method, r.URL.Host, withoutURL(err))
	}
	if resp.ContentLength > c.policy.MaxBytes {
		resp.Body.Close()
		return nil, fmt.Errorf("outbound: %s %s: %w", r.Method, r.URL.Host, ErrTooLarge)
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: c.policy.MaxBytes}
	return resp, nil
}

func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// Get fetches a URL. Anything but 200 is a *StatusError.
func (c *Client) Get(ctx context.Context, rawURL string, accept ...string) (body []byte, contentType string, err error) {
	if err := c.CheckURL(rawURL); err != nil {
		return nil, "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return nil, "", fmt.Errorf("outbound: %w", withoutURL(err))
	}
	for _, a := range accept {
		r.Header.Add("Accept", a)
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("outbound: GET %s: %w", r.URL.Host, &StatusError{resp.StatusCode})
	}
	body, err = io.ReadAll(resp.Body)
	if err != nil {
		return nil, "", fmt.Errorf("outbound: GET %s: %w", r.URL.Host, err)
	}
	return body, resp.Header.Get("Content-Type"), nil
}

type limitedBody struct {
	io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}

// HTTP is this client for a library that wants one of net/http: under the same policy, each
// request and each answer.
func (c *Client) HTTP() *http.Client {
	return &http.Client{Transport: each{c}, CheckRedirect: c.checkRedirect, Timeout: c.policy.Timeout}
}

// each sends one request; http.Client follows the redirects.
type each struct{ c *Client }

// RoundTrip implements http.RoundTripper.
func (e each) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := e.c.checkURL(r.URL); err != nil {
		return nil, err
	}
	resp, err := e.c.http.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: e.c.policy.MaxBytes}
	return resp, nil
}
