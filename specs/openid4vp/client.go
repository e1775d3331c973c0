package openid4vp

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Doer sends one HTTP request. It decides which addresses may be reached, over which scheme, and for how long; redirects
// of a POST must not be followed.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// DIDKeys finds the public key behind a DID URL: the verification method named keyID (absolute) in the DID document.
type DIDKeys interface {
	Key(ctx context.Context, did, keyID string) (crypto.PublicKey, error)
}

// Client is the wallet half. Its fields are set once; it is safe for concurrent use if HTTP and DIDs are.
type Client struct {
	HTTP    Doer
	Profile Profile
	// Anchors are the certificates that requests with x509_hash and x509_san_dns must lead to.
	Anchors []*x509.Certificate
	// DIDs resolves decentralized_identifier; nil refuses that prefix.
	DIDs DIDKeys
	// AcceptUntrusted lets a request through whose certificate leads to no anchor; [Exchange.Verifier] then says so. It is
	// for a holder who was shown whom the asker claims to be and goes on knowingly.
	AcceptUntrusted bool
	// TransactionDataTypes that the wallet can handle; a request with any other is refused.
	TransactionDataTypes []string
	// Rand is the source of wallet_nonce; nil means crypto/rand.
	Rand io.Reader
}

// Verifier is who asks, as far as the request proves it.
type Verifier struct {
	ClientID ClientID
	// Key signed the request; nil for an unsigned one (redirect_uri), where only the address of the answer is known.
	Key crypto.PublicKey
	// Chain is the x5c of the request, leaf first; nil for other prefixes.
	Chain []*x509.Certificate
	// ChainError is nil when the chain leads to an anchor, and why not otherwise (only with AcceptUntrusted).
	ChainError error
}

// Exchange is one authenticated request and where its answer goes.
type Exchange struct {
	Invocation *Invocation
	Verifier   Verifier
	Request    *Request
}

// Fetch turns an invocation into a request that is authenticated and that the wallet may answer. Errors: [ErrFetch],
// [ErrUntrusted], or an [*Error]. When the request was authenticated but is refused, the exchange comes with the error, so
// that [Client.Refuse] can report it if the holder wants; otherwise it is nil and nothing may be sent to anyone.
func (c *Client) Fetch(ctx context.Context, inv *Invocation, now time.Time) (*Exchange, error) {
	prefix := inv.ClientID.Prefix()
	if err := c.checkPrefix(prefix); err != nil {
		return nil, err
	}
	if c.Profile.ByReference && inv.RequestURI == "" {
		return nil, fail(InvalidRequest, "the profile %s wants the request by request_uri", c.Profile.Name)
	}
	object, walletNonce, err := c.object(ctx, inv)
	if err != nil {
		return nil, err
	}
	x := &Exchange{Invocation: inv, Verifier: Verifier{ClientID: inv.ClientID}}
	if object == "" {
		x.Request, err = readRequest(inv.Parameters)
	} else {
		var signed *jose.Signed
		if signed, err = c.authenticate(ctx, object, &x.Verifier, now); err != nil {
			return nil, err
		}
		if x.Request, err = parseRequest(signed.Payload); x.Request == nil {
			return nil, err
		}
	}
	// Section 5.10.1: "The Client Identifier value in the client_id Authorization Request parameter and the Request Object
	// client_id claim value MUST be identical, including the Client Identifier Prefix."
	if x.Request.ClientID != inv.ClientID {
		return nil, fail(InvalidRequestObject, "client_id inside the request object differs from the one outside")
	}
	if walletNonce != "" && x.Request.WalletNonce != walletNonce {
		return nil, fail(InvalidRequestObject, "the request object does not repeat wallet_nonce")
	}
	if targetErr := checkTarget(x); targetErr != nil {
		return nil, targetErr
	}
	if err == nil {
		err = c.checkRequest(x, object != "", now)
	}
	return x, err
}

func (c *Client) checkPrefix(prefix Prefix) error {
	switch {
	case prefix == Origin:
		return fail(InvalidRequest, "the prefix origin is not accepted in requests")
	case prefix == PreRegistered:
		return fail(InvalidClient, "no verifier is registered under this client_id")
	case !c.Profile.allowsPrefix(prefix):
		return fail(InvalidRequest, "the client identifier prefix %s is not supported in the profile %s", prefix, c.Profile.Name)
	case prefix == DecentralizedIdentifier && c.DIDs == nil:
		return fail(InvalidRequest, "the client identifier prefix %s is not supported", prefix)
	}
	return nil
}

