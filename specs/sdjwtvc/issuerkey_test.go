package sdjwtvc_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
)

// TestIssuerMetadataURL reads the rule of sections 3 and 3.1, and what it refuses.
func TestIssuerMetadataURL(t *testing.T) {
	var v struct {
		Rule []struct{ Iss, URL string } `json:"url_rule"`
	}
	testkit.Vectors(t, "sd-jwt-vc").JSON(t, "jwt-vc-issuer-metadata.json", &v)
	if len(v.Rule) == 0 {
		t.Fatal("no cases found")
	}
	for _, c := range v.Rule {
		if got, err := sdjwtvc.IssuerMetadataURL(c.Iss); err != nil || got != c.URL {
			t.Errorf("%s: got %s, %v, want %s", c.Iss, got, err, c.URL)
		}
	}
	for _, iss := range []string{"", "http://example.com", "example.com", "https://", "https://example.com?a=1", "https://example.com#a",
		"https://user@example.com", "did:web:example.com", "https:example.com", "HTTPS//x"} {
		if got, err := sdjwtvc.IssuerMetadataURL(iss); !errors.Is(err, sdjwtvc.ErrIssuerMetadata) {
			t.Errorf("%q: got %s, %v", iss, got, err)
		}
	}
}

// TestParseIssuerMetadata reads the printed documents and breaks 3.2 and 3.3.
func TestParseIssuerMetadata(t *testing.T) {
	var v map[string]json.RawMessage
	testkit.Vectors(t, "sd-jwt-vc").JSON(t, "jwt-vc-issuer-metadata.json", &v)
	m, err := sdjwtvc.ParseIssuerMetadata(v["with_jwks"], "https://example.com")
	if err != nil || len(m.JWKS.Keys) != 2 {
		t.Errorf("with jwks: got %v, %v", m, err)
	}
	if m, err = sdjwtvc.ParseIssuerMetadata(v["with_jwks_uri"], "https://example.com"); err != nil || m.JWKSURI == "" {
		t.Errorf("with jwks_uri: got %v, %v", m, err)
	}
	for name, body := range map[string]string{
		"another issuer":   `{"issuer":"https://example.com/","jwks":{"keys":[]}}`,
		"neither":          `{"issuer":"https://example.com"}`,
		"both":             `{"issuer":"https://example.com","jwks":{"keys":[]},"jwks_uri":"https://example.com/k"}`,
		"bare array":       `{"issuer":"https://example.com","jwks":[]}`,
		"issuer twice":     `{"issuer":"https://example.com","issuer":"https://example.com","jwks":{"keys":[]}}`,
		"no JSON":          `<html>`,
		"trailing content": `{"issuer":"https://example.com","jwks_uri":"https://example.com/k"}{}`,
	} {
		if _, err := sdjwtvc.ParseIssuerMetadata([]byte(body), "https://example.com"); !errors.Is(err, sdjwtvc.ErrIssuerMetadata) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestIssuerKey goes through the mechanisms of 2.5, each with its refusals.
func TestIssuerKey(t *testing.T) {
	key, ca, stranger := testkit.P256(t), testkit.P256(t), testkit.P256(t)
	leaf, anchor := certify(t, &key.PublicKey, ca, issuerURL, "opleider.example")
	other, _ := certify(t, &key.PublicKey, ca, "https://ander.example", "ander.example")
	_, otherAnchor := certify(t, &key.PublicKey, stranger, issuerURL, "opleider.example")
	web, err := did.WebFromURL(issuerURL)
	if err != nil {
		t.Fatal(err)
	}
	webURL, err := did.WebURL(web)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := did.NewDocument(web, issuerURL, jose.Key{Public: &key.PublicKey, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	rawDoc, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := did.JWK(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	where, err := sdjwtvc.IssuerMetadataURL(issuerURL)
	if err != nil {
		t.Fatal(err)
	}
	keys := keySet(t, "k1", &key.PublicKey)
	f := pages{webURL: string(rawDoc), where: metadata(issuerURL, keys)}

	x5c := func(certs ...*x509.Certificate) jose.Header {
		h := jose.Header{Type: sdjwtvc.Type}
		for _, c := range certs {
			h.X5C = append(h.X5C, c.Raw)
		}
		return h
	}
	kid := func(id string) jose.Header { return jose.Header{Type: sdjwtvc.Type, KeyID: id} }
	for _, tt := range []struct {
		name    string
		header  jose.Header
		claims  map[string]any
		options sdjwtvc.KeyOptions
		by      sdjwtvc.Mechanism
		want    error
	}{
		{"certificate", x5c(leaf), nil, sdjwtvc.KeyOptions{Anchors: []*x509.Certificate{anchor}, At: noon}, sdjwtvc.ByCertificate, nil},
		{"certificate without anchors", x5c(leaf), nil, sdjwtvc.KeyOptions{At: noon}, sdjwtvc.ByCertificate, nil},
		{"certificate for another", x5c(other), nil, sdjwtvc.KeyOptions{At: noon}, "", sdjwtvc.ErrIssuerMismatch},
		{"certificate for another, taken knowingly", x5c(other), nil, sdjwtvc.KeyOptions{At: noon, UnboundSubject: true}, sdjwtvc.ByCertificate, nil},
		{"certificate of another CA", x5c(leaf), nil, sdjwtvc.KeyOptions{Anchors: []*x509.Certificate{otherAnchor}, At: noon}, "", jose.ErrCertificate},
		{"certificate expired", x5c(leaf), nil, sdjwtvc.KeyOptions{Anchors: []*x509.Certificate{anchor}, At: noon.Add(2 * time.Hour)}, "", jose.ErrCertificate},
		{"certificates not permitted", x5c(leaf), nil, sdjwtvc.KeyOptions{Fetcher: pages{}, Permitted: []sdjwtvc.Mechanism{sdjwtvc.ByDID}}, "", sdjwtvc.ErrNoIssuerKey},
		{"did:web of the issuer", kid(web + "#k1"), nil, sdjwtvc.KeyOptions{Fetcher: f}, sdjwtvc.ByDID, nil},
		{"did:web, key not in it", kid(web + "#k2"), nil, sdjwtvc.KeyOptions{Fetcher: f}, "", did.ErrKeyNotFound},
		{"did:web of another", kid("did:web:ander.example#k1"), nil, sdjwtvc.KeyOptions{Fetcher: f}, "", sdjwtvc.ErrIssuerMismatch},
		{"did:web without a fetcher", kid(web + "#k1"), nil, sdjwtvc.KeyOptions{}, "", sdjwtvc.ErrNoIssuerKey},
		{"did:jwk as iss", kid(jwk + "#0"), map[string]any{"iss": jwk}, sdjwtvc.KeyOptions{}, sdjwtvc.ByDID, nil},
		{"did:jwk as iss, bare fragment", kid("#0"), map[string]any{"iss": jwk}, sdjwtvc.KeyOptions{}, sdjwtvc.ByDID, nil},
		{"did:jwk beside an https iss", kid(jwk + "#0"), nil, sdjwtvc.KeyOptions{Fetcher: f}, "", sdjwtvc.ErrIssuerMismatch},
		{"did:jwk as issuer of a W3C credential", kid(jwk + "#0"), map[string]any{"iss": nil, "@context": []any{"x"}, "issuer": map[string]any{"id": jwk}}, sdjwtvc.KeyOptions{}, sdjwtvc.ByDID, nil},
		{"did:jwk beside another issuer", kid(jwk + "#0"), map[string]any{"iss": nil, "@context": []any{"x"}, "issuer": issuerURL}, sdjwtvc.KeyOptions{}, "", sdjwtvc.ErrIssuerMismatch},
		{"metadata", kid("k1"), nil, sdjwtvc.KeyOptions{Fetcher: f}, sdjwtvc.ByMetadata, nil},
		{"metadata, only key", kid(""), nil, sdjwtvc.KeyOptions{Fetcher: f}, sdjwtvc.ByMetadata, nil},
		{"metadata, unknown kid", kid("k2"), nil, sdjwtvc.KeyOptions{Fetcher: f}, "", sdjwtvc.ErrIssuerMetadata},
		{"metadata not found", kid("k1"), nil, sdjwtvc.KeyOptions{Fetcher: pages{}}, "", sdjwtvc.ErrIssuerMetadata},
		{"metadata by reference", kid("k1"), nil, sdjwtvc.KeyOptions{Fetcher: pages{where: `{"issuer":"` + issuerURL + `","jwks_uri":"https://k.example/"}`, "https://k.example/": keys}}, sdjwtvc.ByMetadata, nil},
		{"metadata by http reference", kid("k1"), nil, sdjwtvc.KeyOptions{Fetcher: pages{where: `{"issuer":"` + issuerURL + `","jwks_uri":"http://k.example/"}`, "http://k.example/": keys}}, "", sdjwtvc.ErrIssuerMetadata},
		{"nothing to go by", kid("k1"), nil, sdjwtvc.KeyOptions{}, "", sdjwtvc.ErrNoIssuerKey},
		{"iss is no string", kid("k1"), map[string]any{"iss": 1}, sdjwtvc.KeyOptions{Fetcher: f}, "", sdjwtvc.ErrClaim},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tok := issue(t, key, tt.header, base(tt.claims))
			got, err := sdjwtvc.IssuerKey(t.Context(), tok, tt.options)
			if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			if got.Mechanism != tt.by || got.Anchored != (len(tt.options.Anchors) > 0) {
				t.Errorf("got %s, anchored %v", got.Mechanism, got.Anchored)
			}
			if err := tok.VerifyIssuer(got.Public); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHolderKey: the key comes from jwk or from a DID that carries its key, and
// two different keys are refused.
func TestHolderKey(t *testing.T) {
	key, stranger := testkit.P256(t), testkit.P256(t)
	id, err := did.JWK(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	jwk := func(k any) map[string]any {
		raw, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	mine, other := jwk(jose.Key{Public: &key.PublicKey}), jwk(jose.Key{Public: &stranger.PublicKey})
	for _, tt := range []struct {
		name string
		cnf  map[string]any
		ok   bool
	}{
		{"jwk", map[string]any{"jwk": mine}, true},
		{"did:jwk", map[string]any{"kid": id + "#0"}, true},
		{"both", map[string]any{"jwk": mine, "kid": id + "#0"}, true},
		{"jwk and a kid of another kind", map[string]any{"jwk": mine, "kid": "sleutel-1"}, true},
		{"two keys", map[string]any{"jwk": other, "kid": id + "#0"}, false},
		{"kid of another kind", map[string]any{"kid": "did:web:example.com#1"}, false},
		{"broken did:jwk", map[string]any{"kid": "did:jwk:abc#0"}, false},
	} {
		pub, err := sdjwtvc.HolderKey(t.Context(), map[string]any{"cnf": tt.cnf})
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, sdjwt.ErrConfirmation) {
			t.Errorf("%s: got %v", tt.name, err)
		}
		if tt.ok && !key.PublicKey.Equal(pub) {
			t.Errorf("%s: another key", tt.name)
		}
	}
}
