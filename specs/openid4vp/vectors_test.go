package openid4vp_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
)

// TestRequestVectors hands each request object of the vectors to the wallet, by reference, in the profile it is for.
func TestRequestVectors(t *testing.T) {
	var file struct {
		Now    int64  `json:"now"`
		Anchor string `json:"trust_anchor_der_base64"`
		Cases  []struct {
			Name     string `json:"name"`
			Object   string `json:"request_object"`
			ClientID string `json:"outer_client_id"`
			Expect   string `json:"expect"`
			Rule     string `json:"rule"`
		} `json:"cases"`
	}
	testkit.Vectors(t, "openid4vp").JSON(t, "request-object-derived-cases.json", &file)
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	der, err := base64.StdEncoding.DecodeString(file.Anchor)
	must(t, err)
	anchor, err := x509.ParseCertificate(der)
	must(t, err)
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/oauth-authz-req+jwt")
				_, _ = w.Write([]byte(c.Object))
			}))
			defer web.Close()
			client := &openid4vp.Client{HTTP: web.Client(), Profile: openid4vp.HAIP(), Anchors: []*x509.Certificate{anchor}}
			if strings.Contains(c.Rule, "not HAIP") {
				client.Profile = openid4vp.Standard()
			}
			inv, err := openid4vp.ParseInvocation("haip-vp://?" + url.Values{"client_id": {c.ClientID}, "request_uri": {web.URL}}.Encode())
			must(t, err)
			x, err := client.Fetch(context.Background(), inv, time.Unix(file.Now, 0))
			verdict, code, _ := strings.Cut(c.Expect, ": ")
			if verdict == "accept" {
				if err != nil {
					t.Fatalf("refused: %v (%s)", err, c.Rule)
				}
				if x.Request.Query == nil || x.Verifier.ChainError != nil {
					t.Errorf("query %v, chain %v", x.Request.Query, x.Verifier.ChainError)
				}
				return
			}
			if err == nil || x != nil {
				t.Fatalf("got %v, %v, want a refusal and no exchange (%s)", x, err, c.Rule)
			}
			if code != "" && errorCode(err) != openid4vp.Code(code) {
				t.Errorf("code %q, want %q", errorCode(err), code)
			}
		})
	}
}

// TestEncryptedResponseVector opens the response that section 8.3 prints.
func TestEncryptedResponseVector(t *testing.T) {
	var file struct {
		JWE        string          `json:"jwe"`
		PrivateJWK json.RawMessage `json:"private_jwk"`
		Plaintext  string          `json:"plaintext"`
	}
	testkit.Vectors(t, "openid4vp").JSON(t, "encrypted-response.json", &file)
	key, err := jose.ParsePrivate(file.PrivateJWK)
	must(t, err)
	plain, header, err := jose.Decrypt(file.JWE, key, "ac", openid4vp.A128GCM)
	must(t, err)
	if got, want := string(plain), file.Plaintext; got != want {
		t.Errorf("plaintext %q, want %q", got, want)
	}
	if header.KeyID != "ac" {
		t.Errorf("kid %q, want ac", header.KeyID)
	}
	var response struct {
		VPToken json.RawMessage `json:"vp_token"`
	}
	must(t, json.Unmarshal(plain, &response))
	token, err := openid4vp.ParseVPToken(response.VPToken)
	must(t, err)
	if diff := cmp.Diff(token, openid4vp.VPToken{"example_credential_id": {"eyJhb...YMetA"}}); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

// TestVPTokenVectors holds the published vp_tokens against their queries. They have objects where the format writes a
// string, which the text does not allow.
func TestVPTokenVectors(t *testing.T) {
	f := testkit.Vectors(t, "openid4vp")
	for _, name := range f.Glob(t, "eudi-srv-verifier-endpoint/*-vpToken.json") {
		t.Run(name, func(t *testing.T) {
			raw := f.Read(t, name)
			token, err := openid4vp.ParseVPToken(raw)
			if strings.Contains(string(raw), `"id": "123456"`) {
				if errorCode(err) != openid4vp.InvalidRequest {
					t.Errorf("an object as presentation: got %v, want invalid_request", err)
				}
				return
			}
			must(t, err)
			var wrapped struct {
				Query *dcql.Query `json:"dcql_query"`
			}
			f.JSON(t, strings.Replace(name, "vpToken", "dcql", 1), &wrapped)
			if err := wrapped.Query.CheckShape(token.Counts()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestClientMetadataVectors reads the client_metadata examples of the specification as part of a request.
func TestClientMetadataVectors(t *testing.T) {
	f := testkit.Vectors(t, "openid4vp")
	for _, name := range f.Glob(t, "spec-1.0/client_metadata/*.json") {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(map[string]any{"client_id": "redirect_uri:https://client.example.org/post", "client_metadata": json.RawMessage(f.Read(t, name))})
			must(t, err)
			var r openid4vp.Request
			must(t, json.Unmarshal(raw, &r))
			if len(r.Metadata.VPFormats) == 0 {
				t.Error("no vp_formats_supported")
			}
		})
	}
}
