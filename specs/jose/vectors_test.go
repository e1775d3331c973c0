package jose_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
)

// cookbook is an example of RFC 7520, RFC 7797 or RFC 8037.
type cookbook struct {
	Title string
	Input struct {
		Payload string
		Key     json.RawMessage
		Alg     string
	}
	Output struct{ Compact string }
}

// publicOnly takes the private members off a JWK.
func publicOnly(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth"} {
		delete(m, name)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCookbookVerifies(t *testing.T) {
	folder := testkit.Vectors(t, "jose-cookbook-rfc7520")
	for _, tt := range []struct {
		file string
		alg  jose.Algorithm
	}{
		{"jws-4_1.rsa_v15_signature.json", jose.RS256},
		{"curve25519-jws.json", jose.EdDSA},
	} {
		t.Run(tt.file, func(t *testing.T) {
			var c cookbook
			folder.JSON(t, tt.file, &c)
			key, err := jose.ParseKey(publicOnly(t, c.Input.Key))
			if err != nil {
				t.Fatal(err)
			}
			s, err := jose.Parse(c.Output.Compact)
			if err != nil {
				t.Fatal(err)
			}
			if string(s.Payload) != c.Input.Payload {
				t.Errorf("payload %q, want %q", s.Payload, c.Input.Payload)
			}
			if err := s.Verify(key.Public, tt.alg); err != nil {
				t.Errorf("verify: %v", err)
			}
			if _, err := jose.ParseKey(c.Input.Key); !errors.Is(err, jose.ErrPrivate) {
				t.Errorf("private key as public: %v", err)
			}
		})
	}
	t.Run("RS256 only when named", func(t *testing.T) {
		var c cookbook
		folder.JSON(t, "jws-4_1.rsa_v15_signature.json", &c)
		key, _ := jose.ParseKey(publicOnly(t, c.Input.Key))
		s, err := jose.Parse(c.Output.Compact)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(key.Public); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("error %v, want %v", err, jose.ErrAlgorithm)
		}
	})
}

