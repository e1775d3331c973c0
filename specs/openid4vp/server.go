package openid4vp

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
)

// Backend is what a verifier role does for the server half. Calls come from many requests at once.
type Backend interface {
	// Transaction returns the transaction with this id. [ErrUnknownTransaction] when there is none.
	Transaction(ctx context.Context, id string) (*Transaction, error)
	// Answer takes the one answer to a transaction; it must be atomic, so that of two answers one gets [ErrAnswered]. An
	// [*Error] refuses the answer and leaves the transaction open. The URI, if any, is where the wallet sends its user.
	Answer(ctx context.Context, t *Transaction, token VPToken) (redirectURI string, err error)
	// Refusal takes an error that the wallet chose to send, under the same rules.
	Refusal(ctx context.Context, t *Transaction, e *Error) (redirectURI string, err error)
}

// Transaction is one request and what is needed to receive its answer. It holds the ephemeral decryption key: keep it as a
// secret, and no longer than until Expires.
type Transaction struct {
	// ID is in request_uri and response_uri; unguessable.
	ID      string    `json:"id"`
	Request Request   `json:"request"`
	Expires time.Time `json:"expires"`
	// DecryptionKey is a private JWK, used for this transaction only (HAIP 5: "ephemeral encryption public keys specific to
	// each Authorization Request"); nil when the answer comes unencrypted.
	DecryptionKey json.RawMessage `json:"decryption_key,omitempty"`
	// Answered: the answer was taken; request and response endpoint are closed.
	Answered bool `json:"answered,omitempty"`
}

// Identity is one way in which the verifier authenticates its requests.
type Identity struct {
	ClientID ClientID
	signer   crypto.Signer
	header   jose.Header
}

// NewDIDIdentity signs with a key of a DID document; keyID is the absolute DID URL of its verification method.
func NewDIDIdentity(did, keyID string, signer crypto.Signer) (Identity, error) {
	if !strings.HasPrefix(keyID, did+"#") {
		return Identity{}, errors.New("key id is not a DID URL of the DID")
	}
	return Identity{NewClientID(DecentralizedIdentifier, did), signer, jose.Header{KeyID: keyID}}, nil
}

// NewX509HashIdentity signs with the key of a certificate; chain has the leaf first and leaves the anchor out.
func NewX509HashIdentity(chain []*x509.Certificate, signer crypto.Signer) (Identity, error) {
	header, err := certificateHeader(chain, signer)
	if err != nil {
		return Identity{}, err
	}
	sum := sha256.Sum256(chain[0].Raw)
	return Identity{NewClientID(X509Hash, base64.RawURLEncoding.EncodeToString(sum[:])), signer, header}, nil
}

// NewX509SANDNSIdentity is like [NewX509HashIdentity] under a DNS name of the leaf.
func NewX509SANDNSIdentity(name string, chain []*x509.Certificate, signer crypto.Signer) (Identity, error) {
	header, err := certificateHeader(chain, signer)
	if err != nil {
		return Identity{}, err
	}
	if !slices.Contains(chain[0].DNSNames, name) {
		return Identity{}, errors.New("the certificate does not have this DNS name")
	}
	return Identity{NewClientID(X509SANDNS, name), signer, header}, nil
}

func certificateHeader(chain []*x509.Certificate, signer crypto.Signer) (jose.Header, error) {
	if len(chain) == 0 || !jose.SameKey(chain[0].PublicKey, signer.Public()) {
		return jose.Header{}, errors.New("the certificate is not for the signing key")
	}
	var header jose.Header
	for _, cert := range chain {
		header.X5C = append(header.X5C, cert.Raw)
	}
	return header, nil
}

// ServerConfig is what a [Server] needs.
type ServerConfig struct {
	Backend Backend
	// BaseURL is the public URL under which [Server.Handler] is mounted, without trailing slash: <BaseURL>/request/<id> and
	// <BaseURL>/response/<id> are the endpoints. It is never taken from the Host header.
	BaseURL    string
	Identities []Identity
	// Now is the clock; required, the package has none.
	Now func() time.Time
	// Rand is the source of nonces and ids; nil means crypto/rand.
	Rand io.Reader
	// Observe, when set, hears of every answer of an endpoint: its name, HTTP status, protocol code and, with a status of 500
	// and above, the cause. It is told nothing of the transaction or the holder.
	Observe func(endpoint string, status int, code Code, cause error)
}

// Server is the verifier half.
type Server struct {
	config ServerConfig
}

