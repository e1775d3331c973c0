package sdjwt_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

var policy = sdjwt.KeyBindingPolicy{Audience: "x509_hash:abc", Nonce: "n-1", Now: noon}

// TestKeyBinding binds and verifies, and shows that a stranger's extra claims
// travel along.
func TestKeyBinding(t *testing.T) {
	issuer, holder := testkit.P256(t), testkit.P256(t)
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: issuer, Claims: map[string]any{
		"cnf":    map[string]any{"jwk": jwkOf(t, &holder.PublicKey), "kid": "did:jwk:abc#0"},
		"beroep": sdjwt.SD{Value: "lasser"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	bound, err := tok.Bind(holder, sdjwt.KeyBinding{Audience: "x509_hash:abc", Nonce: "n-1", IssuedAt: noon, Extra: map[string]any{"extra": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	got, claims, err := open(bound.String(), &issuer.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	pub, kid, err := sdjwt.Confirmation(claims)
	if err != nil {
		t.Fatal(err)
	}
	if kid != "did:jwk:abc#0" || !holder.PublicKey.Equal(pub) {
		t.Errorf("confirmation: got %v %q", pub, kid)
	}
	kb, err := got.VerifyKeyBinding(pub, policy)
	if err != nil {
		t.Fatal(err)
	}
	if kb.All["extra"] != "x" || !kb.IssuedAt.Equal(noon) {
		t.Errorf("claims: got %v", kb)
	}
	if _, err := bound.Bind(holder, sdjwt.KeyBinding{Audience: "a", Nonce: "n", IssuedAt: noon}); !errors.Is(err, sdjwt.ErrUnexpectedKeyBinding) {
		t.Errorf("binding twice: got %v", err)
	}
	if _, err := sdjwt.ParseIssued(bound.String()); !errors.Is(err, sdjwt.ErrUnexpectedKeyBinding) {
		t.Errorf("7.2: a holder received an SD-JWT+KB: got %v", err)
	}
}

// TestKeyBindingRules breaks every rule of 7.3 step 5 and of 4.3.
func TestKeyBindingRules(t *testing.T) {
	issuer, holder, stranger := testkit.P256(t), testkit.P256(t), testkit.P256(t)
	one, two := b64(t, []any{"salt", "a", 1}), b64(t, []any{"salt", "b", 2})
	base := forge(t, issuer, map[string]any{"_sd": []string{digest(one), digest(two)}}, one, two)
	other := forge(t, issuer, map[string]any{"_sd": []string{digest(one), digest(two)}}, one)

	type change func(header *jose.Header, claims map[string]any)
	set := func(name string, v any) change {
		return func(_ *jose.Header, c map[string]any) { c[name] = v }
	}
	drop := func(name string) change {
		return func(_ *jose.Header, c map[string]any) { delete(c, name) }
	}
	for _, tt := range []struct {
		name   string
		change change
		want   error
	}{
		{"control", func(*jose.Header, map[string]any) {}, nil},
		{"5.d typ JWT", func(h *jose.Header, _ map[string]any) { h.Type = "JWT" }, sdjwt.ErrType},
		{"5.d no typ", func(h *jose.Header, _ map[string]any) { h.Type = "" }, sdjwt.ErrType},
		{"5.d typ in capitals", func(h *jose.Header, _ map[string]any) { h.Type = "KB+JWT" }, sdjwt.ErrType},
		{"5.e made too long ago", set("iat", noon.Add(-6*time.Minute).Unix()), sdjwt.ErrIssuedAt},
		{"5.e made in the future", set("iat", noon.Add(2*time.Minute).Unix()), sdjwt.ErrIssuedAt},
		{"5.e iat is a string", set("iat", "1772452800"), sdjwt.ErrKeyBinding},
		{"5.e iat is negative", set("iat", -1), sdjwt.ErrKeyBinding},
		{"5.e no iat", drop("iat"), sdjwt.ErrKeyBinding},
		{"5.f another nonce", set("nonce", "n-2"), sdjwt.ErrNonce},
		{"5.f nonce is a number", set("nonce", 1), sdjwt.ErrKeyBinding},
		{"5.f no nonce", drop("nonce"), sdjwt.ErrKeyBinding},
		{"5.f another audience", set("aud", "x509_hash:abd"), sdjwt.ErrAudience},
		{"5.f audience without its prefix", set("aud", "abc"), sdjwt.ErrAudience},
		{"5.f audience is an array", set("aud", []string{"x509_hash:abc"}), sdjwt.ErrKeyBinding},
		{"5.f no audience", drop("aud"), sdjwt.ErrKeyBinding},
		{"5.g sd_hash of other disclosures", set("sd_hash", digest(other)), sdjwt.ErrSDHash},
		{"5.g no sd_hash", drop("sd_hash"), sdjwt.ErrKeyBinding},
		{"5.h expired", set("exp", noon.Add(-time.Hour).Unix()), sdjwt.ErrExpired},
		{"5.h not yet valid", set("nbf", noon.Add(time.Hour).Unix()), sdjwt.ErrNotYetValid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := jose.Header{Type: "kb+jwt"}
			claims := map[string]any{"iat": noon.Unix(), "aud": policy.Audience, "nonce": policy.Nonce, "sd_hash": digest(base)}
			tt.change(&h, claims)
			tok, err := sdjwt.Parse(base + sign(t, holder, h, claims))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tok.VerifyKeyBinding(&holder.PublicKey, policy); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			// 5.b and 5.c, for every variant: no other key and no other algorithm.
			if _, err := tok.VerifyKeyBinding(&stranger.PublicKey, policy); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("another key: got %v", err)
			}
			p := policy
			p.Algorithms = []jose.Algorithm{jose.EdDSA}
			if _, err := tok.VerifyKeyBinding(&holder.PublicKey, p); !errors.Is(err, jose.ErrAlgorithm) {
				t.Errorf("algorithm not allowed: got %v", err)
			}
		})
	}

	t.Run("2 no key binding", func(t *testing.T) {
		tok, err := sdjwt.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tok.VerifyKeyBinding(&holder.PublicKey, policy); !errors.Is(err, sdjwt.ErrNoKeyBinding) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("5.g a disclosure taken out afterwards", func(t *testing.T) {
		tok, err := sdjwt.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		bound, err := tok.Bind(holder, sdjwt.KeyBinding{Audience: policy.Audience, Nonce: policy.Nonce, IssuedAt: noon})
		if err != nil {
			t.Fatal(err)
		}
		fewer, err := sdjwt.Parse(strings.Replace(bound.String(), two+"~", "", 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fewer.VerifyKeyBinding(&holder.PublicKey, policy); !errors.Is(err, sdjwt.ErrSDHash) {
			t.Errorf("got %v, want %v", err, sdjwt.ErrSDHash)
		}
	})
}

// TestBindRefuses shows what a holder cannot sign.
func TestBindRefuses(t *testing.T) {
	key := testkit.P256(t)
	tok, err := sdjwt.Parse(forge(t, key, map[string]any{}))
	if err != nil {
		t.Fatal(err)
	}
	for name, kb := range map[string]sdjwt.KeyBinding{
		"no audience":       {Nonce: "n", IssuedAt: noon},
		"no nonce":          {Audience: "a", IssuedAt: noon},
		"no time":           {Audience: "a", Nonce: "n"},
		"extra names nonce": {Audience: "a", Nonce: "n", IssuedAt: noon, Extra: map[string]any{"nonce": "m"}},
	} {
		if _, err := tok.Bind(key, kb); !errors.Is(err, sdjwt.ErrKeyBinding) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestConfirmationRefuses shows which cnf gives no key.
func TestConfirmationRefuses(t *testing.T) {
	key := testkit.P256(t)
	private := jwkOf(t, &key.PublicKey)
	private["d"] = "AAAA"
	for name, claims := range map[string]map[string]any{
		"no cnf":          {},
		"cnf is a string": {"cnf": "did:jwk:abc"},
		"empty cnf":       {"cnf": map[string]any{}},
		"kid is a number": {"cnf": map[string]any{"kid": 1.0}},
		"jwk is a string": {"cnf": map[string]any{"jwk": "abc"}},
		"private jwk":     {"cnf": map[string]any{"jwk": private}},
	} {
		if _, _, err := sdjwt.Confirmation(claims); !errors.Is(err, sdjwt.ErrConfirmation) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
