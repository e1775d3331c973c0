package jose_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"paspoort.example/paspoort/specs/jose"
)

// FuzzParse: a token that is read has one spelling, and one that is not gives nothing.
func FuzzParse(f *testing.F) {
	key := newKey(f, jose.ES256)
	token, err := jose.Sign(key, jose.Header{Type: "t", KeyID: "k", JWK: &jose.Key{Public: key.Public()}}, []byte(`{"a":1}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(raw(`{"alg":"none"}`, "", nil))
	f.Add(raw(`{"alg":"ES256","x5c":["AAAA"],"crit":["x"]}`, "{}", make([]byte, 64)))
	f.Add("..")
	f.Fuzz(func(t *testing.T, compact string) {
		s, err := jose.Parse(compact)
		if err != nil {
			if s != nil {
				t.Fatal("error and a token")
			}
			return
		}
		if s.String() != compact {
			t.Fatalf("reads as %q", s.String())
		}
		if err := s.Verify(key.Public(), "none", "HS256", jose.ES256); err == nil && compact != token {
			t.Fatalf("verifies: %q", compact)
		}
		_, _ = jose.ParseCertificates(s.Header.X5C)
	})
}

// FuzzParseKey: a key that is read is written as a key that reads the same.
func FuzzParseKey(f *testing.F) {
	for _, alg := range []jose.Algorithm{jose.ES256, jose.ES384, jose.EdDSA} {
		b, err := json.Marshal(jose.Key{Public: newKey(f, alg).Public(), KeyID: "k", Use: "sig"})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"kty":"RSA","n":"AQAB","e":"AQAB"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := jose.ParseKey(text)
		if err != nil {
			return
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		if decoded, err := jose.KeyOf(members); err != nil || !jose.SameKey(decoded.Public, k.Public) || decoded.KeyID != k.KeyID {
			t.Fatalf("decoded first and then read: %v", err)
		}
		if err := jose.CheckPublicKey(k.Public); err != nil {
			t.Fatalf("read but not acceptable: %v", err)
		}
		once, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		again, err := jose.ParseKey(once)
		if err != nil || !jose.SameKey(k.Public, again.Public) {
			t.Fatalf("%s: %v", once, err)
		}
		if twice, _ := json.Marshal(again); !bytes.Equal(once, twice) {
			t.Fatalf("written as %s, then as %s", once, twice)
		}
	})
}

// FuzzDecrypt: nothing but what was encrypted to the key is opened.
func FuzzDecrypt(f *testing.F) {
	key := newKey(f, jose.ES256)
	token, err := jose.Encrypt([]byte("hallo"), jose.Key{Public: key.Public(), KeyID: "k"}, jose.A128GCM, jose.Header{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(b64(`{"alg":"dir","enc":"A128GCM"}`) + "..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, compact string) {
		if plaintext, _, err := jose.Decrypt(compact, key, ""); err == nil && compact != token {
			t.Fatalf("opens %q: %q", compact, plaintext)
		}
	})
}
