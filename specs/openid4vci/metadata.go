package openid4vci

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// MaxMetadata is the most bytes of metadata that a wallet reads.
const MaxMetadata = 1 << 20

// ErrMetadata is wrapped by every refusal of issuer or authorization server
// metadata.
var ErrMetadata = errors.New("openid4vci: metadata cannot be used")

// IssuerMetadata is the Credential Issuer Metadata of 12.2.4.
type IssuerMetadata struct {
	CredentialIssuer           string                             `json:"credential_issuer"`
	AuthorizationServers       []string                           `json:"authorization_servers,omitempty"`
	CredentialEndpoint         string                             `json:"credential_endpoint"`
	NonceEndpoint              string                             `json:"nonce_endpoint,omitempty"`
	DeferredCredentialEndpoint string                             `json:"deferred_credential_endpoint,omitempty"`
	NotificationEndpoint       string                             `json:"notification_endpoint,omitempty"`
	RequestEncryption          *RequestEncryption                 `json:"credential_request_encryption,omitempty"`
	ResponseEncryption         *ResponseEncryption                `json:"credential_response_encryption,omitempty"`
	BatchIssuance              *BatchIssuance                     `json:"batch_credential_issuance,omitempty"`
	Display                    []Display                          `json:"display,omitempty"`
	Configurations             map[string]CredentialConfiguration `json:"credential_configurations_supported"`
}

// RequestEncryption says how a wallet may encrypt its credential requests.
type RequestEncryption struct {
	JWKS     jose.KeySet `json:"jwks"`
	Enc      []string    `json:"enc_values_supported"`
	Zip      []string    `json:"zip_values_supported,omitempty"`
	Required bool        `json:"encryption_required"`
}

// ResponseEncryption says how the issuer can encrypt its credential responses.
type ResponseEncryption struct {
	Alg      []string `json:"alg_values_supported"`
	Enc      []string `json:"enc_values_supported"`
	Zip      []string `json:"zip_values_supported,omitempty"`
	Required bool     `json:"encryption_required"`
}

// BatchIssuance says that several copies may be asked for at once.
type BatchIssuance struct {
	BatchSize int `json:"batch_size"` // most proofs in one request, 2 or more
}

// CredentialConfiguration is one entry of credential_configurations_supported.
type CredentialConfiguration struct {
	Format               string                `json:"format"`
	Scope                string                `json:"scope,omitempty"`
	SigningAlgs          []any                 `json:"credential_signing_alg_values_supported,omitempty"` // strings; COSE numbers for mdoc
	BindingMethods       []string              `json:"cryptographic_binding_methods_supported,omitempty"`
	ProofTypes           map[string]ProofType  `json:"proof_types_supported,omitempty"`
	Metadata             *CredentialMetadata   `json:"credential_metadata,omitempty"`
	VCT                  string                `json:"vct,omitempty"`                   // A.3.2, dc+sd-jwt
	Doctype              string                `json:"doctype,omitempty"`               // A.2.2, mso_mdoc
	CredentialDefinition *CredentialDefinition `json:"credential_definition,omitempty"` // A.1, and vc+sd-jwt as DIIP uses it
}

// Credential format identifiers. FormatVCSDJWT is not in OpenID4VCI 1.0: DIIP v5
// uses it for VCDM 2.0 secured by SD-JWT, described by credential_definition.
const (
	FormatDCSDJWT   = "dc+sd-jwt"
	FormatVCSDJWT   = "vc+sd-jwt"
	FormatJWTVCJSON = "jwt_vc_json"
	FormatLDPVC     = "ldp_vc"
	FormatMdoc      = "mso_mdoc"
)

// CredentialDefinition describes a W3C credential (A.1).
type CredentialDefinition struct {
	Context []any    `json:"@context,omitempty"`
	Type    []string `json:"type"`
}

// ProofType says how possession of a key is proved for one proof type.
type ProofType struct {
	SigningAlgs             []string                 `json:"proof_signing_alg_values_supported"`
	KeyAttestationsRequired *KeyAttestationsRequired `json:"key_attestations_required,omitzero"`
}

// KeyAttestationsRequired, present even if empty, says that a key attestation is
// needed. D.2 has the values.
type KeyAttestationsRequired struct {
	KeyStorage         []string `json:"key_storage,omitempty"`
	UserAuthentication []string `json:"user_authentication,omitempty"`
}

// Well-known names of 12.2.2 and RFC 8414 3.
const (
	wellKnownIssuer = "openid-credential-issuer"
	wellKnownAS     = "oauth-authorization-server"
)

