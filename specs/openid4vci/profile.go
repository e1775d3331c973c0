package openid4vci

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Profile switches strictness. It never changes what travels, only what is
// refused.
type Profile int

// The profiles. Plain is OpenID4VCI 1.0 by itself.
const (
	Plain Profile = iota
	DIIP          // Decentralized Identity Interop Profile v5
	HAIP          // OpenID4VC High Assurance Interoperability Profile 1.0
)

// ErrProfile is wrapped by every refusal that a profile adds.
var ErrProfile = errors.New("openid4vci: the profile does not allow this")

// CheckServer holds an issuer's configuration to the profile.
func (p Profile) CheckServer(c *ServerConfig) error {
	if p == Plain {
		return nil
	}
	if err := p.CheckMetadata(&c.Metadata, &c.AuthorizationServer); err != nil {
		return err
	}
	if p == HAIP && (c.DPoP == nil || c.ClientAttestations == nil) {
		// HAIP 1.0 4.3: sender-constrained tokens (DPoP) and, 4.4, client
		// authentication at the token endpoint.
		return fmt.Errorf("%w: HAIP needs DPoP and client attestation", ErrProfile)
	}
	return nil
}

// CheckMetadata holds metadata to the profile; a wallet calls it for the issuer
// that it is about to use.
func (p Profile) CheckMetadata(m *IssuerMetadata, as *AuthorizationServerMetadata) error {
	for _, id := range slices.Sorted(maps.Keys(m.Configurations)) {
		if err := p.checkConfiguration(m, m.Configurations[id]); err != nil {
			return fmt.Errorf("%w: configuration %q: %w", ErrProfile, id, err)
		}
	}
	if p == HAIP && len(as.DPoPSigningAlgs) == 0 {
		return fmt.Errorf("%w: HAIP needs dpop_signing_alg_values_supported", ErrProfile)
	}
	if p == DIIP && !slices.Contains(as.AuthorizationDetailsTypes, typeOpenIDCredential) {
		return fmt.Errorf("%w: DIIP needs authorization_details of type openid_credential", ErrProfile)
	}
	return nil
}

func (p Profile) checkConfiguration(m *IssuerMetadata, c CredentialConfiguration) error {
	switch p {
	case HAIP:
		// HAIP 1.0 4.1: "The Credential Issuer metadata MUST include a scope for every
		// Credential Configuration it supports."
		if c.Scope == "" {
			return errors.New("scope is missing")
		}
		// HAIP 1.0 4: with key binding, a nonce endpoint is needed.
		if len(c.BindingMethods) > 0 && m.NonceEndpoint == "" {
			return errors.New("key binding without nonce_endpoint")
		}
		// HAIP 1.0 5: dc+sd-jwt or mso_mdoc.
		if c.Format != FormatDCSDJWT && c.Format != FormatMdoc {
			return errors.New("the format is not of this profile")
		}
	case DIIP:
		if !slices.Contains(c.BindingMethods, "did:jwk") {
			return errors.New("the holder cannot be bound by did:jwk")
		}
	}
	return nil
}

// CheckOffer holds an offer to the profile, before anything is fetched.
func (p Profile) CheckOffer(o *CredentialOffer) error {
	if p == HAIP && (o.Grants == nil || o.Grants.AuthorizationCode == nil) {
		// HAIP 1.0 4.2: "The Grant Type authorization_code MUST be supported"; the
		// pre-authorized code is not part of the profile.
		return fmt.Errorf("%w: HAIP needs the authorization_code grant", ErrProfile)
	}
	return nil
}
