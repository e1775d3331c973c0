package statuslist_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/statuslist"
)

// An issuer publishes a list in which one of a hundred thousand entries is in use; a
// verifier looks a credential up in it.
func Example() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	uri := "https://vaart.example/status/1"

	list, _ := statuslist.New(2, 100_000, statuslist.Invalid)
	_ = list.Set(4711, statuslist.Valid)
	compact, _ := list.Token(key, jose.Header{KeyID: "status"}, statuslist.TokenClaims{
		Subject: uri, IssuedAt: now, ExpiresAt: now.Add(24 * time.Hour), TTL: 15 * time.Minute,
	})

	token, _ := statuslist.ParseToken(compact, statuslist.Limits{})
	if err := token.Verify(key.Public(), now.Add(time.Minute)); err != nil {
		fmt.Println(err)
	}
	for _, i := range []int{4711, 4712} {
		status, err := token.Status(statuslist.Reference{Index: i, URI: uri})
		fmt.Println(i, status, err)
	}
	_, err := token.Status(statuslist.Reference{Index: 100_000, URI: uri})
	fmt.Println(err)
	// Output:
	// 4711 VALID <nil>
	// 4712 INVALID <nil>
	// index is beyond the status list
}
