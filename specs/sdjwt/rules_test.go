package sdjwt_test

import (
	"errors"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// TestProcessingRules breaks every rule of RFC 9901 7.1, one at a time, in a
// token that is fine but for that. The control at the top shows that it is.
func TestProcessingRules(t *testing.T) {
	key := testkit.P256(t)
	member := b64(t, []any{"salt", "beroep", "lasser"})
	other := b64(t, []any{"salt", "beroep", "monteur"})
	element := b64(t, []any{"salt", "NL"})
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)

	// A chain of recursive disclosures deeper than the limit over all together.
	var chain []string
	inner := any("end")
	for range sdjwt.MaxDepth + 2 {
		d := b64(t, []any{"salt", "n", inner})
		chain = append(chain, d)
		inner = map[string]any{"_sd": []string{digest(d)}}
	}

	for _, tt := range []struct {
		name        string
		payload     any
		disclosures []string
		want        error
	}{
		{"control: member and element", map[string]any{"_sd": []string{digest(member)}, "landen": []any{map[string]any{"...": digest(element)}}}, []string{member, element}, nil},
		{"control: decoys are ignored", map[string]any{"_sd": []string{digest(other)}, "landen": []any{map[string]any{"...": digest(element)}}}, nil, nil},
		{"2.d unknown hash", map[string]any{"_sd_alg": "md5"}, nil, sdjwt.ErrHashAlgorithm},
		{"2.d hash in capitals", map[string]any{"_sd_alg": "SHA-256"}, nil, sdjwt.ErrHashAlgorithm},
		{"2.d hash is no string", map[string]any{"_sd_alg": 256}, nil, sdjwt.ErrHashAlgorithm},
		{"2.d empty hash", map[string]any{"_sd_alg": ""}, nil, sdjwt.ErrHashAlgorithm},
		{"3.b _sd is no array", map[string]any{"_sd": digest(member)}, []string{member}, sdjwt.ErrReservedName},
		{"3.b _sd holds a number", map[string]any{"_sd": []any{1}}, nil, sdjwt.ErrReservedName},
		{"3.b ... in an object", map[string]any{"...": digest(element)}, []string{element}, sdjwt.ErrReservedName},
		{"3.b ... with a companion", map[string]any{"a": []any{map[string]any{"...": digest(element), "b": 1}}}, []string{element}, sdjwt.ErrReservedName},
		{"3.b ... is no string", map[string]any{"a": []any{map[string]any{"...": 1}}}, nil, sdjwt.ErrReservedName},
		{"3.c.ii.1 two elements for a member", map[string]any{"_sd": []string{digest(element)}}, []string{element}, sdjwt.ErrDisclosure},
		{"3.c.iii.1 three elements for an element", map[string]any{"a": []any{map[string]any{"...": digest(member)}}}, []string{member}, sdjwt.ErrDisclosure},
		{"3.c.ii.2 claim named _sd", claim(t, "_sd", []string{}), disclosed(t, "_sd", []string{}), sdjwt.ErrReservedName},
		{"3.c.ii.2 claim named ...", claim(t, "...", "x"), disclosed(t, "...", "x"), sdjwt.ErrReservedName},
		{"3.c.ii.2 claim named _sd_alg", claim(t, "_sd_alg", "sha-256"), disclosed(t, "_sd_alg", "sha-256"), sdjwt.ErrReservedName},
		{"3.c.ii.3 claim in the payload already", map[string]any{"beroep": "kok", "_sd": []string{digest(member)}}, []string{member}, sdjwt.ErrClaimExists},
		{"3.c.ii.3 claim disclosed twice", map[string]any{"_sd": []string{digest(member), digest(other)}}, []string{member, other}, sdjwt.ErrClaimExists},
		{"4 digest twice in one _sd", map[string]any{"_sd": []string{digest(member), digest(member)}}, []string{member}, sdjwt.ErrDuplicateDigest},
		{"4 digest twice without disclosure", map[string]any{"_sd": []string{digest(member)}, "a": map[string]any{"_sd": []string{digest(member)}}}, nil, sdjwt.ErrDuplicateDigest},
		{"4 digest in _sd and in an array", map[string]any{"_sd": []string{digest(element)}, "a": []any{map[string]any{"...": digest(element)}}}, nil, sdjwt.ErrDuplicateDigest},
		{"4 digest again inside a disclosure", twice(t), []string{b64(t, []any{"salt", "a", map[string]any{"_sd": []string{"x"}}})}, sdjwt.ErrDuplicateDigest},
		{"4 the same disclosure twice", map[string]any{"_sd": []string{digest(member)}}, []string{member, member}, sdjwt.ErrDuplicateDigest},
		{"5 disclosure without digest", map[string]any{"_sd": []string{}}, []string{member}, sdjwt.ErrUnreferenced},
		{"5 child without its parent", map[string]any{"_sd": []string{digest(b64(t, []any{"salt", "a", map[string]any{"_sd": []string{digest(member)}}}))}}, []string{member}, sdjwt.ErrUnreferenced},
		{"4.1.1 nested _sd_alg", map[string]any{"a": map[string]any{"_sd_alg": "sha-256"}}, nil, sdjwt.ErrReservedName},
		{"4.1.1 nested _sd_alg in a disclosure", claim(t, "a", map[string]any{"_sd_alg": "sha-256"}), disclosed(t, "a", map[string]any{"_sd_alg": "sha-256"}), sdjwt.ErrReservedName},
		{"disclosure is no array", map[string]any{}, []string{b64(t, map[string]any{"a": 1})}, sdjwt.ErrDisclosure},
		{"disclosure of one element", map[string]any{}, []string{b64(t, []any{"salt"})}, sdjwt.ErrDisclosure},
		{"disclosure of four elements", map[string]any{}, []string{b64(t, []any{"salt", "a", 1, 2})}, sdjwt.ErrDisclosure},
		{"salt is no string", map[string]any{}, []string{b64(t, []any{1, "a", "b"})}, sdjwt.ErrDisclosure},
		{"name is no string", map[string]any{}, []string{b64(t, []any{"salt", 1, "b"})}, sdjwt.ErrDisclosure},
		{"disclosure is null", map[string]any{}, []string{b64(t, nil)}, sdjwt.ErrDisclosure},
		{"disclosure with trailing bytes", map[string]any{}, []string{b64(t, []byte(`["salt","a","b"]x`))}, sdjwt.ErrDisclosure},
		{"disclosure with a member twice", map[string]any{}, []string{b64(t, []byte(`["salt","a",{"b":1,"b":2}]`))}, sdjwt.ErrDisclosure},
		{"disclosure with invalid UTF-8", map[string]any{}, []string{b64(t, []byte("[\"salt\",\"a\",\"\xff\"]"))}, sdjwt.ErrDisclosure},
		{"disclosure nested too deep", map[string]any{}, []string{b64(t, []byte(`["salt","a",`+deep+`]`))}, sdjwt.ErrDisclosure},
		{"disclosure with padding", map[string]any{"_sd": []string{digest(member + "=")}}, []string{member + "="}, sdjwt.ErrDisclosure},
		{"disclosure with a line break", map[string]any{}, []string{member[:8] + "\n" + member[8:]}, sdjwt.ErrDisclosure},
		{"disclosure in the standard alphabet", map[string]any{}, []string{"WyJ+/yJd"}, sdjwt.ErrDisclosure},
		{"disclosure with loose bits", map[string]any{}, []string{strings.TrimSuffix(b64(t, []any{"salts", "b"}), "Q") + "R"}, sdjwt.ErrDisclosure},
		{"empty disclosure", map[string]any{}, []string{""}, sdjwt.ErrDisclosure},
		{"recursion too deep", map[string]any{"_sd": []string{digest(chain[len(chain)-1])}}, chain, sdjwt.ErrTooLarge},
		{"too many disclosures", map[string]any{}, make([]string, sdjwt.MaxDisclosures+1), sdjwt.ErrTooLarge},
		{"payload is an array", []any{}, nil, sdjwt.ErrMalformed},
		{"payload is null", "null", nil, sdjwt.ErrMalformed},
		{"payload with a member twice", `{"a":1,"a":2}`, nil, sdjwt.ErrMalformed},
		{"payload with trailing bytes", `{"a":1}{}`, nil, sdjwt.ErrMalformed},
		{"payload with a huge number", `{"a":123456789012345678901234567890}`, nil, sdjwt.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := forge(t, key, tt.payload, tt.disclosures...)
			_, claims, err := open(s, &key.PublicKey)
			if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
			if err != nil && claims != nil {
				t.Errorf("claims in spite of the error: %v", claims)
			}
		})
	}
}

