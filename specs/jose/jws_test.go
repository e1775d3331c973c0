package jose_test

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/jose"
)

func TestSignVerify(t *testing.T) {
	for _, alg := range []jose.Algorithm{jose.ES256, jose.ES384, jose.EdDSA} {
		t.Run(string(alg), func(t *testing.T) {
			key := newKey(t, alg)
			token, err := jose.Sign(key, jose.Header{Type: "x+jwt", KeyID: "k", Extra: map[string]any{"nonce": "n"}}, []byte(`{"a":1}`))
			if err != nil {
				t.Fatal(err)
			}
			s, err := jose.Parse(token)
			if err != nil {
				t.Fatal(err)
			}
			if s.Header.Type != "x+jwt" || s.Header.KeyID != "k" || s.Header.Algorithm != alg || s.Header.Extra["nonce"] != "n" || string(s.Payload) != `{"a":1}` {
				t.Errorf("read back %+v %s", s.Header, s.Payload)
			}
			if err := s.Verify(key.Public()); err != nil {
				t.Errorf("own signature: %v", err)
			}
			if err := s.Verify(newKey(t, alg).Public()); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("other key: %v", err)
			}
		})
	}
}

func newKey(t testing.TB, alg jose.Algorithm) *jose.PrivateKey {
	t.Helper()
	key, err := jose.Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestEncryptDecrypt(t *testing.T) {
	key := newKey(t, jose.ES256)
	for _, enc := range []string{jose.A128GCM, jose.A256GCM} {
		token, err := jose.Encrypt([]byte("hallo"), jose.Key{Public: key.Public(), KeyID: "e1"}, enc,
			jose.Header{ContentType: "json", Extra: map[string]any{"apu": "YQ", "apv": "Yg"}})
		if err != nil {
			t.Fatal(err)
		}
		got, h, err := jose.Decrypt(token, key, "e1", enc)
		if err != nil || string(got) != "hallo" || h.KeyID != "e1" || h.ContentType != "json" {
			t.Errorf("%s: %q %+v %v", enc, got, h, err)
		}
		if _, _, err := jose.Decrypt(token, newKey(t, jose.ES256), "e1"); !errors.Is(err, jose.ErrDecrypt) {
			t.Errorf("other key: %v", err)
		}
		if _, _, err := jose.Decrypt(token, key, "e2"); !errors.Is(err, jose.ErrKeyID) {
			t.Errorf("other kid: %v", err)
		}
	}
}
