package jose_test

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/jose"
)

func TestEncryptDecrypt(t *testing.T) {
	key := newKey(t, jose.ES256)
	for _, enc := range []string{jose.A128GCM, jose.A256GCM} {
		token, err := jose.Encrypt([]byte("hallo"), jose.Key{Public: key.Public(), KeyID: "e1"}, enc,
			jose.Header{ContentType: "json", Extra: map[string]any{"apu": "YQ", "apv": "Yg"}})
		if err != nil {
			t.Fatal(err)
		}
		got, h, err := jose.Decrypt(token, key, "e1", enc)
		if err != nil || string(got) != "hallo" || h.KeyID != "e1" || h.ContentType != "json" || h.Extra["apu"] != "YQ" {
			t.Errorf("%s: %q %+v %v", enc, got, h, err)
		}
		ec, _ := key.ECDSA()
		if got, _, err := jose.Decrypt(token, ec, ""); err != nil || string(got) != "hallo" {
			t.Errorf("%s with a key of the standard library: %q %v", enc, got, err)
		}
		if _, _, err := jose.Decrypt(token, newKey(t, jose.ES256), "e1"); !errors.Is(err, jose.ErrDecrypt) {
			t.Errorf("other key: %v", err)
		}
		if _, _, err := jose.Decrypt(token, key, "e2"); !errors.Is(err, jose.ErrKeyID) {
			t.Errorf("other kid: %v", err)
		}
		if _, _, err := jose.Decrypt(token, newKey(t, jose.ES384), ""); !errors.Is(err, jose.ErrKey) {
			t.Errorf("P-384 key: %v", err)
		}
	}
	token, err := jose.Encrypt(nil, jose.Key{Public: key.Public()}, jose.A128GCM, jose.Header{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := jose.Decrypt(token, key, "", jose.A256GCM); !errors.Is(err, jose.ErrAlgorithm) {
		t.Errorf("enc that was not announced: %v", err)
	}
}

func TestEncryptRefuses(t *testing.T) {
	pub := newKey(t, jose.ES256).Public()
	for _, tt := range []struct {
		name  string
		plain int
		to    jose.Key
		enc   string
		h     jose.Header
		want  error
	}{
		{"A128CBC-HS256", 1, jose.Key{Public: pub}, "A128CBC-HS256", jose.Header{}, jose.ErrAlgorithm},
		{"no enc", 1, jose.Key{Public: pub}, "", jose.Header{}, jose.ErrAlgorithm},
		{"P-384 key", 1, jose.Key{Public: newKey(t, jose.ES384).Public()}, jose.A128GCM, jose.Header{}, jose.ErrKey},
		{"Ed25519 key", 1, jose.Key{Public: newKey(t, jose.EdDSA).Public()}, jose.A128GCM, jose.Header{}, jose.ErrKey},
		{"no key", 1, jose.Key{}, jose.A128GCM, jose.Header{}, jose.ErrKey},
		{"key for signatures", 1, jose.Key{Public: pub, Use: "sig"}, jose.A128GCM, jose.Header{}, jose.ErrKey},
		{"key for key wrap", 1, jose.Key{Public: pub, Algorithm: "ECDH-ES+A128KW"}, jose.A128GCM, jose.Header{}, jose.ErrKey},
		{"too long", jose.MaxBytes + 1, jose.Key{Public: pub}, jose.A128GCM, jose.Header{}, jose.ErrSize},
		{"zip", 1, jose.Key{Public: pub}, jose.A128GCM, jose.Header{Extra: map[string]any{"zip": "DEF"}}, jose.ErrSyntax},
		{"own epk", 1, jose.Key{Public: pub}, jose.A128GCM, jose.Header{Extra: map[string]any{"epk": "x"}}, jose.ErrSyntax},
		{"apu not base64url", 1, jose.Key{Public: pub}, jose.A128GCM, jose.Header{Extra: map[string]any{"apu": "="}}, jose.ErrSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := jose.Encrypt(make([]byte, tt.plain), tt.to, tt.enc, tt.h)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDecryptRefuses(t *testing.T) {
	key := newKey(t, jose.ES256)
	good, err := jose.Encrypt([]byte("hallo"), jose.Key{Public: key.Public()}, jose.A128GCM, jose.Header{})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	join := func(i int, part string) string {
		changed := append([]string(nil), parts...)
		changed[i] = part
		return strings.Join(changed, ".")
	}
	epk, _ := json.Marshal(jose.Key{Public: newKey(t, jose.ES256).Public()})
	epk384, _ := json.Marshal(jose.Key{Public: newKey(t, jose.ES384).Public()})
	point, _ := key.Public().(*ecdsa.PublicKey).Bytes()
	off := fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%[1]q,"y":%[1]q}`, base64.RawURLEncoding.EncodeToString(point[1:33]))
	header := func(h string) string { return join(0, b64(h)) }
	for _, tt := range []struct {
		name  string
		token string
		want  error
	}{
		{"empty", "", jose.ErrSyntax},
		{"four parts", strings.Join(parts[:4], "."), jose.ErrSyntax},
		{"six parts", good + ".x", jose.ErrSyntax},
		{"header not JSON", join(0, "AAAA"), jose.ErrSyntax},
		{"alg twice", header(`{"alg":"ECDH-ES","alg":"ECDH-ES","enc":"A128GCM","epk":` + string(epk) + `}`), jose.ErrSyntax},
		{"alg dir", header(`{"alg":"dir","enc":"A128GCM"}`), jose.ErrAlgorithm},
		{"alg RSA1_5", header(`{"alg":"RSA1_5","enc":"A128GCM"}`), jose.ErrAlgorithm},
		{"alg RSA-OAEP", header(`{"alg":"RSA-OAEP","enc":"A128GCM"}`), jose.ErrAlgorithm},
		{"alg PBES2", header(`{"alg":"PBES2-HS256+A128KW","p2c":100000000,"p2s":"AAAA","enc":"A128GCM"}`), jose.ErrAlgorithm},
		{"alg ECDH-ES+A128KW", header(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM","epk":` + string(epk) + `}`), jose.ErrAlgorithm},
		{"enc with CBC", header(`{"alg":"ECDH-ES","enc":"A128CBC-HS256","epk":` + string(epk) + `}`), jose.ErrAlgorithm},
		{"enc A192GCM", header(`{"alg":"ECDH-ES","enc":"A192GCM","epk":` + string(epk) + `}`), jose.ErrAlgorithm},
		{"enc absent", header(`{"alg":"ECDH-ES","epk":` + string(epk) + `}`), jose.ErrAlgorithm},
		{"zip", header(`{"alg":"ECDH-ES","enc":"A128GCM","zip":"DEF","epk":` + string(epk) + `}`), jose.ErrAlgorithm},
		{"crit", header(`{"alg":"ECDH-ES","enc":"A128GCM","crit":["x"],"x":1,"epk":` + string(epk) + `}`), jose.ErrCritical},
		{"epk absent", header(`{"alg":"ECDH-ES","enc":"A128GCM"}`), jose.ErrKey},
		{"epk off the curve", header(`{"alg":"ECDH-ES","enc":"A128GCM","epk":` + off + `}`), jose.ErrKey},
		{"epk on P-384", header(`{"alg":"ECDH-ES","enc":"A128GCM","epk":` + string(epk384) + `}`), jose.ErrKey},
		{"epk private", header(`{"alg":"ECDH-ES","enc":"A128GCM","epk":{"d":"AA",` + string(epk[1:]) + `}`), jose.ErrPrivate},
		{"epk of another", header(`{"alg":"ECDH-ES","enc":"A128GCM","epk":` + string(epk) + `}`), jose.ErrDecrypt},
		{"key part not empty", join(1, "AAAA"), jose.ErrSyntax},
		{"IV too long", join(2, "AAAAAAAAAAAAAAAAAAAA"), jose.ErrSyntax},
		{"IV changed", join(2, "AAAAAAAAAAAAAAAA"), jose.ErrDecrypt},
		{"ciphertext padded", join(3, parts[3]+"="), jose.ErrSyntax},
		{"ciphertext changed", join(3, "AAAAAAA"), jose.ErrDecrypt},
		{"ciphertext empty", join(3, ""), jose.ErrDecrypt},
		{"tag cut", join(4, parts[4][:16]), jose.ErrSyntax},
		{"tag changed", join(4, strings.Repeat("A", 22)), jose.ErrDecrypt},
		{"too long", join(3, strings.Repeat("A", 2*jose.MaxBytes)), jose.ErrSize},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plaintext, _, err := jose.Decrypt(tt.token, key, "")
			if !errors.Is(err, tt.want) || plaintext != nil {
				t.Errorf("got %q, error %v, want %v", plaintext, err, tt.want)
			}
		})
	}
}
