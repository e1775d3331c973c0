package sdjwt_test

import (
	"testing"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/sdjwt"
)

// FuzzParse: what parses gives the same text again; processing it never panics,
// and what it selects can be processed too.
func FuzzParse(f *testing.F) {
	key := testkit.P256(f)
	d := b64(f, []any{"salt", "a", map[string]any{"b": 1}})
	e := b64(f, []any{"salt", []any{1, nil}})
	f.Add(forge(f, key, map[string]any{"_sd": []string{digest(d)}, "l": []any{map[string]any{"...": digest(e)}}}, d, e))
	f.Add(forge(f, key, map[string]any{"_sd_alg": "sha-512"}) + sign(f, key, kbHeader, map[string]any{"nonce": "n"}))
	f.Add("~~")
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := sdjwt.Parse(s)
		if err != nil {
			if tok != nil {
				t.Fatal("a token in spite of the error")
			}
			return
		}
		if got := tok.String(); got != s {
			t.Fatalf("text changed:\n%q\n%q", s, got)
		}
		claims, err := tok.Claims()
		if err != nil {
			if claims != nil {
				t.Fatal("claims in spite of the error")
			}
			return
		}
		if _, err := tok.Tree(); err != nil {
			t.Fatalf("tree: %v", err)
		}
		some := 0
		chosen, err := tok.Select(func([]any, any) bool { some++; return some%2 == 0 })
		if err != nil {
			t.Fatalf("select: %v", err)
		}
		if _, err := chosen.Claims(); err != nil {
			t.Fatalf("what was selected: %v", err)
		}
	})
}

// FuzzDisclosures puts any disclosures behind a payload that refers to them, so
// that the fuzzer gets past the digests.
func FuzzDisclosures(f *testing.F) {
	key := testkit.P256(f)
	f.Add([]byte(`["salt","a",{"_sd":[]}]`), []byte(`["salt",{"...":"x"}]`))
	f.Add([]byte(`["salt","_sd",[]]`), []byte(`["salt",[{"...":"x"}]]`))
	f.Fuzz(func(t *testing.T, member, element []byte) {
		d, e := b64(t, member), b64(t, element)
		s := forge(t, key, map[string]any{"_sd": []string{digest(d)}, "l": []any{map[string]any{"...": digest(e)}}}, d, e)
		tok, err := sdjwt.Parse(s)
		if err != nil {
			return
		}
		claims, err := tok.Claims()
		if err != nil {
			return
		}
		for _, reserved := range []string{"_sd", "...", "_sd_alg"} {
			if _, ok := claims[reserved]; ok {
				t.Fatalf("%s survived processing", reserved)
			}
		}
	})
}

// FuzzParseJSON: what parses in JSON parses in its compact form.
func FuzzParseJSON(f *testing.F) {
	tok, err := sdjwt.Issue(sdjwt.IssueOptions{Signer: testkit.P256(f), Claims: sample()})
	if err != nil {
		f.Fatal(err)
	}
	raw, err := tok.JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"payload":"e30","signatures":[{"protected":"e30","signature":"","header":{"disclosures":[]}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		toks, err := sdjwt.ParseJSON(raw)
		if err != nil {
			return
		}
		for _, tok := range toks {
			if _, err := sdjwt.Parse(tok.String()); err != nil {
				t.Fatalf("its compact form is refused: %v", err)
			}
		}
	})
}