// NewServer checks the configuration.
func NewServer(config ServerConfig) (*Server, error) {
	if config.Backend == nil || config.Now == nil {
		return nil, errors.New("openid4vp server: Backend and Now are required")
	}
	if _, err := absoluteURL(config.BaseURL); err != nil || strings.HasSuffix(config.BaseURL, "/") {
		return nil, errors.New("openid4vp server: BaseURL is not an absolute URL without trailing slash")
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	if config.Observe == nil {
		config.Observe = func(string, int, Code, error) {}
	}
	return &Server{config: config}, nil
}

// Ask is what a verifier wants to know, and how.
type Ask struct {
	Query   *dcql.Query
	Profile Profile
	// Prefix selects the identity; empty means the first one that the profile allows. [RedirectURI] makes an unsigned
	// request by value.
	Prefix       Prefix
	ResponseMode ResponseMode
	// Lifetime of the request; required.
	Lifetime     time.Duration
	VerifierInfo []VerifierInfo
}

// Begin makes a fresh transaction: nonce, state, ids and the key for the answer are new. The caller stores it before it
// shows the invocation.
func (s *Server) Begin(ask Ask) (*Transaction, error) {
	if ask.Query == nil || ask.Lifetime <= 0 {
		return nil, errors.New("ask: Query and Lifetime are required")
	}
	if err := ask.Query.Validate(); err != nil {
		return nil, err
	}
	for i := range ask.Query.Credentials {
		if format := ask.Query.Credentials[i].Format; !ask.Profile.allowsFormat(format) {
			return nil, fail(VPFormatsNotSupported, "format %.40q is not part of the profile %s", format, ask.Profile.Name)
		}
	}
	if !ask.Profile.allowsMode(ask.ResponseMode) {
		return nil, fail(InvalidRequest, "response_mode %.40q is not part of the profile %s", ask.ResponseMode, ask.Profile.Name)
	}
	var random [3]string
	for i := range random {
		var err error
		if random[i], err = randomText(s.config.Rand); err != nil {
			return nil, err
		}
	}
	t := &Transaction{ID: random[0], Expires: s.config.Now().Add(ask.Lifetime)}
	t.Request = Request{
		ResponseType: ResponseTypeVPToken,
		ResponseMode: ask.ResponseMode,
		ResponseURI:  s.config.BaseURL + "/response/" + t.ID,
		Nonce:        random[1],
		State:        random[2],
		Query:        ask.Query,
		VerifierInfo: ask.VerifierInfo,
		Metadata:     &ClientMetadata{VPFormats: formatsOf(ask.Query)},
	}
	if err := s.identify(t, &ask); err != nil {
		return nil, err
	}
	if ask.ResponseMode.Encrypted() {
		return t, t.newKey()
	}
	return t, nil
}

func (s *Server) identify(t *Transaction, ask *Ask) error {
	if ask.Prefix == RedirectURI {
		if !ask.Profile.allowsPrefix(RedirectURI) {
			return fail(InvalidRequest, "the prefix redirect_uri is not part of the profile %s", ask.Profile.Name)
		}
		t.Request.ClientID = NewClientID(RedirectURI, t.Request.ResponseURI)
		return nil
	}
	for _, id := range s.config.Identities {
		prefix := id.ClientID.Prefix()
		if ask.Profile.allowsPrefix(prefix) && (ask.Prefix == "" || ask.Prefix == prefix) {
			t.Request.ClientID = id.ClientID
			t.Request.Audience = []string{StaticAudience}
			return nil
		}
	}
	return fail(InvalidRequest, "this verifier has no identity that fits the profile %s", ask.Profile.Name)
}

func formatsOf(q *dcql.Query) VPFormats {
	formats := VPFormats{}
	for i := range q.Credentials {
		formats[q.Credentials[i].Format] = supportedFormat(q.Credentials[i].Format)
	}
	return formats
}

// newKey gives the transaction its own key for the answer.
func (t *Transaction) newKey() error {
	key, err := jose.Generate(jose.ES256)
	if err != nil {
		return err
	}
	keyID, err := jose.Thumbprint(key.Public())
	if err != nil {
		return err
	}
	if t.DecryptionKey, err = jose.MarshalPrivate(key); err != nil {
		return err
	}
	t.Request.Metadata.Keys = []jose.Key{{Public: key.Public(), KeyID: keyID, Algorithm: algECDHES, Use: "enc"}}
	// HAIP 5: "Verifiers MUST list both A128GCM and A256GCM".
	t.Request.Metadata.EncryptionMethods = []string{A128GCM, A256GCM}
	return nil
}

// Invocation returns what to call a wallet with: by reference, or the parameters themselves for an unsigned request.
func (s *Server) Invocation(t *Transaction) (*Invocation, error) {
	inv := &Invocation{ClientID: t.Request.ClientID}
	if t.Request.ClientID.Prefix() != RedirectURI {
		inv.RequestURI = s.config.BaseURL + "/request/" + url.PathEscape(t.ID)
		return inv, nil
	}
	raw, err := json.Marshal(&t.Request)
	if err != nil {
		return nil, fmt.Errorf("write invocation: %w", err)
	}
	return inv, json.Unmarshal(raw, &inv.Parameters)
}

// object signs the request object, with the wallet_nonce that came along.
func (s *Server) object(t *Transaction, walletNonce string) (string, error) {
	i := slices.IndexFunc(s.config.Identities, func(id Identity) bool { return id.ClientID == t.Request.ClientID })
	if i < 0 {
		return "", errors.New("the identity that asked is gone")
	}
	id := &s.config.Identities[i]
	r := t.Request
	r.WalletNonce, r.IssuedAt, r.ExpiresAt = walletNonce, s.config.Now(), t.Expires
	payload, err := json.Marshal(&r)
	if err != nil {
		return "", fmt.Errorf("write request object: %w", err)
	}
	header := id.header
	header.Type = RequestObjectType
	return jose.Sign(id.signer, header, payload)
}
