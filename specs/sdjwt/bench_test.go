package sdjwt_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"testing"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// benchClaims has twelve disclosures.
func benchClaims(t testing.TB, holder *ecdsa.PublicKey) map[string]any {
	skills := []any{}
	for i := range 10 {
		skills = append(skills, sdjwt.SD{Value: map[string]any{"uri": fmt.Sprintf("urn:skill:%d", i), "label": "een vaardigheid"}})
	}
	return map[string]any{
		"iss": "https://opleider.example", "vct": "urn:example:module:1", "iat": 1772409600, "exp": 1872409600,
		"cnf":    map[string]any{"jwk": jwkOf(t, holder)},
		"status": map[string]any{"status_list": map[string]any{"idx": 1, "uri": "https://opleider.example/status/1"}},
		"skills": skills, "given_name": sdjwt.SD{Value: "Fatima"}, "family_name": sdjwt.SD{Value: "de Vries"},
	}
}

// BenchmarkVerify is a presentation with 6 of 12 disclosures and a key binding;
// BenchmarkVerifyFloor is what two bare signatures cost on the same machine.
func BenchmarkVerify(b *testing.B) {
	issuer, holder := testkit.P256(b), testkit.P256(b)
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: issuer, Header: jose.Header{Type: "dc+sd-jwt", KeyID: "1"}, Claims: benchClaims(b, &holder.PublicKey)})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	if tok, err = tok.Select(func([]any, any) bool { n++; return n <= 6 }); err != nil {
		b.Fatal(err)
	}
	if tok, err = tok.Bind(holder, sdjwt.KeyBinding{Audience: policy.Audience, Nonce: policy.Nonce, IssuedAt: noon}); err != nil {
		b.Fatal(err)
	}
	text := tok.String()
	b.ReportAllocs()
	for b.Loop() {
		tok, claims, err := open(text, &issuer.PublicKey)
		if err != nil {
			b.Fatal(err)
		}
		pub, _, err := sdjwt.Confirmation(claims)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tok.VerifyKeyBinding(pub, policy); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyFloor(b *testing.B) {
	key := testkit.P256(b)
	sum := sha256.Sum256([]byte("a"))
	sig, err := ecdsa.SignASN1(nil, key, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for range 2 {
			if !ecdsa.VerifyASN1(&key.PublicKey, sum[:], sig) {
				b.Fatal("does not verify")
			}
		}
	}
}

// BenchmarkIssue against BenchmarkIssueFloor: one bare signature.
func BenchmarkIssue(b *testing.B) {
	issuer, holder := testkit.P256(b), testkit.P256(b)
	o := sdjwt.IssueOptions{Signer: issuer, Header: jose.Header{Type: "dc+sd-jwt", KeyID: "1"}, Claims: benchClaims(b, &holder.PublicKey)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sdjwt.IssueCompact(o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssueFloor(b *testing.B) {
	key := testkit.P256(b)
	sum := sha256.Sum256([]byte("a"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ecdsa.SignASN1(nil, key, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}
