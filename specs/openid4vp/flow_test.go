package openid4vp_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
)

// world is a verifier over real HTTP with every kind of identity, and a wallet that knows its anchor.
type world struct {
	t       testing.TB
	clock   *testkit.Clock
	web     *httptest.Server
	server  *openid4vp.Server
	backend *memory
	client  *openid4vp.Client
	key     *ecdsa.PrivateKey
	chain   []*x509.Certificate
	anchor  *x509.Certificate
}

const testDID = "did:web:werkgever.example"

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.NewClock(time.Time{}), backend: &memory{open: map[string]*openid4vp.Transaction{}}}
	w.key = newKey(t)
	w.anchor, w.chain = certificates(t, w.key, w.clock.Now())
	mux := http.NewServeMux()
	w.web = httptest.NewServer(mux)
	t.Cleanup(w.web.Close)

	did, err := openid4vp.NewDIDIdentity(testDID, testDID+"#key-1", w.key)
	must(t, err)
	hash, err := openid4vp.NewX509HashIdentity(w.chain, w.key)
	must(t, err)
	dns, err := openid4vp.NewX509SANDNSIdentity("127.0.0.1", w.chain, w.key)
	must(t, err)
	w.server, err = openid4vp.NewServer(openid4vp.ServerConfig{
		Backend:    w.backend,
		BaseURL:    w.web.URL + "/openid4vp",
		Identities: []openid4vp.Identity{did, hash, dns},
		Now:        w.clock.Now,
	})
	must(t, err)
	mux.Handle("/openid4vp/", http.StripPrefix("/openid4vp", w.server.Handler()))
	w.client = &openid4vp.Client{
		HTTP:    w.web.Client(),
		Profile: openid4vp.Standard(),
		Anchors: []*x509.Certificate{w.anchor},
		DIDs:    didKeys{testDID + "#key-1": w.key.Public()},
	}
	return w
}

// begin makes a transaction, keeps it and returns it with its link.
func (w *world) begin(ask openid4vp.Ask) (*openid4vp.Transaction, string) {
	w.t.Helper()
	if ask.Query == nil {
		ask.Query = query(w.t, `{"credentials":[{"id":"opleiding","format":"dc+sd-jwt","meta":{"vct_values":["urn:paspoort:opleiding:1"]}}]}`)
	}
	if ask.Profile.Name == "" {
		ask.Profile = openid4vp.Standard()
	}
	if ask.ResponseMode == "" {
		ask.ResponseMode = openid4vp.DirectPost
	}
	ask.Lifetime = 5 * time.Minute
	t, err := w.server.Begin(ask)
	must(w.t, err)
	w.backend.put(t)
	inv, err := w.server.Invocation(t)
	must(w.t, err)
	link, err := inv.Link("openid4vp://")
	must(w.t, err)
	return t, link
}

func (w *world) fetch(link string) (*openid4vp.Exchange, error) {
	inv, err := openid4vp.ParseInvocation(link)
	if err != nil {
		return nil, err
	}
	return w.client.Fetch(context.Background(), inv, w.clock.Now())
}

// present makes the holder binding part of an answer: an SD-JWT as far as this package looks at one.
func (w *world) present(nonce, audience string) string {
	w.t.Helper()
	payload, _ := json.Marshal(map[string]any{"nonce": nonce, "aud": audience, "iat": w.clock.Now().Unix()})
	kb, err := jose.Sign(newKey(w.t), jose.Header{Type: "kb+jwt"}, payload)
	must(w.t, err)
	return "e30.e30.c2ln~" + kb
}

func TestFlow(t *testing.T) {
	modes := []openid4vp.ResponseMode{openid4vp.DirectPost, openid4vp.DirectPostJWT}
	prefixes := []openid4vp.Prefix{openid4vp.DecentralizedIdentifier, openid4vp.X509Hash, openid4vp.X509SANDNS, openid4vp.RedirectURI}
	for _, prefix := range prefixes {
		for _, mode := range modes {
			t.Run(string(prefix)+" "+string(mode), func(t *testing.T) {
				w := newWorld(t)
				purpose := openid4vp.VerifierInfo{Format: openid4vp.PurposeFormat, Data: map[string]any{"purpose": "Toelating tot de opleiding", "lang": "nl"}}
				tx, link := w.begin(openid4vp.Ask{Prefix: prefix, ResponseMode: mode, VerifierInfo: []openid4vp.VerifierInfo{purpose}})
				x, err := w.fetch(link)
				must(t, err)
				if got, want := x.Request.ClientID.Prefix(), prefix; got != want {
					t.Errorf("prefix %q, want %q", got, want)
				}
				if got := x.Request.Purpose(); got == nil || got.Purpose != "Toelating tot de opleiding" {
					t.Errorf("purpose %+v", got)
				}
				sent := openid4vp.VPToken{"opleiding": {w.present(x.Request.Nonce, string(x.Request.ClientID))}}
				redirect, err := w.client.Send(context.Background(), x, sent)
				must(t, err)
				if got, want := redirect, "https://werkgever.example/klaar?response_code=abc"; got != want {
					t.Errorf("redirect %q, want %q", got, want)
				}
				if diff := cmp.Diff(w.backend.answer(tx.ID), sent); diff != "" {
					t.Errorf("answer at the verifier (-got +want)\n%s", diff)
				}
				if _, err := w.client.Send(context.Background(), x, sent); !errors.Is(err, openid4vp.ErrFetch) {
					t.Errorf("second answer: %v, want it refused", err)
				}
			})
		}
	}
}

