package openid4vci_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

// desk is a double with an access token, and what is needed to break requests.
type desk struct {
	*vcitest.Issuer
	t      *testing.T
	clock  *testkit.Clock
	bearer string
	key    openid4vci.ProofKey
}

func newDesk(t *testing.T, o vcitest.Options) *desk {
	clock := testkit.NewClock(time.Time{})
	o.Now = clock.Now
	d := &desk{Issuer: vcitest.Start(t, o), t: t, clock: clock, key: newKeys(t, 1)[0]}
	d.bearer = "Bearer " + d.token()
	return d
}

func (d *desk) token() string {
	s := begin(d.t, d.Issuer, "")
	token, err := s.PreAuthorized(d.t.Context(), "")
	if err != nil {
		d.t.Fatal(err)
	}
	return token.AccessToken
}

// proof makes a key proof; change breaks its header or claims before signing.
func (d *desk) proof(change func(h *jose.Header, claims map[string]any)) string {
	d.t.Helper()
	h := jose.Header{Type: "openid4vci-proof+jwt", JWK: &jose.Key{Public: d.key.Signer.Public()}}
	claims := map[string]any{
		"aud": d.Server.Metadata().CredentialIssuer, "iat": d.clock.Now().Unix(), "nonce": freshNonce(d.t, d.Issuer),
	}
	if change != nil {
		change(&h, claims)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		d.t.Fatal(err)
	}
	compact, err := jose.Sign(d.key.Signer, h, payload)
	if err != nil {
		d.t.Fatal(err)
	}
	return compact
}

func ask(proofs ...string) string {
	quoted, _ := json.Marshal(proofs)
	return `{"credential_configuration_id":"` + vcitest.ConfigurationID + `","proofs":{"jwt":` + string(quoted) + `}}`
}

func (d *desk) post(body string) answer {
	return call(d.t, d.Issuer, request{path: "/credential", contentType: "application/json", authorization: d.bearer, body: body})
}