// claim is a payload whose only digest is that of the disclosure with this name
// and value.
func claim(t *testing.T, name string, value any) map[string]any {
	return map[string]any{"_sd": []string{digest(disclosed(t, name, value)[0])}}
}

func disclosed(t *testing.T, name string, value any) []string {
	return []string{b64(t, []any{"salt", name, value})}
}

// twice holds the digest "x" in clear and again inside the disclosure of a.
func twice(t *testing.T) map[string]any {
	d := digest(b64(t, []any{"salt", "a", map[string]any{"_sd": []string{"x"}}}))
	return map[string]any{"_sd": []string{d}, "b": map[string]any{"_sd": []string{"x"}}}
}

// TestIssuerSignature breaks steps 2.a and 2.b.
func TestIssuerSignature(t *testing.T) {
	key, stranger := testkit.P256(t), testkit.P256(t)
	good := forge(t, key, map[string]any{"beroep": "lasser"})
	jwt, _, _ := strings.Cut(good, "~")
	parts := strings.Split(jwt, ".")
	other := strings.Split(forge(t, key, map[string]any{"beroep": "kok"}), ".")

	if _, _, err := open(good, &key.PublicKey); err != nil {
		t.Fatalf("control: %v", err)
	}
	if _, _, err := open(good, &stranger.PublicKey); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("another key: got %v, want %v", err, jose.ErrSignature)
	}
	swapped := parts[0] + "." + other[1] + "." + parts[2] + "~"
	if _, _, err := open(swapped, &key.PublicKey); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("another payload: got %v, want %v", err, jose.ErrSignature)
	}
	none := b64(t, map[string]any{"alg": "none", "typ": "example+sd-jwt"}) + "." + parts[1] + ".~"
	if _, _, err := open(none, &key.PublicKey); err == nil {
		t.Error("alg none was accepted")
	}
	tok, err := sdjwt.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.VerifyIssuer(&key.PublicKey, jose.EdDSA); !errors.Is(err, jose.ErrAlgorithm) {
		t.Errorf("algorithm not allowed: got %v, want %v", err, jose.ErrAlgorithm)
	}
}

// TestSerialization breaks the form of section 4.
func TestSerialization(t *testing.T) {
	key := testkit.P256(t)
	good := forge(t, key, map[string]any{"beroep": "lasser"})
	jwt := strings.TrimSuffix(good, "~")
	for _, tt := range []struct {
		name, in string
		want     error
	}{
		{"empty", "", sdjwt.ErrMalformed},
		{"no final tilde", jwt, sdjwt.ErrMalformed},
		{"too large", strings.Repeat("a", sdjwt.MaxSize+1), sdjwt.ErrTooLarge},
		{"empty disclosure", jwt + "~~", sdjwt.ErrDisclosure},
		{"no jwt", "~", nil},
		{"key binding is no jwt", jwt + "~abc", nil},
		{"line break at the end", good + "\n", nil},
		{"blank in front", " " + good, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tok, err := sdjwt.Parse(tt.in)
			if err == nil {
				t.Fatal("accepted")
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if tok != nil {
				t.Error("a token in spite of the error")
			}
		})
	}
}
