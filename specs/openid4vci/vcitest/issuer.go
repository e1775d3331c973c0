// Package vcitest is an issuer in memory that speaks OpenID4VCI 1.0: the double
// that tests of a wallet talk to. It implements the interfaces of the server half,
// so it also shows the smallest correct way to do that. It issues what the test
// says and is no issuer for people: it forgets everything when the test ends.
//
//	issuer := vcitest.Start(t, vcitest.Options{Batch: 10})
//	link := issuer.Link("Opleiding_dc_sd_jwt", "271828")
package vcitest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/openid4vci"
)

// ConfigurationID is the credential configuration that Start publishes when
// Options.Configurations is nil.
const ConfigurationID = "Opleiding_dc_sd_jwt"

// Options configure the double; the zero value is useful.
type Options struct {
	Configurations map[string]openid4vci.CredentialConfiguration // nil: one, ConfigurationID
	Batch          int                                           // batch size, 0: 10
	Now            func() time.Time                              // nil: time.Now
	TxAttempts     int                                           // wrong transaction codes allowed, 0: 3
	// Credential makes copy i; nil: a text that names the configuration and i.
	Credential func(r *openid4vci.Issuance, i int) (string, error)
	// Change is called with the server's configuration before it starts; nil: nothing.
	Change func(*openid4vci.ServerConfig)
	// Wrap stands between wallet and issuer, to disturb; nil: nothing.
	Wrap func(http.Handler) http.Handler
}

// Issuer is the running double.
type Issuer struct {
	Server *openid4vci.Server
	HTTP   *httptest.Server // TLS; HTTP.Client() trusts it

	options Options

	mu            sync.Mutex
	grants        map[string]*grant  // by pre-authorized code, until used
	offers        map[string]*grant  // by offer id
	access        map[string]*access // by access token
	refresh       map[string]*grant  // by refresh token
	nonces        map[string]bool
	notifications []openid4vci.Notification
	delivered     map[string]bool // notification ids
	deferred      map[string]*openid4vci.Issuance
	Deferring     bool // answer with a transaction id first; set before use
}

type grant struct {
	configurationID string
	code, txCode    string
	wrong           int
	dpopKey         string
}

type access struct {
	grant      *grant
	expires    time.Time
	dpopKey    string
	identifier string
}

// Start runs the double until the test ends.
func Start(t testing.TB, o Options) *Issuer {
	t.Helper()
	i := &Issuer{
		options: o, grants: map[string]*grant{}, offers: map[string]*grant{}, access: map[string]*access{},
		refresh: map[string]*grant{}, nonces: map[string]bool{}, delivered: map[string]bool{},
		deferred: map[string]*openid4vci.Issuance{},
	}
	if i.options.Now == nil {
		i.options.Now = time.Now
	}
	i.HTTP = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var h http.Handler = i.Server
		if o.Wrap != nil {
			h = o.Wrap(h)
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(i.HTTP.Close)
	config := i.config()
	if o.Change != nil {
		o.Change(&config)
	}
	server, err := openid4vci.NewServer(config)
	if err != nil {
		t.Fatalf("vcitest: %v", err)
	}
	i.Server = server
	return i
}

func (i *Issuer) config() openid4vci.ServerConfig {
	o := i.options
	configurations := o.Configurations
	if configurations == nil {
		configurations = map[string]openid4vci.CredentialConfiguration{ConfigurationID: Configuration(ConfigurationID)}
	}
	batch := o.Batch
	if batch == 0 {
		batch = 10
	}
	m := openid4vci.IssuerMetadata{
		CredentialIssuer: i.HTTP.URL + "/vaart", Configurations: configurations,
		Display: []openid4vci.Display{{Name: "Opleidingshuis De Vaart", Locale: "nl"}},
	}
	if batch > 1 {
		m.BatchIssuance = &openid4vci.BatchIssuance{BatchSize: batch}
	}
	return openid4vci.ServerConfig{Metadata: m, Issuer: i, Nonces: i, Notified: i, Deferrer: i, Now: o.Now}
}

// Configuration is a dc+sd-jwt configuration with jwt proofs in both binding methods.
func Configuration(id string) openid4vci.CredentialConfiguration {
	return openid4vci.CredentialConfiguration{
		Format: openid4vci.FormatDCSDJWT, Scope: id, VCT: "urn:paspoort:opleiding:1",
		SigningAlgs: []any{"ES256"}, BindingMethods: []string{"jwk", "did:jwk"},
		ProofTypes: map[string]openid4vci.ProofType{openid4vci.ProofJWT: {SigningAlgs: []string{"ES256"}}},
		Metadata: &openid4vci.CredentialMetadata{
			Display: []openid4vci.Display{{Name: "Opleiding", Locale: "nl"}, {Name: "Course", Locale: "en"}},
			Claims:  []openid4vci.Claim{{Path: []any{"title"}}, {Path: []any{"skills", nil, "uri"}}},
		},
	}
}

// Client is a wallet half that trusts the double's certificate.
func (i *Issuer) Client() *openid4vci.Client {
	return &openid4vci.Client{HTTP: i.HTTP.Client(), Now: i.options.Now, Rand: rand.Reader}
}

// MakeOffer makes an offer; an empty txCode asks none.
func (i *Issuer) MakeOffer(configurationID, txCode string) (id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	id = rand.Text()
	g := &grant{configurationID: configurationID, code: rand.Text(), txCode: txCode}
	i.offers[id], i.grants[g.code] = g, g
	return id
}

// Offer implements openid4vci.Issuer.
func (i *Issuer) Offer(_ context.Context, id string) (*openid4vci.CredentialOffer, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	g, ok := i.offers[id]
	if !ok || i.grants[g.code] == nil {
		return nil, openid4vci.ErrNotFound
	}
	pre := &openid4vci.PreAuthorizedGrant{Code: g.code}
	if g.txCode != "" {
		pre.TxCode = &openid4vci.TxCode{}
	}
	return &openid4vci.CredentialOffer{
		CredentialIssuer: i.Server.Metadata().CredentialIssuer,
		ConfigurationIDs: []string{g.configurationID},
		Grants:           &openid4vci.Grants{PreAuthorized: pre},
	}, nil
}

// Link makes an offer and returns the link to it by reference.
func (i *Issuer) Link(configurationID, txCode string) string {
	return openid4vci.LinkByReference(openid4vci.OfferScheme+"://", i.Server.OfferURI(i.MakeOffer(configurationID, txCode)))
}

// Notifications are those received so far.
func (i *Issuer) Notifications() []openid4vci.Notification {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.notifications)
}

// Forget makes every nonce that was handed out invalid.
func (i *Issuer) Forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.nonces)
}

// copyText is the credential when Options.Credential is nil.
func copyText(r *openid4vci.Issuance, n int) (string, error) {
	return fmt.Sprintf("%s.%d", r.ConfigurationID, n), nil
}