func TestCredentialEndpointRefusesRequests(t *testing.T) {
	d := newDesk(t, vcitest.Options{Configurations: map[string]openid4vci.CredentialConfiguration{
		vcitest.ConfigurationID: vcitest.Configuration(vcitest.ConfigurationID),
		"Assessment_dc_sd_jwt":  vcitest.Configuration("Assessment_dc_sd_jwt"),
	}})
	good := d.proof(nil)
	replayed := d.proof(nil)
	if got := d.post(ask(replayed)); got.status != http.StatusOK {
		t.Fatalf("good request: got %d %s", got.status, got.body)
	}
	jwk, err := json.Marshal(jose.Key{Public: newKey(t).Public(), Algorithm: "ECDH-ES"})
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(ask(good), vcitest.ConfigurationID, "Assessment_dc_sd_jwt", 1)
	tests := []struct {
		name, body string
		status     int
		code       openid4vci.Code
	}{
		{"no JSON", "{", 400, openid4vci.InvalidCredentialRequest},
		{"an array", "[]", 400, openid4vci.InvalidCredentialRequest},
		{"trailing bytes", ask(good) + "x", 400, openid4vci.InvalidCredentialRequest},
		{"parameter twice", `{"proofs":{},` + ask(good)[1:], 400, openid4vci.InvalidCredentialRequest},
		{"oversized", `{"x":"` + strings.Repeat("a", 600<<10) + `"}`, 413, openid4vci.InvalidCredentialRequest},
		{"deeply nested", `{"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, 400, openid4vci.InvalidCredentialRequest},
		{"no configuration", `{"proofs":{"jwt":["` + good + `"]}}`, 400, openid4vci.InvalidCredentialRequest},
		{"configuration and identifier", `{"credential_identifier":"a",` + ask(good)[1:], 400, openid4vci.InvalidCredentialRequest},
		{"configuration is a number", `{"credential_configuration_id":7}`, 400, openid4vci.InvalidCredentialRequest},
		{"draft 13 request with format", `{"format":"dc+sd-jwt","proof":{"jwt":"` + good + `"}}`, 400, openid4vci.InvalidCredentialRequest},
		{"unknown configuration", strings.Replace(ask(good), vcitest.ConfigurationID, "x", 1), 400, openid4vci.UnknownCredentialConfiguration},
		{"unknown identifier", `{"credential_identifier":"a","proofs":{"jwt":["` + good + `"]}}`, 400, openid4vci.UnknownCredentialIdentifier},
		{"configuration that was not offered", other, 403, openid4vci.InsufficientScope},
		{"proofs missing", `{"credential_configuration_id":"` + vcitest.ConfigurationID + `"}`, 400, openid4vci.InvalidProof},
		{"proofs empty", ask(), 400, openid4vci.InvalidProof},
		{"proofs of two types", strings.Replace(ask(good), `{"jwt"`, `{"attestation":["a"],"jwt"`, 1), 400, openid4vci.InvalidProof},
		{"proofs of unknown type", strings.Replace(ask(good), `{"jwt"`, `{"cwt"`, 1), 400, openid4vci.InvalidProof},
		{"proof type that is not offered", strings.Replace(ask(good), `{"jwt"`, `{"attestation"`, 1), 400, openid4vci.InvalidProof},
		{"proof is an object", `{"credential_configuration_id":"` + vcitest.ConfigurationID + `","proofs":{"jwt":[{}]}}`, 400, openid4vci.InvalidProof},
		{"replayed proof", ask(replayed), 400, openid4vci.InvalidNonce},
		{"one key twice", ask(d.proof(nil), d.proof(nil)), 400, openid4vci.InvalidProof},
		{"response encryption is not offered", `{"credential_response_encryption":{"jwk":` + string(jwk) + `,"enc":"A128GCM"},` + ask(good)[1:], 400, openid4vci.InvalidEncryptionParameters},
		{"response encryption without jwk", `{"credential_response_encryption":7,` + ask(good)[1:], 400, openid4vci.InvalidEncryptionParameters},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantFailure(t, d.post(test.body), test.status, test.code)
		})
	}
	t.Run("wrong content type", func(t *testing.T) {
		got := call(t, d.Issuer, request{path: "/credential", contentType: form, authorization: d.bearer, body: ask(good)})
		wantFailure(t, got, 400, openid4vci.InvalidCredentialRequest)
	})
	t.Run("encrypted request is not offered", func(t *testing.T) {
		got := call(t, d.Issuer, request{path: "/credential", contentType: "application/jwt", authorization: d.bearer, body: "a.b.c.d.e"})
		wantFailure(t, got, 400, openid4vci.InvalidEncryptionParameters)
	})
	t.Run("more proofs than the batch size", func(t *testing.T) {
		nonce, proofs := freshNonce(t, d.Issuer), []string{}
		for _, key := range newKeys(t, 11) {
			proofs = append(proofs, signed(t, d.Issuer, key, nonce, d.clock.Now()))
		}
		wantFailure(t, d.post(ask(proofs...)), 400, openid4vci.InvalidProof)
	})
	t.Run("unknown parameters are ignored", func(t *testing.T) {
		if got := d.post(`{"resource":"x","format":"dc+sd-jwt",` + ask(d.proof(nil))[1:]); got.status != http.StatusOK {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

func TestCredentialEndpointRefusesProofs(t *testing.T) {
	d := newDesk(t, vcitest.Options{})
	stranger := newKey(t)
	ed := testkit.Ed25519(t)
	edKey := jose.Key{Public: ed.Public()}
	type breakage = func(h *jose.Header, claims map[string]any)
	drop := func(name string) breakage { return func(_ *jose.Header, c map[string]any) { delete(c, name) } }
	set := func(name string, v any) breakage { return func(_ *jose.Header, c map[string]any) { c[name] = v } }
	tests := []struct {
		name  string
		spoil breakage
		code  openid4vci.Code
	}{
		{"typ JWT", func(h *jose.Header, _ map[string]any) { h.Type = "JWT" }, openid4vci.InvalidProof},
		{"typ missing", func(h *jose.Header, _ map[string]any) { h.Type = "" }, openid4vci.InvalidProof},
		{"kid beside jwk", func(h *jose.Header, _ map[string]any) { h.KeyID = "did:jwk:x#0" }, openid4vci.InvalidProof},
		{"no key", func(h *jose.Header, _ map[string]any) { h.JWK = nil }, openid4vci.InvalidProof},
		{"key of another", func(h *jose.Header, _ map[string]any) { h.JWK = &jose.Key{Public: stranger.Public()} }, openid4vci.InvalidProof},
		{"key of another type", func(h *jose.Header, _ map[string]any) { h.JWK = &edKey }, openid4vci.InvalidProof},
		{"kid of another method", func(h *jose.Header, _ map[string]any) { h.JWK, h.KeyID = nil, "did:web:a.example#0" }, openid4vci.InvalidProof},
		{"kid is no DID", func(h *jose.Header, _ map[string]any) { h.JWK, h.KeyID = nil, "1" }, openid4vci.InvalidProof},
		{"kid does not resolve", func(h *jose.Header, _ map[string]any) { h.JWK, h.KeyID = nil, "did:jwk:e30#0" }, openid4vci.InvalidProof},
		{"x5c is no certificate", func(h *jose.Header, _ map[string]any) { h.JWK, h.X5C = nil, [][]byte{{1}} }, openid4vci.InvalidProof},
		{"aud missing", drop("aud"), openid4vci.InvalidProof},
		{"aud of another issuer", set("aud", "https://elders.example"), openid4vci.InvalidProof},
		{"aud is an array", set("aud", []string{d.Server.Metadata().CredentialIssuer}), openid4vci.InvalidProof},
		{"iat missing", drop("iat"), openid4vci.InvalidProof},
		{"iat too old", set("iat", d.clock.Now().Add(-time.Hour).Unix()), openid4vci.InvalidProof},
		{"iat in the future", set("iat", d.clock.Now().Add(time.Hour).Unix()), openid4vci.InvalidProof},
		{"iat is a string", set("iat", "now"), openid4vci.InvalidProof},
		{"nonce missing", drop("nonce"), openid4vci.InvalidProof},
		{"nonce empty", set("nonce", ""), openid4vci.InvalidProof},
		{"nonce of nobody", set("nonce", "nobody"), openid4vci.InvalidNonce},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantFailure(t, d.post(ask(d.proof(test.spoil))), 400, test.code)
		})
	}
	proof := d.proof(nil)
	for name, spoiled := range map[string]string{
		"tampered signature": proof[:len(proof)-4] + "AAAA",
		"unsigned":           proof[:strings.LastIndex(proof, ".")+1],
		"alg none":           "eyJhbGciOiJub25lIiwidHlwIjoib3BlbmlkNHZjaS1wcm9vZitqd3QifQ." + strings.SplitN(proof, ".", 3)[1] + ".",
		"padded":             proof + "=",
		"no JWT":             "x",
		"empty":              "",
	} {
		t.Run(name, func(t *testing.T) { wantFailure(t, d.post(ask(spoiled)), 400, openid4vci.InvalidProof) })
	}
	t.Run("one bad proof among good ones spends no nonce", func(t *testing.T) {
		nonce := freshNonce(t, d.Issuer)
		keys := newKeys(t, 2)
		first := signed(t, d.Issuer, keys[0], nonce, d.clock.Now())
		wantFailure(t, d.post(ask(first, "x")), 400, openid4vci.InvalidProof)
		if got := d.post(ask(first, signed(t, d.Issuer, keys[1], nonce, d.clock.Now()))); got.status != http.StatusOK {
			t.Errorf("then: got %d %s", got.status, got.body)
		}
	})
}

func TestProtectedEndpointsRefuseTokens(t *testing.T) {
	d := newDesk(t, vcitest.Options{})
	for _, path := range []string{"/credential", "/deferred_credential", "/notification"} {
		for _, test := range []struct {
			name, authorization, challenge string
			twice                          bool
		}{
			{"no token", "", "Bearer", false},
			{"unknown token", "Bearer nobody", `Bearer error="invalid_token"`, false},
			{"two headers", d.bearer, `Bearer error="invalid_token"`, true},
			{"empty token", "Bearer ", `Bearer error="invalid_token"`, false},
			{"another scheme", "Basic YTpi", `Bearer error="invalid_token"`, false},
			{"bearer token as DPoP", strings.Replace(d.bearer, "Bearer", "DPoP", 1), `DPoP error="invalid_token"`, false},
		} {
			t.Run(path+" "+test.name, func(t *testing.T) {
				got := call(t, d.Issuer, request{path: path, contentType: "application/json", authorization: test.authorization,
					authorizationRepeated: test.twice, body: ask(d.proof(nil))})
				wantFailure(t, got, 401, openid4vci.InvalidToken)
				if h := got.header.Get("WWW-Authenticate"); !strings.HasPrefix(h, test.challenge) || test.authorization == "" && h != "Bearer" {
					t.Errorf("WWW-Authenticate: got %q, want %q", h, test.challenge)
				}
			})
		}
	}
	t.Run("scheme without regard to case", func(t *testing.T) {
		d.bearer = strings.Replace(d.bearer, "Bearer", "BEARER", 1)
		if got := d.post(ask(d.proof(nil))); got.status != http.StatusOK {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("expired", func(t *testing.T) {
		d.clock.Advance(6 * time.Minute)
		wantFailure(t, d.post(ask(d.proof(nil))), 401, openid4vci.InvalidToken)
	})
}

func TestNotificationAndDeferredRefuse(t *testing.T) {
	d := newDesk(t, vcitest.Options{})
	for _, test := range []struct {
		name, path, contentType, body string
		status                        int
		code                          openid4vci.Code
	}{
		{"no JSON", "/notification", "application/json", "x", 400, openid4vci.InvalidNotificationRequest},
		{"form", "/notification", form, "notification_id=a", 400, openid4vci.InvalidNotificationRequest},
		{"oversized", "/notification", "application/json", `{"x":"` + strings.Repeat("a", 20<<10) + `"}`, 413, openid4vci.InvalidNotificationRequest},
		{"id missing", "/notification", "application/json", `{"event":"credential_accepted"}`, 400, openid4vci.InvalidNotificationRequest},
		{"event unknown", "/notification", "application/json", `{"notification_id":"a","event":"lost"}`, 400, openid4vci.InvalidNotificationRequest},
		{"event missing", "/notification", "application/json", `{"notification_id":"a"}`, 400, openid4vci.InvalidNotificationRequest},
		{"parameter twice", "/notification", "application/json", `{"notification_id":"a","notification_id":"a","event":"credential_accepted"}`, 400, openid4vci.InvalidNotificationRequest},
		{"description outside ASCII", "/notification", "application/json", `{"notification_id":"a","event":"credential_failure","event_description":"é"}`, 400, openid4vci.InvalidNotificationRequest},
		{"id of nobody", "/notification", "application/json", `{"notification_id":"a","event":"credential_accepted","extra":1}`, 400, openid4vci.InvalidNotificationID},
		{"deferred without id", "/deferred_credential", "application/json", `{}`, 400, openid4vci.InvalidCredentialRequest},
		{"deferred of nobody", "/deferred_credential", "application/json", `{"transaction_id":"a"}`, 400, openid4vci.InvalidTransactionID},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, d.Issuer, request{path: test.path, contentType: test.contentType, authorization: d.bearer, body: test.body})
			wantFailure(t, got, test.status, test.code)
		})
	}
}
