package conf

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/internal/web"
)

// A process speaks https in one of three ways: with certificate files, with a certificate
// that it gets by ACME (RFC 8555), or through a proxy of the operator's that ends https. In
// the last case nothing that the proxy adds to a request is believed about where the process
// is: links and identifiers are made from the configured URL.

// ACME says from whom a certificate comes. The authority is proven the name of the URL over
// the https port (tls-alpn-01, RFC 8737), or over plain http where HTTPListen is set.
type ACME struct {
	// Email is whom the authority tells when something is wrong with the certificate.
	Email string `json:"email"`
	// Cache is a folder for the account key and the certificate; empty is an error.
	Cache string `json:"cache"`
	// Directory is the authority's; empty means Let's Encrypt.
	Directory string `json:"directory,omitempty"`
	// CAFile is a PEM file with authorities to trust when speaking with Directory.
	CAFile string `json:"ca_file,omitempty"`
	// HTTPListen answers http-01 and sends all else to https, for example ":80".
	HTTPListen string `json:"http_listen,omitempty"`
	// AllowPrivate lists address ranges that Directory may have though they are private.
	AllowPrivate []string `json:"allow_private,omitempty"`
}

// ErrPlain: plain http would leave this computer.
var ErrPlain = errors.New(`plain http on an address that others reach: give tls_cert and tls_key, or acme, or "behind_proxy": true when a proxy of your own ends https`)

// CheckHTTPS says what would keep the server from answering the public, before it starts: the
// address is in a charter that is hard to change by then.
func (s Server) CheckHTTPS() error {
	switch {
	case s.ACME != nil && (s.BehindProxy || s.TLSCert != ""), s.BehindProxy && s.TLSCert != "":
		return fmt.Errorf("%w: choose one of ACME, certificate files and a proxy of your own", ErrConfig)
	case s.ACME != nil:
		_, err := s.certificates()
		return err
	case s.TLSCert != "":
		_, err := web.TLS(s.TLSCert, s.TLSKey)
		return err
	}
	return s.plain()
}

// plain refuses to speak plain http where others can hear it.
func (s Server) plain() error {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return fmt.Errorf("%w: listen is not host:port: %w", ErrConfig, err)
	}
	ip := net.ParseIP(host)
	if s.BehindProxy || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%w: listen on %s: %w", ErrConfig, s.Listen, ErrPlain)
}

// serveACME gets and renews the certificate while it serves on l.
func (s Server) serveACME(ctx context.Context, l net.Listener, h http.Handler) error {
	m, err := s.certificates()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	var plain net.Listener
	if s.ACME.HTTPListen != "" {
		if plain, err = OpenAs(s.ACME.HTTPListen, "http_listen"); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	config := m.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return web.Serve(ctx, l, h, config) })
	if plain != nil {
		group.Go(func() error { return web.Serve(ctx, plain, m.HTTPHandler(nil), nil) })
	}
	return group.Wait()
}

// certificates is who gets the certificate for the host of the URL, and for no other name.
func (s Server) certificates() (*autocert.Manager, error) {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("%w: acme needs an https url with a host name", ErrConfig)
	case net.ParseIP(u.Hostname()) != nil || !strings.Contains(u.Hostname(), ".") && s.ACME.Directory == "":
		return nil, fmt.Errorf("%w: acme gives no certificate for %q: the url needs a public host name", ErrConfig, u.Hostname())
	case s.ACME.Cache == "":
		return nil, fmt.Errorf("%w: acme.cache is empty: name a folder for the certificate", ErrConfig)
	}
	policy, err := outbound.Settings{CAFile: s.ACME.CAFile, AllowPrivate: s.ACME.AllowPrivate}.Policy()
	if err != nil {
		return nil, err
	}
	return &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(s.ACME.Cache), Email: s.ACME.Email,
		HostPolicy: autocert.HostWhitelist(u.Hostname()),
		Client:     &acme.Client{DirectoryURL: s.ACME.Directory, HTTPClient: outbound.New(policy).HTTP(), UserAgent: "paspoort"},
	}, nil
}
