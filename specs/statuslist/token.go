package statuslist

import (
	"crypto"
	"errors"
	"fmt"
	"math"
	"net/url"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Type is the typ of a Status List Token, and MediaType its media type (5.1, 8.1).
const (
	Type      = "statuslist+jwt"
	MediaType = "application/statuslist+jwt"
)

// Leeway is how far a token's iat may lie in the future: clocks differ a little.
const Leeway = time.Minute

// Sentinels of tokens.
var (
	ErrToken   = errors.New("malformed status list token")
	ErrExpired = errors.New("status list token has expired")
	ErrFuture  = errors.New("status list token is from the future")
	ErrSubject = errors.New("status list token is about another uri")
)

// TokenClaims are the claims of a Status List Token beside the list itself.
type TokenClaims struct {
	Subject        string        // sub, the URI that credentials refer to; REQUIRED
	IssuedAt       time.Time     // iat; REQUIRED; whole seconds
	ExpiresAt      time.Time     // exp; zero: none
	TTL            time.Duration // ttl; zero: none; whole seconds
	AggregationURI string        // aggregation_uri of the list; empty: none
}

type wireClaims struct {
	Subject   string   `json:"sub"`
	IssuedAt  *float64 `json:"iat"`
	ExpiresAt *float64 `json:"exp,omitzero"`
	TTL       *float64 `json:"ttl,omitzero"`
	List      *struct {
		Bits           float64 `json:"bits"`
		Lst            string  `json:"lst"`
		AggregationURI string  `json:"aggregation_uri,omitempty"`
	} `json:"status_list"`
}

// Token signs the list as a Status List Token in JWT format (5.1). The header's Type
// is set here; give it the x5c or kid by which readers find the key.
func (l *List) Token(signer crypto.Signer, header jose.Header, c TokenClaims) (string, error) {
	if c.Subject == "" || c.IssuedAt.IsZero() {
		return "", fmt.Errorf("%w: sub and iat are required", ErrToken)
	}
	lst, err := l.Encode()
	if err != nil {
		return "", err
	}
	list := map[string]any{"bits": l.bits, "lst": lst}
	if c.AggregationURI != "" {
		list["aggregation_uri"] = c.AggregationURI
	}
	claims := map[string]any{"sub": c.Subject, "iat": c.IssuedAt.Unix(), "status_list": list}
	if !c.ExpiresAt.IsZero() {
		claims["exp"] = c.ExpiresAt.Unix()
	}
	if c.TTL != 0 {
		if c.TTL < time.Second { // "The value of the claim MUST be a positive number"
			return "", fmt.Errorf("%w: ttl below a second", ErrToken)
		}
		claims["ttl"] = int64(c.TTL / time.Second)
	}
	payload, err := ijson.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("status list token: %w", err)
	}
	header.Type = Type // "The JWT type MUST be statuslist+jwt."
	compact, err := jose.Sign(signer, header, payload)
	if err != nil {
		return "", fmt.Errorf("sign status list token: %w", err)
	}
	return compact, nil
}

// Token is a Status List Token that was read. Before [Token.Verify] returned nil its
// header serves to find the key and nothing else of it may be relied on.
type Token struct {
	Header jose.Header
	TokenClaims
	List *List

	signed *jose.Signed
}

