package openid4vci

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/jose"
)

// ErrNotFound is what an Issuer answers for an offer that does not exist, is used
// up or has expired: the three look the same from outside.
var ErrNotFound = errors.New("openid4vci: no such offer")

// Issuer is the issuing party behind a Server: authorization server and credential
// issuer in one. An *Error is answered as it is; every other error is answered as
// server_error and given to ServerConfig.Report. Methods are called concurrently,
// and what they return without an error has been stored.
type Issuer interface {
	// Offer returns an offer that is fetched by reference, or ErrNotFound.
	Offer(ctx context.Context, id string) (*CredentialOffer, error)
	// Token exchanges a grant. The request is well-formed and its grant type is one
	// of the metadata's; code, transaction code and refresh token are to be judged
	// and spent here, at once: invalid_request for a transaction code that is missing
	// or not expected, invalid_grant for what is wrong, expired or used (6.3).
	Token(ctx context.Context, r *TokenRequest) (*TokenResponse, error)
	// Access says what an access token allows; invalid_token for one that is unknown
	// or expired.
	Access(ctx context.Context, token string) (*Access, error)
	// Issue makes one credential for each of r.Keys, all of one dataset.
	Issue(ctx context.Context, a *Access, r *Issuance) (*CredentialResponse, error)
}

// Nonces makes and spends c_nonce values (section 7).
type Nonces interface {
	// Nonce returns a fresh unpredictable value.
	Nonce(ctx context.Context) (string, error)
	// Spend accepts each of the values once; otherwise invalid_nonce, with none of
	// them spent.
	Spend(ctx context.Context, nonces []string) error
}

// Notified takes notifications (section 11). It is idempotent: identical calls
// succeed. An id that a does not cover is invalid_notification_id.
type Notified interface {
	Notify(ctx context.Context, a *Access, n *Notification) error
}

// Deferrer takes deferred requests (section 9); invalid_transaction_id for one
// that is unknown or already redeemed.
type Deferrer interface {
	Deferred(ctx context.Context, a *Access, transactionID string) (*CredentialResponse, error)
}

// Access is what an access token allows.
type Access struct {
	ConfigurationIDs []string          // configurations that may be asked for
	Identifiers      map[string]string // credential identifier to configuration id, if the token response named any
	ClientID         string            // empty: anonymous
	DPoPKey          string            // thumbprint that the token is bound to, empty: bearer
	Grant            any               // the issuer's own
}

// Issuance is a credential request after all checks of this package.
type Issuance struct {
	ConfigurationID string
	Identifier      string // when the wallet named a credential identifier
	Configuration   CredentialConfiguration
	Keys            []HolderKey // empty when the configuration asks no proof
}

// ServerConfig configures a Server. CredentialIssuer, Configurations, Issuer,
// Nonces and Now are needed.
type ServerConfig struct {
	// Metadata is published as it is; endpoints that are empty are set to their place
	// under CredentialIssuer, encryption when RequestKey is set.
	Metadata IssuerMetadata
	// AuthorizationServer is published as it is, with what is empty filled in.
	AuthorizationServer AuthorizationServerMetadata

	Issuer   Issuer
	Nonces   Nonces
	Notified Notified // nil: no notification endpoint
	Deferrer Deferrer // nil: no deferred credential endpoint

	// RequestKey is the P-256 key that requests can be encrypted to; nil: neither
	// requests nor responses are encrypted. RequestKeyID is its kid.
	RequestKey   crypto.Signer
	RequestKeyID string

	// SignMetadata signs the metadata for wallets that ask for application/jwt
	// (12.2.3); nil: not offered. The header has typ, the payload sub and iat already.
	SignMetadata func(h jose.Header, payload []byte) (string, error)

	// DPoP verifies DPoP proofs; nil: tokens are bearer tokens.
	DPoP DPoPVerifier
	// ClientAttestations judges wallet attestations; nil: clients are anonymous.
	ClientAttestations ClientAuthenticator
	// KeyAttestations judges key attestations; nil: none is asked.
	KeyAttestations AttestationTrust

	Profile Profile
	Now     func() time.Time
	Report  func(ctx context.Context, err error) // gets errors that the other side is not told; may be nil
}

// Server is the issuer's half of the protocol: an http.Handler for the endpoints
// under CredentialIssuer and its well-known documents, and nothing else.
type Server struct {
	config ServerConfig
	routes map[string]route
	offers string // path prefix of offers by reference
}

// Paths of the endpoints under the credential issuer identifier.
const (
	pathToken        = "/token"
	pathNonce        = "/nonce"
	pathCredential   = "/credential"
	pathDeferred     = "/deferred_credential"
	pathNotification = "/notification"
	pathOffer        = "/credential-offer/"
)

type route struct {
	method string
	serve  func(w http.ResponseWriter, r *http.Request) error
}

