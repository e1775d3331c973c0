package sdjwtvc_test

import (
	"encoding/json"
	"testing"

	"paspoort.example/paspoort/specs/sdjwtvc"
)

// FuzzTypeMetadata: what parses must encode to a document that parses to the same,
// and its paths must never panic on a tree.
func FuzzTypeMetadata(f *testing.F) {
	f.Add([]byte(`{"vct":"a","extends":"b","extends#integrity":"sha256-x","claims":[{"path":["a",null,1],"sd":"always","mandatory":true,"svg_id":"x"}]}`))
	f.Add([]byte(`{"vct":"a","display":[{"lang":"nl","name":"n","rendering":{"simple":{"logo":{"uri":"u"}},"svg_templates":[{"uri":"u","properties":{"contrast":"high"}}]}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := sdjwtvc.ParseTypeMetadata(raw)
		if err != nil {
			if m != nil {
				t.Fatal("a value in spite of the error")
			}
			return
		}
		once, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := sdjwtvc.ParseTypeMetadata(once)
		if err != nil {
			t.Fatalf("its own encoding is refused: %v\n%s", err, once)
		}
		if twice, _ := json.Marshal(again); string(twice) != string(once) {
			t.Fatalf("not stable:\n%s\n%s", once, twice)
		}
	})
}

// FuzzIssuerMetadataURL: an accepted iss gives an https URL without query.
func FuzzIssuerMetadataURL(f *testing.F) {
	f.Add("https://example.com/tenant/1234/")
	f.Add("https://example.com%2f/..?")
	f.Fuzz(func(t *testing.T, iss string) {
		u, err := sdjwtvc.IssuerMetadataURL(iss)
		if (err == nil) != (u != "") {
			t.Fatalf("%q with %v", u, err)
		}
	})
}

// FuzzVerifyIntegrity must not panic and not accept what has no digest.
func FuzzVerifyIntegrity(f *testing.F) {
	f.Add("sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng= sha512-x?y", []byte("a"))
	f.Fuzz(func(t *testing.T, metadata string, content []byte) {
		if sdjwtvc.VerifyIntegrity(metadata, content) == nil && metadata == "" {
			t.Fatal("accepted without a digest")
		}
	})
}

// FuzzParseIssuerMetadata: what is accepted is of the issuer asked, with keys in one way.
func FuzzParseIssuerMetadata(f *testing.F) {
	const iss = "https://devaart.example"
	f.Add([]byte(`{"issuer":"https://devaart.example","jwks":{"keys":[]}}`))
	f.Add([]byte(`{"issuer":"https://devaart.example","jwks_uri":"https://devaart.example/keys"}`))
	f.Add([]byte(`{"issuer":"https://devaart.example","jwks":null,"jwks_uri":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := sdjwtvc.ParseIssuerMetadata(raw, iss)
		if err == nil && (m.Issuer != iss || (m.JWKS == nil) == (m.JWKSURI == "")) {
			t.Errorf("accepted %+v", m)
		}
	})
}
