package sdjwtvc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const issuerURL = "https://opleider.example/uitgifte"

// base are the claims of a credential that is fine.
func base(extra map[string]any) map[string]any {
	m := map[string]any{"iss": issuerURL, "vct": "urn:example:module:1", "iat": noon.Unix()}
	maps.Copy(m, extra)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil }) // nil takes a claim away
	return m
}

// issue signs claims, which may hold SD marks, under a typ.
func issue(t testing.TB, key crypto.Signer, h jose.Header, claims map[string]any) *sdjwt.SDJWT {
	t.Helper()
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Header: h, Claims: claims})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// pages is a Fetcher over a map from URL to body.
type pages map[string]string

func (p pages) Get(_ context.Context, url string, _ ...string) ([]byte, string, error) {
	body, ok := p[url]
	if !ok {
		return nil, "", errors.New("not found")
	}
	return []byte(body), "application/json", nil
}

// types is a TypeFetcher over a map from vct to document.
type types map[string]string

func (m types) TypeMetadata(_ context.Context, vct string) ([]byte, error) {
	doc, ok := m[vct]
	if !ok {
		return nil, errors.New("not found")
	}
	return []byte(doc), nil
}

// certify gives a leaf for key with these names, its CA, and the key of neither.
func certify(t testing.TB, pub *ecdsa.PublicKey, ca *ecdsa.PrivateKey, uri, dns string) (leaf, anchor *x509.Certificate) {
	t.Helper()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA van Regio Aakermonde"},
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	anchor = sign(t, root, root, &ca.PublicKey, ca)
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Opleidingshuis De Vaart"},
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		URIs: []*url.URL{u}, DNSNames: []string{dns}, KeyUsage: x509.KeyUsageDigitalSignature,
	}, anchor, pub, ca), anchor
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

// keySet is a JWK set with one key.
func keySet(t testing.TB, kid string, pub crypto.PublicKey) string {
	t.Helper()
	raw, err := json.Marshal(jose.KeySet{Keys: []jose.Key{{Public: pub, KeyID: kid}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// metadata is JWT VC Issuer Metadata with keys by value.
func metadata(iss, jwks string) string {
	return fmt.Sprintf(`{"issuer":%q,"jwks":%s}`, iss, jwks)
}

var _ sdjwtvc.TypeFetcher = types(nil)
