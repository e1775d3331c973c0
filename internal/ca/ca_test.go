package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
)

var (
	from = testkit.Noon
	to   = testkit.Noon.AddDate(1, 0, 0)
)

func region(t *testing.T) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := testkit.P256(t)
	root, err := NewRoot(key, Root{Name: "Regio Aakermonde", NotBefore: from, NotAfter: to.AddDate(9, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return root, key
}

func TestLeafIsAChainThatJoseAccepts(t *testing.T) {
	root, key := region(t)
	leaf, err := Leaf(root, key, Request{
		Public: testkit.P256(t).Public(), Organisation: "org_abc", URI: "https://localhost:4001",
		NotBefore: from, NotAfter: to,
	})
	if err != nil {
		t.Fatal(err)
	}
	anchors := []*x509.Certificate{root}
	if err := jose.VerifyChain([]*x509.Certificate{leaf}, anchors, from.Add(time.Hour)); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if err := jose.VerifyChain([]*x509.Certificate{leaf}, anchors, to.Add(time.Hour)); err == nil {
		t.Error("an expired leaf passes")
	}
	other, _ := region(t)
	if err := jose.VerifyChain([]*x509.Certificate{leaf}, []*x509.Certificate{other}, from.Add(time.Hour)); err == nil {
		t.Error("a leaf of another region passes")
	}
	if got := leaf.URIs[0].String() + " " + leaf.DNSNames[0]; got != "https://localhost:4001 localhost" {
		t.Errorf("alternative names: got %q", got)
	}
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Error("a leaf must sign data and nothing else")
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	root, key := region(t)
	good := Request{Public: key.Public(), Organisation: "org_abc", URI: "https://a.example", NotBefore: from, NotAfter: to}
	for _, tt := range []struct {
		name   string
		change func(*Request)
	}{
		{"no organisation", func(r *Request) { r.Organisation = "" }},
		{"no time", func(r *Request) { r.NotAfter = r.NotBefore }},
		{"outlives its authority", func(r *Request) { r.NotAfter = to.AddDate(20, 0, 0) }},
		{"begins before its authority", func(r *Request) { r.NotBefore = from.AddDate(-1, 0, 0) }},
		{"plain http", func(r *Request) { r.URI = "http://a.example" }},
		{"no host", func(r *Request) { r.URI = "https:///x" }},
		{"a user name", func(r *Request) { r.URI = "https://x@a.example" }},
		{"a query", func(r *Request) { r.URI = "https://a.example/?q" }},
	} {
		r := good
		tt.change(&r)
		if _, err := Leaf(root, key, r); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: got %v, want ErrRequest", tt.name, err)
		}
	}
}

// serve answers over TLS with a certificate of a local authority.
func serve(t *testing.T, cert tls.Certificate) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestLocalAuthority(t *testing.T) {
	rootKey, key := testkit.P256(t), testkit.P256(t)
	now := time.Now()
	root, err := NewLocal(rootKey, now.Add(-time.Hour), now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ServerCertificate(root, rootKey, key.Public(), now.Add(-time.Hour), now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	if _, err := client.Get(serve(t, tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key})); err != nil {
		t.Error(err)
	}
}

// TestLocalAuthorityCannotSpeakForOthers signs for a name outside with the local
// authority's key, as a thief of it would.
func TestLocalAuthorityCannotSpeakForOthers(t *testing.T) {
	rootKey := testkit.P256(t)
	root, err := NewLocal(rootKey, from, to)
	if err != nil {
		t.Fatal(err)
	}
	template, err := base("bank", from, to)
	if err != nil {
		t.Fatal(err)
	}
	template.DNSNames = []string{"bank.example"}
	thief, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := sign(template, root, thief.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: "bank.example", CurrentTime: from.Add(time.Hour)}); err == nil {
		t.Error("the local authority spoke for bank.example")
	}
}

func TestSelfSignedCarriesTheKey(t *testing.T) {
	key := testkit.Ed25519(t)
	cert, err := SelfSigned(key, "node-1", from, to)
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.Leaf.CheckSignature(cert.Leaf.SignatureAlgorithm, cert.Leaf.RawTBSCertificate, cert.Leaf.Signature); err != nil {
		t.Error(err)
	}
	if SPKI(cert.Leaf) == Fingerprint(cert.Leaf) {
		t.Error("the hash of the key is that of the certificate")
	}
}

func TestPEM(t *testing.T) {
	root, _ := region(t)
	got, err := ParsePEM(PEM(root, root))
	if err != nil || len(got) != 2 || !got[0].Equal(root) {
		t.Errorf("got %d certificates and %v", len(got), err)
	}
	for name, body := range map[string]string{
		"empty": "", "a key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	} {
		if _, err := ParsePEM([]byte(body)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// TestListSigner: who pinned the certificate knows it again after the program started anew.
func TestListSigner(t *testing.T) {
	key := testkit.P256(t)
	first, err := ListSigner(key, "Regio Aakermonde", from)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ListSigner(key, "Regio Aakermonde", from)
	if err != nil || !again.Equal(first) {
		t.Errorf("got another certificate for the same key, %v", err)
	}
	if first.IsCA || first.NotAfter.Year() != 9999 || first.CheckSignature(first.SignatureAlgorithm, first.RawTBSCertificate, first.Signature) != nil {
		t.Errorf("got %+v", first)
	}
	if _, err := ListSigner(key, "", from); !errors.Is(err, ErrRequest) {
		t.Errorf("without a name: got %v", err)
	}
}
