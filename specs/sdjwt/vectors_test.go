package sdjwt_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// A printed is an example of RFC 9901 as printed there.
type printed struct {
	Compact     string          `json:"compact"`
	IssuerJWK   json.RawMessage `json:"issuer_jwk"`
	Payload     map[string]any  `json:"payload"`
	Disclosures []struct {
		Encoded string `json:"encoded"`
		Digest  string `json:"digest"`
		Salt    string `json:"salt"`
	} `json:"disclosures"`
	KB *struct {
		Payload map[string]any `json:"payload"`
	} `json:"kb_jwt"`
	Processed map[string]any `json:"processed_payload"`
	All       map[string]any `json:"processed_payload_all_disclosed"`
	None      map[string]any `json:"processed_payload_none_disclosed"`
	Expects   struct{ Nonce, Aud string }
}

func (p *printed) UnmarshalJSON(raw []byte) error {
	type plain printed
	var x struct {
		plain
		V struct {
			Nonce string `json:"nonce"`
			Aud   string `json:"aud"`
		} `json:"verifier_expects"`
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		return err
	}
	*p = printed(x.plain)
	p.Expects.Nonce, p.Expects.Aud = x.V.Nonce, x.V.Aud
	return nil
}

// TestRFC9901Examples reads the examples that are printed whole.
func TestRFC9901Examples(t *testing.T) {
	folder := testkit.Vectors(t, "sd-jwt")
	n := 0
	for _, name := range folder.Glob(t, "rfc9901/*.json") {
		var p printed
		folder.JSON(t, name, &p)
		if p.Compact == "" {
			continue
		}
		n++
		t.Run(name, func(t *testing.T) {
			key, err := jose.ParseKey(p.IssuerJWK)
			if err != nil {
				t.Fatal(err)
			}
			tok, claims, err := open(p.Compact, key.Public)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p.Processed, claims); diff != "" {
				t.Errorf("processed payload (-want +got):\n%s", diff)
			}
			if tok.String() != p.Compact {
				t.Error("the text changed")
			}
			for i, d := range tok.Disclosures() {
				if d.Digest() != p.Disclosures[i].Digest || d.Salt != p.Disclosures[i].Salt {
					t.Errorf("disclosure %d: got %s %s", i, d.Digest(), d.Salt)
				}
			}
			if p.KB == nil {
				return
			}
			pub, _, err := sdjwt.Confirmation(claims)
			if err != nil {
				t.Fatal(err)
			}
			at, _ := sdjwt.NumericDate(p.KB.Payload["iat"])
			if _, err := tok.VerifyKeyBinding(pub, sdjwt.KeyBindingPolicy{Audience: p.Expects.Aud, Nonce: p.Expects.Nonce, Now: at}); err != nil {
				t.Errorf("key binding: %v", err)
			}
		})
	}
	if n == 0 {
		t.Fatal("no examples found")
	}
}

// TestRFC9901Nested reads the unsigned payloads of section 6, signs them itself,
// and discloses all, nothing, and a child without its parent.
func TestRFC9901Nested(t *testing.T) {
	folder := testkit.Vectors(t, "sd-jwt")
	key := testkit.P256(t)
	for _, name := range []string{"6.1-flat", "6.2-structured", "6.3-recursive"} {
		var p printed
		folder.JSON(t, "rfc9901/"+name+".json", &p)
		var encoded []string
		for _, d := range p.Disclosures {
			encoded = append(encoded, d.Encoded)
		}
		t.Run(name, func(t *testing.T) {
			tok, claims, err := open(forge(t, key, p.Payload, encoded...), &key.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p.All, claims); diff != "" {
				t.Errorf("all disclosed (-want +got):\n%s", diff)
			}
			none, err := tok.Select(func([]any, any) bool { return false })
			if err != nil {
				t.Fatal(err)
			}
			if claims, err = none.Claims(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p.None, claims); diff != "" {
				t.Errorf("nothing disclosed (-want +got):\n%s", diff)
			}
		})
		if name == "6.3-recursive" {
			_, _, err := open(forge(t, key, p.Payload, encoded[0]), &key.PublicKey)
			if !errors.Is(err, sdjwt.ErrUnreferenced) {
				t.Errorf("child without parent: got %v", err)
			}
		}
	}
}

// TestDisclosureEncodings takes the printed encodings of section 4.2: different
// texts of one JSON value are different disclosures, each read as it came.
func TestDisclosureEncodings(t *testing.T) {
	var v struct {
		Member struct {
			Disclosure string `json:"disclosure"`
			Digest     string `json:"digest_sha256"`
		} `json:"object_property"`
		Equivalent []struct {
			How        string `json:"how"`
			Disclosure string `json:"disclosure"`
		} `json:"equivalent_encodings"`
		Element struct {
			Disclosure string         `json:"disclosure"`
			Digest     string         `json:"digest_sha256"`
			Payload    map[string]any `json:"payload"`
			Without    map[string]any `json:"processed_without"`
			With       map[string]any `json:"processed_with"`
		} `json:"array_element"`
	}
	testkit.Vectors(t, "sd-jwt").JSON(t, "rfc9901/4.2-disclosure-encodings.json", &v)
	key := testkit.P256(t)
	texts := []string{v.Member.Disclosure}
	for _, e := range v.Equivalent {
		texts = append(texts, e.Disclosure)
	}
	for _, text := range texts {
		_, claims, err := open(forge(t, key, map[string]any{"_sd": []string{digest(text)}}, text), &key.PublicKey)
		if err != nil || claims["family_name"] != "Möbius" {
			t.Errorf("%s: got %v, %v", text, claims, err)
		}
	}
	if got := digest(v.Member.Disclosure); got != v.Member.Digest {
		t.Errorf("digest: got %s, want %s", got, v.Member.Digest)
	}
	for _, c := range []struct {
		disclosures []string
		want        map[string]any
	}{{nil, v.Element.Without}, {[]string{v.Element.Disclosure}, v.Element.With}} {
		_, claims, err := open(forge(t, key, v.Element.Payload, c.disclosures...), &key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, claims); diff != "" {
			t.Errorf("element (-want +got):\n%s", diff)
		}
	}
}

