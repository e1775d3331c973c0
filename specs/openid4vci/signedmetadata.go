package openid4vci

import (
	"crypto"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// VerifySignedMetadata reads signed metadata (12.2.3) of issuer. trust finds the key
// of a signer that is trusted for this issuer: "Otherwise, the Wallet MUST reject
// the signed metadata".
func VerifySignedMetadata(compact, issuer string, now time.Time, trust func(jose.Header) (crypto.PublicKey, error)) (*IssuerMetadata, error) {
	jws, err := jose.ParseLimit(compact, MaxMetadata)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	if jws.Header.Type != metadataTyp {
		return nil, fmt.Errorf("%w: typ is not %s", ErrMetadata, metadataTyp)
	}
	key, err := trust(jws.Header)
	if err != nil {
		return nil, fmt.Errorf("%w: signer: %w", ErrMetadata, err)
	}
	if err := jws.Verify(key, jose.ES256, jose.ES384, jose.EdDSA); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	var claims struct {
		Subject   string `json:"sub"`
		IssuedAt  *int64 `json:"iat"`
		ExpiresAt *int64 `json:"exp"`
	}
	if err := ijson.Unmarshal(jws.Payload, &claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	switch {
	case claims.Subject != issuer:
		return nil, fmt.Errorf("%w: sub is not the credential issuer", ErrMetadata)
	case claims.IssuedAt == nil || time.Unix(*claims.IssuedAt, 0).After(now.Add(proofSkew)):
		return nil, fmt.Errorf("%w: iat is missing or in the future", ErrMetadata)
	case claims.ExpiresAt != nil && !now.Before(time.Unix(*claims.ExpiresAt, 0)):
		return nil, fmt.Errorf("%w: expired", ErrMetadata)
	}
	return ParseIssuerMetadata(jws.Payload, issuer)
}