// object returns the request object, "" for a request by parameters, and the wallet_nonce it must repeat.
func (c *Client) object(ctx context.Context, inv *Invocation) (object, walletNonce string, err error) {
	if inv.RequestURI == "" {
		return inv.RequestObject, "", nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, inv.RequestURI, nil)
	if inv.RequestURIMethod == "post" {
		if walletNonce, err = c.nonce(); err != nil {
			return "", "", err
		}
		form := url.Values{"wallet_nonce": {walletNonce}, "wallet_metadata": {c.metadata(inv.ClientID.Prefix())}}
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, inv.RequestURI, strings.NewReader(form.Encode()))
	}
	if err != nil {
		return "", "", fail(InvalidRequestURI, "request_uri cannot be used")
	}
	if req.Method == http.MethodPost {
		req.Header.Set("Content-Type", formType)
	}
	req.Header.Set("Accept", "application/"+RequestObjectType)
	body, contentType, err := c.do(req, MaxRequestObjectSize)
	if err != nil {
		return "", "", err
	}
	// Section 5.10.1 and RFC 9101 10.2: the content type is application/oauth-authz-req+jwt.
	if contentType != "application/"+RequestObjectType {
		return "", "", fail(InvalidRequestURI, "request_uri answers with content type %.60q", contentType)
	}
	return strings.TrimSpace(string(body)), walletNonce, nil
}

const formType = "application/x-www-form-urlencoded"

func (c *Client) nonce() (string, error) {
	source := c.Rand
	if source == nil {
		source = rand.Reader
	}
	return randomText(source)
}

// randomText is 128 bits of randomness in URL safe characters.
func randomText(source io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(source, b[:]); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// metadata is the wallet_metadata of section 5.10: only what any wallet with this profile says, nothing that tells one
// holder from another (section 15.6).
func (c *Client) metadata(prefix Prefix) string {
	m := WalletMetadata{VPFormats: VPFormats{}, Prefixes: c.Profile.Prefixes, ResponseTypes: []string{ResponseTypeVPToken}}
	for _, mode := range c.Profile.ResponseModes {
		m.ResponseModes = append(m.ResponseModes, string(mode))
	}
	for _, format := range c.Profile.Formats {
		m.VPFormats[format] = supportedFormat(format)
	}
	// "the Wallet MUST NOT include this parameter if the Client Identifier Prefix precludes signed Request Objects"
	if prefix != RedirectURI {
		m.RequestSigningAlgorithms = []string{string(jose.ES256), string(jose.ES384), string(jose.EdDSA)}
	}
	raw, _ := json.Marshal(m) // strings only
	return string(raw)
}

func supportedFormat(format string) VPFormat {
	algs := []string{string(jose.ES256), string(jose.ES384), string(jose.EdDSA)}
	if strings.HasSuffix(format, "sd-jwt") {
		return VPFormat{SDJWTAlgorithms: algs, KBJWTAlgorithms: algs}
	}
	return VPFormat{Algorithms: algs}
}

// do sends a request and returns a 200 answer of bounded size with its media type.
func (c *Client) do(req *http.Request, limit int64) ([]byte, string, error) {
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrFetch, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrFetch, err)
	}
	// Section 5.10.2: "If the Verifier responds with any HTTP error response, the Wallet MUST terminate the process."
	if resp.StatusCode != http.StatusOK {
		return nil, "", refusal(resp, body)
	}
	if int64(len(body)) > limit {
		return nil, "", fmt.Errorf("%w: the answer is larger than %d bytes", ErrFetch, limit)
	}
	contentType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return body, contentType, nil
}

// refusal reads the error of an answer that is not 200.
func refusal(resp *http.Response, body []byte) *RefusedError {
	out := &RefusedError{Status: resp.StatusCode}
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if len(body) <= maxParameter && ijson.Unmarshal(body, &e) == nil {
		out.Code, out.Description = Code(e.Error), e.Description
	}
	return out
}

// Send answers the request with these presentations and returns the redirect_uri to open in the browser, if the verifier
// gave one (section 8.2).
func (c *Client) Send(ctx context.Context, x *Exchange, token VPToken) (redirect string, err error) {
	form, err := respond(x.Request, token)
	if err != nil {
		return "", err
	}
	return c.post(ctx, x, form)
}

// Refuse tells the verifier that it gets nothing, and the code why. Nobody has to: without it, a request that was refused
// and one that was never seen look the same to the asker. [AccessDenied] is for both "no" and "not there" (section 8.5).
func (c *Client) Refuse(ctx context.Context, x *Exchange, code Code, description string) (redirect string, err error) {
	return c.post(ctx, x, errorForm(x.Request, code, description))
}

func (c *Client) post(ctx context.Context, x *Exchange, form url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.Request.ResponseURI, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fail(InvalidRequest, "response_uri cannot be used")
	}
	req.Header.Set("Content-Type", formType)
	req.Header.Set("Accept", "application/json")
	body, _, err := c.do(req, 64<<10)
	if err != nil {
		return "", err
	}
	var answer struct {
		RedirectURI string `json:"redirect_uri"`
	}
	// The presentation was taken; an answer without sense in it only means that there is nothing to open.
	if ijson.Unmarshal(body, &answer) != nil || answer.RedirectURI == "" {
		return "", nil
	}
	if !opensPage(answer.RedirectURI) {
		return "", nil
	}
	return answer.RedirectURI, nil
}

// opensPage says whether the holder's browser may be sent there: to a page on the web, not to javascript:, data: or a file.
func opensPage(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && len(uri) <= maxParameter
}
