package sdjwt

import (
	"crypto"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// TypeKeyBinding is the typ of a KB-JWT (RFC 9901 4.3: "MUST be kb+jwt").
const TypeKeyBinding = "kb+jwt"

// A KeyBinding is what a holder signs about one presentation (4.3).
type KeyBinding struct {
	Audience string // aud: the verifier
	Nonce    string // nonce: the transaction
	IssuedAt time.Time
	// Extra are further claims, such as transaction_data_hashes or
	// paspoort_timestamps. They may not replace the four above.
	Extra map[string]any
}

// Bind signs a KB-JWT over t and returns the SD-JWT+KB (7.2 step 5). The key must
// be the one that cnf names. Errors: ErrUnexpectedKeyBinding when t has one
// already, ErrKeyBinding when a claim is missing or doubled.
func (t *SDJWT) Bind(signer crypto.Signer, kb KeyBinding) (*SDJWT, error) {
	if t.kb != nil {
		return nil, ErrUnexpectedKeyBinding
	}
	if kb.Audience == "" || kb.Nonce == "" || kb.IssuedAt.IsZero() {
		return nil, fmt.Errorf("%w: audience, nonce and time are required", ErrKeyBinding)
	}
	claims := map[string]any{
		"iat":     kb.IssuedAt.Unix(),
		"aud":     kb.Audience,
		"nonce":   kb.Nonce,
		"sd_hash": t.alg.digest(t.sdJWT()),
	}
	for name, v := range kb.Extra {
		if _, taken := claims[name]; taken {
			return nil, fmt.Errorf("%w: extra claim %s", ErrKeyBinding, name)
		}
		claims[name] = v
	}
	body, err := ijson.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("key binding jwt: %w", err)
	}
	text, err := jose.Sign(signer, jose.Header{Type: TypeKeyBinding}, body)
	if err != nil {
		return nil, fmt.Errorf("key binding jwt: %w", err)
	}
	u := *t
	u.kbText = text
	if u.kb, err = jose.Parse(text); err != nil {
		return nil, fmt.Errorf("key binding jwt: %w", err)
	}
	return &u, nil
}

// A KeyBindingPolicy is what a verifier asks of a key binding.
type KeyBindingPolicy struct {
	Audience string    // must be equal to aud
	Nonce    string    // must be equal to nonce
	Now      time.Time // the time of verification
	// MaxAge is how long before Now the KB-JWT may have been made; zero means 5
	// minutes.
	MaxAge time.Duration
	// Skew is how far clocks may differ; zero means 1 minute.
	Skew time.Duration
	// Algorithms are those deemed secure; none means DefaultAlgorithms.
	Algorithms []jose.Algorithm
}

// KeyBindingClaims are the claims of a verified KB-JWT.
type KeyBindingClaims struct {
	IssuedAt time.Time
	Audience string
	Nonce    string
	SDHash   string
	// All holds every claim, extra ones too.
	All map[string]any
}

// VerifyKeyBinding does 7.3 step 2 and steps 5.b to 5.h with the holder's key
// pub, which must come from the processed payload (see Confirmation), after
// VerifyIssuer and Claims succeeded. An empty audience or nonce in the policy is
// matched as such: a verifier that fixed neither has no key binding to check.
//
// Errors: ErrNoKeyBinding, ErrType, ErrKeyBinding, ErrIssuedAt, ErrNonce,
// ErrAudience, ErrSDHash, ErrExpired, ErrNotYetValid, or those of jose.
func (t *SDJWT) VerifyKeyBinding(pub crypto.PublicKey, p KeyBindingPolicy) (KeyBindingClaims, error) {
	if t.kb == nil {
		return KeyBindingClaims{}, ErrNoKeyBinding // step 2
	}
	algs := p.Algorithms
	if len(algs) == 0 {
		algs = DefaultAlgorithms()
	}
	if err := t.kb.Verify(pub, algs...); err != nil { // steps 5.b and 5.c
		return KeyBindingClaims{}, fmt.Errorf("key binding jwt: %w", err)
	}
	if t.kb.Header.Type != TypeKeyBinding { // step 5.d
		return KeyBindingClaims{}, fmt.Errorf("key binding jwt: %w", ErrType)
	}
	c, err := parseKeyBinding(t.kb.Payload)
	if err != nil {
		return KeyBindingClaims{}, err
	}
	if err := t.checkKeyBinding(c, p); err != nil {
		return KeyBindingClaims{}, err
	}
	return c, nil
}

func (t *SDJWT) checkKeyBinding(c KeyBindingClaims, p KeyBindingPolicy) error {
	maxAge, skew := p.MaxAge, p.Skew
	if maxAge == 0 {
		maxAge = 5 * time.Minute
	}
	if skew == 0 {
		skew = time.Minute
	}
	switch {
	case c.IssuedAt.Before(p.Now.Add(-maxAge)), c.IssuedAt.After(p.Now.Add(skew)): // step 5.e
		return ErrIssuedAt
	case c.Nonce != p.Nonce: // step 5.f
		return ErrNonce
	case c.Audience != p.Audience:
		return ErrAudience
	case c.SDHash != t.alg.digest(t.sdJWT()): // step 5.g
		return ErrSDHash
	}
	return CheckTimes(c.All, p.Now, skew) // step 5.h
}

// parseKeyBinding reads the claims that 4.3 requires.
func parseKeyBinding(payload []byte) (KeyBindingClaims, error) {
	var c KeyBindingClaims
	if err := ijson.Unmarshal(payload, &c.All); err != nil {
		return c, fmt.Errorf("%w: %w", ErrKeyBinding, err)
	}
	var ok bool
	if c.IssuedAt, ok = NumericDate(c.All["iat"]); !ok {
		return c, fmt.Errorf("%w: iat", ErrKeyBinding)
	}
	// "The value MUST be a single string": an array with one string is refused.
	if c.Audience, ok = c.All["aud"].(string); !ok {
		return c, fmt.Errorf("%w: aud", ErrKeyBinding)
	}
	if c.Nonce, ok = c.All["nonce"].(string); !ok {
		return c, fmt.Errorf("%w: nonce", ErrKeyBinding)
	}
	if c.SDHash, ok = c.All["sd_hash"].(string); !ok {
		return c, fmt.Errorf("%w: sd_hash", ErrKeyBinding)
	}
	return c, nil
}

// Confirmation is what the cnf claim (RFC 7800 3) of a processed payload says of
// the holder's key: pub from jwk, kid as the reference to a key, or both. A
// caller that gets only a kid resolves it. Error: ErrConfirmation.
func Confirmation(claims map[string]any) (pub crypto.PublicKey, kid string, err error) {
	cnf, ok := claims["cnf"].(map[string]any)
	if !ok {
		return nil, "", fmt.Errorf("%w: no cnf", ErrConfirmation)
	}
	if v, has := cnf["kid"]; has {
		if kid, ok = v.(string); !ok || kid == "" {
			return nil, "", fmt.Errorf("%w: kid", ErrConfirmation)
		}
	}
	v, has := cnf["jwk"]
	if !has {
		if kid == "" {
			return nil, "", fmt.Errorf("%w: neither jwk nor kid", ErrConfirmation)
		}
		return nil, kid, nil
	}
	members, ok := v.(map[string]any)
	if !ok {
		return nil, "", fmt.Errorf("%w: jwk", ErrConfirmation)
	}
	key, err := jose.KeyOf(members)
	if err != nil {
		return nil, "", fmt.Errorf("%w: jwk: %w", ErrConfirmation, err)
	}
	return key.Public, kid, nil
}
