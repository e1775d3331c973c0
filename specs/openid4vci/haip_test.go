package openid4vci_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/dpop"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

// TestHAIPServer: a server by HAIP 1.0 gives no token without wallet attestation and
// DPoP, and the client_id is the subject of the attestation.
func TestHAIPServer(t *testing.T) {
	provider, instance, clock := testkit.P256(t), testkit.P256(t), testkit.NewClock(time.Time{})
	issuer := vcitest.Start(t, vcitest.Options{Now: clock.Now, Change: func(c *openid4vci.ServerConfig) {
		withDPoP()(c)
		c.Profile = openid4vci.HAIP
		c.ClientAttestations = &openid4vci.WalletAttestations{Server: c.Metadata.CredentialIssuer, Now: c.Now, Seen: memory(),
			Trust: func(jose.Header) (crypto.PublicKey, error) { return provider.Public(), nil }}
	}})
	token := issuer.Server.Metadata().CredentialIssuer + "/token"
	sign := func(key crypto.Signer, typ string, claims map[string]any) string {
		payload, _ := json.Marshal(claims)
		compact, err := jose.Sign(key, jose.Header{Type: typ}, payload)
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	count := 0
	headers := func(withProof bool) map[string]string {
		count++
		h := map[string]string{
			"OAuth-Client-Attestation": sign(provider, "oauth-client-attestation+jwt", map[string]any{
				"sub": "https://wallet.example", "exp": clock.Now().Add(time.Hour).Unix(), "cnf": map[string]any{"jwk": jose.Key{Public: instance.Public()}}}),
			"OAuth-Client-Attestation-PoP": sign(instance, "oauth-client-attestation-pop+jwt", map[string]any{
				"aud": issuer.Server.Metadata().CredentialIssuer, "iat": clock.Now().Unix(), "jti": string(rune('a' + count))}),
		}
		if withProof {
			nonce := call(t, issuer, request{path: "/nonce"}).header.Get("DPoP-Nonce")
			proof, err := dpop.Sign(instance, testkit.Rand(uint64(count)), dpop.Claims{Method: http.MethodPost, URL: token, Nonce: nonce, IssuedAt: clock.Now()})
			if err != nil {
				t.Fatal(err)
			}
			h["DPoP"] = proof
		}
		return h
	}
	body := func(pairs ...string) string {
		offer, err := issuer.Offer(t.Context(), issuer.MakeOffer(vcitest.ConfigurationID, ""))
		if err != nil {
			t.Fatal(err)
		}
		return preAuthorized(offer.PreAuthorized().Code, pairs...)
	}
	ask := func(h map[string]string, body string) answer {
		return call(t, issuer, request{path: "/token", contentType: form, body: body, extra: h})
	}
	wantFailure(t, ask(nil, body()), 401, openid4vci.InvalidClient)
	wantFailure(t, ask(headers(false), body()), 400, openid4vci.InvalidDPoPProof)
	wantFailure(t, ask(headers(true), body("client_id", "https://elders.example")), 401, openid4vci.InvalidClient)
	if got := ask(headers(true), body("client_id", "https://wallet.example")); got.status != http.StatusOK {
		t.Errorf("good: got %d %s", got.status, got.body)
	}
	at, err := openid4vci.AuthorizationServerMetadataURL(issuer.Server.Metadata().CredentialIssuer)
	if err != nil {
		t.Fatal(err)
	}
	got := call(t, issuer, request{method: http.MethodGet, url: at})
	as, err := openid4vci.ParseAuthorizationServerMetadata([]byte(got.body), issuer.Server.Metadata().CredentialIssuer)
	if err != nil || as.PreAuthorizedAnonymous || len(as.ClientAttestationAlgs) == 0 || len(as.DPoPSigningAlgs) == 0 {
		t.Errorf("metadata: %+v, %v", as, err)
	}
	for name, raw := range map[string]string{
		"no JSON": "x", "another issuer": `{"issuer":"https://elders.example","token_endpoint":"https://elders.example/t"}`,
		"no token endpoint": `{"issuer":"https://vaart.example"}`,
	} {
		if _, err := openid4vci.ParseAuthorizationServerMetadata([]byte(raw), "https://vaart.example"); !errors.Is(err, openid4vci.ErrMetadata) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestClientID: a wallet names itself only to a server that does not take
// anonymous clients, and then in its proofs too.
func TestClientID(t *testing.T) {
	forms := make(chan url.Values, 1)
	issuer := vcitest.Start(t, vcitest.Options{Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/vaart/token" {
				form, _ := url.ParseQuery(readAll(r))
				forms <- form
			}
			h.ServeHTTP(w, r)
		})
	}})
	for _, anonymous := range []bool{true, false} {
		s := begin(t, issuer, "")
		s.ClientID, s.Server.PreAuthorizedAnonymous = "https://wallet.example", anonymous
		obtain(t, s, "", openid4vci.Wanted{ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, 1)})
		if got := (<-forms).Has("client_id"); got == anonymous {
			t.Errorf("client_id sent: %v, with anonymous access %v", got, anonymous)
		}
	}
}

