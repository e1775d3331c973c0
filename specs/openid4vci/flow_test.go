package openid4vci_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newKeys makes n proof keys, by turns as jwk and as did:jwk kid.
func newKeys(t testing.TB, n int) []openid4vci.ProofKey {
	t.Helper()
	keys := make([]openid4vci.ProofKey, n)
	for i := range keys {
		key := newKey(t)
		keys[i].Signer = key
		if i%2 == 1 {
			name, err := did.JWK(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			keys[i].KeyID = name + "#0"
		}
	}
	return keys
}

// begin makes an offer at the double and starts a session with it.
func begin(t *testing.T, issuer *vcitest.Issuer, txCode string) *openid4vci.Session {
	t.Helper()
	c := issuer.Client()
	offer, err := c.Offer(t.Context(), issuer.Link(vcitest.ConfigurationID, txCode))
	if err != nil {
		t.Fatalf("Offer: %v", err)
	}
	s, err := c.Begin(t.Context(), offer)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return s
}

// obtain runs the token and credential steps and checks the copies.
func obtain(t *testing.T, s *openid4vci.Session, txCode string, w openid4vci.Wanted) (*openid4vci.Token, *openid4vci.CredentialResponse) {
	t.Helper()
	token, err := s.PreAuthorized(t.Context(), txCode)
	if err != nil {
		t.Fatalf("PreAuthorized: %v", err)
	}
	answer, err := s.Credentials(t.Context(), token, w)
	if err != nil {
		t.Fatalf("Credentials: %v", err)
	}
	for i, c := range answer.Credentials {
		got, err := c.Text()
		if want := fmt.Sprintf("%s.%d", w.ConfigurationID, i); got != want || err != nil {
			t.Errorf("credential %d: got %q, %v, want %q", i, got, err, want)
		}
	}
	return token, answer
}

func TestIssuance(t *testing.T) {
	tests := []struct {
		name    string
		options vcitest.Options
		txCode  string
		keys    int
		encrypt bool
		dpop    bool
	}{
		{name: "one copy without transaction code", keys: 1, options: vcitest.Options{Batch: 1}},
		{name: "ten copies with transaction code", keys: 10, txCode: "271828"},
		{name: "encrypted both ways", keys: 2, encrypt: true, options: vcitest.Options{Change: withEncryption(t)}},
		{name: "bound tokens", keys: 2, dpop: true, options: vcitest.Options{Change: withDPoP()}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			issuer := vcitest.Start(t, test.options)
			s := begin(t, issuer, test.txCode)
			if test.dpop {
				s.DPoPKey = newKey(t)
			}
			want := openid4vci.Wanted{ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, test.keys), Encrypt: test.encrypt}
			token, answer := obtain(t, s, test.txCode, want)
			if got := len(answer.Credentials); got != test.keys {
				t.Errorf("credentials: got %d, want %d", got, test.keys)
			}
			event := openid4vci.Notification{ID: answer.NotificationID, Event: openid4vci.CredentialAccepted}
			for range 2 { // idempotent
				if err := s.Notify(t.Context(), token, event); err != nil {
					t.Errorf("Notify: %v", err)
				}
			}
			if got := issuer.Notifications(); len(got) != 2 || got[0] != event {
				t.Errorf("notifications: got %v", got)
			}
		})
	}
}

func withEncryption(t *testing.T) func(*openid4vci.ServerConfig) {
	return func(c *openid4vci.ServerConfig) {
		c.RequestKey, c.RequestKeyID = newKey(t), "request-1"
	}
}

func withDPoP() func(*openid4vci.ServerConfig) {
	seen := map[string]bool{}
	return func(c *openid4vci.ServerConfig) {
		secret, _ := openid4vci.NewDPoPSecret(rand.Reader)
		c.DPoP = &openid4vci.DPoPGuard{Secret: secret, Now: c.Now, Seen: func(_ context.Context, id string, _ time.Time) (bool, error) {
			was := seen[id]
			seen[id] = true
			return was, nil
		}}
	}
}

func TestRefreshGivesNewCopies(t *testing.T) {
	issuer := vcitest.Start(t, vcitest.Options{})
	s := begin(t, issuer, "")
	want := openid4vci.Wanted{ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, 2)}
	token, _ := obtain(t, s, "", want)

	later, err := issuer.Client().Resume(t.Context(), s.Issuer.CredentialIssuer, "")
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := later.Refresh(t.Context(), token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	want.Keys = newKeys(t, 10)
	answer, err := later.Credentials(t.Context(), fresh, want)
	if err != nil || len(answer.Credentials) != 10 {
		t.Errorf("new copies: got %v, %v", answer, err)
	}
	if _, err := later.Refresh(t.Context(), token.RefreshToken); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Errorf("used refresh token: got %v, want %v", err, openid4vci.InvalidGrant)
	}
}

