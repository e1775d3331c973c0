package openid4vp

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/jose"
)

// authenticate checks that the request object was signed by whom its client_id names (section 5.9.3) and fills in v. Until
// it returns nil, nothing in the object is believed.
func (c *Client) authenticate(ctx context.Context, object string, v *Verifier, now time.Time) (*jose.Signed, error) {
	signed, err := jose.ParseLimit(object, MaxRequestObjectSize)
	if err != nil {
		return nil, fail(InvalidRequestObject, "the request object is not a signed JWT: %w", err)
	}
	// Section 5: "Wallets MUST NOT process Request Objects where the typ Header Parameter is not present or does not have
	// the value oauth-authz-req+jwt." RFC 7515 4.1.9 lets "application/" be left out, so it may also be there.
	if strings.TrimPrefix(strings.ToLower(signed.Header.Type), "application/") != RequestObjectType {
		return nil, fail(InvalidRequestObject, "the request object does not have typ %s", RequestObjectType)
	}
	prefix, original := v.ClientID.Split()
	switch prefix {
	case DecentralizedIdentifier:
		v.Key, err = c.didKey(ctx, original, signed.Header.KeyID)
	case X509SANDNS, X509Hash:
		v.Key, err = c.certificateKey(prefix, original, signed.Header.X5C, v, now)
	default:
		// "Requests using the redirect_uri Client Identifier Prefix cannot be signed"
		return nil, fail(InvalidRequest, "a request with the prefix %s cannot be signed", prefix)
	}
	if err != nil {
		return nil, err
	}
	if err := signed.Verify(v.Key, jose.ES256, jose.ES384, jose.EdDSA); err != nil {
		return nil, fail(InvalidClient, "the signature of the request object does not verify: %w", err)
	}
	return signed, nil
}

// didKey: "a particular public key used to sign the request in question MUST be identified by the kid in the JOSE Header".
func (c *Client) didKey(ctx context.Context, did, keyID string) (crypto.PublicKey, error) {
	if !strings.HasPrefix(keyID, did+"#") {
		return nil, fail(InvalidClient, "kid of the request object is not a key of the DID in client_id")
	}
	key, err := c.DIDs.Key(ctx, did, keyID)
	if err != nil {
		return nil, fail(InvalidClient, "the key of the DID in client_id cannot be found: %w", err)
	}
	return key, nil
}

func (c *Client) certificateKey(prefix Prefix, original string, x5c [][]byte, v *Verifier, now time.Time) (crypto.PublicKey, error) {
	if len(x5c) == 0 {
		return nil, fail(InvalidClient, "the request object has no x5c, which the prefix %s needs", prefix)
	}
	chain, err := jose.ParseCertificates(x5c)
	if err != nil {
		return nil, fail(InvalidClient, "x5c cannot be read: %w", err)
	}
	leaf := chain[0]
	switch prefix {
	case X509Hash:
		// "the base64url-encoded value of the SHA-256 hash of the DER-encoded X.509 certificate"
		sum := sha256.Sum256(leaf.Raw)
		if base64.RawURLEncoding.EncodeToString(sum[:]) != original {
			return nil, fail(InvalidClient, "client_id is not the hash of the certificate that came with the request")
		}
	case X509SANDNS:
		if !slices.ContainsFunc(leaf.DNSNames, func(name string) bool { return strings.EqualFold(name, original) }) {
			return nil, fail(InvalidClient, "client_id is not a DNS name of the certificate that came with the request")
		}
	}
	v.Chain = chain
	// "The Wallet MUST validate the signature and the trust chain"
	if v.ChainError = jose.VerifyChain(chain, c.Anchors, now); v.ChainError != nil && !c.AcceptUntrusted {
		return nil, &UntrustedError{Verifier: *v, cause: v.ChainError}
	}
	return leaf.PublicKey, nil
}

// UntrustedError is [ErrUntrusted] with who the asker claims to be, to be shown before the holder decides to go on
// knowingly. The signature of the request was not looked at.
type UntrustedError struct {
	Verifier Verifier
	cause    error
}

// Error says why the chain was not accepted.
func (e *UntrustedError) Error() string { return fmt.Sprintf("%v: %v", ErrUntrusted, e.cause) }

// Unwrap makes it an [ErrUntrusted].
func (e *UntrustedError) Unwrap() []error { return []error{ErrUntrusted, e.cause} }
