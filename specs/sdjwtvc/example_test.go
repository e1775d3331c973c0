package sdjwtvc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
)

// A recipient finds the key, verifies, reads, and holds the credential to its
// type.
func Example() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	issued, _ := sdjwt.Issue(sdjwt.IssueOptions{
		Signer: key,
		Header: jose.Header{Type: sdjwtvc.Type, KeyID: "k1"},
		Claims: map[string]any{
			"iss":        "https://opleider.example",
			"vct":        "https://regio.example/module/1",
			"given_name": sdjwt.SD{Value: "Fatima"},
		},
	})

	ctx, now := context.Background(), time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	jwks, _ := jose.Key{Public: &key.PublicKey, KeyID: "k1"}.MarshalJSON()
	web := pages{"https://opleider.example/.well-known/jwt-vc-issuer": `{"issuer":"https://opleider.example","jwks":{"keys":[` + string(jwks) + `]}}`}
	kinds := types{"https://regio.example/module/1": `{"vct":"https://regio.example/module/1","claims":[{"path":["given_name"],"sd":"always"}]}`}

	token, err := sdjwt.Parse(issued.String())
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := sdjwtvc.IssuerKey(ctx, token, sdjwtvc.KeyOptions{Fetcher: web, At: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := token.VerifyIssuer(found.Public); err != nil {
		fmt.Println(err)
		return
	}
	c, err := sdjwtvc.Read(token, sdjwtvc.Options{Now: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	kind, err := sdjwtvc.ResolveType(ctx, kinds, c.VCT, c.Integrity)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(found.Mechanism, c.Issuer, c.Claims["given_name"], c.CheckType(kind, true))
	// Output: jwt-vc-issuer https://opleider.example Fatima <nil>
}
