package sdjwtvc

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// A Fetcher gets a document over HTTPS. It holds the policy on addresses, sizes,
// redirects and time.
type Fetcher = did.Fetcher

var (
	// ErrNoIssuerKey: no permitted mechanism gives a key (2.5: "MUST be rejected").
	ErrNoIssuerKey = errors.New("no way to find the issuer's key")
	// ErrIssuerMismatch: the key belongs to another than iss names.
	ErrIssuerMismatch = errors.New("key does not belong to the issuer named")
)

// A Mechanism is a way to find the issuer's key (2.5).
type Mechanism string

const (
	ByCertificate Mechanism = "x5c"           // inline X.509 certificates
	ByDID         Mechanism = "did"           // DID URL in kid, the mechanism of DIIP
	ByMetadata    Mechanism = "jwt-vc-issuer" // JWT VC Issuer Metadata
)

// KeyOptions say which mechanisms are permitted and with what.
type KeyOptions struct {
	// Fetcher is needed for did:web and issuer metadata; nil permits neither.
	Fetcher Fetcher
	// Anchors are the CAs an x5c must lead to. Without any, the chain is not
	// validated and IssuerKey says so in Anchored: a caller that finds the very
	// certificate in a registry needs no anchor.
	Anchors []*x509.Certificate
	At      time.Time // when certificates must be valid: when the credential was signed
	// Permitted lists mechanisms in order of preference; empty means all three:
	// certificate, DID, metadata.
	Permitted []Mechanism
	// UnboundSubject takes an x5c leaf that names neither iss nor its host. Draft
	// 18 makes the leaf's subject the issuer, whatever iss says; without this we ask
	// the names to agree.
	UnboundSubject bool
}

// An IssuerKeyResult is a key and what vouches for it.
type IssuerKeyResult struct {
	Public    crypto.PublicKey
	Mechanism Mechanism
	// Chain is the x5c, leaf first; Anchored says that it leads to an anchor.
	Chain    []*x509.Certificate
	Anchored bool
	// DID is the DID that kid named.
	DID string
}

// IssuerKey finds the key to verify t with (2.5), by the first permitted mechanism
// that the credential has what it takes for. It falls back to no other when that
// one fails: a credential with a bad certificate is bad. Errors: ErrNoIssuerKey,
// ErrIssuerMismatch, ErrIssuerMetadata, and those of jose and did.
func IssuerKey(ctx context.Context, t *sdjwt.SDJWT, o KeyOptions) (IssuerKeyResult, error) {
	permitted := o.Permitted
	if len(permitted) == 0 {
		permitted = []Mechanism{ByCertificate, ByDID, ByMetadata}
	}
	h := t.Header()
	iss, err := issuerOf(t.Payload())
	if err != nil {
		return IssuerKeyResult{}, err
	}
	for _, m := range permitted {
		switch {
		case m == ByCertificate && len(h.X5C) > 0:
			return keyByCertificate(h, iss, o)
		case m == ByDID && (strings.HasPrefix(h.KeyID, "did:") || strings.HasPrefix(iss, "did:")):
			return keyByDID(ctx, h.KeyID, iss, o.Fetcher)
		case m == ByMetadata && strings.HasPrefix(iss, "https://") && o.Fetcher != nil && !strings.HasPrefix(h.KeyID, "did:"):
			key, err := FetchIssuerKey(ctx, o.Fetcher, iss, h.KeyID)
			return IssuerKeyResult{Public: key.Public, Mechanism: ByMetadata}, err
		}
	}
	return IssuerKeyResult{}, ErrNoIssuerKey
}

// issuerOf is iss, or in a W3C credential without it the issuer or its id, which
// iss would have to match (VC-JOSE-COSE 4.1.2).
func issuerOf(payload map[string]any) (string, error) {
	iss, err := optionalString(payload, "iss")
	if iss != "" || err != nil {
		return iss, err
	}
	if _, w3c := payload["@context"]; !w3c {
		return "", nil
	}
	if object, ok := payload["issuer"].(map[string]any); ok {
		return optionalString(object, "id")
	}
	return optionalString(payload, "issuer")
}

