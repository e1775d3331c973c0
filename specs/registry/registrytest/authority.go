package registrytest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/registry"
)

// authority is the region's CA.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB, now time.Time) authority {
	t.Helper()
	key := NamedKey("ca of the region")
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Regio Aakermonde CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return authority{key, sign(t, template, template, &key.PublicKey, key)}
}

func sign(t testing.TB, template, parent *x509.Certificate, pub *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// Anchor is the certificate of the region's CA.
func (r *Region) Anchor() *x509.Certificate { return r.ca.cert }

// Certificate issues a certificate of a year for a new key of an organisation and records it
// in the registry. The chain is what x5c holds: the leaf, without the anchor.
func (r *Region) Certificate(org string, usage registry.Usage) (chain []*x509.Certificate, key *ecdsa.PrivateKey) {
	r.T.Helper()
	cert, key := r.UnrecordedCertificate(org, usage)
	r.Record(cert, org, usage)
	return []*x509.Certificate{cert}, key
}

// Record records a certificate.
func (r *Region) Record(cert *x509.Certificate, org string, usage registry.Usage) registry.SignedEvent {
	r.T.Helper()
	return r.Do(registry.KindCertificate, registry.NewCertificateRecord(cert, registry.Fingerprint(r.ca.cert.Raw), org, usage), Gemeente, registry.OrganisationParty(org))
}

// UnrecordedCertificate issues a certificate that the registry does not know.
func (r *Region) UnrecordedCertificate(org string, usage registry.Usage) (*x509.Certificate, *ecdsa.PrivateKey) {
	r.T.Helper()
	o, err := r.State.View().Organisation(org, r.Now)
	if err != nil {
		r.T.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		r.T.Fatal(err)
	}
	key := NamedKey("certificate " + org + string(usage) + serial.String())
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: org},
		NotBefore: r.Now.Add(-time.Minute), NotAfter: r.Now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	for _, a := range o.Aliases {
		if u, err := url.Parse(a.Value); err == nil && a.Type == registry.AliasURL {
			template.URIs = append(template.URIs, u)
			template.DNSNames = append(template.DNSNames, u.Hostname())
		}
	}
	return sign(r.T, template, r.ca.cert, &key.PublicKey, r.ca.key), key
}
