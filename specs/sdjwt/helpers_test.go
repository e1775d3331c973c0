package sdjwt_test

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// noon is the time of every test that needs one.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// b64 is base64url without padding of a JSON value or of bytes.
func b64(t testing.TB, v any) string {
	t.Helper()
	raw, ok := v.([]byte)
	if !ok {
		var err error
		if raw, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// digest is the SHA-256 digest of a disclosure.
func digest(disclosure string) string {
	sum := sha256.Sum256([]byte(disclosure))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// forge signs any payload and appends any disclosures: what Issue would refuse to
// make.
func forge(t testing.TB, key crypto.Signer, payload any, disclosures ...string) string {
	t.Helper()
	raw, ok := payload.(string)
	if !ok {
		body, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		raw = string(body)
	}
	s, err := jose.Sign(key, jose.Header{Type: "example+sd-jwt"}, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	s += "~"
	for _, d := range disclosures {
		s += d + "~"
	}
	return s
}

// open parses, verifies and processes.
func open(s string, pub crypto.PublicKey) (*sdjwt.SDJWT, map[string]any, error) {
	t, err := sdjwt.Parse(s)
	if err != nil {
		return nil, nil, err
	}
	if err := t.VerifyIssuer(pub); err != nil {
		return nil, nil, err
	}
	claims, err := t.Claims()
	return t, claims, err
}

// jwkOf is the public key as a JSON object.
func jwkOf(t testing.TB, pub crypto.PublicKey) map[string]any {
	t.Helper()
	raw, err := json.Marshal(jose.Key{Public: pub})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// normal is v as JSON decoding would give it.
func normal(t testing.TB, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// sign makes a JWT of any header and claims.
func sign(t testing.TB, key crypto.Signer, h jose.Header, claims any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jose.Sign(key, h, body)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var kbHeader = jose.Header{Type: sdjwt.TypeKeyBinding}