func TestProfiles(t *testing.T) {
	for _, p := range []openid4vp.Profile{openid4vp.DIIP(), openid4vp.HAIP(), openid4vp.Tolerant()} {
		t.Run(p.Name, func(t *testing.T) {
			w := newWorld(t)
			w.client.Profile = p
			_, link := w.begin(openid4vp.Ask{Profile: p, ResponseMode: p.ResponseModes[len(p.ResponseModes)-1]})
			x, err := w.fetch(link)
			must(t, err)
			_, err = w.client.Send(context.Background(), x, openid4vp.VPToken{"opleiding": {w.present(x.Request.Nonce, string(x.Request.ClientID))}})
			must(t, err)
		})
	}
}

func TestRequestByPostRepeatsWalletNonce(t *testing.T) {
	w := newWorld(t)
	_, link := w.begin(openid4vp.Ask{})
	x, err := w.fetch(link + "&request_uri_method=post")
	must(t, err)
	if x.Request.WalletNonce == "" {
		t.Error("no wallet_nonce in the request object")
	}
}

func TestRefusal(t *testing.T) {
	w := newWorld(t)
	tx, link := w.begin(openid4vp.Ask{ResponseMode: openid4vp.DirectPostJWT})
	x, err := w.fetch(link)
	must(t, err)
	_, err = w.client.Refuse(context.Background(), x, openid4vp.AccessDenied, "")
	must(t, err)
	if got, want := w.backend.refusals[tx.ID], openid4vp.AccessDenied; got != want {
		t.Errorf("refusal %q, want %q", got, want)
	}
}

// memory is the smallest honest Backend.
type memory struct {
	mu       sync.Mutex
	open     map[string]*openid4vp.Transaction
	answers  map[string]openid4vp.VPToken
	refusals map[string]openid4vp.Code
}

func (m *memory) put(t *openid4vp.Transaction) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open[t.ID] = t
}

func (m *memory) answer(id string) openid4vp.VPToken {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.answers)[id]
}

func (m *memory) Transaction(_ context.Context, id string) (*openid4vp.Transaction, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.open[id]
	if !ok {
		return nil, openid4vp.ErrUnknownTransaction
	}
	// A copy through JSON, as a store would give.
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	copied := &openid4vp.Transaction{}
	return copied, json.Unmarshal(raw, copied)
}

func (m *memory) Answer(_ context.Context, t *openid4vp.Transaction, token openid4vp.VPToken) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open[t.ID].Answered {
		return "", openid4vp.ErrAnswered
	}
	m.open[t.ID].Answered = true
	if m.answers == nil {
		m.answers = map[string]openid4vp.VPToken{}
	}
	m.answers[t.ID] = token
	return "https://werkgever.example/klaar?response_code=abc", nil
}

func (m *memory) Refusal(_ context.Context, t *openid4vp.Transaction, e *openid4vp.Error) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open[t.ID].Answered = true
	if m.refusals == nil {
		m.refusals = map[string]openid4vp.Code{}
	}
	m.refusals[t.ID] = e.Code
	return "", nil
}

type didKeys map[string]crypto.PublicKey

func (k didKeys) Key(_ context.Context, _, keyID string) (crypto.PublicKey, error) {
	key, ok := k[keyID]
	if !ok {
		return nil, errors.New("no such key")
	}
	return key, nil
}

func query(t testing.TB, raw string) *dcql.Query {
	t.Helper()
	q, err := dcql.ParseQuery([]byte(raw))
	must(t, err)
	return q
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

// certificates returns an anchor and the chain, one leaf, that it certifies for key.
func certificates(t testing.TB, key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, []*x509.Certificate) {
	t.Helper()
	caKey := newKey(t)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Regio Aakermonde"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(time.Hour * 24 * 365), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Machinefabriek Ossekamp"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(time.Hour * 24 * 30), KeyUsage: x509.KeyUsageDigitalSignature, DNSNames: []string{"127.0.0.1", "werkgever.example"},
	}
	anchor := certify(t, ca, ca, caKey.Public(), caKey)
	return anchor, []*x509.Certificate{certify(t, leaf, anchor, key.Public(), caKey)}
}

func certify(t testing.TB, template, parent *x509.Certificate, pub crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, signer)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return cert
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryRequestIsFresh: nonce, state, ids and the key for the answer are never used twice (HAIP 5, OpenID4VP 5.2, 5.3).
func TestEveryRequestIsFresh(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for range 3 {
		tx, _ := w.begin(openid4vp.Ask{ResponseMode: openid4vp.DirectPostJWT})
		for _, value := range []string{tx.ID, tx.Request.Nonce, tx.Request.State, tx.Request.Metadata.Keys[0].KeyID, string(tx.DecryptionKey)} {
			if seen[value] || len(value) < 22 { // 128 bits in base64url
				t.Errorf("%q was seen before or is short", value)
			}
			seen[value] = true
		}
		if diff := cmp.Diff(tx.Request.Metadata.EncryptionMethods, []string{openid4vp.A128GCM, openid4vp.A256GCM}); diff != "" {
			t.Errorf("methods (-got +want)\n%s", diff)
		}
	}
}