// NewServer checks the configuration and the metadata that it would publish.
func NewServer(c ServerConfig) (*Server, error) {
	if c.Issuer == nil || c.Nonces == nil || c.Now == nil {
		return nil, errors.New("openid4vci: a server needs Issuer, Nonces and Now")
	}
	u, err := parseIdentifier(c.Metadata.CredentialIssuer)
	if err != nil {
		return nil, fmt.Errorf("openid4vci: credential issuer: %w", err)
	}
	if strings.HasSuffix(c.Metadata.CredentialIssuer, "/") {
		// RFC 8414 strips a final "/", 12.2.2 does not: such an identifier has two
		// readings.
		return nil, errors.New("openid4vci: the credential issuer must not end in a slash")
	}
	c.fill()
	if err := c.Metadata.check(); err != nil {
		return nil, fmt.Errorf("openid4vci: own metadata: %w", err)
	}
	for id := range c.Metadata.Configurations {
		configuration, err := c.Metadata.Configuration(id)
		if err != nil {
			return nil, fmt.Errorf("openid4vci: own configuration %s: %w", id, err)
		}
		for _, p := range configuration.ProofTypes {
			// What is published as required must be looked at.
			if p.KeyAttestationsRequired != nil && c.KeyAttestations == nil {
				return nil, fmt.Errorf("openid4vci: own configuration %s: asks for key attestations, and KeyAttestations is nil", id)
			}
		}
	}
	if err := c.Profile.CheckServer(&c); err != nil {
		return nil, err
	}
	s := &Server{config: c, offers: u.Path + pathOffer}
	s.routes = map[string]route{
		"/.well-known/" + wellKnownIssuer + u.Path: {http.MethodGet, s.serveMetadata},
		"/.well-known/" + wellKnownAS + u.Path:     {http.MethodGet, s.serveServerMetadata},
		u.Path + pathToken:                         {http.MethodPost, s.serveToken},
		u.Path + pathNonce:                         {http.MethodPost, s.serveNonce},
		u.Path + pathCredential:                    {http.MethodPost, s.serveCredential},
	}
	if c.Notified != nil {
		s.routes[u.Path+pathNotification] = route{http.MethodPost, s.serveNotification}
	}
	if c.Deferrer != nil {
		s.routes[u.Path+pathDeferred] = route{http.MethodPost, s.serveDeferred}
	}
	return s, nil
}

// fill completes the metadata with what follows from the rest.
func (c *ServerConfig) fill() {
	issuer := c.Metadata.CredentialIssuer
	orElse := func(target *string, value string) {
		if *target == "" {
			*target = value
		}
	}
	m, as := &c.Metadata, &c.AuthorizationServer
	orElse(&m.CredentialEndpoint, issuer+pathCredential)
	orElse(&m.NonceEndpoint, issuer+pathNonce)
	if c.Notified != nil {
		orElse(&m.NotificationEndpoint, issuer+pathNotification)
	}
	if c.Deferrer != nil {
		orElse(&m.DeferredCredentialEndpoint, issuer+pathDeferred)
	}
	if c.RequestKey != nil {
		encs := []string{"A128GCM", "A256GCM"}
		key := jose.Key{Public: c.RequestKey.Public(), KeyID: c.RequestKeyID, Algorithm: encryptionAlgorithm, Use: "enc"}
		if m.RequestEncryption == nil {
			m.RequestEncryption = &RequestEncryption{JWKS: jose.KeySet{Keys: []jose.Key{key}}, Enc: encs}
		}
		if m.ResponseEncryption == nil {
			m.ResponseEncryption = &ResponseEncryption{Alg: []string{encryptionAlgorithm}, Enc: encs}
		}
	}
	orElse(&as.Issuer, issuer)
	orElse(&as.TokenEndpoint, issuer+pathToken)
	if as.GrantTypesSupported == nil {
		as.GrantTypesSupported = []string{GrantPreAuthorizedCode, GrantRefreshToken}
	}
	as.AuthorizationDetailsTypes = []string{typeOpenIDCredential}
	if c.ClientAttestations == nil {
		as.PreAuthorizedAnonymous = true
		as.TokenEndpointAuthMethods = []string{AuthNone}
	} else {
		as.TokenEndpointAuthMethods = []string{AuthAttestation}
		as.ClientAttestationAlgs, as.ClientAttestationPoPAlgs = []string{"ES256"}, []string{"ES256"}
	}
	if c.DPoP != nil {
		as.DPoPSigningAlgs = []string{"ES256"}
	}
}

// Metadata is the issuer metadata that is published.
func (s *Server) Metadata() IssuerMetadata { return s.config.Metadata }

// ServerMetadata is the metadata of the authorization server that is published.
func (s *Server) ServerMetadata() AuthorizationServerMetadata { return s.config.AuthorizationServer }

// OfferURI is where the offer with this id is fetched by reference.
func (s *Server) OfferURI(id string) string {
	return s.config.Metadata.CredentialIssuer + pathOffer + id
}
