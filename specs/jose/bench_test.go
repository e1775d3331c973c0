package jose_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/jose"
)

// The pairs show what the package adds to the bare signature.

func BenchmarkVerify(b *testing.B) {
	key := newKey(b, jose.ES256)
	payload := []byte(`{"iss":"https://devaart.example","_sd":["` + strings.Repeat("x", 1200) + `"]}`)
	token, err := jose.Sign(key, jose.Header{Type: "dc+sd-jwt", KeyID: "did:web:devaart.example#1"}, payload)
	if err != nil {
		b.Fatal(err)
	}
	pub := key.Public()
	b.Run("bare", func(b *testing.B) {
		digest := sha256.Sum256([]byte(token))
		sig, _ := ecdsa.SignASN1(rand.Reader, must(key.ECDSA()), digest[:])
		b.ReportAllocs()
		for b.Loop() {
			if !ecdsa.VerifyASN1(pub.(*ecdsa.PublicKey), digest[:], sig) {
				b.Fatal("bad")
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jose.Parse(token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		s, _ := jose.Parse(token)
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Verify(pub); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	key := newKey(b, jose.ES256)
	payload := []byte(`{"iss":"https://devaart.example","_sd":["` + strings.Repeat("x", 1200) + `"]}`)
	b.Run("bare", func(b *testing.B) {
		digest := sha256.Sum256(payload)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ecdsa.SignASN1(rand.Reader, must(key.ECDSA()), digest[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jose.Sign(key, jose.Header{Type: "dc+sd-jwt", KeyID: "did:web:devaart.example#1"}, payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("no ECDSA key")
	}
	return v
}