// TestWantedIsChecked: what the issuer's metadata rules out is not asked.
func TestWantedIsChecked(t *testing.T) {
	issuer := vcitest.Start(t, vcitest.Options{Batch: 2})
	s := begin(t, issuer, "")
	token, err := s.PreAuthorized(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]openid4vci.Wanted{
		"more keys than the batch size": {ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, 3)},
		"no key":                        {ConfigurationID: vcitest.ConfigurationID},
		"unknown configuration":         {ConfigurationID: "x", Keys: newKeys(t, 1)},
	} {
		if _, err := s.Credentials(t.Context(), token, w); err == nil {
			t.Errorf("%s: asked", name)
		}
	}
	one := openid4vci.Wanted{ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, 1)}
	c := s.Issuer.Configurations[vcitest.ConfigurationID]
	for name, proofs := range map[string]map[string]openid4vci.ProofType{
		"only another proof type":  {openid4vci.ProofAttestation: {SigningAlgs: []string{"ES256"}}},
		"key attestation required": {openid4vci.ProofJWT: {SigningAlgs: []string{"ES256"}, KeyAttestationsRequired: &openid4vci.KeyAttestationsRequired{}}},
	} {
		c.ProofTypes = proofs
		s.Issuer.Configurations[vcitest.ConfigurationID] = c
		if _, err := s.Credentials(t.Context(), token, one); !errors.Is(err, openid4vci.ErrMetadata) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	c.ProofTypes = map[string]openid4vci.ProofType{openid4vci.ProofJWT: {SigningAlgs: []string{"ES256"}}}
	s.Issuer.Configurations[vcitest.ConfigurationID] = c
	s.Issuer.ResponseEncryption = &openid4vci.ResponseEncryption{Alg: []string{"ECDH-ES"}, Enc: []string{"A128GCM"}, Required: true}
	if _, err := s.Credentials(t.Context(), token, one); !errors.Is(err, openid4vci.ErrMetadata) {
		t.Errorf("response encryption without request encryption: got %v", err)
	}
}

func TestSignedMetadataRefuses(t *testing.T) {
	key, now := testkit.P256(t), testkit.Noon
	const issuer = "https://vaart.example"
	trust := func(jose.Header) (crypto.PublicKey, error) { return key.Public(), nil }
	type claims = map[string]any
	sign := func(typ string, change func(c claims)) string {
		var c claims
		if err := json.Unmarshal([]byte(goodMetadata), &c); err != nil {
			t.Fatal(err)
		}
		c["sub"], c["iat"] = issuer, now.Unix()
		if change != nil {
			change(c)
		}
		payload, _ := json.Marshal(c)
		compact, err := jose.Sign(key, jose.Header{Type: typ}, payload)
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	const typ = "openidvci-issuer-metadata+jwt"
	if _, err := openid4vci.VerifySignedMetadata(sign(typ, nil), issuer, now, trust); err != nil {
		t.Fatalf("good: %v", err)
	}
	for name, compact := range map[string]string{
		"typ":             sign("JWT", nil),
		"no JWT":          "x",
		"sub of another":  sign(typ, func(c claims) { c["sub"] = "https://elders.example" }),
		"iat missing":     sign(typ, func(c claims) { delete(c, "iat") }),
		"from the future": sign(typ, func(c claims) { c["iat"] = now.Add(time.Hour).Unix() }),
		"expired":         sign(typ, func(c claims) { c["exp"] = now.Unix() }),
		"tampered":        sign(typ, nil)[:200] + "A",
		"other issuer":    sign(typ, func(c claims) { c["credential_issuer"] = "https://elders.example" }),
	} {
		if _, err := openid4vci.VerifySignedMetadata(compact, issuer, now, trust); !errors.Is(err, openid4vci.ErrMetadata) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	nobody := func(jose.Header) (crypto.PublicKey, error) { return nil, errors.New("unknown signer") }
	if _, err := openid4vci.VerifySignedMetadata(sign(typ, nil), issuer, now, nobody); !errors.Is(err, openid4vci.ErrMetadata) {
		t.Errorf("a signer that nobody trusts: got %v", err)
	}
}
