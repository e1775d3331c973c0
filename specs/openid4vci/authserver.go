package openid4vci

import (
	"fmt"
	"slices"

	"paspoort.example/paspoort/specs/ijson"
)

// AuthorizationServerMetadata is what RFC 8414 and its extensions publish, as far
// as issuing credentials needs it.
type AuthorizationServerMetadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint,omitempty"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri,omitempty"`
	ScopesSupported       []string `json:"scopes_supported,omitempty"`
	// ResponseTypesSupported may be left out by a server that knows only the
	// pre-authorized code grant (OpenID4VCI 12.2.4).
	ResponseTypesSupported []string `json:"response_types_supported,omitempty"`
	GrantTypesSupported    []string `json:"grant_types_supported,omitempty"`

	TokenEndpointAuthMethods []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	// PreAuthorizedAnonymous: a token request with a pre-authorized code needs no
	// client_id (OpenID4VCI 12.3). Default false.
	PreAuthorizedAnonymous bool `json:"pre-authorized_grant_anonymous_access_supported,omitempty"`

	PushedAuthorizationRequestEndpoint string   `json:"pushed_authorization_request_endpoint,omitempty"` // RFC 9126 5
	RequirePushedAuthorizationRequests bool     `json:"require_pushed_authorization_requests,omitempty"`
	CodeChallengeMethods               []string `json:"code_challenge_methods_supported,omitempty"`               // RFC 8414 2
	AuthorizationResponseIss           bool     `json:"authorization_response_iss_parameter_supported,omitempty"` // RFC 9207 3
	AuthorizationDetailsTypes          []string `json:"authorization_details_types_supported,omitempty"`          // RFC 9396 10
	DPoPSigningAlgs                    []string `json:"dpop_signing_alg_values_supported,omitempty"`              // RFC 9449 5.1
	ChallengeEndpoint                  string   `json:"challenge_endpoint,omitempty"`                             // attestation-based client authentication 8
	ClientAttestationAlgs              []string `json:"client_attestation_signing_alg_values_supported,omitempty"`
	ClientAttestationPoPAlgs           []string `json:"client_attestation_pop_signing_alg_values_supported,omitempty"`
	StatusListAggregationEndpoint      string   `json:"status_list_aggregation_endpoint,omitempty"` // Token Status List 9.1
}

// Client authentication methods.
const (
	AuthNone              = "none"
	AuthPrivateKeyJWT     = "private_key_jwt"
	AuthAttestation       = "attest_jwt_client_auth"
	AuthAttestationDPoP   = "attest_jwt_client_auth_dpop"
	typeOpenIDCredential  = "openid_credential"
	responseTypeCode      = "code"
	codeChallengeMethod   = "S256"
	tokenTypeBearer       = "Bearer"
	tokenTypeDPoP         = "DPoP"
	encryptionAlgorithm   = "ECDH-ES"
	mediaTypeJSON         = "application/json"
	mediaTypeJWT          = "application/jwt"
	mediaTypeForm         = "application/x-www-form-urlencoded"
	headerDPoP            = "DPoP"
	headerDPoPNonce       = "DPoP-Nonce"
	headerAttestation     = "OAuth-Client-Attestation"
	headerAttestationPoP  = "OAuth-Client-Attestation-PoP"
	headerWWWAuthenticate = "WWW-Authenticate"
)

// AuthorizationServerMetadataURL is where the metadata of an authorization server
// is: RFC 8414 3.1, inserted like that of an issuer, a final "/" removed.
func AuthorizationServerMetadataURL(server string) (string, error) {
	return insertWellKnown(server, wellKnownAS)
}

// ParseAuthorizationServerMetadata reads the metadata that was fetched for server.
func ParseAuthorizationServerMetadata(data []byte, server string) (*AuthorizationServerMetadata, error) {
	if len(data) > MaxMetadata {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMetadata, MaxMetadata)
	}
	var m AuthorizationServerMetadata
	if err := ijson.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	// RFC 8414 3.3: "The "issuer" value returned MUST be identical to the
	// authorization server's issuer identifier value into which the well-known URI
	// string was inserted [...]. If these values are not identical, the data
	// contained in the response MUST NOT be used."
	if m.Issuer != server {
		return nil, fmt.Errorf("%w: issuer is not the authorization server it was fetched for", ErrMetadata)
	}
	if m.TokenEndpoint == "" {
		return nil, fmt.Errorf("%w: token_endpoint is missing", ErrMetadata)
	}
	return &m, nil
}

// Supports reports whether the server takes this grant type. RFC 8414 2: without
// grant_types_supported the default is authorization_code and implicit; many
// issuers leave it out though they offer a pre-authorized code, so absence is
// taken as "not said".
func (m *AuthorizationServerMetadata) Supports(grant string) bool {
	return len(m.GrantTypesSupported) == 0 || slices.Contains(m.GrantTypesSupported, grant)
}

// endpoints returns the URLs that a wallet would call.
func (m *AuthorizationServerMetadata) endpoints() []string {
	return present(m.TokenEndpoint, m.AuthorizationEndpoint, m.PushedAuthorizationRequestEndpoint, m.ChallengeEndpoint)
}
