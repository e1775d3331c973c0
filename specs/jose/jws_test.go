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
