package openid4vci_test

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/dpop"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

// memory is a Seen function for one test.
func memory() func(context.Context, string, time.Time) (bool, error) {
	seen := map[string]bool{}
	return func(_ context.Context, id string, _ time.Time) (bool, error) {
		was := seen[id]
		seen[id] = true
		return was, nil
	}
}

func TestWalletAttestations(t *testing.T) {
	provider, instance, clock := testkit.P256(t), testkit.P256(t), testkit.NewClock(time.Time{})
	const server = "https://vaart.example"
	auth := &openid4vci.WalletAttestations{
		Server: server, Now: clock.Now, Seen: memory(),
		Trust: func(h jose.Header) (crypto.PublicKey, error) {
			if h.KeyID != "11" {
				return nil, errors.New("unknown provider")
			}
			return provider.Public(), nil
		},
		CheckChallenge: func(c string) bool { return c == "challenge" },
	}
	type claims = map[string]any
	tests := []struct {
		name  string
		spoil func(header, pop *jose.Header, a, p claims)
		want  openid4vci.Code
	}{
		{"good", nil, ""},
		{"draft 07 iss and nonce", func(_, _ *jose.Header, a, p claims) {
			a["iss"], p["iss"], p["nonce"] = "https://provider.example", "https://wallet.example", p["challenge"]
			delete(p, "challenge")
		}, ""},
		{"attestation typ", func(h, _ *jose.Header, _, _ claims) { h.Type = "JWT" }, openid4vci.InvalidClientAttestation},
		{"provider unknown", func(h, _ *jose.Header, _, _ claims) { h.KeyID = "12" }, openid4vci.InvalidClientAttestation},
		{"attestation expired", func(_, _ *jose.Header, a, _ claims) { a["exp"] = clock.Now().Unix() }, openid4vci.InvalidClientAttestation},
		{"attestation not yet valid", func(_, _ *jose.Header, a, _ claims) { a["nbf"] = clock.Now().Add(time.Hour).Unix() }, openid4vci.InvalidClientAttestation},
		{"attestation without sub", func(_, _ *jose.Header, a, _ claims) { delete(a, "sub") }, openid4vci.InvalidClientAttestation},
		{"attestation without key", func(_, _ *jose.Header, a, _ claims) { delete(a, "cnf") }, openid4vci.InvalidClientAttestation},
		{"attestation of another key", func(_, _ *jose.Header, a, _ claims) {
			a["cnf"] = claims{"jwk": jose.Key{Public: testkit.P256(t).Public()}}
		}, openid4vci.InvalidClientAttestation},
		{"proof typ", func(_, p *jose.Header, _, _ claims) { p.Type = "JWT" }, openid4vci.InvalidClientAttestation},
		{"proof for another server", func(_, _ *jose.Header, _, p claims) { p["aud"] = "https://elders.example" }, openid4vci.InvalidClientAttestation},
		{"proof too old", func(_, _ *jose.Header, _, p claims) { p["iat"] = clock.Now().Add(-time.Hour).Unix() }, openid4vci.InvalidClientAttestation},
		{"proof without jti", func(_, _ *jose.Header, _, p claims) { delete(p, "jti") }, openid4vci.InvalidClientAttestation},
		{"proof with another challenge", func(_, _ *jose.Header, _, p claims) { p["challenge"] = "x" }, openid4vci.UseAttestationChallenge},
	}
	sign := func(key crypto.Signer, h jose.Header, c claims) string {
		payload, _ := json.Marshal(c)
		compact, err := jose.Sign(key, h, payload)
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	var last http.Header
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header, pop := jose.Header{Type: "oauth-client-attestation+jwt", KeyID: "11"}, jose.Header{Type: "oauth-client-attestation-pop+jwt"}
			a := claims{"sub": "https://wallet.example", "exp": clock.Now().Add(time.Hour).Unix(), "cnf": claims{"jwk": jose.Key{Public: instance.Public()}}}
			p := claims{"aud": server, "jti": test.name, "iat": clock.Now().Unix(), "challenge": "challenge"}
			if test.spoil != nil {
				test.spoil(&header, &pop, a, p)
			}
			h := http.Header{"Oauth-Client-Attestation": {sign(provider, header, a)}, "Oauth-Client-Attestation-Pop": {sign(instance, pop, p)}}
			client, err := auth.Authenticate(t.Context(), h)
			if test.want == "" {
				if err != nil || client != "https://wallet.example" {
					t.Errorf("got %q, %v", client, err)
				}
				last = h
				return
			}
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	if _, err := auth.Authenticate(t.Context(), last); !errors.Is(err, openid4vci.InvalidClientAttestation) {
		t.Errorf("replayed: got %v", err)
	}
	if _, err := auth.Authenticate(t.Context(), http.Header{}); !errors.Is(err, openid4vci.InvalidClient) {
		t.Errorf("anonymous: got %v", err)
	}
}

// TestClientAttestationVectors: the JWTs printed in draft 10 of attestation-based
// client authentication; the first is signed by a key that is not printed.
func TestClientAttestationVectors(t *testing.T) {
	var v struct {
		JWTs []struct {
			JWT     string          `json:"jwt"`
			Header  json.RawMessage `json:"header"`
			Payload struct {
				Audience string `json:"aud"`
				Cnf      struct {
					JWK jose.Key `json:"jwk"`
				} `json:"cnf"`
			} `json:"payload"`
			Valid bool `json:"signature_valid_with_cnf_of_attestation"`
		} `json:"jwts"`
	}
	testkit.Vectors(t, "attestation-based-client-auth").JSON(t, "draft10.json", &v)
	if len(v.JWTs) != 4 {
		t.Fatalf("got %d JWTs, want 4", len(v.JWTs))
	}
	for i := 0; i < len(v.JWTs); i += 2 {
		attestation, pop := v.JWTs[i], v.JWTs[i+1]
		// In the second pair the header that follows is glued to the attestation: a JWT
		// with more behind it is none.
		glued := strings.HasSuffix(attestation.JWT, "-PoP")
		if jws, err := jose.Parse(attestation.JWT); (err != nil) != glued || !glued && jws.Header.Type != "oauth-client-attestation+jwt" {
			t.Errorf("attestation %d: got %v, want refused %v", i, err, glued)
		}
		jws, err := jose.Parse(pop.JWT)
		if err != nil {
			t.Fatal(err)
		}
		if err := jws.Verify(attestation.Payload.Cnf.JWK.Public, jose.ES256); (err == nil) != pop.Valid {
			t.Errorf("proof of possession %d: got %v, want valid %v", i, err, pop.Valid)
		}
	}
}

// TestDPoP: bound tokens, and what a server refuses.
func TestDPoP(t *testing.T) {
	d := newDesk(t, vcitest.Options{Change: withDPoP()})
	s := begin(t, d.Issuer, "")
	s.DPoPKey = newKey(t)
	token, err := s.PreAuthorized(t.Context(), "")
	if err != nil || token.TokenType != "DPoP" {
		t.Fatalf("token: got %+v, %v", token, err)
	}
	at := d.Server.Metadata().CredentialEndpoint
	nonce := call(t, d.Issuer, request{path: "/nonce"}).header.Get("DPoP-Nonce")
	good := dpop.Claims{Method: "POST", URL: at, AccessToken: token.AccessToken, Nonce: nonce, IssuedAt: d.clock.Now()}
	send := func(key crypto.Signer, c dpop.Claims) answer {
		proof, err := dpop.Sign(key, testkit.Rand(uint64(d.clock.Now().UnixNano())), c)
		if err != nil {
			t.Fatal(err)
		}
		d.clock.Advance(time.Millisecond) // another jti
		return call(t, d.Issuer, request{path: "/credential", contentType: "application/json", body: ask(d.proof(nil)),
			authorization: "DPoP " + token.AccessToken, extra: map[string]string{"DPoP": proof}})
	}
	spoil := func(change func(c *dpop.Claims)) dpop.Claims {
		c := good
		change(&c)
		return c
	}
	for _, test := range []struct {
		name   string
		key    crypto.Signer
		claims dpop.Claims
		want   openid4vci.Code
	}{
		{"another key", newKey(t), good, openid4vci.InvalidToken},
		{"another method", s.DPoPKey, spoil(func(c *dpop.Claims) { c.Method = "GET" }), openid4vci.InvalidDPoPProof},
		{"another address", s.DPoPKey, spoil(func(c *dpop.Claims) { c.URL += "x" }), openid4vci.InvalidDPoPProof},
		{"another token", s.DPoPKey, spoil(func(c *dpop.Claims) { c.AccessToken = "x" }), openid4vci.InvalidDPoPProof},
		{"too old", s.DPoPKey, spoil(func(c *dpop.Claims) { c.IssuedAt = c.IssuedAt.Add(-time.Hour) }), openid4vci.InvalidDPoPProof},
		{"no nonce", s.DPoPKey, spoil(func(c *dpop.Claims) { c.Nonce = "" }), openid4vci.UseDPoPNonce},
		{"nonce of nobody", s.DPoPKey, spoil(func(c *dpop.Claims) { c.Nonce = "AAAA" }), openid4vci.UseDPoPNonce},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := send(test.key, test.claims)
			wantFailure(t, got, 401, test.want)
			if !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "DPoP ") {
				t.Errorf("WWW-Authenticate: got %q", got.header.Get("WWW-Authenticate"))
			}
			if test.want == openid4vci.UseDPoPNonce && got.header.Get("DPoP-Nonce") == "" {
				t.Error("no fresh nonce")
			}
		})
	}
	t.Run("no proof", func(t *testing.T) {
		got := call(t, d.Issuer, request{path: "/credential", contentType: "application/json", body: ask(d.proof(nil)), authorization: "DPoP " + token.AccessToken})
		wantFailure(t, got, 401, openid4vci.InvalidDPoPProof)
	})
	t.Run("as bearer token", func(t *testing.T) {
		d.bearer = "Bearer " + token.AccessToken
		wantFailure(t, d.post(ask(d.proof(nil))), 401, openid4vci.InvalidToken)
	})
	t.Run("good, then replayed", func(t *testing.T) {
		proof, err := dpop.Sign(s.DPoPKey, testkit.Rand(7), good)
		if err != nil {
			t.Fatal(err)
		}
		again := request{path: "/credential", contentType: "application/json", authorization: "DPoP " + token.AccessToken, extra: map[string]string{"DPoP": proof}}
		again.body = ask(d.proof(nil))
		if got := call(t, d.Issuer, again); got.status != 200 {
			t.Fatalf("first: got %d %s", got.status, got.body)
		}
		again.body = ask(d.proof(nil))
		wantFailure(t, call(t, d.Issuer, again), 401, openid4vci.InvalidDPoPProof)
	})
	t.Run("refresh with another key", func(t *testing.T) {
		s.DPoPKey = newKey(t)
		if _, err := s.Refresh(t.Context(), token.RefreshToken); !errors.Is(err, openid4vci.InvalidGrant) {
			t.Errorf("got %v, want %v", err, openid4vci.InvalidGrant)
		}
	})
}
