// Package dpop proves possession of a key in an HTTP request, so that a stolen
// token is worthless: RFC 9449, OAuth 2.0 Demonstrating Proof of Possession.
//
// It makes proofs (section 4.2) and checks them (section 4.3). Sending the header,
// keeping nonces and remembering the ids of proofs that were used are the work of
// the two sides in specs/openid4vci. Tokens and their binding are not its concern.
//
//	proof, err := dpop.Sign(key, rand.Reader, dpop.Claims{
//		Method: "POST", URL: "https://issuer.example/token", IssuedAt: now})
package dpop

import (
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

const (
	typ      = "dpop+jwt"
	maxProof = 16 << 10
	maxID    = 256
	skew     = time.Minute
	// DefaultMaxAge is how old a proof may be when Expected.MaxAge is 0.
	DefaultMaxAge = 5 * time.Minute
)

// Errors of Verify. ErrNonce means that the proof is sound but carries no nonce or
// an old one: the answer to it is use_dpop_nonce with a fresh nonce (sections 8, 9).
var (
	ErrProof = errors.New("dpop: proof not acceptable")
	ErrNonce = errors.New("dpop: a fresh nonce is needed")
)

// Claims are what a proof is about.
type Claims struct {
	Method      string
	URL         string // query and fragment are left out of htu
	AccessToken string // empty at the token endpoint
	Nonce       string // nonce that the server gave, empty if none
	IssuedAt    time.Time
}

type wireClaims struct {
	ID       string `json:"jti"`
	Method   string `json:"htm"`
	URL      string `json:"htu"`
	IssuedAt *int64 `json:"iat"`
	Hash     string `json:"ath,omitempty"`
	Nonce    string `json:"nonce,omitempty"`
}

// Sign makes a proof (section 4.2) with a fresh random jti of 128 bits.
func Sign(key crypto.Signer, rand io.Reader, c Claims) (string, error) {
	var id [16]byte
	if _, err := io.ReadFull(rand, id[:]); err != nil {
		return "", fmt.Errorf("dpop: make jti: %w", err)
	}
	target, err := normalize(c.URL)
	if err != nil {
		return "", err
	}
	iat := c.IssuedAt.Unix()
	w := wireClaims{
		ID: base64.RawURLEncoding.EncodeToString(id[:]), Method: c.Method, URL: target,
		IssuedAt: &iat, Nonce: c.Nonce,
	}
	if c.AccessToken != "" {
		w.Hash = hash(c.AccessToken)
	}
	payload, err := json.Marshal(w)
	if err != nil {
		return "", fmt.Errorf("dpop: encode proof: %w", err)
	}
	return jose.Sign(key, jose.Header{Type: typ, JWK: &jose.Key{Public: key.Public()}}, payload)
}

// hash is ath: "the base64url-encoded SHA-256 hash of the ASCII encoding of the
// associated access token's value".
func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Expected is what a server holds a proof against.
type Expected struct {
	Method      string
	URL         string // as configured and published, never from a Host header
	AccessToken string // empty at the token endpoint
	Algorithms  []jose.Algorithm
	Now         time.Time
	MaxAge      time.Duration // 0: DefaultMaxAge
	// CheckNonce judges the nonce of the proof; nil: none is asked.
	CheckNonce func(nonce string) bool
}

// Proof is a verified proof. ID must not have been seen before within the time that
// proofs are accepted (section 11.1).
type Proof struct {
	Thumbprint string // RFC 7638 of the key, to compare with cnf.jkt
	ID         string // jti
	IssuedAt   time.Time
}

// Verify checks a proof as section 4.3 lists. values are all DPoP header fields of
// the request. Whether ID was seen before, and whether the token is bound to
// Thumbprint, is the caller's to check. Errors wrap ErrProof or are ErrNonce.
func Verify(values []string, want Expected) (*Proof, error) {
	// 4.3 step 1: "there is not more than one DPoP HTTP request header field".
	if len(values) != 1 || len(values[0]) > maxProof {
		return nil, fmt.Errorf("%w: want one DPoP header field", ErrProof)
	}
	jws, err := jose.Parse(values[0])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	// Steps 4 to 7; private members in jwk make Parse fail.
	if jws.Header.Type != typ || jws.Header.JWK == nil {
		return nil, fmt.Errorf("%w: typ or jwk", ErrProof)
	}
	if err := jws.Verify(jws.Header.JWK.Public, want.Algorithms...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	var c wireClaims
	if err := ijson.Unmarshal(jws.Payload, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	if err := c.check(want); err != nil {
		return nil, err
	}
	thumbprint, err := jose.Thumbprint(jws.Header.JWK.Public)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	return &Proof{Thumbprint: thumbprint, ID: c.ID, IssuedAt: time.Unix(*c.IssuedAt, 0)}, nil
}

func (c *wireClaims) check(want Expected) error {
	// Step 3: jti, htm, htu and iat are required; ath with an access token.
	if c.ID == "" || len(c.ID) > maxID || c.IssuedAt == nil {
		return fmt.Errorf("%w: a required claim is missing", ErrProof)
	}
	if c.Method != want.Method { // step 8
		return fmt.Errorf("%w: htm", ErrProof)
	}
	got, err := normalize(c.URL)
	if err != nil {
		return err
	}
	expected, err := normalize(want.URL)
	if err != nil || got != expected { // step 9
		return fmt.Errorf("%w: htu", ErrProof)
	}
	maxAge := want.MaxAge
	if maxAge == 0 {
		maxAge = DefaultMaxAge
	}
	issued := time.Unix(*c.IssuedAt, 0)
	if issued.After(want.Now.Add(skew)) || issued.Before(want.Now.Add(-maxAge)) { // step 11
		return fmt.Errorf("%w: iat", ErrProof)
	}
	if want.AccessToken != "" && subtle.ConstantTimeCompare([]byte(c.Hash), []byte(hash(want.AccessToken))) != 1 { // step 12
		return fmt.Errorf("%w: ath", ErrProof)
	}
	if want.CheckNonce != nil && !want.CheckNonce(c.Nonce) { // step 10
		return ErrNonce
	}
	return nil
}

// normalize prepares a URI for comparison: without query and fragment, scheme and
// host in lower case, default port and empty path normalised (4.3: "servers SHOULD
// employ Syntax-Based Normalization [...] and Scheme-Based Normalization").
func normalize(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return "", fmt.Errorf("%w: htu is no absolute URL", ErrProof)
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path, nil
}
