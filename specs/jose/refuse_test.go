package jose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// raw makes a token of which the header is written by hand.
func raw(header, payload string, signature []byte) string {
	return b64(header) + "." + b64(payload) + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// spoil changes one character of the last segment in a way that lenient decoders
// do not see: the bits of the last character that belong to no byte.
func spoil(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last^1])
}

func TestParseRefuses(t *testing.T) {
	key := newKey(t, jose.ES256)
	good, err := jose.Sign(key, jose.Header{}, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	sig := make([]byte, 64)
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for _, tt := range []struct {
		name  string
		token string
		want  error
	}{
		{"empty", "", jose.ErrSyntax},
		{"two parts", header + "." + payload, jose.ErrSyntax},
		{"four parts", good + ".x", jose.ErrSyntax},
		{"trailing dot", good + ".", jose.ErrSyntax},
		{"padding on the signature", good + "==", jose.ErrSyntax},
		{"padding on the header", header + "=." + rest, jose.ErrSyntax},
		{"line break in the signature", header + "." + payload + "." + signature[:8] + "\n" + signature[8:], jose.ErrSyntax},
		{"line breaks behind the signature", good + "\r\n", jose.ErrSyntax},
		{"line break in the payload", header + "." + "e\n30" + "." + signature, jose.ErrSyntax},
		{"white space around", " " + good, jose.ErrSyntax},
		{"base64 instead of base64url", header + "." + "+/+/" + "." + signature, jose.ErrSyntax},
		{"unused bits of the signature set", spoil(good), jose.ErrSyntax},
		{"header is an array", raw(`[]`, "{}", sig), jose.ErrSyntax},
		{"header is a string", raw(`"ES256"`, "{}", sig), jose.ErrSyntax},
		{"alg twice", raw(`{"alg":"ES256","alg":"none"}`, "{}", sig), jose.ErrSyntax},
		{"alg twice, escaped", raw(`{"alg":"ES256","\u0061lg":"none"}`, "{}", sig), jose.ErrSyntax},
		{"unknown member twice", raw(`{"alg":"ES256","x":1,"x":1}`, "{}", sig), jose.ErrSyntax},
		{"alg is a list", raw(`{"alg":["ES256"]}`, "{}", sig), jose.ErrSyntax},
		{"kid is a number", raw(`{"alg":"ES256","kid":1}`, "{}", sig), jose.ErrSyntax},
		{"header with trailing bytes", raw(`{"alg":"ES256"}{}`, "{}", sig), jose.ErrSyntax},
		{"header not UTF-8", raw("{\"alg\":\"ES256\",\"kid\":\"\xff\"}", "{}", sig), jose.ErrSyntax},
		{"header deep", raw(`{"alg":"ES256","x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}`, "{}", sig), jose.ErrSyntax},
		{"header with a huge number", raw(`{"alg":"ES256","x":1e300}`, "{}", sig), jose.ErrSyntax},
		{"crit unknown", raw(`{"alg":"ES256","crit":["exp"],"exp":1}`, "{}", sig), jose.ErrCritical},
		{"crit empty", raw(`{"alg":"ES256","crit":[]}`, "{}", sig), jose.ErrCritical},
		{"crit not a list", raw(`{"alg":"ES256","crit":"b64"}`, "{}", sig), jose.ErrCritical},
		{"b64 without crit", raw(`{"alg":"ES256","b64":false}`, "{}", sig), jose.ErrCritical},
		{"x5c as PEM", raw(`{"alg":"ES256","x5c":["-----BEGIN CERTIFICATE-----"]}`, "{}", sig), jose.ErrSyntax},
		{"x5c in base64url", raw(`{"alg":"ES256","x5c":["-_-_"]}`, "{}", sig), jose.ErrSyntax},
		{"x5c with a line break", raw(`{"alg":"ES256","x5c":["MIIB\nMIIB"]}`, "{}", sig), jose.ErrSyntax},
		{"x5c with many certificates", raw(`{"alg":"ES256","x5c":[`+strings.Repeat(`"AAAA",`, 20)+`"AAAA"]}`, "{}", sig), jose.ErrSize},
		{"jwk symmetric", raw(`{"alg":"ES256","jwk":{"kty":"oct","k":"AAAA"}}`, "{}", sig), jose.ErrPrivate},
		{"jwk private", raw(`{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","d":"AAAA"}}`, "{}", sig), jose.ErrPrivate},
		{"header too long", raw(`{"alg":"ES256","x":"`+strings.Repeat("a", 70000)+`"}`, "{}", sig), jose.ErrSize},
		{"token too long", raw(`{"alg":"ES256"}`, strings.Repeat("a", jose.MaxBytes), sig), jose.ErrSize},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := jose.Parse(tt.token)
			if !errors.Is(err, tt.want) || s != nil {
				t.Errorf("got %v, error %v, want %v", s, err, tt.want)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	ec, ec384, ed := newKey(t, jose.ES256), newKey(t, jose.ES384), newKey(t, jose.EdDSA)
	rsa1024 := &rsa.PublicKey{N: new(big.Int).SetBytes(bytes.Repeat([]byte{0xff}, 128)), E: 65537}
	sign := func(k *jose.PrivateKey) string {
		token, err := jose.Sign(k, jose.Header{}, []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	// The classic: the public key, as everybody knows it, taken for a secret.
	confused := b64(`{"alg":"HS256"}`) + "." + b64("{}")
	jwk, _ := json.Marshal(jose.Key{Public: ec.Public()})
	mac := hmac.New(sha256.New, jwk)
	mac.Write([]byte(confused))
	confused += "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))

	token := sign(ec)
	body := token[:strings.LastIndexByte(token, '.')]
	sig, _ := base64.RawURLEncoding.DecodeString(token[len(body)+1:])
	withSignature := func(b []byte) string { return body + "." + base64.RawURLEncoding.EncodeToString(b) }
	der, _ := ec.Sign(rand.Reader, sha256.New().Sum(nil)[:32], nil)

	for _, tt := range []struct {
		name    string
		token   string
		key     any
		allowed []jose.Algorithm
		want    error
	}{
		{"alg none", raw(`{"alg":"none"}`, "{}", nil), ec.Public(), nil, jose.ErrAlgorithm},
		{"alg none, asked for", raw(`{"alg":"none"}`, "{}", nil), ec.Public(), []jose.Algorithm{"none"}, jose.ErrAlgorithm},
		{"alg absent", raw(`{}`, "{}", sig), ec.Public(), []jose.Algorithm{""}, jose.ErrAlgorithm},
		{"HMAC with the public key", confused, ec.Public(), []jose.Algorithm{"HS256"}, jose.ErrAlgorithm},
		{"alg in lower case", raw(`{"alg":"es256"}`, "{}", sig), ec.Public(), nil, jose.ErrAlgorithm},
		{"not allowed here", token, ec.Public(), []jose.Algorithm{jose.EdDSA}, jose.ErrAlgorithm},
		{"ES256 with a P-384 key", token, ec384.Public(), nil, jose.ErrAlgorithm},
		{"ES256 with an Ed25519 key", token, ed.Public(), nil, jose.ErrAlgorithm},
		{"no key", token, nil, nil, jose.ErrKey},
		{"key by value", token, *(ec.Public().(*ecdsa.PublicKey)), nil, jose.ErrKey},
		{"private key", token, ec, nil, jose.ErrKey},
		{"P-224", token, &ecdsa.PublicKey{Curve: elliptic.P224()}, nil, jose.ErrKey},
		{"point at infinity", token, rawPoint(0, 0), nil, jose.ErrSignature},
		{"point off the curve", token, rawPoint(1, 1), nil, jose.ErrSignature},
		{"RSA of 1024 bits", raw(`{"alg":"RS256"}`, "{}", sig), rsa1024, []jose.Algorithm{jose.RS256}, jose.ErrKey},
		{"Ed25519 key of small order", sign(ed), ed25519.PublicKey(make([]byte, 32)), nil, jose.ErrKey},
		{"Ed25519 key too short", sign(ed), ed25519.PublicKey{1}, nil, jose.ErrKey},
		{"signature empty", withSignature(nil), ec.Public(), nil, jose.ErrSignature},
		{"signature zero", withSignature(make([]byte, 64)), ec.Public(), nil, jose.ErrSignature},
		{"signature r = s = order", withSignature(append(elliptic.P256().Params().N.Bytes(), elliptic.P256().Params().N.Bytes()...)), ec.Public(), nil, jose.ErrSignature},
		{"signature one byte longer", withSignature(append([]byte{0}, sig...)), ec.Public(), nil, jose.ErrSignature},
		{"signature one byte shorter", withSignature(sig[:63]), ec.Public(), nil, jose.ErrSignature},
		{"signature with zero halves prepended", withSignature(append(append(make([]byte, 16), sig[:32]...), append(make([]byte, 16), sig[32:]...)...)), ec.Public(), nil, jose.ErrSignature},
		{"signature in ASN.1", withSignature(der), ec.Public(), nil, jose.ErrSignature},
		{"payload changed", strings.Replace(token, "."+b64(`{"a":1}`), "."+b64(`{"a":2}`), 1), ec.Public(), nil, jose.ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := jose.Parse(tt.token)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(tt.key, tt.allowed...); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	ec := newKey(t, jose.ES256)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		signer interface {
			Sign(jose.Header) error
		}
		header jose.Header
		want   error
	}{
		{"none", with(ec), jose.Header{Algorithm: "none"}, jose.ErrAlgorithm},
		{"HS256", with(ec), jose.Header{Algorithm: "HS256"}, jose.ErrAlgorithm},
		{"ES384 with a P-256 key", with(ec), jose.Header{Algorithm: jose.ES384}, jose.ErrAlgorithm},
		{"RS256", with(rsaKey), jose.Header{}, jose.ErrAlgorithm},
		{"P-521", with(p521), jose.Header{}, jose.ErrKey},
		{"alg in Extra", with(ec), jose.Header{Extra: map[string]any{"alg": "none"}}, jose.ErrSyntax},
		{"crit in Extra", with(ec), jose.Header{Extra: map[string]any{"crit": []any{"x"}}}, jose.ErrSyntax},
		{"header too long", with(ec), jose.Header{KeyID: strings.Repeat("k", 70000)}, jose.ErrSize},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.signer.Sign(tt.header); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := jose.Generate("RS256"); !errors.Is(err, jose.ErrAlgorithm) {
		t.Errorf("generate RS256: %v", err)
	}
}

func TestKeyRefuses(t *testing.T) {
	ec := newKey(t, jose.ES256).Public().(*ecdsa.PublicKey)
	point, _ := ec.Bytes()
	x, y := point[1:33], point[33:]
	enc := base64.RawURLEncoding.EncodeToString
	jwk := func(crv string, x, y []byte) string {
		return fmt.Sprintf(`{"kty":"EC","crv":%q,"x":%q,"y":%q}`, crv, enc(x), enc(y))
	}
	okp := func(hexKey string) string {
		k, err := hex.DecodeString(hexKey)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q}`, enc(k))
	}
	n2048 := bytes.Repeat([]byte{0xff}, 256)
	rsaJWK := func(n, e []byte) string { return fmt.Sprintf(`{"kty":"RSA","n":%q,"e":%q}`, enc(n), enc(e)) }
	e65537 := []byte{1, 0, 1}
	zero := make([]byte, 32)
	for _, tt := range []struct {
		name string
		jwk  string
		want error
	}{
		{"good", jwk("P-256", x, y), nil},
		{"good with unknown members", `{"foo":[1],` + jwk("P-256", x, y)[1:], nil},
		{"good RSA", rsaJWK(n2048, e65537), nil},
		{"empty", `{}`, jose.ErrKey},
		{"not an object", `"x"`, jose.ErrSyntax},
		{"member twice", `{"kty":"EC",` + jwk("P-256", x, y)[1:], jose.ErrSyntax},
		{"KTY in capitals", strings.Replace(jwk("P-256", x, y), "kty", "KTY", 1), jose.ErrKey},
		{"point off the curve", jwk("P-256", x, x), jose.ErrKey},
		{"point zero", jwk("P-256", zero, zero), jose.ErrKey},
		{"coordinate beyond the prime", jwk("P-256", bytes.Repeat([]byte{0xff}, 32), y), jose.ErrKey},
		{"coordinate with a leading zero", jwk("P-256", append([]byte{0}, x...), y), jose.ErrKey},
		{"coordinate too short", jwk("P-256", x[1:], y), jose.ErrKey},
		{"P-256 point called P-384", jwk("P-384", x, y), jose.ErrKey},
		{"secp256k1", jwk("secp256k1", x, y), jose.ErrKey},
		{"P-521", jwk("P-521", x, y), jose.ErrKey},
		{"y absent", `{"kty":"EC","crv":"P-256","x":"` + enc(x) + `"}`, jose.ErrKey},
		{"padded coordinate", strings.Replace(jwk("P-256", x, y), enc(x), enc(x)+"=", 1), jose.ErrSyntax},
		{"alg of another key", `{"alg":"ES384",` + jwk("P-256", x, y)[1:], jose.ErrKey},
		{"private member", `{"d":"AA",` + jwk("P-256", x, y)[1:], jose.ErrPrivate},
		{"private member of another type", `{"d":[1],` + jwk("P-256", x, y)[1:], jose.ErrPrivate},
		{"RSA private member", `{"qi":"AA",` + rsaJWK(n2048, e65537)[1:], jose.ErrPrivate},
		{"oct", `{"kty":"oct","k":"AAAA"}`, jose.ErrPrivate},
		{"X25519", `{"kty":"OKP","crv":"X25519","x":"` + enc(x) + `"}`, jose.ErrKey},
		{"Ed448", `{"kty":"OKP","crv":"Ed448","x":"` + enc(x) + `"}`, jose.ErrKey},
		{"Ed25519 too short", okp("0102"), jose.ErrKey},
		{"Ed25519 order 1", okp("01" + strings.Repeat("00", 31)), jose.ErrKey},
		{"Ed25519 order 1, sign set", okp("01" + strings.Repeat("00", 30) + "80"), jose.ErrKey},
		{"Ed25519 order 2", okp("ec" + strings.Repeat("ff", 30) + "7f"), jose.ErrKey},
		{"Ed25519 order 4", okp(strings.Repeat("00", 32)), jose.ErrKey},
		{"Ed25519 order 8", okp("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), jose.ErrKey},
		{"Ed25519 order 8, sign set", okp("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"), jose.ErrKey},
		{"Ed25519 order 8, the other", okp("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), jose.ErrKey},
		{"Ed25519 y = p", okp("ed" + strings.Repeat("ff", 30) + "7f"), jose.ErrKey},
		{"Ed25519 y = p + 1", okp("ee" + strings.Repeat("ff", 30) + "7f"), jose.ErrKey},
		{"Ed25519 y = 2^255 - 1", okp(strings.Repeat("ff", 32)), jose.ErrKey},
		{"Ed25519 off the curve", okp("02" + strings.Repeat("00", 31)), jose.ErrKey},
		{"RSA of 2040 bits", rsaJWK(n2048[1:], e65537), jose.ErrKey},
		{"RSA of 16384 bits", rsaJWK(bytes.Repeat([]byte{0xff}, 2048), e65537), jose.ErrKey},
		{"RSA even modulus", rsaJWK(append(bytes.Clone(n2048[1:]), 0xfe), e65537), jose.ErrKey},
		{"RSA modulus with a leading zero", rsaJWK(append([]byte{0}, n2048...), e65537), jose.ErrKey},
		{"RSA exponent 1", rsaJWK(n2048, []byte{1}), jose.ErrKey},
		{"RSA exponent 3", rsaJWK(n2048, []byte{3}), jose.ErrKey},
		{"RSA exponent even", rsaJWK(n2048, []byte{1, 0, 2}), jose.ErrKey},
		{"RSA exponent huge", rsaJWK(n2048, bytes.Repeat([]byte{0xff}, 16)), jose.ErrKey},
		{"RSA exponent of 32 bits", rsaJWK(n2048, bytes.Repeat([]byte{0xff}, 4)), jose.ErrKey},
		{"x5c not a certificate", `{"x5c":["AAAA"],` + jwk("P-256", x, y)[1:], jose.ErrCertificate},
		{"too long", `{"foo":"` + strings.Repeat("a", 70000) + `",` + jwk("P-256", x, y)[1:], jose.ErrSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := jose.ParseKey([]byte(tt.jwk)); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			var members map[string]any
			if ijson.Unmarshal([]byte(tt.jwk), &members) != nil || len(tt.jwk) > 65536 {
				return // refused before it is a key
			}
			if _, err := jose.KeyOf(members); !errors.Is(err, tt.want) {
				t.Errorf("decoded first: error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestPrivateKeyHidesItself(t *testing.T) {
	key := newKey(t, jose.ES256)
	stored, err := jose.MarshalPrivate(key)
	if err != nil {
		t.Fatal(err)
	}
	var members struct{ D string }
	if err := json.Unmarshal(stored, &members); err != nil {
		t.Fatal(err)
	}
	ec, _ := key.ECDSA()
	d, err := ec.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{members.D, new(big.Int).SetBytes(d).String(), hex.EncodeToString(d)}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key)
	encoded, encodeErr := json.Marshal(map[string]any{"key": key})
	if encodeErr == nil {
		t.Errorf("encoded: %s", encoded)
	}
	for _, text := range []string{
		fmt.Sprint(key), fmt.Sprintf("%v %+v %#v %s %x %d %q", key, key, key, key, key, key, key),
		fmt.Sprintf("%+v", struct{ K *jose.PrivateKey }{key}), log.String(), encodeErr.Error(),
	} {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("private key in %q", text)
			}
		}
	}
	again, err := jose.ParsePrivate(stored)
	if err != nil || !jose.SameKey(again.Public(), key.Public()) {
		t.Errorf("stored and read: %v", err)
	}
}

func TestParsePrivateRefuses(t *testing.T) {
	a, _ := jose.MarshalPrivate(newKey(t, jose.ES256))
	b, _ := jose.MarshalPrivate(newKey(t, jose.ES256))
	var ma, mb map[string]any
	_ = json.Unmarshal(a, &ma)
	_ = json.Unmarshal(b, &mb)
	public := map[string]any{"kty": ma["kty"], "crv": ma["crv"], "x": ma["x"], "y": ma["y"]}
	set := func(d any) string {
		public["d"] = d
		out, _ := json.Marshal(public)
		return string(out)
	}
	for _, tt := range []struct {
		name string
		jwk  string
		want error
	}{
		{"no private member", set(nil), jose.ErrKey},
		{"private member of another key", set(mb["d"]), jose.ErrKey},
		{"zero", set(base64.RawURLEncoding.EncodeToString(make([]byte, 32))), jose.ErrKey},
		{"too short", set("AQ"), jose.ErrKey},
		{"beyond the order", set(base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 32))), jose.ErrKey},
		{"not base64url", set("=="), jose.ErrSyntax},
		{"not JSON", "{", jose.ErrSyntax},
	} {
		if _, err := jose.ParsePrivate([]byte(tt.jwk)); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
	}
}
