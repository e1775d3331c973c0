package openid4vci_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

const form = "application/x-www-form-urlencoded"

// wantFailure checks what every failure has: status, code, JSON, no-store.
func wantFailure(t *testing.T, got answer, status int, code openid4vci.Code) {
	t.Helper()
	if got.status != status || got.code != string(code) {
		t.Errorf("got %d %s, want %d %s\n%s", got.status, got.code, status, code, got.body)
	}
	if h := got.header.Get("Cache-Control"); h != "no-store" {
		t.Errorf("Cache-Control: got %q, want no-store", h)
	}
	if h := got.header.Get("Content-Type"); h != "application/json" {
		t.Errorf("Content-Type: got %q, want application/json", h)
	}
	challenge := got.header.Get("WWW-Authenticate")
	if (status == http.StatusUnauthorized) != (challenge != "") && code != openid4vci.InsufficientScope {
		t.Errorf("WWW-Authenticate: got %q with status %d", challenge, status)
	}
}

// preAuthorized encodes a token request; pairs overwrite or add parameters, an
// empty value leaves one out.
func preAuthorized(code string, pairs ...string) string {
	v := url.Values{"grant_type": {openid4vci.GrantPreAuthorizedCode}, "pre-authorized_code": {code}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return v.Encode()
}

func TestTokenEndpointRefuses(t *testing.T) {
	clock := testkit.NewClock(time.Time{})
	issuer := vcitest.Start(t, vcitest.Options{Now: clock.Now})
	code := func(txCode string) string {
		offer, err := issuer.Offer(t.Context(), issuer.MakeOffer(vcitest.ConfigurationID, txCode))
		if err != nil {
			t.Fatal(err)
		}
		return offer.PreAuthorized().Code
	}
	used := code("")
	if got := call(t, issuer, request{path: "/token", contentType: form, body: preAuthorized(used)}); got.status != http.StatusOK {
		t.Fatalf("first use: %d %s", got.status, got.body)
	}
	details := func(s string) string { return preAuthorized(code(""), "authorization_details", s) }
	tests := []struct {
		name, contentType, body string
		status                  int
		code                    openid4vci.Code
	}{
		{"malformed parameters", form, "grant_type=%zz", 400, openid4vci.InvalidRequest},
		{"wrong content type", "application/json", `{"grant_type":"x"}`, 400, openid4vci.InvalidRequest},
		{"no content type", "", preAuthorized(code("")), 400, openid4vci.InvalidRequest},
		{"empty", form, "", 400, openid4vci.InvalidRequest},
		{"oversized", form, "x=" + strings.Repeat("a", 70<<10), 413, openid4vci.InvalidRequest},
		{"overlong parameter", form, preAuthorized(strings.Repeat("a", 20<<10)), 400, openid4vci.InvalidRequest},
		{"parameter twice", form, preAuthorized(code("")) + "&grant_type=refresh_token", 400, openid4vci.InvalidRequest},
		{"code missing", form, preAuthorized("", "pre-authorized_code", ""), 400, openid4vci.InvalidRequest},
		{"grant type of another kind", form, preAuthorized(code(""), "grant_type", "password"), 400, openid4vci.UnsupportedGrantType},
		{"authorization code is not offered", form, "grant_type=authorization_code&code=abc", 400, openid4vci.UnsupportedGrantType},
		{"unknown code", form, preAuthorized("nobody-gave-this"), 400, openid4vci.InvalidGrant},
		{"replayed code", form, preAuthorized(used), 400, openid4vci.InvalidGrant},
		{"transaction code missing", form, preAuthorized(code("1234")), 400, openid4vci.InvalidRequest},
		{"transaction code empty", form, preAuthorized(code("1234")) + "&tx_code=", 400, openid4vci.InvalidRequest},
		{"transaction code not expected", form, preAuthorized(code(""), "tx_code", "1234"), 400, openid4vci.InvalidRequest},
		{"transaction code wrong", form, preAuthorized(code("1234"), "tx_code", "4321"), 400, openid4vci.InvalidGrant},
		{"transaction code with refresh token", form, "grant_type=refresh_token&refresh_token=x&tx_code=1", 400, openid4vci.InvalidRequest},
		{"refresh token missing", form, "grant_type=refresh_token", 400, openid4vci.InvalidRequest},
		{"refresh token unknown", form, "grant_type=refresh_token&refresh_token=nobody", 400, openid4vci.InvalidGrant},
		{"details are no JSON", form, details("x"), 400, openid4vci.InvalidAuthorizationDetails},
		{"details of another type", form, details(`[{"type":"payment"}]`), 400, openid4vci.InvalidAuthorizationDetails},
		{"details empty", form, details(`[]`), 400, openid4vci.InvalidAuthorizationDetails},
		{"details of unknown configuration", form, details(`[{"type":"openid_credential","credential_configuration_id":"x"}]`), 400, openid4vci.InvalidAuthorizationDetails},
		{"details for another issuer", form, details(`[{"type":"openid_credential","credential_configuration_id":"` + vcitest.ConfigurationID + `","locations":["https://elders.example"]}]`), 400, openid4vci.InvalidAuthorizationDetails},
		{"details with a repeated member", form, details(`[{"type":"openid_credential","type":"openid_credential","credential_configuration_id":"a"}]`), 400, openid4vci.InvalidAuthorizationDetails},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, issuer, request{path: "/token", contentType: test.contentType, body: test.body})
			wantFailure(t, got, test.status, test.code)
		})
	}
	t.Run("parameters in the query do not count", func(t *testing.T) {
		got := call(t, issuer, request{path: "/token?" + preAuthorized(code("")), contentType: form})
		wantFailure(t, got, 400, openid4vci.InvalidRequest)
	})
	t.Run("GET", func(t *testing.T) {
		got := call(t, issuer, request{method: http.MethodGet, path: "/token"})
		wantFailure(t, got, 405, openid4vci.InvalidRequest)
	})
	t.Run("unknown parameters are ignored", func(t *testing.T) {
		body := preAuthorized(code("1234"), "tx_code", "1234", "user_pin", "1234", "resource", "https://a.example") + "&resource=https://b.example"
		got := call(t, issuer, request{path: "/token", contentType: form + "; charset=utf-8", body: body})
		if got.status != http.StatusOK || got.header.Get("Cache-Control") != "no-store" || strings.Contains(got.body, "c_nonce") {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

// TestCredentialIdentifiers: 8.2, once the token response names identifiers one of
// them must be used.
func TestCredentialIdentifiers(t *testing.T) {
	issuer := vcitest.Start(t, vcitest.Options{})
	offer, err := issuer.Offer(t.Context(), issuer.MakeOffer(vcitest.ConfigurationID, ""))
	if err != nil {
		t.Fatal(err)
	}
	body := preAuthorized(offer.PreAuthorized().Code, "authorization_details",
		`[{"type":"openid_credential","credential_configuration_id":"`+vcitest.ConfigurationID+`","extra":1}]`)
	got := call(t, issuer, request{path: "/token", contentType: form, body: body})
	var token openid4vci.TokenResponse
	if err := json.Unmarshal([]byte(got.body), &token); err != nil {
		t.Fatal(err)
	}
	ids := token.Identifiers(vcitest.ConfigurationID)
	if len(ids) != 1 {
		t.Fatalf("credential_identifiers: got %v, want one\n%s", ids, got.body)
	}
	bearer := "Bearer " + token.AccessToken
	ask := func(member, value string) answer {
		proof := signed(t, issuer, newKeys(t, 1)[0], freshNonce(t, issuer), time.Now())
		return call(t, issuer, request{path: "/credential", contentType: "application/json", authorization: bearer,
			body: `{"` + member + `":"` + value + `","proofs":{"jwt":["` + proof + `"]}}`})
	}
	wantFailure(t, ask("credential_configuration_id", vcitest.ConfigurationID), 400, openid4vci.InvalidCredentialRequest)
	wantFailure(t, ask("credential_identifier", "other"), 400, openid4vci.UnknownCredentialIdentifier)
	if got := ask("credential_identifier", ids[0]); got.status != http.StatusOK {
		t.Errorf("own identifier: got %d %s", got.status, got.body)
	}
}

func freshNonce(t *testing.T, issuer *vcitest.Issuer) string {
	t.Helper()
	nonce, err := issuer.Nonce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return nonce
}

func signed(t *testing.T, issuer *vcitest.Issuer, key openid4vci.ProofKey, nonce string, at time.Time) string {
	t.Helper()
	proof, err := openid4vci.SignProof(key, issuer.Server.Metadata().CredentialIssuer, "", nonce, at)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

func TestWellKnown(t *testing.T) {
	issuer := vcitest.Start(t, vcitest.Options{})
	id := issuer.Server.Metadata().CredentialIssuer
	for _, test := range []struct {
		name, path string
		status     int
	}{
		{"issuer metadata, inserted", "/.well-known/openid-credential-issuer/vaart", 200},
		{"issuer metadata, appended", "/vaart/.well-known/openid-credential-issuer", 404},
		{"issuer metadata of another", "/.well-known/openid-credential-issuer", 404},
		{"authorization server, inserted", "/.well-known/oauth-authorization-server/vaart", 200},
		{"authorization server, appended", "/vaart/.well-known/oauth-authorization-server", 404},
		{"offer that does not exist", "/vaart/credential-offer/nobody", 404},
		{"nothing here", "/vaart/credential-offer/", 404},
		{"nothing there", "/vaart/credential-offer/a/b", 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, issuer, request{method: http.MethodGet, url: strings.TrimSuffix(id, "/vaart") + test.path})
			if got.status != test.status {
				t.Errorf("got %d, want %d", got.status, test.status)
			}
			if got.header.Get("Content-Type") != "application/json" || got.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("headers: got %v", got.header)
			}
		})
	}
	t.Run("preflight", func(t *testing.T) {
		got := call(t, issuer, request{method: http.MethodOptions, path: "/token"})
		if got.status != 204 || got.header.Get("Access-Control-Allow-Methods") != "POST" {
			t.Errorf("got %d %v", got.status, got.header)
		}
	})
	t.Run("nonce is fresh and not cached", func(t *testing.T) {
		a, b := call(t, issuer, request{path: "/nonce"}), call(t, issuer, request{path: "/nonce"})
		if a.status != 200 || a.body == b.body || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("got %d %s and %s", a.status, a.body, b.body)
		}
		wantFailure(t, call(t, issuer, request{method: http.MethodGet, path: "/nonce"}), 405, openid4vci.InvalidRequest)
	})
	t.Run("metadata has what version 1.0 is recognised by", func(t *testing.T) {
		got := call(t, issuer, request{method: http.MethodGet, url: strings.TrimSuffix(id, "/vaart") + "/.well-known/openid-credential-issuer/vaart"})
		for _, want := range []string{`"credential_metadata"`, `"nonce_endpoint"`, `"batch_credential_issuance":{"batch_size":10}`} {
			if !strings.Contains(got.body, want) {
				t.Errorf("no %s in %s", want, got.body)
			}
		}
	})
}
