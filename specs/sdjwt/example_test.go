package sdjwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// The whole way: an issuer issues, a holder shows one of two skills, a verifier
// checks.
func Example() {
	issuer, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	holder, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

	issued, err := sdjwt.Issue(sdjwt.IssueOptions{
		Signer: issuer,
		Header: jose.Header{Type: "example+sd-jwt"},
		Claims: map[string]any{
			"iss":        "https://opleider.example",
			"cnf":        map[string]any{"jwk": jose.Key{Public: &holder.PublicKey}},
			"given_name": sdjwt.SD{Value: "Fatima"},
			"skills":     []any{sdjwt.SD{Value: "lassen"}, sdjwt.SD{Value: "snijden"}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	shown, _ := issued.Select(func(_ []any, value any) bool { return value == "lassen" })
	bound, _ := shown.Bind(holder, sdjwt.KeyBinding{Audience: "https://werkgever.example", Nonce: "n-1", IssuedAt: now})

	got, err := sdjwt.Parse(bound.String())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := got.VerifyIssuer(&issuer.PublicKey); err != nil {
		fmt.Println(err)
		return
	}
	claims, err := got.Claims()
	if err != nil {
		fmt.Println(err)
		return
	}
	key, _, _ := sdjwt.Confirmation(claims)
	_, err = got.VerifyKeyBinding(key, sdjwt.KeyBindingPolicy{Audience: "https://werkgever.example", Nonce: "n-1", Now: now})
	delete(claims, "cnf")
	out, _ := json.Marshal(claims)
	fmt.Println(string(out), err)
	// Output: {"iss":"https://opleider.example","skills":["lassen"]} <nil>
}