// ParseToken reads a compact token and inflates its list within limits. It checks all
// of section 5.1 but signature and time. Errors wrap [ErrToken], [ErrBits],
// [ErrEncoding] or [ErrTooLarge].
func ParseToken(compact string, limits Limits) (*Token, error) {
	if len(compact) > limits.token() {
		return nil, ErrTooLarge
	}
	signed, err := jose.ParseLimit(compact, limits.token())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if signed.Header.Type != Type {
		return nil, fmt.Errorf("%w: typ is not %s", ErrToken, Type)
	}
	var w wireClaims
	if err := (ijson.Limits{Bytes: limits.token()}).Unmarshal(signed.Payload, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	claims, err := w.claims()
	if err != nil {
		return nil, err
	}
	if w.List.Bits != math.Trunc(w.List.Bits) || w.List.Bits < 1 || w.List.Bits > 8 {
		return nil, ErrBits
	}
	list, err := Decode(int(w.List.Bits), w.List.Lst, limits)
	if err != nil {
		return nil, err
	}
	return &Token{Header: signed.Header, TokenClaims: claims, List: list, signed: signed}, nil
}

// claims checks presence and range of the claims.
func (w *wireClaims) claims() (TokenClaims, error) {
	c := TokenClaims{Subject: w.Subject}
	if u, err := url.Parse(w.Subject); err != nil || !u.IsAbs() {
		return c, fmt.Errorf("%w: sub is not a uri", ErrToken)
	}
	if w.List == nil || w.IssuedAt == nil {
		return c, fmt.Errorf("%w: iat or status_list is missing", ErrToken)
	}
	var ok bool
	if c.IssuedAt, ok = numericDate(*w.IssuedAt); !ok {
		return c, fmt.Errorf("%w: iat", ErrToken)
	}
	if w.ExpiresAt != nil {
		if c.ExpiresAt, ok = numericDate(*w.ExpiresAt); !ok {
			return c, fmt.Errorf("%w: exp", ErrToken)
		}
	}
	if w.TTL != nil { // "MUST be a positive number encoded in JSON as a number"
		if *w.TTL <= 0 || *w.TTL > maxNumericDate {
			return c, fmt.Errorf("%w: ttl", ErrToken)
		}
		c.TTL = time.Duration(min(*w.TTL, maxTTL) * float64(time.Second))
	}
	c.AggregationURI = w.List.AggregationURI
	return c, nil
}

const (
	maxNumericDate = 253402300799 // the last second of the year 9999
	maxTTL         = 100 * 365 * 24 * 3600
)

// numericDate reads a NumericDate of RFC 7519 section 2, whole or with a fraction.
func numericDate(v float64) (time.Time, bool) {
	if v < 0 || v > maxNumericDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(v)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}

// Verify checks the signature with the issuer's status key, and iat and exp at the
// time now (8.3 steps 3 and 4). Errors wrap those of [jose.Signed.Verify],
// [ErrExpired] or [ErrFuture].
func (t *Token) Verify(pub crypto.PublicKey, now time.Time, allowed ...jose.Algorithm) error {
	if err := t.signed.Verify(pub, allowed...); err != nil {
		return fmt.Errorf("status list token: %w", err)
	}
	return t.CheckTime(now)
}

// CheckTime is the second half of [Token.Verify]: for a token whose signature was
// verified before, and for the `time` parameter of section 8.4, which makes a client
// "reject a response unless the requested timestamp is within the valid time of the
// returned token".
func (t *Token) CheckTime(now time.Time) error {
	if t.IssuedAt.After(now.Add(Leeway)) {
		return ErrFuture
	}
	if !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) {
		return ErrExpired
	}
	return nil
}

// Status looks a credential up. It fails with [ErrSubject] when the token is not the
// one that the credential names ("The subject claim of the Status List Token MUST be
// equal to the uri claim") and with [ErrIndex] beyond the list.
func (t *Token) Status(r Reference) (Status, error) {
	if t.Subject != r.URI {
		return 0, ErrSubject
	}
	return t.List.Get(r.Index)
}

// RefreshAt is when a copy fetched at that time should be replaced: ttl later, or at
// exp if that is sooner; zero when the token says neither (13.7).
func (t *Token) RefreshAt(fetched time.Time) time.Time {
	at := t.ExpiresAt
	if t.TTL > 0 {
		if soon := fetched.Add(t.TTL); at.IsZero() || soon.Before(at) {
			at = soon
		}
	}
	return at
}

// String is the compact token as it was read: what an archive keeps.
func (t *Token) String() string { return t.signed.String() }
