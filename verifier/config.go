package verifier

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

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
)

// Config is what a verifier needs. Zero durations get the defaults.
type Config struct {
	// URL is the public address without trailing slash, e.g. https://werkgever.example. Everything that others see is made
	// from it, never from the Host header.
	URL string
	// Name is what the verifier calls itself on its own pages.
	Name string
	// Organisation and Region are sent along with the purpose: as whom a registry knows the verifier. May be empty.
	Organisation, Region string

	// DIDKey signs requests as did:web of URL. Required: every verifier can be met by its DID.
	DIDKey crypto.Signer
	// AccessKey and AccessChain, leaf first and without the anchor, sign requests as x509_hash and x509_san_dns. They come
	// from the region's CA; nil until the verifier is admitted.
	AccessKey   crypto.Signer
	AccessChain []*x509.Certificate

	// Federation are the entity identifiers of the regions below which the verifier takes part in OpenID Federation; none
	// publishes no entity configuration. FederationHTTP fetches the trust marks that they give; nil carries none.
	Federation     []string
	FederationHTTP openidfed.Doer

	// Evidence turns presentations into a verdict.
	Evidence Evidence
	// Ready says whether the role can do its work, for /readyz. Nil means always.
	Ready func(context.Context) error
	// Store keeps requests and verdicts.
	Store kv.Store
	// AdminToken opens the API; empty opens it for nobody.
	AdminToken string
	// Wallets are shown on the request page as other ways to answer, beside the wallet on this device.
	Wallets []Wallet

	// RequestLifetime is how long a request can be answered. Default 10 minutes.
	RequestLifetime time.Duration
	// KeepVerdict is how long request and verdict are kept after the request was made. Default 7 days.
	KeepVerdict time.Duration
	// KeepContents is how long what was disclosed can be read through the API, from memory. Default 15 minutes.
	KeepContents time.Duration

	Clock func() time.Time // nil means time.Now
	Rand  io.Reader        // nil means crypto/rand
	Log   *slog.Logger     // nil means none
}

// Wallet is a wallet host that is invoked over https.
type Wallet struct {
	Name string `json:"name"`
	// URL takes the request as query, e.g. https://wallet.example/present.
	URL string `json:"url"`
}

// Evidence gathers what is known about presentations and decides: internal/evidence.Service. It keeps nothing of them.
type Evidence interface {
	Verify(ctx context.Context, r evidence.Request) (paspoort.Verdict, error)
}

func (c *Config) check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("verifier: URL %q is not an absolute https URL", c.URL)
	case strings.HasSuffix(c.URL, "/") || (u.Path != ""):
		return fmt.Errorf("verifier: URL %q has a path: a verifier has an address of its own", c.URL)
	case c.DIDKey == nil:
		return errors.New("verifier: DIDKey is required")
	case (c.AccessKey == nil) != (len(c.AccessChain) == 0):
		return errors.New("verifier: AccessKey and AccessChain come together")
	case c.Evidence == nil || c.Store == nil:
		return errors.New("verifier: Evidence and Store are required")
	}
	for _, w := range c.Wallets {
		if wu, err := url.Parse(w.URL); err != nil || wu.Host == "" || w.Name == "" {
			return fmt.Errorf("verifier: wallet %q has no name or no address", w.URL)
		}
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&c.RequestLifetime, 10 * time.Minute}, {&c.KeepVerdict, 7 * 24 * time.Hour}, {&c.KeepContents, 15 * time.Minute}} {
		if *d.value <= 0 {
			*d.value = d.def
		}
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
