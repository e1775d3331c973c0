package vcdm_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/vcdm"
)

// signed is a JWT of any header and payload.
func signed(t testing.TB, key crypto.Signer, h jose.Header, payload any) string {
	t.Helper()
	body, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jose.Sign(key, h, body)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzValidate: no document makes the check panic, and what is wrong is always
// Problems.
func FuzzValidate(f *testing.F) {
	for _, d := range []map[string]any{document(), badge()} {
		raw, err := json.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2",{"@vocab":"a:"}],"type":"OpenBadgeCredential","issuer":{"id":{}},"credentialSubject":[{"type":{}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d map[string]any
		if ijson.Unmarshal(raw, &d) != nil {
			return
		}
		var p vcdm.Problems
		if err := vcdm.Validate(d, noon, nil); err != nil && (!errors.As(err, &p) || len(p) == 0) {
			t.Fatalf("got %v", err)
		}
	})
}

// FuzzReadJWT: no token makes reading panic.
func FuzzReadJWT(f *testing.F) {
	f.Add("eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJ2YyI6e319.AA")
	f.Add("eyJhbGciOiJFUzI1NiIsInR5cCI6InZjK2p3dCJ9.eyJpc3MiOnt9LCJpc3N1ZXIiOnsiaWQiOnt9fX0.AA")
	f.Fuzz(func(t *testing.T, s string) {
		if i, err := vcdm.ReadJWT(s, vcdm.Options{Now: noon}); (err == nil) == (i == nil) {
			t.Fatal("a value in spite of the error, or neither")
		}
	})
}