func TestTransactionCode(t *testing.T) {
	issuer := vcitest.Start(t, vcitest.Options{TxAttempts: 3})
	s := begin(t, issuer, "271828")
	if _, err := s.PreAuthorized(t.Context(), ""); !errors.Is(err, openid4vci.ErrTxCodeNeeded) {
		t.Errorf("without code: got %v", err)
	}
	for i := range 3 {
		if _, err := s.PreAuthorized(t.Context(), "000000"); !errors.Is(err, openid4vci.InvalidGrant) {
			t.Errorf("wrong code %d: got %v, want %v", i, err, openid4vci.InvalidGrant)
		}
	}
	if _, err := s.PreAuthorized(t.Context(), "271828"); !errors.Is(err, openid4vci.InvalidGrant) {
		t.Errorf("right code after three wrong ones: got %v, want %v", err, openid4vci.InvalidGrant)
	}
	s = begin(t, issuer, "")
	if _, err := s.PreAuthorized(t.Context(), "271828"); !errors.Is(err, openid4vci.ErrTxCodeUnwanted) {
		t.Errorf("unwanted code: got %v", err)
	}
}

// TestNonceRetry: a nonce that the issuer forgot is replaced once; an issuer that
// never accepts one is not asked for ever.
func TestNonceRetry(t *testing.T) {
	var issuer *vcitest.Issuer
	forgetful, asked := 1, 0
	options := vcitest.Options{Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/credential") {
				asked++
				if asked <= forgetful {
					issuer.Forget()
				}
			}
			h.ServeHTTP(w, r)
		})
	}}
	issuer = vcitest.Start(t, options)
	want := openid4vci.Wanted{ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, 2)}
	obtain(t, begin(t, issuer, ""), "", want)
	if asked != 2 {
		t.Errorf("credential requests: got %d, want 2", asked)
	}
	forgetful, asked = 100, 0
	s := begin(t, issuer, "")
	token, err := s.PreAuthorized(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Credentials(t.Context(), token, want); !errors.Is(err, openid4vci.InvalidNonce) || asked != 2 {
		t.Errorf("got %v after %d requests, want %v after 2", err, asked, openid4vci.InvalidNonce)
	}
}

func TestDeferred(t *testing.T) {
	issuer := vcitest.Start(t, vcitest.Options{})
	issuer.Deferring = true
	s := begin(t, issuer, "")
	token, answer := obtain(t, s, "", openid4vci.Wanted{ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, 3)})
	if answer.TransactionID == "" || answer.Interval != 1 {
		t.Fatalf("got %+v, want a transaction", answer)
	}
	ready, err := s.Deferred(t.Context(), token, answer.TransactionID)
	if err != nil || len(ready.Credentials) != 3 {
		t.Fatalf("Deferred: got %v, %v", ready, err)
	}
	if _, err := s.Deferred(t.Context(), token, answer.TransactionID); !errors.Is(err, openid4vci.InvalidTransactionID) {
		t.Errorf("redeemed twice: got %v, want %v", err, openid4vci.InvalidTransactionID)
	}
}

func TestSignedMetadata(t *testing.T) {
	key := newKey(t)
	issuer := vcitest.Start(t, vcitest.Options{Change: func(c *openid4vci.ServerConfig) {
		c.SignMetadata = func(h jose.Header, payload []byte) (string, error) { return jose.Sign(key, h, payload) }
	}})
	at, err := openid4vci.IssuerMetadataURL(issuer.Server.Metadata().CredentialIssuer)
	if err != nil {
		t.Fatal(err)
	}
	got := call(t, issuer, request{method: http.MethodGet, url: at, accept: "application/jwt"})
	m, err := openid4vci.VerifySignedMetadata(got.body, issuer.Server.Metadata().CredentialIssuer, time.Now(),
		func(jose.Header) (crypto.PublicKey, error) { return key.Public(), nil })
	if err != nil || m.CredentialEndpoint != issuer.Server.Metadata().CredentialEndpoint {
		t.Errorf("signed metadata: got %v, %v", m, err)
	}
}
