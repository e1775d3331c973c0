package jose

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"
)

const (
	maxChain            = 8       // certificates in one x5c
	maxCertificateBytes = 8 << 10 // of one certificate in DER
)

// ParseCertificates parses the certificates of an x5c header, given in DER. Errors
// wrap [ErrCertificate].
func ParseCertificates(x5c [][]byte) ([]*x509.Certificate, error) {
	if len(x5c) == 0 || len(x5c) > maxChain {
		return nil, fmt.Errorf("%w: x5c with %d certificates", ErrCertificate, len(x5c))
	}
	chain := make([]*x509.Certificate, 0, len(x5c))
	for i, der := range x5c {
		if len(der) > maxCertificateBytes {
			return nil, fmt.Errorf("%w: x5c[%d] is too large", ErrCertificate, i)
		}
		// Trailing bytes are an error of ParseCertificate; PEM is no DER.
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: x5c[%d] is not a certificate", ErrCertificate, i)
		}
		chain = append(chain, cert)
	}
	return chain, nil
}

// VerifyChain checks that chain, leaf first, leads to one of the anchors at a moment.
//
// Each certificate must be certified by the one behind it (RFC 7515 4.1.6), the
// leaf may not be self-signed and no anchor may be part of the chain (HAIP 1.0
// 6.1.1; [ErrAnchor]), and the leaf must be allowed to sign. All other errors wrap
// [ErrCertificate].
func VerifyChain(chain []*x509.Certificate, anchors []*x509.Certificate, at time.Time) error {
	if len(chain) == 0 || len(chain) > maxChain {
		return fmt.Errorf("%w: chain of %d certificates", ErrCertificate, len(chain))
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, anchor := range anchors {
		roots.AddCert(anchor)
		for _, cert := range chain {
			if cert.Equal(anchor) {
				return ErrAnchor
			}
		}
	}
	for i, cert := range chain[1:] {
		if err := chain[i].CheckSignatureFrom(cert); err != nil {
			return fmt.Errorf("%w: x5c[%d] does not certify x5c[%d]", ErrCertificate, i+1, i)
		}
		between.AddCert(cert)
	}
	leaf := chain[0]
	if bytes.Equal(leaf.RawSubject, leaf.RawIssuer) || leaf.IsCA {
		return fmt.Errorf("%w: signing certificate is self-signed or a CA", ErrCertificate)
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return fmt.Errorf("%w: key usage does not include signing", ErrCertificate)
	}
	if err := CheckPublicKey(leaf.PublicKey); err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return nil
}
