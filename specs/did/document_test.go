package did_test

import (
	"crypto"
	"errors"
	"fmt"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

func mustKey(t testing.TB) crypto.PublicKey {
	t.Helper()
	k, err := jose.Generate(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return k.Public()
}

const devaart = "did:web:devaart.example"

func TestNewDocument(t *testing.T) {
	a, b := mustKey(t), mustKey(t)
	made, err := did.NewDocument(devaart, "https://devaart.example", jose.Key{Public: a, KeyID: "k1"}, jose.Key{Public: b})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ijson.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	pages := site{"https://devaart.example/.well-known/did.json": string(raw)}
	doc, err := did.Resolve(t.Context(), devaart, pages)
	if err != nil {
		t.Fatal(err)
	}
	thumbprint, _ := jose.Thumbprint(b)
	for _, tt := range []struct {
		id      string
		purpose string
		want    crypto.PublicKey
	}{
		{devaart + "#k1", did.AssertionMethod, a},
		{"#k1", did.Authentication, a},
		{"k1", did.AssertionMethod, a},
		{devaart + "#" + thumbprint, did.AssertionMethod, b},
		{"k1", did.KeyAgreement, nil},
		{"k1", "capabilityInvocation", nil},
		{"k2", did.AssertionMethod, nil},
		{"K1", did.AssertionMethod, nil},
		{"", did.AssertionMethod, nil},
		{"did:web:zorggroeplinde.example#k1", did.AssertionMethod, nil},
	} {
		got, err := doc.Key(tt.id, tt.purpose)
		if tt.want == nil {
			if !errors.Is(err, did.ErrKeyNotFound) || got != nil {
				t.Errorf("%s for %s: %v, error %v", tt.id, tt.purpose, got, err)
			}
			continue
		}
		if err != nil || !jose.SameKey(got, tt.want) {
			t.Errorf("%s for %s: %v, %v", tt.id, tt.purpose, got, err)
		}
	}
	if len(doc.AlsoKnownAs) != 1 || doc.AlsoKnownAs[0] != "https://devaart.example" {
		t.Errorf("alsoKnownAs %v", doc.AlsoKnownAs)
	}
}

// TestForeignDocument: a document as others write them, with keys that we cannot
// use, embedded methods, relative ids and a multibase key.
func TestForeignDocument(t *testing.T) {
	key := mustKey(t)
	jwk, _ := ijson.Marshal(jose.Key{Public: key})
	text := strings.ReplaceAll(`{
	  "@context": "https://www.w3.org/ns/did/v1", "id": "did:web:a.example", "controller": "did:web:b.example",
	  "verificationMethod": [
	    {"id": "#odd", "type": "Bls12381G2Key2020", "controller": "did:web:a.example", "publicKeyBase58": "x"},
	    {"id": "did:web:a.example#both", "type": "JsonWebKey", "controller": "did:web:a.example", "publicKeyJwk": JWK, "publicKeyMultibase": "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"},
	    {"id": "#x25519", "type": "JsonWebKey", "controller": "did:web:a.example", "publicKeyJwk": {"kty":"OKP","crv":"X25519","x":"AA"}},
	    {"id": "#unlisted", "type": "JsonWebKey", "controller": "did:web:a.example", "publicKeyJwk": JWK},
	    {"id": "#multi", "type": "Multikey", "controller": "did:web:a.example", "publicKeyMultibase": "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"}],
	  "assertionMethod": ["#odd", "#both", "#x25519", "did:web:a.example#multi", "did:web:b.example#k", "#dangling",
	    {"id": "#embedded", "type": "JsonWebKey", "controller": "did:web:a.example", "publicKeyJwk": JWK}],
	  "service": [{"id": "#s", "type": "LinkedDomains", "serviceEndpoint": "https://a.example"}]}`, "JWK", string(jwk))
	doc, err := did.ParseDocument([]byte(text), "did:web:a.example")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]error{
		"#multi": nil, "#embedded": nil, "#odd": did.ErrDocument, "#both": did.ErrDocument, "#x25519": jose.ErrKey,
		"#unlisted": did.ErrKeyNotFound, "#dangling": did.ErrKeyNotFound, "did:web:b.example#k": did.ErrKeyNotFound,
	} {
		if _, err := doc.Key(id, did.AssertionMethod); !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", id, err, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct{ url, did, fragment string }{
		{"did:web:a.example#k", "did:web:a.example", "k"},
		{"did:web:a.example", "did:web:a.example", ""},
		{"did:web:a.example#a#b", "", ""},
		{"did:web:a.example/p#a", "", ""},
		{"did:web:a.example?q#a", "", ""},
		{"#k", "", ""},
	} {
		d, fragment, err := did.Split(tt.url)
		if d != tt.did || fragment != tt.fragment || (err == nil) != (tt.did != "") {
			t.Errorf("%s: got %q, %q, %v", tt.url, d, fragment, err)
		}
	}
}

// FuzzResolve: whatever resolves without fetching is a document about that DID, of
// which the first key can be used; did:web URLs stay on their host.
func FuzzResolve(f *testing.F) {
	id, err := did.JWK(mustKey(f))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{id, "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
		"did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "did:web:a.example%3A1234:b", "did:web:a.example:%2e%2e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if url, err := did.WebURL(id); err == nil && (!strings.HasPrefix(url, "https://") || !strings.HasSuffix(url, "/did.json") || strings.Contains(url, "..")) {
			t.Fatalf("%q is at %q", id, url)
		}
		doc, err := did.Resolve(t.Context(), id, site{})
		if err != nil {
			return
		}
		if doc.ID != id {
			t.Fatalf("document about %q", doc.ID)
		}
		if _, err := doc.VerificationMethod[0].Key(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzParseDocument: what reads is written as something that reads the same.
func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(`{"id":"did:web:a.example","verificationMethod":[{"id":"#a","publicKeyMultibase":"z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"}],"assertionMethod":["#a",{"id":"#b"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := did.ParseDocument(text, "did:web:a.example")
		if err != nil {
			return
		}
		raw, err := ijson.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := did.ParseDocument(raw, "did:web:a.example"); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		for _, m := range doc.VerificationMethod {
			_, _ = doc.Key(m.ID, did.AssertionMethod)
		}
	})
}

func ExampleWebFromURL() {
	id, _ := did.WebFromURL("https://localhost:8443")
	url, _ := did.WebURL(id)
	fmt.Println(id)
	fmt.Println(url)
	// Output:
	// did:web:localhost%3A8443
	// https://localhost:8443/.well-known/did.json
}

func ExampleDocument_Key() {
	key, _ := jose.Generate(jose.ES256)
	doc, _ := did.NewDocument("did:web:devaart.example", "https://devaart.example", jose.Key{Public: key.Public(), KeyID: "2026"})

	pub, _ := doc.Key("did:web:devaart.example#2026", did.AssertionMethod)
	fmt.Println(jose.SameKey(pub, key.Public()))
	_, err := doc.Key("did:web:devaart.example#2026", did.KeyAgreement)
	fmt.Println(err)
	// Output:
	// true
	// did: no such key for this purpose
}
