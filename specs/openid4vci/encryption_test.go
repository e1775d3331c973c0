package openid4vci_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

// TestEncryptionRefuses: the rules of 8.2 and 10 on encrypted exchanges.
func TestEncryptionRefuses(t *testing.T) {
	d := newDesk(t, vcitest.Options{Change: withEncryption(t)})
	key := d.Server.Metadata().RequestEncryption.JWKS.Keys[0]
	wallet := newKey(t)
	seal := func(body string, change func(k *jose.Key)) string {
		k := key
		if change != nil {
			change(&k)
		}
		sealed, err := jose.Encrypt([]byte(body), k, "A128GCM", jose.Header{})
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	withResponse := func(change func(e map[string]any)) string {
		jwk, err := json.Marshal(jose.Key{Public: wallet.Public(), KeyID: "w", Algorithm: "ECDH-ES"})
		if err != nil {
			t.Fatal(err)
		}
		var k map[string]any
		if err := json.Unmarshal(jwk, &k); err != nil {
			t.Fatal(err)
		}
		e := map[string]any{"jwk": k, "enc": "A256GCM"}
		if change != nil {
			change(e)
		}
		raw, _ := json.Marshal(e)
		return `{"credential_response_encryption":` + string(raw) + `,` + ask(d.proof(nil))[1:]
	}
	tests := []struct {
		name, contentType, body string
	}{
		{"plain request, encrypted response", "application/json", withResponse(nil)},
		{"to another key", "application/jwt", seal(ask(d.proof(nil)), func(k *jose.Key) { k.Public = newKey(t).Public() })},
		{"with another kid", "application/jwt", seal(ask(d.proof(nil)), func(k *jose.Key) { k.KeyID = "other" })},
		{"no JWE", "application/jwt", "x"},
		{"tampered", "application/jwt", seal(ask(d.proof(nil)), nil) + "A"},
		{"jwk without alg", "application/jwt", seal(withResponse(func(e map[string]any) { delete(e["jwk"].(map[string]any), "alg") }), nil)},
		{"jwk with another alg", "application/jwt", seal(withResponse(func(e map[string]any) { e["jwk"].(map[string]any)["alg"] = "RSA-OAEP" }), nil)},
		{"enc not offered", "application/jwt", seal(withResponse(func(e map[string]any) { e["enc"] = "A128CBC-HS256" }), nil)},
		{"zip", "application/jwt", seal(withResponse(func(e map[string]any) { e["zip"] = "DEF" }), nil)},
		{"private jwk", "application/jwt", seal(withResponse(func(e map[string]any) { e["jwk"].(map[string]any)["d"] = "AQ" }), nil)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, d.Issuer, request{path: "/credential", contentType: test.contentType, authorization: d.bearer, body: test.body})
			wantFailure(t, got, 400, openid4vci.InvalidEncryptionParameters)
		})
	}
	t.Run("errors are never encrypted", func(t *testing.T) {
		body := seal(strings.Replace(withResponse(nil), vcitest.ConfigurationID, "x", 1), nil)
		got := call(t, d.Issuer, request{path: "/credential", contentType: "application/jwt", authorization: d.bearer, body: body})
		wantFailure(t, got, 400, openid4vci.UnknownCredentialConfiguration)
	})
	t.Run("answer names the key", func(t *testing.T) {
		got := call(t, d.Issuer, request{path: "/credential", contentType: "application/jwt", authorization: d.bearer, body: seal(withResponse(nil), nil)})
		plain, h, err := jose.Decrypt(got.body, wallet, "w", "A256GCM")
		if err != nil || h.KeyID != "w" || !strings.Contains(string(plain), `"credentials"`) {
			t.Errorf("got %v, kid %q, %s", err, h.KeyID, plain)
		}
	})
}

// TestEncryptionRequired: an issuer that requires encryption refuses what is plain,
// and our client encrypts without being told.
func TestEncryptionRequired(t *testing.T) {
	key := newKey(t)
	d := newDesk(t, vcitest.Options{Change: func(c *openid4vci.ServerConfig) {
		jwk := jose.Key{Public: key.Public(), KeyID: "r", Algorithm: "ECDH-ES", Use: "enc"}
		c.RequestKey, c.RequestKeyID = key, "r"
		c.Metadata.RequestEncryption = &openid4vci.RequestEncryption{JWKS: jose.KeySet{Keys: []jose.Key{jwk}}, Enc: []string{"A128GCM"}, Required: true}
		c.Metadata.ResponseEncryption = &openid4vci.ResponseEncryption{Alg: []string{"ECDH-ES"}, Enc: []string{"A128GCM"}, Required: true}
	}})
	wantFailure(t, d.post(ask(d.proof(nil))), 400, openid4vci.InvalidEncryptionParameters)
	obtain(t, begin(t, d.Issuer, ""), "", openid4vci.Wanted{ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, 2)})
}

