package issuer

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"paspoort.example/paspoort/internal/entity"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
)

// Issuer is the issuing party. Make one with New, serve its Handler, and Run it.
type Issuer struct {
	c     Config
	vault vault

	server          *openid4vci.Server
	did             string
	credentialKeyID string // DID URL of CredentialKey: kid of credentials
	statusKeyID     string
	handler         http.Handler
	entity          *entity.Entity // nil: takes no part in a federation

	publishing sync.Mutex                   // one publication at a time
	published  atomic.Pointer[publications] // never nil after New
	custody    atomic.Pointer[[]signedOn]   // nil until the first publication
	wake       chan struct{}                // room for one
}

// New checks the configuration and the store. It starts nothing.
func New(c Config) (*Issuer, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := kv.CheckFormat(c.Store, storeName, storeVersion); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	i := &Issuer{c: c, vault: vault{secret: c.Secret, rand: c.Rand}, wake: make(chan struct{}, 1)}
	if err := i.name(); err != nil {
		return nil, err
	}
	if err := i.loadPublications(); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if err := i.speak(); err != nil {
		return nil, err
	}
	handler, err := i.routes()
	if err != nil {
		return nil, err
	}
	i.handler = handler
	return i, nil
}

// Handler serves everything: protocol, API, status lists, documents and pages.
func (i *Issuer) Handler() http.Handler { return i.handler }

// name makes the identifiers that follow from the URL and the keys.
func (i *Issuer) name() (err error) {
	if i.did, err = did.WebFromURL(i.c.URL); err != nil {
		return fmt.Errorf("issuer: did:web: %w", err)
	}
	if i.credentialKeyID, err = i.keyID(i.c.CredentialKey); err != nil {
		return err
	}
	i.statusKeyID, err = i.keyID(i.c.StatusKey)
	return err
}

// keyID is the DID URL of a key: the DID and the key's thumbprint (RFC 7638).
func (i *Issuer) keyID(key crypto.Signer) (string, error) {
	thumbprint, err := jose.Thumbprint(key.Public())
	if err != nil {
		return "", fmt.Errorf("issuer: %w", err)
	}
	return i.did + "#" + thumbprint, nil
}

func rawChain(chain []*x509.Certificate) [][]byte {
	var raw [][]byte
	for _, c := range chain {
		raw = append(raw, c.Raw)
	}
	return raw
}

// configurations are the ids of what is issued: each type in both formats.
func (i *Issuer) configurations() []string {
	var ids []string
	for _, t := range i.c.Types {
		for _, f := range paspoort.Formats() {
			ids = append(ids, paspoort.ConfigurationID(t, f))
		}
	}
	return ids
}

// speak makes the protocol's server half over this issuer.
func (i *Issuer) speak() error {
	metadata := openid4vci.IssuerMetadata{
		CredentialIssuer: i.c.URL,
		Display:          []openid4vci.Display{{Name: i.c.Name, Locale: "nl"}, {Name: i.c.Name, Locale: "en"}},
		Configurations:   map[string]openid4vci.CredentialConfiguration{},
	}
	if i.c.BatchSize > 1 {
		metadata.BatchIssuance = &openid4vci.BatchIssuance{BatchSize: i.c.BatchSize}
	}
	for _, id := range i.configurations() {
		c, err := configuration(id)
		if err != nil {
			return err
		}
		metadata.Configurations[id] = c
	}
	// An ephemeral key would lock out wallets that read the metadata before a restart.
	requestKey, err := i.requestKey()
	if err != nil {
		return err
	}
	requestKeyID, err := jose.Thumbprint(requestKey.Public())
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	dpopSecret, err := i.vault.derive("dpop")
	if err != nil {
		return err
	}
	i.server, err = openid4vci.NewServer(openid4vci.ServerConfig{
		Metadata: metadata,
		AuthorizationServer: openid4vci.AuthorizationServerMetadata{
			StatusListAggregationEndpoint: i.c.URL + "/status", ScopesSupported: i.configurations(),
		},
		Issuer: i, Nonces: i, Notified: i,
		RequestKey: requestKey, RequestKeyID: requestKeyID,
		SignMetadata: func(h jose.Header, payload []byte) (string, error) {
			h.KeyID, h.X5C = i.credentialKeyID, rawChain(i.c.CredentialChain)
			return jose.Sign(i.c.CredentialKey, h, payload)
		},
		DPoP:    &openid4vci.DPoPGuard{Secret: dpopSecret, Now: i.c.Clock, Seen: i.seen},
		Profile: i.c.Profile, Now: i.c.Clock,
		Report: func(_ context.Context, err error) { i.c.Log.Error("a request could not be answered", "error", err) },
	})
	return err
}

// configuration describes one type in one format for wallets (OpenID4VCI 12.2.4).
func configuration(id string) (openid4vci.CredentialConfiguration, error) {
	t, f, err := paspoort.ParseConfigurationID(id)
	if err != nil {
		return openid4vci.CredentialConfiguration{}, fmt.Errorf("issuer: %w", err)
	}
	c := openid4vci.CredentialConfiguration{
		Format: string(f), Scope: id, SigningAlgs: []any{string(jose.ES256)},
		BindingMethods: []string{"jwk", "did:jwk"},
		ProofTypes:     map[string]openid4vci.ProofType{openid4vci.ProofJWT: {SigningAlgs: []string{string(jose.ES256)}}},
		Metadata:       &openid4vci.CredentialMetadata{},
	}
	if f == paspoort.FormatSDJWTVC {
		c.VCT = t.VCT()
	} else {
		c.CredentialDefinition = &openid4vci.CredentialDefinition{Context: paspoort.VCContext(t), Type: paspoort.VCTypes(t)}
	}
	raw, err := json.Marshal(paspoort.CredentialMetadata(t, f))
	if err != nil {
		return c, fmt.Errorf("issuer: metadata of %s: %w", id, err)
	}
	return c, json.Unmarshal(raw, c.Metadata)
}

// requestKey is made once and kept.
func (i *Issuer) requestKey() (key crypto.Signer, err error) {
	err = i.c.Store.Update(func(tx kv.Tx) error {
		raw, err := tx.Get([]byte(keyRequest))
		if errors.Is(err, kv.ErrNotFound) {
			key, err = i.makeRequestKey(tx)
			return err
		}
		if err != nil {
			return err
		}
		_, sealed, err := kv.Body(raw)
		if err != nil {
			return err
		}
		plain, err := i.vault.open(keyRequest, sealed)
		if err != nil {
			return err
		}
		key, err = jose.ParsePrivate(plain)
		return err
	})
	return key, err
}

func (i *Issuer) makeRequestKey(tx kv.Tx) (crypto.Signer, error) {
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	plain, err := jose.MarshalPrivate(key)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	sealed, err := i.vault.seal(keyRequest, plain)
	if err != nil {
		return nil, err
	}
	return key, tx.Set([]byte(keyRequest), kv.Value(valueVersion, sealed))
}