// derivedErrors is the kind of failure of each negative case that this package
// judges.
var derivedErrors = map[string]error{
	"n01": sdjwt.ErrUnreferenced, "n02": sdjwt.ErrDuplicateDigest, "n03": sdjwt.ErrDuplicateDigest,
	"n05": sdjwt.ErrReservedName, "n07": sdjwt.ErrClaimExists, "n13": sdjwt.ErrUnreferenced,
	"n16": sdjwt.ErrHashAlgorithm, "n17": jose.ErrAlgorithm, "n19": jose.ErrSignature,
	"n21": sdjwt.ErrNoKeyBinding, "n22": sdjwt.ErrType, "n24": sdjwt.ErrNonce,
	"n25": sdjwt.ErrAudience, "n27": jose.ErrSignature, "n28": sdjwt.ErrSDHash,
	"n34": sdjwt.ErrExpired, "n42": sdjwt.ErrMalformed,
}

// TestDerivedCases reads complete presentations with one fault each. n41 concerns
// the claim vct and is read by package sdjwtvc.
func TestDerivedCases(t *testing.T) {
	var v struct {
		Cases []struct {
			Name, Compact, Expect string
			IssuerJWK             json.RawMessage `json:"issuer_jwk"`
			Now                   int64
			Processed             map[string]any `json:"processed_payload"`
			Expects               struct {
				Aud, Nonce string
				Required   bool `json:"key_binding_required"`
			} `json:"verifier_expects"`
		}
	}
	testkit.Vectors(t, "sd-jwt").JSON(t, "derived-cases.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases found")
	}
	for _, c := range v.Cases {
		if strings.HasPrefix(c.Name, "n41") {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			key, err := jose.ParseKey(c.IssuerJWK)
			if err != nil {
				t.Fatal(err)
			}
			now := time.Unix(c.Now, 0)
			claims, err := func() (map[string]any, error) {
				tok, claims, err := open(c.Compact, key.Public)
				if err != nil {
					return nil, err
				}
				if err := sdjwt.CheckTimes(claims, now, 0); err != nil {
					return nil, err
				}
				if !c.Expects.Required {
					return claims, nil
				}
				pub, _, err := sdjwt.Confirmation(claims)
				if err != nil {
					return nil, err
				}
				_, err = tok.VerifyKeyBinding(pub, sdjwt.KeyBindingPolicy{Audience: c.Expects.Aud, Nonce: c.Expects.Nonce, Now: now})
				return claims, err
			}()
			if c.Expect == "accept" {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.Processed, claims); diff != "" {
					t.Errorf("processed payload (-want +got):\n%s", diff)
				}
				return
			}
			want, ok := derivedErrors[c.Name[:3]]
			if !ok {
				t.Fatalf("no kind of failure noted; got %v", err)
			}
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

// TestFrames issues the claims of each frame with the marks it asks, presents
// what it asks, and compares what a verifier reads.
func TestFrames(t *testing.T) {
	folder := testkit.Vectors(t, "sd-jwt")
	key := testkit.P256(t)
	for _, name := range folder.Glob(t, "frames/*.json") {
		t.Run(name, func(t *testing.T) {
			var f struct {
				Claims    map[string]any `json:"claims"`
				Frame     map[string]any `json:"disclosureFrame"`
				Present   map[string]any `json:"presentationFrames"`
				Presented map[string]any `json:"presentedClaims"`
			}
			folder.JSON(t, name, &f)
			tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Claims: mark(f.Claims, f.Frame).(map[string]any), Decoys: 2})
			if err != nil {
				t.Fatal(err)
			}
			whole, err := tok.Claims()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f.Claims, whole); diff != "" {
				t.Errorf("all claims (-want +got):\n%s", diff)
			}
			shown, err := tok.Select(func(path []any, _ any) bool { return asked(f.Present, path) })
			if err != nil {
				t.Fatal(err)
			}
			_, got, err := open(shown.String(), &key.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f.Presented, got); diff != "" {
				t.Errorf("presented (-want +got):\n%s", diff)
			}
		})
	}
}

// mark puts SD where a disclosure frame says so: _sd lists member names or
// element indexes, other members describe what is below.
func mark(v any, frame any) any {
	f, _ := frame.(map[string]any)
	concealed := map[string]bool{}
	if list, ok := f["_sd"].([]any); ok {
		for _, e := range list {
			concealed[fmt.Sprint(e)] = true
		}
	}
	step := func(name string, v any) any {
		v = mark(v, f[name])
		if concealed[name] {
			return sdjwt.SD{Value: v}
		}
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, e := range v {
			out[name] = step(name, e)
		}
		return out
	case []any:
		out := []any{}
		for i, e := range v {
			out = append(out, step(fmt.Sprint(i), e))
		}
		return out
	default:
		return v
	}
}

// asked says whether a presentation frame asks for the claim at path.
func asked(frame any, path []any) bool {
	for _, step := range path {
		switch f := frame.(type) {
		case map[string]any:
			frame = f[fmt.Sprint(step)]
		case []any:
			i, ok := step.(int)
			if !ok || i >= len(f) {
				return false
			}
			frame = f[i]
		default: // true: everything below
			return frame == true
		}
	}
	switch f := frame.(type) {
	case bool:
		return f
	case map[string]any:
		return len(f) > 0
	case []any:
		return len(f) > 0
	default:
		return false
	}
}
