package sdjwt_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/sdjwt"
)

// TestJSONForm: the flattened form says what the compact form says, and its key
// binding verifies over the compact form (8.1).
func TestJSONForm(t *testing.T) {
	key, holder := testkit.P256(t), testkit.P256(t)
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: key, Claims: sample()})
	if err != nil {
		t.Fatal(err)
	}
	bound, err := tok.Bind(holder, sdjwt.KeyBinding{Audience: policy.Audience, Nonce: policy.Nonce, IssuedAt: noon})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := bound.JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := sdjwt.ParseJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].String() != bound.String() {
		t.Fatalf("got %d tokens, %v", len(got), got)
	}
	if err := got[0].VerifyIssuer(&key.PublicKey); err != nil {
		t.Error(err)
	}
	if _, err := got[0].VerifyKeyBinding(&holder.PublicKey, policy); err != nil {
		t.Error(err)
	}
}

// TestGeneralJSON: two signatures over one payload, each with its own key; the
// disclosures stand in the first header (8.3).
func TestGeneralJSON(t *testing.T) {
	a, b := testkit.P256(t), testkit.P256(t)
	d := b64(t, []any{"salt", "beroep", "lasser"})
	payload := map[string]any{"_sd": []string{digest(d)}}
	one := strings.Split(strings.TrimSuffix(forge(t, a, payload), "~"), ".")
	two := strings.Split(strings.TrimSuffix(forge(t, b, payload), "~"), ".")
	general := func(second map[string]any) []byte {
		raw, err := json.Marshal(map[string]any{"payload": one[1], "signatures": []any{
			map[string]any{"header": map[string]any{"disclosures": []string{d}, "kid": "1"}, "protected": one[0], "signature": one[2]},
			map[string]any{"header": second, "protected": two[0], "signature": two[2]},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	tokens, err := sdjwt.ParseJSON(general(map[string]any{"kid": "2"}))
	if err != nil {
		t.Fatal(err)
	}
	for i, signer := range []*ecdsa.PublicKey{&a.PublicKey, &b.PublicKey} {
		if err := tokens[i].VerifyIssuer(signer); err != nil {
			t.Errorf("signature %d: %v", i, err)
		}
		claims, err := tokens[i].Claims()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]any{"beroep": "lasser"}, claims); diff != "" {
			t.Errorf("claims %d (-want +got):\n%s", i, diff)
		}
	}
	if err := tokens[1].VerifyIssuer(&a.PublicKey); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("signatures exchanged: got %v", err)
	}
	for _, second := range []map[string]any{{"disclosures": []string{}}, {"kb_jwt": "a.b.c"}} {
		if _, err := sdjwt.ParseJSON(general(second)); !errors.Is(err, sdjwt.ErrMalformed) {
			t.Errorf("8.3: second header with %v: got %v", second, err)
		}
	}
}

// TestJSONRefuses: what is no JSON form.
func TestJSONRefuses(t *testing.T) {
	parts := strings.Split(strings.TrimSuffix(forge(t, testkit.P256(t), map[string]any{}), "~"), ".")
	flat := map[string]any{"protected": parts[0], "payload": parts[1], "signature": parts[2]}
	with := func(extra map[string]any) string {
		m := maps.Clone(flat)
		maps.Copy(m, extra)
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if _, err := sdjwt.ParseJSON([]byte(with(nil))); err != nil {
		t.Fatalf("control: %v", err)
	}
	for name, in := range map[string]string{
		"nothing":                 ``,
		"an array":                `[]`,
		"no signature":            `{"payload":"e30"}`,
		"no signatures":           `{"payload":"e30","signatures":[]}`,
		"both forms":              with(map[string]any{"signatures": []any{map[string]any{}}}),
		"payload twice":           strings.Replace(with(nil), "{", `{"payload":"e30",`, 1),
		"disclosures no array":    with(map[string]any{"header": map[string]any{"disclosures": "x"}}),
		"disclosure is empty":     with(map[string]any{"header": map[string]any{"disclosures": []string{""}}}),
		"empty kb_jwt":            with(map[string]any{"header": map[string]any{"kb_jwt": ""}}),
		"kb_jwt is no jwt":        with(map[string]any{"header": map[string]any{"kb_jwt": "x"}}),
		"too many disclosures":    with(map[string]any{"header": map[string]any{"disclosures": make([]string, sdjwt.MaxDisclosures+1)}}),
		"too large":               strings.Repeat(" ", sdjwt.MaxSize+1),
		"tilde inside a member":   with(map[string]any{"signature": parts[2] + "~"}),
		"disclosure with a tilde": with(map[string]any{"header": map[string]any{"disclosures": []string{"WyJhIiwxXQ~WyJhIiwxXQ"}}}),
	} {
		if toks, err := sdjwt.ParseJSON([]byte(in)); err == nil || toks != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
