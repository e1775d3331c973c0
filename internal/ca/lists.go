package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// ListSigner wraps the key with which lists of a region are signed in a certificate, because
// readers of such lists pin one (ETSI TS 119 602). It is self-signed: what makes it count is
// that the region's charter names the key. With a key in software it is the same one each time,
// so that a pinned one stays good when the program starts again.
func ListSigner(key crypto.Signer, name string, from time.Time) (*x509.Certificate, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil || name == "" {
		return nil, fmt.Errorf("%w: no key or no name", ErrRequest)
	}
	sum := sha256.Sum256(append(spki, name...))
	sum[0] = sum[0]&0x7f | 0x40 // positive, as serialNumber
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(sum[:16]), Subject: pkix.Name{CommonName: name, Organization: []string{name}},
		// RFC 5280 4.1.2.5: 99991231235959Z is for certificates without a well-defined end.
		NotBefore: from.UTC(), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key) // RFC 6979: no randomness
	if err != nil {                                                                // a key on a token wants some
		der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	}
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	return cert, nil
}
