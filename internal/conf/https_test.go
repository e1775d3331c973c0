package conf

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
)

// authority is an ACME server (RFC 8555) as far as one certificate needs it. It checks by
// tls-alpn-01 (RFC 8737) at the address that it was told, whatever the name.
type authority struct {
	*httptest.Server
	t    *testing.T
	key  *ecdsa.PrivateKey
	root *x509.Certificate

	mu      sync.Mutex
	target  string // where the name is proven
	proven  bool
	refused string
	orders  int
	chain   []byte
}

func newAuthority(t *testing.T, target string) *authority {
	a := &authority{t: t, target: target}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

// caFile is what speaks with the authority has to trust.
func (a *authority) caFile() string {
	path := filepath.Join(a.t.TempDir(), "acme-ca.pem")
	body := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})
	if err := os.WriteFile(path, body, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

func (a *authority) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Replay-Nonce", "nonce")
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	at := func(path string) string { return a.URL + path }
	a.mu.Lock()
	defer a.mu.Unlock()
	order := func() map[string]any {
		state := "pending"
		switch {
		case a.chain != nil:
			state = "valid"
		case a.proven:
			state = "ready"
		}
		return map[string]any{"status": state, "authorizations": []string{at("/authz")}, "finalize": at("/finalize"), "certificate": at("/cert"),
			"identifiers": []any{map[string]string{"type": "dns", "value": "knoop.example"}}}
	}
	challenge := func() map[string]any {
		c := map[string]any{"type": "tls-alpn-01", "url": at("/challenge"), "token": "token", "status": "pending"}
		if a.proven {
			c["status"] = "valid"
		}
		return c
	}
	w.Header().Set("Location", at("/order"))
	switch r.URL.Path {
	case "/directory":
		answer(200, map[string]any{"newNonce": at("/nonce"), "newAccount": at("/account"), "newOrder": at("/new-order")})
	case "/nonce":
	case "/account":
		w.Header().Set("Location", at("/account/1"))
		answer(201, map[string]any{"status": "valid"})
	case "/new-order":
		a.orders++
		answer(201, order())
	case "/order":
		answer(200, order())
	case "/authz":
		state := "pending"
		if a.proven {
			state = "valid"
		}
		answer(200, map[string]any{"status": state, "identifier": map[string]string{"type": "dns", "value": "knoop.example"}, "challenges": []any{challenge()}})
	case "/challenge":
		a.prove()
		answer(200, challenge())
	case "/finalize":
		a.finalize(r)
		answer(200, order())
	case "/cert":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		w.Write(a.chain)
	default:
		http.NotFound(w, r)
	}
}

// prove connects as RFC 8737 section 3 says and looks for the certificate of the challenge.
func (a *authority) prove() {
	conn, err := tls.Dial("tcp", a.target, &tls.Config{ServerName: "knoop.example", NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true})
	if err != nil {
		a.refused = err.Error()
		return
	}
	defer conn.Close()
	cert := conn.ConnectionState().PeerCertificates[0]
	for _, e := range cert.Extensions {
		a.proven = a.proven || e.Id.String() == "1.3.6.1.5.5.7.1.31" && cert.VerifyHostname("knoop.example") == nil
	}
}

func (a *authority) finalize(r *http.Request) {
	var jws, payload struct{ Payload, CSR string }
	raw, _ := io.ReadAll(r.Body)
	err := json.Unmarshal(raw, &jws)
	body, err2 := base64.RawURLEncoding.DecodeString(jws.Payload)
	err3 := json.Unmarshal(body, &payload)
	der, err4 := base64.RawURLEncoding.DecodeString(payload.CSR)
	csr, err5 := x509.ParseCertificateRequest(der)
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		a.refused = err.Error()
		return
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "knoop.example"}, DNSNames: csr.DNSNames,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(12 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	made, err := x509.CreateCertificate(rand.Reader, leaf, a.root, csr.PublicKey, a.key)
	if err != nil {
		a.refused = err.Error()
		return
	}
	for _, der := range [][]byte{made, a.root.Raw} {
		a.chain = append(a.chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
}

// serving runs s on a free port until the test ends, and gives the address.
func serving(t *testing.T, s Server, h http.Handler) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.ServeRole(ctx, h, Role{}) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

func freeAddress(t *testing.T) string {
	l := testkit.Listen(t)
	defer l.Close()
	return l.Addr().String()
}

// get asks an https server at address by the name knoop.example, until it answers.
func get(t *testing.T, address, path string, roots *x509.CertPool, header http.Header) (*http.Response, string) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}}
	defer client.CloseIdleConnections()
	deadline := time.Now().Add(20 * time.Second)
	for {
		r, err := http.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range header {
			r.Header[k] = v
		}
		resp, err := client.Do(r)
		if err == nil {
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return resp, string(body)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", path, err)
		}
	}
}

