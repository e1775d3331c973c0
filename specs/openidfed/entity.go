package openidfed

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// What can be wrong with what others publish. Errors of this package wrap one of these,
// or are an [*Error] that an endpoint answered.
var (
	ErrEntityID    = errors.New("not an entity identifier")
	ErrStatement   = errors.New("malformed entity statement")
	ErrExpired     = errors.New("expired")
	ErrFuture      = errors.New("issued in the future")
	ErrSignature   = errors.New("signature does not verify")
	ErrCritical    = errors.New("critical claim not understood")
	ErrChain       = errors.New("trust chain is not valid")
	ErrConstraints = errors.New("constraints forbid it")
	ErrPolicy      = errors.New("metadata policy is not valid")
	ErrMetadata    = errors.New("metadata does not comply with policy")
	ErrTrustMark   = errors.New("trust mark is not valid")
	ErrNoChain     = errors.New("no trust chain to a pinned anchor")
	ErrResponse    = errors.New("answer does not follow OpenID Federation")
	ErrLimit       = errors.New("more than is looked at")
)

// Entity Type Identifiers (5.1) that Paspoort uses; those of credentials are of OpenID
// Federation for Wallet Architectures and of DIIP v5, Appendix B.
const (
	FederationEntity    = "federation_entity"
	CredentialIssuer    = "openid_credential_issuer"
	CredentialVerifier  = "openid_credential_verifier"
	AuthorizationServer = "oauth_authorization_server"
	VCIssuer            = "vc_issuer"
)

// Media types of section 15, and the typ of each JWT.
const (
	TypeStatement       = "entity-statement+jwt"
	TypeTrustMark       = "trust-mark+jwt"
	TypeDelegation      = "trust-mark-delegation+jwt"
	TypeTrustMarkStatus = "trust-mark-status-response+jwt"
	TypeResolveResponse = "resolve-response+jwt"
	TypeKeySet          = "jwk-set+jwt"

	mediaPrefix = "application/"
	mediaJSON   = "application/json"
)

const maxEntityID = 2048

// CheckEntityID says whether id can name an entity: an absolute URL with a host, perhaps
// a port and a path, and nothing else (1.2). Errors wrap [ErrEntityID].
func CheckEntityID(id string) error {
	u, err := url.Parse(id)
	switch {
	case err != nil || len(id) > maxEntityID:
		return fmt.Errorf("%w: not a URL", ErrEntityID)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%w: the scheme must be https", ErrEntityID)
	case u.Hostname() == "" || u.User != nil || u.Opaque != "":
		return fmt.Errorf("%w: host only, with port and path", ErrEntityID)
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(id, "#"):
		return fmt.Errorf("%w: no query and no fragment", ErrEntityID)
	}
	return nil
}

// WellKnown is appended to an entity identifier (9); other documents of the same issuer
// insert theirs between host and path.
const WellKnown = "/.well-known/openid-federation"

// ConfigurationURL is where the Entity Configuration of id is: "If the Entity Identifier
// contains a trailing "/" character, it MUST be removed before concatenating" (9).
func ConfigurationURL(id string) string { return strings.TrimSuffix(id, "/") + WellKnown }
