package issuer

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
)

// Config is what an issuer needs. Zero durations and numbers get the defaults.
type Config struct {
	// URL is the public address without path and trailing slash, such as
	// https://vaart.example: credential_issuer, iss and did:web are made from it, and
	// every address that others see, never from the Host header.
	URL string
	// Name and Country (ISO 3166-1 alpha-2) stand on pages and in credentials.
	Name, Country string
	// Organisation is the permanent id in the registry, shown on the start page. May
	// be empty.
	Organisation string
	// Types are what may be issued; each in both formats.
	Types []paspoort.Type

	// CredentialKey signs credentials (P-256). CredentialChain is its certificate
	// chain, leaf first and without the anchor; empty before the region admitted the
	// organisation, and then credentials carry the DID URL only.
	CredentialKey   crypto.Signer
	CredentialChain []*x509.Certificate
	// StatusKey and StatusChain sign the status lists, likewise.
	StatusKey   crypto.Signer
	StatusChain []*x509.Certificate

	// Store keeps everything, opened with kv.Options.Sync.
	Store kv.Store
	// Secret seals claims in the store and keys what needs no memory. It stands in a
	// file of its own, 16 bytes or more; losing it loses the claims of open offers.
	Secret []byte
	// Custody tells which status lists of organisations that ceased are to be signed on here;
	// nil signs none. It needs a StatusChain.
	Custody Custody
	// AdminToken opens the API; empty opens it for nobody.
	AdminToken string
	// Wallets are shown on the offer page as other ways to accept.
	Wallets []Wallet
	// Federation are the entity identifiers of the regions below which the issuer takes part in
	// OpenID Federation; none publishes no entity configuration. FederationHTTP fetches the trust
	// marks that they give; nil carries none.
	Federation     []string
	FederationHTTP openidfed.Doer
	// Ready says whether what surrounds the issuer is ready, for /readyz. May be nil.
	Ready func(context.Context) error

	// Profile switches the strictness of the protocol.
	Profile openid4vci.Profile

	BatchSize          int           // copies per request; default 10
	OfferLifetime      time.Duration // how long an offer can be accepted; default 7 days
	RefreshWindow      time.Duration // how long after first issue new copies can be had; default 365 days
	CredentialLifetime time.Duration // until exp of a copy; 0: none
	TxCodeAttempts     int           // wrong transaction codes before the offer is closed; default 5

	PublishEvery   time.Duration // schedule of the status lists; default 15 minutes
	StatusLifetime time.Duration // from iat to exp of a status token; default 24 hours
	StatusListSize int           // entries of one list; default 131072, at least 100000 outside tests
	StatusReserve  int           // entries that are published before they are given out; default 2000

	Clock func() time.Time // nil: time.Now
	Rand  io.Reader        // nil: crypto/rand
	Log   *slog.Logger     // nil: none
}

// Wallet is a wallet host that is invoked over https.
type Wallet struct {
	Name string `json:"name"`
	// URL takes the offer as query, such as https://wallet.example/offer.
	URL string `json:"url"`
}

// Defaults of Config.
const (
	defaultBatch          = 10
	defaultListSize       = 1 << 17
	defaultReserve        = 2000
	defaultTxCodeAttempts = 5
	defaultPublishEvery   = 15 * time.Minute
	defaultStatusLifetime = 24 * time.Hour
	defaultOfferLifetime  = 7 * 24 * time.Hour
	defaultRefreshWindow  = 365 * 24 * time.Hour
	minSecret             = 16
)

func (c *Config) check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("issuer: URL %q is not an absolute https URL", c.URL)
	case u.Path != "" || strings.HasSuffix(c.URL, "/"):
		return fmt.Errorf("issuer: URL %q has a path: an issuer has an address of its own", c.URL)
	case c.Store == nil:
		return errors.New("issuer: Store is required")
	case len(c.Secret) < minSecret:
		return fmt.Errorf("issuer: Secret needs at least %d bytes", minSecret)
	case c.Custody != nil && len(c.StatusChain) == 0:
		return errors.New("issuer: Custody needs StatusChain: lists that are signed on under no certificate count for nothing")
	case len(c.Types) == 0:
		return errors.New("issuer: Types is empty: name at least one type to issue")
	}
	for _, t := range c.Types {
		if _, err := paspoort.ParseType(string(t)); err != nil || t.SelfSigned() {
			return fmt.Errorf("issuer: %q is no type that an organisation issues", t)
		}
	}
	if err := checkSigner("CredentialKey", c.CredentialKey, c.CredentialChain); err != nil {
		return err
	}
	if err := checkSigner("StatusKey", c.StatusKey, c.StatusChain); err != nil {
		return err
	}
	for _, w := range c.Wallets {
		if wu, err := url.Parse(w.URL); err != nil || wu.Host == "" || w.Name == "" {
			return fmt.Errorf("issuer: wallet %q has no name or no address", w.URL)
		}
	}
	return c.fill(u)
}

// checkSigner holds a key and its chain together: a credential that is signed with
// another key than its certificate names would be refused everywhere.
func checkSigner(name string, key crypto.Signer, chain []*x509.Certificate) error {
	if key == nil {
		return fmt.Errorf("issuer: %s is required", name)
	}
	alg, err := jose.AlgorithmFor(key.Public())
	if err != nil || alg != jose.ES256 {
		return fmt.Errorf("issuer: %s must be a P-256 key", name)
	}
	if len(chain) > 0 && !jose.SameKey(chain[0].PublicKey, key.Public()) {
		return fmt.Errorf("issuer: the certificate of %s is for another key", name)
	}
	return nil
}

func (c *Config) fill(u *url.URL) error {
	for _, n := range []struct {
		value *int
		def   int
	}{{&c.BatchSize, defaultBatch}, {&c.TxCodeAttempts, defaultTxCodeAttempts}, {&c.StatusListSize, defaultListSize}, {&c.StatusReserve, defaultReserve}} {
		if *n.value <= 0 {
			*n.value = n.def
		}
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&c.PublishEvery, defaultPublishEvery}, {&c.StatusLifetime, defaultStatusLifetime},
		{&c.OfferLifetime, defaultOfferLifetime}, {&c.RefreshWindow, defaultRefreshWindow}} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	if c.PublishEvery < time.Second || c.StatusLifetime < 2*c.PublishEvery {
		return errors.New("issuer: PublishEvery is below a second, or StatusLifetime below twice PublishEvery")
	}
	if c.StatusReserve+c.BatchSize > c.StatusListSize/2 {
		return errors.New("issuer: StatusReserve does not fit in half a status list")
	}
	if c.Name == "" {
		c.Name = u.Hostname()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}
