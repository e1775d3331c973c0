package interop_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/interop"
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/sdjwt"
)

const vct = "urn:paspoort:opleiding:1"

// asker is a verifier that is not ours: the library makes the request and judges the answer, the test is its web server.
type asker struct {
	t    *testing.T
	site *interop.Site
	form map[string]string // what was posted to the response endpoint
	made struct {
		Invocation    string          `json:"invocation"`
		Object        string          `json:"object"`
		Payload       json.RawMessage `json:"payload"`
		EncryptionKey json.RawMessage `json:"encryptionKey"`
		Error         string          `json:"error"`
	}
	anchor *x509.Certificate
}

func newAsker(t *testing.T, mode openid4vp.ResponseMode, aud string) *asker {
	t.Helper()
	a := &asker{t: t}
	a.site = interop.Serve(t, func(string) http.Handler { return a })
	root, key := newKey(t), newKey(t)
	now := time.Now()
	var err error
	a.anchor, err = ca.NewRoot(root, ca.Root{Name: "Regio Aakermonde", NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour * 24)})
	must(t, err)
	cert, err := ca.Leaf(a.anchor, root, ca.Request{Public: key.Public(), Organisation: "org_test", URI: a.site.URL, NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour)})
	must(t, err)
	private, err := jose.MarshalPrivate(key)
	must(t, err)
	a.site.Run(t, "vpverify.mjs", map[string]any{
		"step": "request", "key": json.RawMessage(private), "x5c": []string{base64.StdEncoding.EncodeToString(cert.Raw)},
		"requestUri": a.site.URL + "/request", "responseUri": a.site.URL + "/response", "mode": mode, "aud": aud,
		"query": json.RawMessage(`{"credentials":[{"id":"opleiding","format":"dc+sd-jwt","multiple":true,"meta":{"vct_values":["` + vct + `"]},
			"claims":[{"path":["skills",null,"uri"],"values":["urn:skill:lassen"]}]}]}`),
	}, &a.made)
	if a.made.Error != "" {
		t.Fatal(a.made.Error)
	}
	return a
}

// ServeHTTP serves the request object and takes the answer.
func (a *asker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/request":
		w.Header().Set("Content-Type", "application/oauth-authz-req+jwt")
		_, _ = io.WriteString(w, a.made.Object)
	case "/response":
		body, _ := io.ReadAll(r.Body)
		values, _ := url.ParseQuery(string(body))
		a.form = map[string]string{}
		for name := range values {
			a.form[name] = values.Get(name)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"redirect_uri":"https://ander.example/klaar"}`)
	default:
		http.NotFound(w, r)
	}
}

func (a *asker) fetch(profile openid4vp.Profile) (*openid4vp.Client, *openid4vp.Exchange, error) {
	a.t.Helper()
	client := &openid4vp.Client{HTTP: a.site.Client, Profile: profile, Anchors: []*x509.Certificate{a.anchor}}
	inv, err := openid4vp.ParseInvocation(a.made.Invocation)
	must(a.t, err)
	x, err := client.Fetch(a.t.Context(), inv, time.Now())
	return client, x, err
}

// TestForeignVerifier: a verifier library reads what our wallet half sends, in the clear and encrypted, and finds only the
// skill that it asked.
func TestForeignVerifier(t *testing.T) {
	for _, mode := range []openid4vp.ResponseMode{openid4vp.DirectPost, openid4vp.DirectPostJWT} {
		t.Run(string(mode), func(t *testing.T) {
			a := newAsker(t, mode, openid4vp.StaticAudience)
			client, x, err := a.fetch(openid4vp.Standard())
			must(t, err)
			issuer, holder := newKey(t), newKey(t)
			token := present(t, issuer, holder, x)
			redirect, err := client.Send(t.Context(), x, openid4vp.VPToken{"opleiding": {token}})
			must(t, err)
			if redirect != "https://ander.example/klaar" {
				t.Errorf("redirect %q", redirect)
			}
			public, err := json.Marshal(jose.Key{Public: issuer.Public()})
			must(t, err)
			var got struct {
				Satisfied bool                        `json:"satisfied"`
				Claims    map[string][]map[string]any `json:"claims"`
				Error     string                      `json:"error"`
			}
			a.site.Run(t, "vpverify.mjs", map[string]any{
				"step": "response", "payload": a.made.Payload, "encryptionKey": a.made.EncryptionKey, "form": a.form, "issuer": json.RawMessage(public),
			}, &got)
			if got.Error != "" || !got.Satisfied {
				t.Fatalf("satisfied %v: %s", got.Satisfied, got.Error)
			}
			shown := got.Claims["opleiding"][0]
			if skills, _ := shown["skills"].([]any); len(skills) != 1 || shown["family_name"] != nil {
				t.Errorf("the verifier sees %v", shown)
			}
		})
	}
}

// TestForeignAudience: this library puts the request URI in aud unless told otherwise. The strict profile refuses that, the
// tolerant one reads it.
func TestForeignAudience(t *testing.T) {
	a := newAsker(t, openid4vp.DirectPost, "")
	var refused *openid4vp.Error
	if _, _, err := a.fetch(openid4vp.Standard()); !errors.As(err, &refused) || refused.Code != openid4vp.InvalidRequestObject {
		t.Errorf("strict: %v, want %s", err, openid4vp.InvalidRequestObject)
	}
	if _, _, err := a.fetch(openid4vp.Tolerant()); err != nil {
		t.Errorf("tolerant: %v", err)
	}
}

// present issues a credential with two skills and a name, and shows the skill that was asked.
func present(t *testing.T, issuer, holder *jose.PrivateKey, x *openid4vp.Exchange) string {
	t.Helper()
	skill := func(uri string) any { return sdjwt.SD{Value: map[string]any{"uri": uri, "label": uri}} }
	token, err := sdjwt.Issue(sdjwt.IssueOptions{
		Signer: issuer, Header: jose.Header{Type: "dc+sd-jwt"}, Rand: rand.Reader,
		Claims: map[string]any{
			"iss": "https://devaart.example", "vct": vct, "iat": time.Now().Unix(), "family_name": sdjwt.SD{Value: "Voorbeeld"},
			"skills": []any{skill("urn:skill:meten"), skill("urn:skill:lassen")}, "cnf": map[string]any{"jwk": jose.Key{Public: holder.Public()}},
		},
	})
	must(t, err)
	claims, err := token.Claims()
	must(t, err)
	result := dcql.Evaluate(x.Request.Query, []dcql.Credential{{Format: dcql.FormatSDJWTVC, Types: []string{vct}, HolderBound: true, Claims: claims}})
	disclose := result.Matches["opleiding"][0].Disclose
	shown, err := token.Select(func(path []any, _ any) bool { return len(path) == 2 && disclose[0].Covers(path) })
	must(t, err)
	bound, err := shown.Bind(holder, sdjwt.KeyBinding{Audience: string(x.Request.ClientID), Nonce: x.Request.Nonce, IssuedAt: time.Now()})
	must(t, err)
	return bound.String()
}

func newKey(t *testing.T) *jose.PrivateKey {
	t.Helper()
	key, err := jose.Generate(jose.ES256)
	must(t, err)
	return key
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
