package openid4vci

import (
	"context"
	"net/http"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Types of the two JWTs of attestation-based client authentication.
const (
	clientAttestationTyp    = "oauth-client-attestation+jwt"
	clientAttestationPoPTyp = "oauth-client-attestation-pop+jwt"
)

// ClientAuthenticator authenticates the client of a token request. It returns the
// client_id; the error is an *Error with invalid_client, invalid_client_attestation
// or use_attestation_challenge.
type ClientAuthenticator interface {
	Authenticate(ctx context.Context, h http.Header) (clientID string, err error)
}

// WalletAttestations authenticates wallets by the attestation of their provider:
// OpenID4VCI appendix E, draft-ietf-oauth-attestation-based-client-auth-10. Of
// draft 07 the claim iss, which 10 dropped, is accepted and ignored, and the claim
// nonce stands for challenge.
type WalletAttestations struct {
	Server string           // issuer identifier of the authorization server, the audience
	Trust  AttestationTrust // finds the key of a trusted wallet provider
	Now    func() time.Time
	// Seen records the jti of a proof of possession; as in DPoPGuard.
	Seen func(ctx context.Context, id string, until time.Time) (bool, error)
	// CheckChallenge judges the challenge; nil: none is asked.
	CheckChallenge func(challenge string) bool
}

type clientAttestationClaims struct {
	Subject   string `json:"sub"`
	ExpiresAt *int64 `json:"exp"`
	NotBefore *int64 `json:"nbf"`
	Cnf       struct {
		JWK *jose.Key `json:"jwk"`
	} `json:"cnf"`
}

type clientPoPClaims struct {
	Audience  any    `json:"aud"`
	ID        string `json:"jti"`
	IssuedAt  *int64 `json:"iat"`
	Challenge string `json:"challenge"`
	Nonce     string `json:"nonce"` // draft 07
}

// Authenticate implements ClientAuthenticator.
func (a *WalletAttestations) Authenticate(ctx context.Context, h http.Header) (string, error) {
	attestation, pop := h.Values(headerAttestation), h.Values(headerAttestationPoP)
	if len(attestation) == 0 && len(pop) == 0 {
		// OpenID4VCI 6.3 invalid_client: the server "does not support anonymous access".
		return "", Refuse(InvalidClient, "a client attestation is needed")
	}
	// Draft 10 section 5.1: each header field is there once.
	if len(attestation) != 1 || len(pop) != 1 {
		return "", Refuse(InvalidClientAttestation, "want one attestation and one proof of possession")
	}
	claims, err := a.verifyAttestation(attestation[0])
	if err != nil {
		return "", err
	}
	return claims.Subject, a.verifyPoP(ctx, pop[0], claims)
}

func (a *WalletAttestations) verifyAttestation(compact string) (*clientAttestationClaims, error) {
	refuse := func(why string) (*clientAttestationClaims, error) {
		return nil, Refuse(InvalidClientAttestation, why)
	}
	jws, err := jose.Parse(compact)
	if err != nil || jws.Header.Type != clientAttestationTyp {
		return refuse("the client attestation is not a JWT of typ " + clientAttestationTyp)
	}
	key, err := a.Trust(jws.Header)
	if err != nil {
		return refuse("the wallet provider is not trusted here")
	}
	if err := jws.Verify(key, jose.ES256); err != nil {
		return refuse("the signature of the client attestation is not acceptable")
	}
	var c clientAttestationClaims
	if err := ijson.Unmarshal(jws.Payload, &c); err != nil || c.Subject == "" || c.ExpiresAt == nil || c.Cnf.JWK == nil {
		return refuse("the body of the client attestation is malformed")
	}
	now := a.Now()
	if !now.Before(time.Unix(*c.ExpiresAt, 0)) || c.NotBefore != nil && now.Add(proofSkew).Before(time.Unix(*c.NotBefore, 0)) {
		return refuse("the client attestation is not valid now")
	}
	return &c, nil
}

func (a *WalletAttestations) verifyPoP(ctx context.Context, compact string, attested *clientAttestationClaims) error {
	jws, err := jose.Parse(compact)
	if err != nil || jws.Header.Type != clientAttestationPoPTyp {
		return Refuse(InvalidClientAttestation, "the proof of possession is not a JWT of typ "+clientAttestationPoPTyp)
	}
	if err := jws.Verify(attested.Cnf.JWK.Public, jose.ES256); err != nil {
		return Refuse(InvalidClientAttestation, "the proof of possession is not signed by the attested key")
	}
	var c clientPoPClaims
	if err := ijson.Unmarshal(jws.Payload, &c); err != nil || c.ID == "" || c.IssuedAt == nil {
		return Refuse(InvalidClientAttestation, "the body of the proof of possession is malformed")
	}
	now, issued := a.Now(), time.Unix(*c.IssuedAt, 0)
	if !audienceIs(c.Audience, a.Server) || issued.After(now.Add(proofSkew)) || issued.Before(now.Add(-defaultProofAge)) {
		return Refuse(InvalidClientAttestation, "the proof of possession has another audience or is too old")
	}
	if c.Challenge == "" {
		c.Challenge = c.Nonce
	}
	if a.CheckChallenge != nil && !a.CheckChallenge(c.Challenge) {
		return Refuse(UseAttestationChallenge, "use a fresh challenge")
	}
	seen, err := a.Seen(ctx, "client-attestation."+c.ID, now.Add(defaultProofAge+proofSkew))
	if err != nil {
		return err
	}
	if seen {
		return Refuse(InvalidClientAttestation, "the proof of possession was used before")
	}
	return nil
}

// audienceIs: aud is one string; RFC 7519 also allows an array with that string.
func audienceIs(aud any, want string) bool {
	switch v := aud.(type) {
	case string:
		return v == want
	case []any:
		return slices.Contains(v, any(want))
	}
	return false
}
