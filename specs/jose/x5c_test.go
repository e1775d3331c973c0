package jose_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
)

var certTime = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// party is a certificate with its key.
type party struct {
	cert *x509.Certificate
	key  *jose.PrivateKey
}

// certify makes a certificate by parent, or by itself when parent is nil.
func certify(t *testing.T, name string, parent *party, change func(*x509.Certificate)) party {
	t.Helper()
	key := newKey(t, jose.ES256)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name))), Subject: pkix.Name{CommonName: name},
		NotBefore: certTime.Add(-time.Hour), NotAfter: certTime.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	by := party{template, key}
	if parent != nil {
		by = *parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return party{cert, key}
}

func ca(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }

func TestVerifyChain(t *testing.T) {
	anchor := certify(t, "anchor", nil, ca)
	other := certify(t, "other anchor", nil, ca)
	middle := certify(t, "middle", &anchor, ca)
	leaf := certify(t, "leaf", &middle, nil)
	direct := certify(t, "direct", &anchor, nil)
	selfSigned := certify(t, "self", nil, nil)
	subCA := certify(t, "sub ca", &anchor, ca)
	encipher := certify(t, "encipher", &anchor, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	expired := certify(t, "expired", &anchor, func(c *x509.Certificate) { c.NotAfter = certTime.Add(-time.Minute) })
	notCA := certify(t, "under a leaf", &direct, nil)

	for _, tt := range []struct {
		name    string
		chain   []party
		anchors []party
		want    error
	}{
		{"leaf and intermediate", []party{leaf, middle}, []party{anchor}, nil},
		{"leaf under the anchor", []party{direct}, []party{other, anchor}, nil},
		{"empty", nil, []party{anchor}, jose.ErrCertificate},
		{"no anchors", []party{direct}, nil, jose.ErrCertificate},
		{"anchor inside", []party{direct, anchor}, []party{anchor}, jose.ErrAnchor},
		{"anchor alone", []party{anchor}, []party{anchor}, jose.ErrAnchor},
		{"intermediate missing", []party{leaf}, []party{anchor}, jose.ErrCertificate},
		{"wrong order", []party{middle, leaf}, []party{anchor}, jose.ErrCertificate},
		{"certificate that certifies nothing", []party{direct, middle}, []party{anchor}, jose.ErrCertificate},
		{"other anchor", []party{direct}, []party{other}, jose.ErrCertificate},
		{"self-signed", []party{selfSigned}, []party{anchor}, jose.ErrCertificate},
		{"self-signed and trusted", []party{selfSigned}, []party{selfSigned}, jose.ErrAnchor},
		{"CA signs", []party{subCA}, []party{anchor}, jose.ErrCertificate},
		{"not for signing", []party{encipher}, []party{anchor}, jose.ErrCertificate},
		{"expired", []party{expired}, []party{anchor}, jose.ErrCertificate},
		{"issued by a leaf", []party{notCA, direct}, []party{anchor}, jose.ErrCertificate},
		{"too long", []party{leaf, middle, middle, middle, middle, middle, middle, middle, middle}, []party{anchor}, jose.ErrCertificate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := jose.VerifyChain(certs(tt.chain), certs(tt.anchors), certTime)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	for _, at := range []time.Time{certTime.Add(-2 * time.Hour), certTime.Add(2 * time.Hour)} {
		if err := jose.VerifyChain(certs([]party{direct}), certs([]party{anchor}), at); !errors.Is(err, jose.ErrCertificate) {
			t.Errorf("at %v: %v", at, err)
		}
	}
}

func certs(parties []party) []*x509.Certificate {
	var out []*x509.Certificate
	for _, p := range parties {
		out = append(out, p.cert)
	}
	return out
}

func TestHeaderCarriesCertificates(t *testing.T) {
	anchor := certify(t, "anchor", nil, ca)
	leaf := certify(t, "leaf", &anchor, nil)
	token, err := jose.Sign(leaf.key, jose.Header{X5C: [][]byte{leaf.cert.Raw}}, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := jose.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := jose.ParseCertificates(s.Header.X5C)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(chain[0].PublicKey); err != nil {
		t.Error(err)
	}
	k := jose.Key{Public: leaf.key.Public(), X5C: s.Header.X5C}
	raw, err := k.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := jose.ParseKey(raw); err != nil || len(again.X5C) != 1 {
		t.Errorf("jwk with x5c: %v", err)
	}
	k.Public = anchor.key.Public()
	raw, _ = k.MarshalJSON()
	if _, err := jose.ParseKey(raw); !errors.Is(err, jose.ErrKey) {
		t.Errorf("jwk with another's x5c: %v", err)
	}
	for name, der := range map[string][]byte{
		"trailing byte": append(append([]byte(nil), leaf.cert.Raw...), 0),
		"cut":           leaf.cert.Raw[:100],
		"PEM":           []byte("-----BEGIN CERTIFICATE-----"),
		"huge":          make([]byte, 10000),
	} {
		if _, err := jose.ParseCertificates([][]byte{der}); !errors.Is(err, jose.ErrCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := jose.ParseCertificates(nil); !errors.Is(err, jose.ErrCertificate) {
		t.Errorf("no certificates: %v", err)
	}
}