func TestACME(t *testing.T) {
	address, plain := freeAddress(t), freeAddress(t)
	a := newAuthority(t, address)
	cache := t.TempDir()
	s := Server{Listen: address, URL: "https://knoop.example", ACME: &ACME{Email: "beheer@knoop.example", Cache: cache,
		Directory: a.URL + "/directory", CAFile: a.caFile(), HTTPListen: plain, AllowPrivate: []string{"127.0.0.0/8", "::1/128"}}}
	serving(t, s, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "goedemorgen") }))
	roots := x509.NewCertPool()
	roots.AddCert(a.root)
	_, body := get(t, address, "https://knoop.example/", roots, nil)
	if body != "goedemorgen" {
		t.Errorf("got %q", body)
	}
	resp, _ := get(t, plain, "http://knoop.example/page", roots, nil)
	if where := resp.Header.Get("Location"); where != "https://knoop.example/page" {
		t.Errorf("plain http: %d %q, want a redirect to https", resp.StatusCode, where)
	}
	a.mu.Lock()
	if a.orders != 1 || a.refused != "" {
		t.Errorf("%d orders, %q", a.orders, a.refused)
	}
	a.mu.Unlock()
	// No certificate for a name that somebody else pointed at this address.
	if conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: "ander.example", RootCAs: roots}); err == nil {
		conn.Close()
		t.Error("a certificate for another name was given")
	}
	files, err := os.ReadDir(cache)
	if err != nil || len(files) < 2 {
		t.Fatalf("the certificate is not kept: %v %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others", f.Name())
		}
	}
}

// TestBehindProxy: what a proxy, or a stranger, adds to a request does not change where the
// process thinks it is; and without a word about a proxy plain http stays on this computer.
func TestBehindProxy(t *testing.T) {
	address := freeAddress(t)
	s := Server{Listen: address, URL: "https://knoop.example", BehindProxy: true}
	serving(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, s.URL+r.URL.Path, r.TLS != nil) }))
	header := http.Header{"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"gopher"}, "Forwarded": {"host=evil.example"}}
	if _, body := get(t, address, "http://"+address+"/x", nil, header); body != "https://knoop.example/xfalse" {
		t.Errorf("got %q", body)
	}
	for listen, fine := range map[string]bool{"127.0.0.1:0": true, "[::1]:0": true, "localhost:0": true, "0.0.0.0:0": false, ":0": false, "[::]:0": false} {
		err := Server{Listen: listen}.plain()
		if fine != (err == nil) || err != nil && !errors.Is(err, ErrPlain) {
			t.Errorf("%s: got %v, want allowed %v", listen, err, fine)
		}
		if err := (Server{Listen: listen, BehindProxy: true}).plain(); err != nil {
			t.Errorf("%s behind a proxy: %v", listen, err)
		}
	}
}

func TestACMEThatCannotWork(t *testing.T) {
	for name, tt := range map[string]struct {
		url  string
		acme ACME
		want string
	}{
		"an address":  {"https://192.0.2.7", ACME{Cache: "x"}, "host name"},
		"plain http":  {"http://knoop.example", ACME{Cache: "x"}, "https url"},
		"one label":   {"https://knoop", ACME{Cache: "x"}, "host name"},
		"no folder":   {"https://knoop.example", ACME{}, "cache"},
		"no ca file":  {"https://knoop.example", ACME{Cache: "x", CAFile: "absent.pem"}, "absent.pem"},
		"wrong range": {"https://knoop.example", ACME{Cache: "x", AllowPrivate: []string{"x"}}, "allow_private"},
	} {
		_, err := Server{URL: tt.url, ACME: &tt.acme}.certificates()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}
