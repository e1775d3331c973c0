// Package ca makes X.509 certificates (RFC 5280) of three kinds, and no others:
//
//   - of the region: a member's offline key certifies the keys with which admitted
//     organisations sign ([NewRoot], [Leaf]). HAIP 1.0 wants such a chain in x5c.
//   - for https on this computer: an authority that can speak for localhost only
//     ([NewLocal], [ServerCertificate]).
//   - between nodes: self-signed, because a node's key is pinned in the charter
//     ([SelfSigned]).
//
// It decides nothing about trust: a certificate of the region counts when the
// registry has recorded it as an event.
//
//	root, err := ca.NewRoot(memberKey, ca.Root{Name: "Regio Aakermonde", NotBefore: from, NotAfter: to})
//	leaf, err := ca.Leaf(root, memberKey, ca.Request{Public: pub, Organisation: id, URI: "https://opleider.example", NotBefore: from, NotAfter: to})
package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// ErrRequest: the request for a certificate does not make sense.
var ErrRequest = errors.New("ca: bad request")

// Root describes an authority.
type Root struct {
	Name                string
	NotBefore, NotAfter time.Time
}

// Request describes a signing certificate of the region.
type Request struct {
	// Public is the key to certify: P-256.
	Public crypto.PublicKey
	// Organisation is the permanent id in the registry; it becomes the common
	// name. The organisation's own name is left out: that of a one-person firm is
	// personal data and must stay erasable.
	Organisation string
	// URI is the organisation's public https URL (credential_issuer, or the
	// verifier's). It becomes SAN URI, and its host SAN dNSName.
	URI                 string
	NotBefore, NotAfter time.Time
	// CRL are the addresses of the authority's revocation list; may be empty.
	CRL []string
}

// NewRoot makes the certificate of a region's authority: a self-signed CA that
// certifies leaves only (path length 0) and signs revocation lists.
func NewRoot(key crypto.Signer, r Root) (*x509.Certificate, error) {
	template, err := base(r.Name, r.NotBefore, r.NotAfter)
	if err != nil {
		return nil, err
	}
	asAuthority(template)
	template.KeyUsage |= x509.KeyUsageCRLSign
	return sign(template, template, key.Public(), key)
}

func asAuthority(t *x509.Certificate) {
	t.IsCA = true
	t.BasicConstraintsValid = true
	t.MaxPathLenZero = true
	t.KeyUsage = x509.KeyUsageCertSign
}

// Leaf certifies a key of an admitted organisation for signing. ErrRequest when the
// URL is not plain https (http for localhost) or the time lies outside root's.
func Leaf(root *x509.Certificate, key crypto.Signer, r Request) (*x509.Certificate, error) {
	template, err := base(r.Organisation, r.NotBefore, r.NotAfter)
	if err != nil {
		return nil, err
	}
	uri, err := publicURL(r.URI)
	if err != nil {
		return nil, err
	}
	if r.NotBefore.Before(root.NotBefore) || r.NotAfter.After(root.NotAfter) {
		return nil, fmt.Errorf("%w: the certificate would outlive its authority", ErrRequest)
	}
	spki, err := x509.MarshalPKIXPublicKey(r.Public)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	template.SerialNumber = Serial(sha256.Sum256(spki), r.NotBefore, r.NotAfter)
	template.CRLDistributionPoints = r.CRL
	template.URIs = []*url.URL{uri}
	if net.ParseIP(uri.Hostname()) == nil {
		template.DNSNames = []string{uri.Hostname()}
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	return sign(template, root, r.Public, key)
}

func publicURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: not a public URL", ErrRequest)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost") {
		return nil, fmt.Errorf("%w: the URL is not https", ErrRequest)
	}
	return u, nil
}

func base(name string, from, to time.Time) (*x509.Certificate, error) {
	if name == "" {
		return nil, fmt.Errorf("%w: no name", ErrRequest)
	}
	if !to.After(from) {
		return nil, fmt.Errorf("%w: it ends before it begins", ErrRequest)
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    from.UTC(),
		NotAfter:     to.UTC(),
	}, nil
}

// serialNumber follows RFC 5280 4.1.2.2: positive, at most 20 octets. 127 random
// bits are enough never to meet twice.
func serialNumber() (*big.Int, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	raw[0] = raw[0]&0x7f | 0x40 // positive, and always 16 octets
	return new(big.Int).SetBytes(raw), nil
}

func sign(template, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, key)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	return cert, nil
}

// Fingerprint is the SHA-256 of the certificate in DER, as the registry records it.
func Fingerprint(c *x509.Certificate) [32]byte { return sha256.Sum256(c.Raw) }

// SPKI is the SHA-256 of the certificate's SubjectPublicKeyInfo in DER.
func SPKI(c *x509.Certificate) [32]byte { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// PEM encodes certificates for a file.
func PEM(chain ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// ParsePEM reads the certificates of a file; at least one.
func ParsePEM(body []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for {
		var block *pem.Block
		if block, body = pem.Decode(body); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("ca: the file holds a %s, not only certificates", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("ca: the file holds no certificate")
	}
	return out, nil
}