// TestCookbookRefused: everything in the cookbook outside our part of JOSE cannot be
// reached, with the right key at hand.
func TestCookbookRefused(t *testing.T) {
	folder := testkit.Vectors(t, "jose-cookbook-rfc7520")
	everything := []jose.Algorithm{"ES512", "PS384", "HS256", "none", jose.RS256, jose.ES256, jose.EdDSA}
	signer := newKey(t, jose.ES256)
	for _, tt := range []struct {
		file string
		want error
	}{
		{"jws-4_2.rsa-pss_signature.json", jose.ErrAlgorithm},
		{"jws-4_3.ecdsa_signature.json", jose.ErrAlgorithm}, // ES512
		{"jws-4_4.hmac-sha2_integrity_protection.json", jose.ErrAlgorithm},
		{"jws-4_5.signature_with_detached_content.json", jose.ErrAlgorithm},
		{"rfc7797-hmac-sha2_b64_false.json", jose.ErrCritical},
	} {
		t.Run(tt.file, func(t *testing.T) {
			var c cookbook
			folder.JSON(t, tt.file, &c)
			s, err := jose.Parse(c.Output.Compact)
			if err == nil {
				err = s.Verify(signer.Public(), everything...)
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	for _, file := range folder.Glob(t, "jwe-*.json") {
		t.Run(file, func(t *testing.T) {
			var c cookbook
			folder.JSON(t, file, &c)
			if c.Output.Compact == "" {
				t.Fatal("no compact form in the vector")
			}
			if _, _, err := jose.Decrypt(c.Output.Compact, signer, ""); !errors.Is(err, jose.ErrAlgorithm) {
				t.Errorf("error %v, want %v", err, jose.ErrAlgorithm)
			}
		})
	}
	t.Run("ECDH-ES with key wrap on X25519", func(t *testing.T) {
		var c cookbook
		folder.JSON(t, "curve25519-ecdh-es.json", &c)
		if _, _, err := jose.Decrypt(c.Output.Compact, signer, ""); err == nil {
			t.Error("accepted")
		}
	})
	for _, tt := range []struct {
		file string
		want error
	}{
		{"jwk-3_1.ec_public_key.json", jose.ErrKey}, // P-521
		{"jwk-3_2.ec_private_key.json", jose.ErrPrivate},
		{"jwk-3_3.rsa_public_key.json", nil},
		{"jwk-3_4.rsa_private_key.json", jose.ErrPrivate},
		{"jwk-3_5.symmetric_key_mac_computation.json", jose.ErrPrivate},
		{"jwk-3_6.symmetric_key_encryption.json", jose.ErrPrivate},
	} {
		t.Run(tt.file, func(t *testing.T) {
			if _, err := jose.ParseKey(folder.Read(t, tt.file)); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestThumbprintVectors(t *testing.T) {
	var v struct {
		Cases []struct {
			JWK    json.RawMessage
			SHA256 string `json:"sha256"`
		}
	}
	testkit.Vectors(t, "rfc7638").JSON(t, "thumbprints.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range v.Cases {
		k, err := jose.ParseKey(c.JWK)
		if err != nil {
			t.Fatalf("%s: %v", c.JWK, err)
		}
		if got, err := jose.Thumbprint(k.Public); err != nil || got != c.SHA256 {
			t.Errorf("thumbprint %q, %v, want %q\nof %s", got, err, c.SHA256, c.JWK)
		}
	}
}

func TestVCJOSECOSEVectors(t *testing.T) {
	folder := testkit.Vectors(t, "vc-jose-cose")
	for _, file := range []string{"vm-p256.json", "vm-p384.json", "vm-ed25519.json", "vm-p521.json"} {
		var method struct{ PublicKeyJwk, SecretKeyJwk json.RawMessage }
		folder.JSON(t, file, &method)
		_, err := jose.ParseKey(method.PublicKeyJwk)
		if file == "vm-p521.json" {
			if !errors.Is(err, jose.ErrKey) {
				t.Errorf("%s: error %v, want %v", file, err, jose.ErrKey)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if _, err := jose.ParsePrivate(method.SecretKeyJwk); err != nil {
			t.Errorf("%s: private: %v", file, err)
		}
	}
	var method struct{ PublicKeyJwk jose.Key }
	folder.JSON(t, "vm-p256.json", &method)
	s, err := jose.Parse(strings.TrimSpace(string(folder.Read(t, "credential-jose-minimal.txt"))))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(method.PublicKeyJwk.Public, jose.ES256); err != nil {
		t.Errorf("credential-jose-minimal: %v", err)
	}
}

// TestEncryptedResponseVector decrypts the example of OpenID4VP 1.0 section 8.3.
func TestEncryptedResponseVector(t *testing.T) {
	var v struct {
		JWE        string
		PrivateJWK json.RawMessage `json:"private_jwk"`
		Plaintext  string
	}
	testkit.Vectors(t, "openid4vp").JSON(t, "encrypted-response.json", &v)
	key, err := jose.ParsePrivate(v.PrivateJWK)
	if err != nil {
		t.Fatal(err)
	}
	got, h, err := jose.Decrypt(v.JWE, key, "ac", jose.A128GCM)
	if err != nil || string(got) != v.Plaintext || h.KeyID != "ac" {
		t.Errorf("got %q, %+v, %v", got, h, err)
	}
}

func TestSignedMetadataVector(t *testing.T) {
	var v struct{ JWT string }
	testkit.Vectors(t, "openid4vci").JSON(t, "signed-issuer-metadata.json", &v)
	s, err := jose.Parse(v.JWT)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := jose.ParseCertificates(s.Header.X5C)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(chain[0].PublicKey); err != nil {
		t.Errorf("signature: %v", err)
	}
	// The example's leaf is self-signed, which HAIP forbids.
	if err := jose.VerifyChain(chain, chain, time.Now()); err == nil {
		t.Error("self-signed leaf accepted")
	}
}

func TestX5CVectors(t *testing.T) {
	var v struct {
		Now    int64
		Anchor string `json:"trust_anchor_der_base64"`
		Cases  []struct{ Name, Credential, Expect string }
	}
	testkit.Vectors(t, "haip").JSON(t, "x5c-derived-cases.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	der, err := base64.StdEncoding.DecodeString(v.Anchor)
	if err != nil {
		t.Fatal(err)
	}
	anchors, err := jose.ParseCertificates([][]byte{der})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]error{
		"n01-anchor-inside-x5c":    jose.ErrAnchor,
		"n02-self-signed-leaf":     jose.ErrCertificate,
		"n05-intermediate-missing": jose.ErrCertificate,
		"n07-signed-by-other-key":  jose.ErrSignature,
	}
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			token, _, _ := strings.Cut(c.Credential, "~")
			s, err := jose.Parse(token)
			if err != nil {
				t.Fatal(err)
			}
			chain, err := jose.ParseCertificates(s.Header.X5C)
			if err == nil {
				err = jose.VerifyChain(chain, anchors, time.Unix(v.Now, 0))
			}
			if err == nil {
				err = s.Verify(chain[0].PublicKey)
			}
			if c.Expect == "accept" && err != nil || c.Expect != "accept" && err == nil {
				t.Fatalf("error %v, want %s", err, c.Expect)
			}
			if sentinel, ok := want[c.Name]; ok && !errors.Is(err, sentinel) {
				t.Errorf("error %v, want %v", err, sentinel)
			}
		})
	}
}