// IssuerMetadataURL is where the metadata of issuer is: 12.2.2, "inserting the
// string /.well-known/openid-credential-issuer into the Credential Issuer
// Identifier between the host component and the path component".
func IssuerMetadataURL(issuer string) (string, error) {
	return insertWellKnown(issuer, wellKnownIssuer)
}

func insertWellKnown(identifier, name string) (string, error) {
	u, err := parseIdentifier(identifier)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	return u.Scheme + "://" + u.Host + "/.well-known/" + name + path, nil
}

// parseIdentifier reads an issuer identifier: 12.2.1, "scheme, host and,
// optionally, port number and path components, but no query or fragment
// components". Whether the scheme may be used is the caller's rule.
func parseIdentifier(identifier string) (*url.URL, error) {
	u, err := url.Parse(identifier)
	if err != nil || len(identifier) > maxIdentifier {
		return nil, errors.New("an issuer identifier is no URL")
	}
	if u.Scheme == "" || u.Host == "" || u.Opaque != "" || u.User != nil {
		return nil, errors.New("an issuer identifier is not an absolute URL")
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(identifier, "#") {
		return nil, errors.New("an issuer identifier has a query or fragment")
	}
	return u, nil
}

// ParseIssuerMetadata reads the metadata that was fetched for issuer and holds it
// to 12.2.4. Configurations are checked when they are used, by Configuration, so
// that one odd configuration does not spoil the others.
func ParseIssuerMetadata(data []byte, issuer string) (*IssuerMetadata, error) {
	if len(data) > MaxMetadata {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMetadata, MaxMetadata)
	}
	var m IssuerMetadata
	if err := ijson.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	// 12.2.4: "If these values are not identical (when compared using a simple
	// string comparison with no normalization), the data contained in the response
	// MUST NOT be used."
	if m.CredentialIssuer != issuer {
		return nil, fmt.Errorf("%w: credential_issuer is not the identifier it was fetched for", ErrMetadata)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	return &m, nil
}

func (m *IssuerMetadata) check() error {
	if m.CredentialEndpoint == "" {
		return errors.New("credential_endpoint is missing")
	}
	if len(m.Configurations) == 0 {
		return errors.New("credential_configurations_supported is missing or empty")
	}
	// "It MUST be 2 or greater."
	if m.BatchIssuance != nil && m.BatchIssuance.BatchSize < 2 {
		return errors.New("batch_size is below 2")
	}
	if e := m.RequestEncryption; e != nil && (len(e.JWKS.Keys) == 0 || len(e.Enc) == 0) {
		return errors.New("credential_request_encryption has no keys or no enc_values_supported")
	}
	if e := m.ResponseEncryption; e != nil && (len(e.Alg) == 0 || len(e.Enc) == 0) {
		return errors.New("credential_response_encryption has no alg or enc values")
	}
	return checkLocales(m.Display)
}

// Endpoints returns the URLs that a wallet would call, for the caller's rules on
// addresses.
func (m *IssuerMetadata) Endpoints() []string {
	return present(m.CredentialEndpoint, m.NonceEndpoint, m.DeferredCredentialEndpoint, m.NotificationEndpoint)
}

func present(urls ...string) []string {
	var out []string
	for _, u := range urls {
		if u != "" {
			out = append(out, u)
		}
	}
	return out
}

// Configuration returns the configuration with this id, checked for use.
func (m *IssuerMetadata) Configuration(id string) (CredentialConfiguration, error) {
	c, ok := m.Configurations[id]
	if !ok {
		return c, fmt.Errorf("%w: the issuer has no such credential configuration", ErrMetadata)
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	return c, nil
}

func (c *CredentialConfiguration) check() error {
	if c.Format == "" {
		return errors.New("format is missing")
	}
	for _, p := range c.ProofTypes {
		if len(p.SigningAlgs) == 0 {
			return errors.New("proof_signing_alg_values_supported is missing")
		}
	}
	if c.Metadata == nil {
		return nil
	}
	if err := checkLocales(c.Metadata.Display); err != nil {
		return err
	}
	return checkClaims(c.Metadata.Claims)
}

// BatchSize is the most copies that one request may ask for, at least 1.
func (m *IssuerMetadata) BatchSize() int {
	if m.BatchIssuance == nil {
		return 1
	}
	return m.BatchIssuance.BatchSize
}

// servers lists the authorization servers: the issuer itself when the metadata
// names none (12.2.4).
func (m *IssuerMetadata) servers() []string {
	if len(m.AuthorizationServers) == 0 {
		return []string{m.CredentialIssuer}
	}
	return m.AuthorizationServers
}
