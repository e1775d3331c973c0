package sdjwtvc_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/sdjwtvc"
)

// TestExamples reads the printed credentials of the draft.
func TestExamples(t *testing.T) {
	folder := testkit.Vectors(t, "sd-jwt-vc")
	n := 0
	for _, name := range folder.Glob(t, "*.json") {
		var v struct {
			Compact   string          `json:"compact"`
			JWK       json.RawMessage `json:"issuer_jwk"`
			Processed map[string]any  `json:"processed_payload"`
			Expects   *struct{ Nonce, Aud string }
			KB        *struct {
				Payload struct{ IAT int64 }
			} `json:"kb_jwt"`
			VerifierExpects struct{ Nonce, Aud string } `json:"verifier_expects"`
		}
		folder.JSON(t, name, &v)
		if v.Compact == "" {
			continue
		}
		n++
		t.Run(name, func(t *testing.T) {
			key, err := jose.ParseKey(v.JWK)
			if err != nil {
				t.Fatal(err)
			}
			tok, err := sdjwt.Parse(v.Compact)
			if err != nil {
				t.Fatal(err)
			}
			if err := tok.VerifyIssuer(key.Public); err != nil {
				t.Fatal(err)
			}
			c, err := sdjwtvc.Read(tok, sdjwtvc.Options{Now: time.Unix(1790000000, 0)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v.Processed, c.Claims); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
			holder, err := c.HolderKey(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if v.KB == nil {
				return
			}
			p := sdjwt.KeyBindingPolicy{Audience: v.VerifierExpects.Aud, Nonce: v.VerifierExpects.Nonce, Now: time.Unix(v.KB.Payload.IAT, 0)}
			if _, err := tok.VerifyKeyBinding(holder, p); err != nil {
				t.Error(err)
			}
		})
	}
	if n == 0 {
		t.Fatal("no examples found")
	}
}

// TestVCTMissing reads case n41, the one of the derived cases that concerns this
// format.
func TestVCTMissing(t *testing.T) {
	var v struct {
		Cases []struct{ Name, Compact string }
	}
	testkit.Vectors(t, "sd-jwt").JSON(t, "derived-cases.json", &v)
	found := false
	for _, c := range v.Cases {
		if !strings.HasPrefix(c.Name, "n41") {
			continue
		}
		found = true
		tok, err := sdjwt.Parse(c.Compact)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sdjwtvc.Read(tok, sdjwtvc.Options{}); !errors.Is(err, sdjwtvc.ErrClaim) {
			t.Errorf("got %v, want %v", err, sdjwtvc.ErrClaim)
		}
	}
	if !found {
		t.Fatal("case n41 not found")
	}
}

// TestClaimRules breaks every rule of 2.2 in a credential that is fine but for
// that.
func TestClaimRules(t *testing.T) {
	key := testkit.P256(t)
	sd := func(v any) sdjwt.SD { return sdjwt.SD{Value: v} }
	status := map[string]any{"status_list": map[string]any{"idx": 1, "uri": "https://opleider.example/status/1"}}
	for _, tt := range []struct {
		name   string
		typ    string
		claims map[string]any
		want   error
	}{
		{"control", "", nil, nil},
		{"control: sub and iat disclosable", "", map[string]any{"sub": sd("x"), "iat": sd(noon.Unix())}, nil},
		{"control: other types", "", map[string]any{"aka_vcts": []string{"urn:example:leren:1"}}, nil},
		{"control: status and times", "", map[string]any{"status": status, "nbf": noon.Unix(), "exp": noon.Add(time.Hour).Unix()}, nil},
		{"typ JWT", "JWT", nil, sdjwtvc.ErrType},
		{"old typ not allowed", sdjwtvc.LegacyType, nil, sdjwtvc.ErrType},
		{"typ with media type prefix", "application/dc+sd-jwt", nil, sdjwtvc.ErrType},
		{"vct empty", "", map[string]any{"vct": ""}, sdjwtvc.ErrClaim},
		{"vct is a number", "", map[string]any{"vct": 1}, sdjwtvc.ErrClaim},
		{"vct disclosable", "", map[string]any{"vct": sd("urn:example:module:1")}, sdjwtvc.ErrSelective},
		{"iss disclosable", "", map[string]any{"iss": sd(issuerURL)}, sdjwtvc.ErrSelective},
		{"nbf disclosable", "", map[string]any{"nbf": sd(1)}, sdjwtvc.ErrSelective},
		{"exp disclosable", "", map[string]any{"exp": sd(noon.Add(time.Hour).Unix())}, sdjwtvc.ErrSelective},
		{"cnf disclosable", "", map[string]any{"cnf": sd(map[string]any{"kid": "a"})}, sdjwtvc.ErrSelective},
		{"part of cnf disclosable", "", map[string]any{"cnf": map[string]any{"kid": sd("a")}}, sdjwtvc.ErrSelective},
		{"status disclosable", "", map[string]any{"status": sd(status)}, sdjwtvc.ErrSelective},
		{"integrity disclosable", "", map[string]any{"vct#integrity": sd("sha256-x")}, sdjwtvc.ErrSelective},
		{"other types disclosable", "", map[string]any{"aka_vcts": sd([]any{"a"})}, sdjwtvc.ErrSelective},
		{"an other type disclosable", "", map[string]any{"aka_vcts": []any{sd("a")}}, sdjwtvc.ErrSelective},
		{"other types empty", "", map[string]any{"aka_vcts": []any{}}, sdjwtvc.ErrClaim},
		{"other types hold vct", "", map[string]any{"aka_vcts": []any{"urn:example:module:1"}}, sdjwtvc.ErrClaim},
		{"other types hold a number", "", map[string]any{"aka_vcts": []any{1}}, sdjwtvc.ErrClaim},
		{"iss is a list", "", map[string]any{"iss": []any{issuerURL}}, sdjwtvc.ErrClaim},
		{"sub is a number", "", map[string]any{"sub": 1}, sdjwtvc.ErrClaim},
		{"iat is a string", "", map[string]any{"iat": "today"}, sdjwtvc.ErrClaim},
		{"exp is negative", "", map[string]any{"exp": -1}, sdjwtvc.ErrClaim},
		{"cnf is a string", "", map[string]any{"cnf": "a"}, sdjwtvc.ErrClaim},
		{"status is a string", "", map[string]any{"status": "ok"}, sdjwtvc.ErrClaim},
		{"expired", "", map[string]any{"exp": noon.Unix()}, sdjwt.ErrExpired},
		{"not yet valid", "", map[string]any{"nbf": noon.Add(time.Second).Unix()}, sdjwt.ErrNotYetValid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.typ == "" {
				tt.typ = sdjwtvc.Type
			}
			tok := issue(t, key, jose.Header{Type: tt.typ}, base(tt.claims))
			_, err := sdjwtvc.Read(tok, sdjwtvc.Options{Now: noon})
			if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestLegacyType: the old typ passes where the caller says so, but never for a
// W3C credential, which now has that name.
func TestLegacyType(t *testing.T) {
	key := testkit.P256(t)
	o := sdjwtvc.Options{AcceptLegacyType: true}
	tok := issue(t, key, jose.Header{Type: sdjwtvc.LegacyType}, base(nil))
	if _, err := sdjwtvc.Read(tok, o); err != nil {
		t.Errorf("old typ: %v", err)
	}
	w3c := issue(t, key, jose.Header{Type: sdjwtvc.LegacyType}, base(map[string]any{"@context": []any{"https://www.w3.org/ns/credentials/v2"}}))
	if _, err := sdjwtvc.Read(w3c, o); !errors.Is(err, sdjwtvc.ErrType) {
		t.Errorf("a W3C credential: got %v", err)
	}
}

// TestIsType: a credential is of its type and of those it also names.
func TestIsType(t *testing.T) {
	tok := issue(t, testkit.P256(t), jose.Header{Type: sdjwtvc.Type}, base(map[string]any{"aka_vcts": []any{"urn:example:leren:1"}}))
	c, err := sdjwtvc.Read(tok, sdjwtvc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for vct, want := range map[string]bool{"urn:example:module:1": true, "urn:example:leren:1": true, "urn:example:Module:1": false} {
		if got := c.IsType(vct); got != want {
			t.Errorf("%s: got %v", vct, got)
		}
	}
}
