package sdjwtvc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// ErrIssuerMetadata: JWT VC Issuer Metadata cannot be had or used.
var ErrIssuerMetadata = errors.New("unusable jwt vc issuer metadata")

// IssuerMetadata is JWT VC Issuer Metadata (3.2).
type IssuerMetadata struct {
	Issuer  string       `json:"issuer"`
	JWKS    *jose.KeySet `json:"jwks,omitempty"`
	JWKSURI string       `json:"jwks_uri,omitempty"`
}

// IssuerMetadataURL is where the metadata of an issuer stands: the well-known
// string inserted between host and path, a terminating slash of the path removed
// (3, 3.1). It refuses what is no "case-sensitive URL using the HTTPS scheme"
// without query and fragment.
func IssuerMetadataURL(iss string) (string, error) {
	u, err := url.Parse(iss)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: iss is no URL", ErrIssuerMetadata)
	case u.Scheme != "https" || u.Host == "" || u.User != nil || u.Opaque != "":
		return "", fmt.Errorf("%w: iss is no https URL", ErrIssuerMetadata)
	case strings.ContainsAny(iss, "?#"):
		return "", fmt.Errorf("%w: iss has a query or fragment", ErrIssuerMetadata)
	}
	return "https://" + u.Host + "/.well-known/jwt-vc-issuer" + strings.TrimSuffix(u.EscapedPath(), "/"), nil
}

// ParseIssuerMetadata reads a response and holds it to 3.2 and 3.3: issuer
// identical to iss, and exactly one of jwks and jwks_uri.
func ParseIssuerMetadata(body []byte, iss string) (*IssuerMetadata, error) {
	var m IssuerMetadata
	if err := ijson.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIssuerMetadata, err)
	}
	if m.Issuer != iss {
		// "If these values are not identical, the data contained in the response MUST
		// NOT be used."
		return nil, fmt.Errorf("%w: issuer is another", ErrIssuerMetadata)
	}
	if (m.JWKS == nil) == (m.JWKSURI == "") {
		return nil, fmt.Errorf("%w: not exactly one of jwks and jwks_uri", ErrIssuerMetadata)
	}
	return &m, nil
}

// FetchIssuerKey finds the key kid of issuer iss through its metadata. An empty
// kid is enough when the set has one key.
func FetchIssuerKey(ctx context.Context, f Fetcher, iss, kid string) (jose.Key, error) {
	at, err := IssuerMetadataURL(iss)
	if err != nil {
		return jose.Key{}, err
	}
	body, _, err := f.Get(ctx, at, "application/json")
	if err != nil {
		return jose.Key{}, fmt.Errorf("%w: %w", ErrIssuerMetadata, err)
	}
	m, err := ParseIssuerMetadata(body, iss)
	if err != nil {
		return jose.Key{}, err
	}
	set := m.JWKS
	if set == nil {
		if u, err := url.Parse(m.JWKSURI); err != nil || u.Scheme != "https" || u.Host == "" {
			return jose.Key{}, fmt.Errorf("%w: jwks_uri is no https URL", ErrIssuerMetadata)
		}
		if body, _, err = f.Get(ctx, m.JWKSURI, "application/json", "application/jwk-set+json"); err != nil {
			return jose.Key{}, fmt.Errorf("%w: jwks_uri: %w", ErrIssuerMetadata, err)
		}
		set = new(jose.KeySet)
		if err := ijson.Unmarshal(body, set); err != nil {
			return jose.Key{}, fmt.Errorf("%w: jwks_uri: %w", ErrIssuerMetadata, err)
		}
	}
	if kid == "" && len(set.Keys) == 1 {
		return set.Keys[0], nil
	}
	if key, ok := set.Find(kid); ok && kid != "" {
		return key, nil
	}
	return jose.Key{}, fmt.Errorf("%w: no such key", ErrIssuerMetadata)
}