func keyByCertificate(h jose.Header, iss string, o KeyOptions) (IssuerKeyResult, error) {
	chain, err := jose.ParseCertificates(h.X5C)
	if err != nil {
		return IssuerKeyResult{}, err
	}
	r := IssuerKeyResult{Public: chain[0].PublicKey, Mechanism: ByCertificate, Chain: chain}
	if len(o.Anchors) > 0 {
		if err := jose.VerifyChain(chain, o.Anchors, o.At); err != nil {
			return IssuerKeyResult{}, err
		}
		r.Anchored = true
	}
	if iss != "" && !o.UnboundSubject && !CertificateNames(chain[0], iss) {
		return IssuerKeyResult{}, fmt.Errorf("%w: certificate", ErrIssuerMismatch)
	}
	return r, nil
}

// CertificateNames says whether a leaf certificate names the issuer iss: a SAN URI
// equal to it, or, for an https URL, a SAN dNSName equal to its host.
func CertificateNames(leaf *x509.Certificate, iss string) bool {
	if slices.ContainsFunc(leaf.URIs, func(u *url.URL) bool { return u.String() == iss }) {
		return true
	}
	u, err := url.Parse(iss)
	return err == nil && u.Scheme == "https" && slices.ContainsFunc(leaf.DNSNames, func(name string) bool {
		return strings.EqualFold(name, u.Hostname())
	})
}

// keyByDID resolves the DID URL in kid. The DID must be iss, or the did:web of an
// https iss.
func keyByDID(ctx context.Context, kid, iss string, f Fetcher) (IssuerKeyResult, error) {
	if !strings.HasPrefix(kid, "did:") { // a fragment or a full name relative to a DID in iss
		if kid == "" {
			return IssuerKeyResult{}, fmt.Errorf("%w: no kid", ErrNoIssuerKey)
		}
		kid = iss + "#" + strings.TrimPrefix(kid, "#")
	}
	id, _, err := did.Split(kid)
	if err != nil {
		return IssuerKeyResult{}, err
	}
	if iss != "" && id != iss {
		if web, err := did.WebFromURL(iss); err != nil || web != id {
			return IssuerKeyResult{}, fmt.Errorf("%w: kid", ErrIssuerMismatch)
		}
	}
	if f == nil && strings.HasPrefix(id, "did:web:") {
		return IssuerKeyResult{}, ErrNoIssuerKey
	}
	doc, err := did.Resolve(ctx, id, f)
	if err != nil {
		return IssuerKeyResult{}, err
	}
	pub, err := doc.Key(kid, did.AssertionMethod)
	if err != nil {
		return IssuerKeyResult{}, err
	}
	return IssuerKeyResult{Public: pub, Mechanism: ByDID, DID: id}, nil
}

// HolderKey is the key that cnf names (2.2.2.3): its jwk, or the key of the
// did:jwk or did:key that its kid names. When both are there they must be the same
// key. Error: sdjwt.ErrConfirmation.
func (c *Credential) HolderKey(ctx context.Context) (crypto.PublicKey, error) {
	return HolderKey(ctx, c.Claims)
}

// HolderKey is Credential.HolderKey for the processed payload of any SD-JWT.
func HolderKey(ctx context.Context, claims map[string]any) (crypto.PublicKey, error) {
	pub, kid, err := sdjwt.Confirmation(claims)
	if err != nil {
		return nil, err
	}
	self := strings.HasPrefix(kid, "did:jwk:") || strings.HasPrefix(kid, "did:key:")
	if !self {
		if pub == nil {
			return nil, fmt.Errorf("%w: kid is no did:jwk or did:key", sdjwt.ErrConfirmation)
		}
		return pub, nil
	}
	id, _, err := did.Split(kid)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sdjwt.ErrConfirmation, err)
	}
	doc, err := did.Resolve(ctx, id, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sdjwt.ErrConfirmation, err)
	}
	named, err := doc.Key(kid, did.Authentication)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sdjwt.ErrConfirmation, err)
	}
	if pub != nil && !jose.SameKey(pub, named) {
		return nil, fmt.Errorf("%w: jwk and kid are two keys", sdjwt.ErrConfirmation)
	}
	return named, nil
}
