package openid4vci

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Doer sends an HTTP request; *http.Client is one. Timeouts, redirects and the
// addresses that may be reached are its business.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Client is the wallet's half of the protocol. HTTP, Now and Rand are needed. It
// holds no state: one Client serves any number of holders and issuers.
type Client struct {
	HTTP Doer
	Now  func() time.Time
	Rand io.Reader

	// CheckURL refuses a URL that may not be called; nil: everything but https is
	// refused, as the standard demands.
	CheckURL func(*url.URL) error
	// Languages are sent as Accept-Language, most wanted first.
	Languages []string
	Profile   Profile
}

// Offer reads an invocation of the wallet and fetches the offer if it came by
// reference (4.1). What it says is not verified: show nothing of it before Begin.
func (c *Client) Offer(ctx context.Context, invocation string) (*CredentialOffer, error) {
	link, err := ParseOfferLink(invocation)
	if err != nil {
		return nil, err
	}
	offer := link.Offer
	if offer == nil {
		body, err := c.get(ctx, link.URI, MaxOffer)
		if status, ok := errors.AsType[*StatusError](err); ok && (status.Status == http.StatusNotFound || status.Status == http.StatusGone) {
			return nil, fmt.Errorf("%w: %w", ErrOfferGone, err)
		}
		if err != nil {
			return nil, fmt.Errorf("openid4vci: fetch offer: %w", err)
		}
		if offer, err = ParseOffer(body); err != nil {
			return nil, err
		}
	}
	if err := c.checkURL(offer.CredentialIssuer); err != nil {
		return nil, fmt.Errorf("%w: credential_issuer: %w", ErrOffer, err)
	}
	return offer, c.Profile.CheckOffer(offer)
}

// IssuerMetadata fetches and checks the metadata of issuer (12.2).
func (c *Client) IssuerMetadata(ctx context.Context, issuer string) (*IssuerMetadata, error) {
	if err := c.checkURL(issuer); err != nil {
		return nil, fmt.Errorf("%w: credential issuer: %w", ErrMetadata, err)
	}
	at, err := IssuerMetadataURL(issuer)
	if err != nil {
		return nil, err
	}
	body, err := c.get(ctx, at, MaxMetadata)
	if err != nil {
		return nil, fmt.Errorf("openid4vci: fetch issuer metadata: %w", err)
	}
	m, err := ParseIssuerMetadata(body, issuer)
	if err != nil {
		return nil, err
	}
	return m, c.checkURLs(slices.Concat(m.Endpoints(), m.AuthorizationServers))
}

// serverMetadata fetches and checks the metadata of an authorization server.
func (c *Client) serverMetadata(ctx context.Context, server string) (*AuthorizationServerMetadata, error) {
	at, err := AuthorizationServerMetadataURL(server)
	if err != nil {
		return nil, err
	}
	body, err := c.get(ctx, at, MaxMetadata)
	if err != nil {
		return nil, fmt.Errorf("openid4vci: fetch authorization server metadata: %w", err)
	}
	m, err := ParseAuthorizationServerMetadata(body, server)
	if err != nil {
		return nil, err
	}
	return m, c.checkURLs(m.endpoints())
}

// Session is one issuer and its authorization server, both with metadata that was
// fetched and checked.
type Session struct {
	Offer  *CredentialOffer // nil in a session made by Resume
	Issuer *IssuerMetadata
	Server *AuthorizationServerMetadata

	// DPoPKey, when set, binds tokens to this key if the server knows DPoP. It is not
	// a credential key. The same key is needed to use and to refresh the tokens.
	DPoPKey crypto.Signer
	// ClientID is sent to a server that does not take anonymous clients.
	ClientID string

	client     *Client
	dpopNonces map[string]string // per origin: nonces of server and issuer stay apart
}

// Begin starts a session from an offer: it fetches metadata and finds the
// authorization server for the pre-authorized code.
func (c *Client) Begin(ctx context.Context, offer *CredentialOffer) (*Session, error) {
	hint := ""
	if g := offer.PreAuthorized(); g != nil {
		hint = g.AuthorizationServer
	}
	s, err := c.Resume(ctx, offer.CredentialIssuer, hint)
	if err != nil {
		return nil, err
	}
	s.Offer = offer
	for _, id := range offer.ConfigurationIDs {
		if _, err := s.Issuer.Configuration(id); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Resume starts a session without an offer, to use a refresh token. server names
// one of several authorization servers; empty: the first that takes the grant.
func (c *Client) Resume(ctx context.Context, issuer, server string) (*Session, error) {
	m, err := c.IssuerMetadata(ctx, issuer)
	if err != nil {
		return nil, err
	}
	as, err := c.pickServer(ctx, m, server)
	if err != nil {
		return nil, err
	}
	if err := c.Profile.CheckMetadata(m, as); err != nil {
		return nil, err
	}
	return &Session{Issuer: m, Server: as, client: c, dpopNonces: map[string]string{}}, nil
}

// pickServer: 12.2.4, "the Wallet MUST NOT proceed with the flow if the
// authorization_server Credential Offer parameter value does not match any of the
// entries in the authorization_servers array".
func (c *Client) pickServer(ctx context.Context, m *IssuerMetadata, hint string) (*AuthorizationServerMetadata, error) {
	servers := m.servers()
	if hint != "" {
		if !slices.Contains(servers, hint) {
			return nil, fmt.Errorf("%w: the offer names an authorization server that the issuer does not", ErrMetadata)
		}
		servers = []string{hint}
	}
	var firstErr error
	for _, server := range servers[:min(len(servers), 4)] {
		as, err := c.serverMetadata(ctx, server)
		if err == nil && as.Supports(GrantPreAuthorizedCode) {
			return as, nil
		}
		if err == nil {
			err = fmt.Errorf("%w: the authorization server does not take pre-authorized codes", ErrMetadata)
		}
		firstErr = errors.Join(firstErr, err)
	}
	return nil, firstErr
}

// checkURL refuses what is no absolute URL, and what CheckURL refuses.
func (c *Client) checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("not an absolute URL")
	}
	if c.CheckURL != nil {
		return c.CheckURL(u)
	}
	// 12.2.1, 12.2.4: "MUST use the https scheme".
	if !strings.EqualFold(u.Scheme, "https") {
		return errors.New("not an https URL")
	}
	return nil
}

func (c *Client) checkURLs(urls []string) error {
	for _, u := range urls {
		if err := c.checkURL(u); err != nil {
			return fmt.Errorf("%w: an endpoint is %w", ErrMetadata, err)
		}
	}
	return nil
}