// attested is a double that asks for key attestations by one wallet provider.
func attested(t *testing.T, provider crypto.PublicKey) *desk {
	configuration := vcitest.Configuration(vcitest.ConfigurationID)
	needs := openid4vci.ProofType{SigningAlgs: []string{"ES256"},
		KeyAttestationsRequired: &openid4vci.KeyAttestationsRequired{KeyStorage: []string{openid4vci.ISO18045Moderate}}}
	configuration.ProofTypes = map[string]openid4vci.ProofType{openid4vci.ProofJWT: needs, openid4vci.ProofAttestation: needs}
	return newDesk(t, vcitest.Options{
		Configurations: map[string]openid4vci.CredentialConfiguration{vcitest.ConfigurationID: configuration},
		Change: func(c *openid4vci.ServerConfig) {
			c.KeyAttestations = func(h jose.Header) (crypto.PublicKey, error) {
				if h.KeyID != "provider" {
					return nil, errors.New("unknown provider")
				}
				return provider, nil
			}
		},
	})
}

func TestKeyAttestations(t *testing.T) {
	provider := testkit.P256(t)
	d := attested(t, provider.Public())
	attest := func(nonce string, change func(h *jose.Header, c map[string]any)) string {
		h := jose.Header{Type: "key-attestation+jwt", KeyID: "provider"}
		claims := map[string]any{
			"iat": d.clock.Now().Unix(), "exp": d.clock.Now().Add(time.Hour).Unix(), "nonce": nonce,
			"attested_keys": []any{jose.Key{Public: d.key.Signer.Public()}}, "key_storage": []string{openid4vci.ISO18045Moderate},
		}
		if change != nil {
			change(&h, claims)
		}
		payload, _ := json.Marshal(claims)
		compact, err := jose.Sign(provider, h, payload)
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	type breakage = func(h *jose.Header, c map[string]any)
	tests := []struct {
		name  string
		spoil breakage
		ok    bool
	}{
		{"good", nil, true},
		{"typ JWT", func(h *jose.Header, _ map[string]any) { h.Type = "JWT" }, false},
		{"provider unknown", func(h *jose.Header, _ map[string]any) { h.KeyID = "other" }, false},
		{"iat missing", func(_ *jose.Header, c map[string]any) { delete(c, "iat") }, false},
		{"from the future", func(_ *jose.Header, c map[string]any) { c["iat"] = d.clock.Now().Add(time.Hour).Unix() }, false},
		{"expired", func(_ *jose.Header, c map[string]any) { c["exp"] = d.clock.Now().Unix() }, false},
		{"no keys", func(_ *jose.Header, c map[string]any) { c["attested_keys"] = []any{} }, false},
		{"key of another", func(_ *jose.Header, c map[string]any) {
			c["attested_keys"] = []any{jose.Key{Public: newKey(t).Public()}}
		}, false},
		{"storage too weak", func(_ *jose.Header, c map[string]any) { c["key_storage"] = []string{openid4vci.ISO18045Basic} }, false},
		{"nonce missing", func(_ *jose.Header, c map[string]any) { delete(c, "nonce") }, false},
	}
	for _, test := range tests {
		t.Run("jwt "+test.name, func(t *testing.T) {
			nonce := freshNonce(t, d.Issuer)
			proof := d.proof(func(h *jose.Header, c map[string]any) {
				c["nonce"] = nonce
				h.Extra = map[string]any{"key_attestation": attest(nonce, test.spoil)}
			})
			check(t, d.post(ask(proof)), test.ok)
		})
		t.Run("attestation "+test.name, func(t *testing.T) {
			if test.name == "key of another" {
				t.Skip("without a proof of possession any attested key is good")
			}
			body := strings.Replace(ask(attest(freshNonce(t, d.Issuer), test.spoil)), `{"jwt"`, `{"attestation"`, 1)
			check(t, d.post(body), test.ok)
		})
	}
	t.Run("jwt without exp", func(t *testing.T) {
		nonce := freshNonce(t, d.Issuer)
		check(t, d.post(ask(d.proof(func(h *jose.Header, c map[string]any) {
			c["nonce"] = nonce
			h.Extra = map[string]any{"key_attestation": attest(nonce, func(_ *jose.Header, c map[string]any) { delete(c, "exp") })}
		}))), false)
	})
	t.Run("jwt without attestation", func(t *testing.T) { check(t, d.post(ask(d.proof(nil))), false) })
	t.Run("nonces differ", func(t *testing.T) {
		check(t, d.post(ask(d.proof(func(h *jose.Header, _ map[string]any) {
			h.Extra = map[string]any{"key_attestation": attest(freshNonce(t, d.Issuer), nil)}
		}))), false)
	})
}

func check(t *testing.T, got answer, ok bool) {
	t.Helper()
	if ok {
		if got.status != 200 {
			t.Errorf("got %d %s, want 200", got.status, got.body)
		}
		return
	}
	wantFailure(t, got, 400, openid4vci.InvalidProof)
}
