package did_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// site is a Fetcher of fixed pages.
type site map[string]string

var errNoPage = errors.New("no such page")

func (s site) Get(_ context.Context, url string, _ ...string) ([]byte, string, error) {
	page, ok := s[url]
	if !ok {
		return nil, "", errNoPage
	}
	return []byte(page), "application/did+json", nil
}

func TestDIDJWKVectors(t *testing.T) {
	var v struct {
		Cases []struct {
			DID    string
			JWK    json.RawMessage
			Method string          `json:"verification_method"`
			Shape  json.RawMessage `json:"did_document_shape"`
		}
	}
	testkit.Vectors(t, "did-jwk").JSON(t, "examples.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range v.Cases {
		doc, err := did.Resolve(t.Context(), c.DID, nil)
		want, keyErr := jose.ParseKey(c.JWK)
		if keyErr != nil {
			// X25519: the vector is one for encryption, which we do not speak.
			if !errors.Is(err, jose.ErrKey) {
				t.Errorf("%s: error %v, want %v", c.DID, err, jose.ErrKey)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := doc.Key(c.Method, did.AssertionMethod)
		if err != nil || !jose.SameKey(got, want.Public) {
			t.Errorf("key %v, %v", got, err)
		}
		if again, err := did.JWK(want.Public); err != nil || again != c.DID {
			t.Errorf("made %s, %v\nwant %s", again, err, c.DID)
		}
		var shape did.Document
		if err := ijson.Unmarshal(c.Shape, &shape); err != nil {
			t.Fatal(err)
		}
		if shape.ID != doc.ID || !cmp.Equal(shape.AssertionMethod, doc.AssertionMethod) ||
			!cmp.Equal(shape.Authentication, doc.Authentication) || !cmp.Equal(shape.KeyAgreement, doc.KeyAgreement) {
			t.Errorf("document differs:\n%s", cmp.Diff(&shape, doc))
		}
	}
}

func TestDIDKeyVectors(t *testing.T) {
	folder := testkit.Vectors(t, "did-key")
	var nist map[string]struct {
		VerificationMethod struct{ PublicKeyJwk json.RawMessage }
	}
	folder.JSON(t, "nist-curves.json", &nist)
	read := 0
	for id, v := range nist {
		doc, err := did.Resolve(t.Context(), id, nil)
		if len(v.VerificationMethod.PublicKeyJwk) == 0 { // the key is in base58 only
			if err != nil {
				t.Errorf("%s: %v", id, err)
			}
			continue
		}
		want, keyErr := jose.ParseKey(v.VerificationMethod.PublicKeyJwk)
		if keyErr != nil { // P-521
			if !errors.Is(err, jose.ErrKey) {
				t.Errorf("%s: error %v, want %v", id, err, jose.ErrKey)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		read++
		fragment := strings.TrimPrefix(id, "did:key:")
		for _, purpose := range []string{did.AssertionMethod, did.Authentication} {
			if got, err := doc.Key(fragment, purpose); err != nil || !jose.SameKey(got, want.Public) {
				t.Errorf("%s: key %v, %v", id, got, err)
			}
		}
	}
	var ed map[string]struct {
		DidDocument struct {
			VerificationMethod []struct{ ID, PublicKeyBase58 string }
			AssertionMethod    []string
		}
	}
	folder.JSON(t, "ed25519-x25519.json", &ed)
	for id, v := range ed {
		doc, err := did.Resolve(t.Context(), id, nil)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		read++
		if _, err := doc.Key(v.DidDocument.AssertionMethod[0], did.AssertionMethod); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if read < 8 {
		t.Errorf("only %d vectors read", read)
	}
	var x struct{ DidDocument map[string]json.RawMessage }
	folder.JSON(t, "x25519.json", &x)
	if len(x.DidDocument) == 0 {
		t.Error("no cases in x25519.json")
	}
	for id := range x.DidDocument {
		if _, err := did.Resolve(t.Context(), id, nil); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: error %v, want %v", id, err, jose.ErrKey)
		}
	}
}

func TestDIDWebVectors(t *testing.T) {
	var v struct{ Cases []struct{ DID, URL string } }
	testkit.Vectors(t, "did-web").JSON(t, "examples.json", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range v.Cases {
		if got, err := did.WebURL(c.DID); err != nil || got != c.URL {
			t.Errorf("%s is at %s, %v, want %s", c.DID, got, err, c.URL)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	key := mustKey(t)
	jwk, _ := ijson.Canonical(jose.Key{Public: key})
	enc := func(s string) string { return "did:jwk:" + jose.EncodeBase64URL([]byte(s)) }
	for _, tt := range []struct {
		name string
		did  string
		want error
	}{
		{"empty", "", did.ErrSyntax},
		{"no method", "did:", did.ErrSyntax},
		{"no id", "did:web:", did.ErrSyntax},
		{"scheme in capitals", "DID:web:a.example", did.ErrSyntax},
		{"method in capitals", "did:WEB:a.example", did.ErrSyntax},
		{"a URL", "https://a.example", did.ErrSyntax},
		{"with fragment", "did:web:a.example#k", did.ErrSyntax},
		{"with query", "did:web:a.example?x=1", did.ErrSyntax},
		{"with path", "did:web:a.example/x", did.ErrSyntax},
		{"with a space", "did:web:a example", did.ErrSyntax},
		{"with a line break", "did:web:a.example\n", did.ErrSyntax},
		{"ends in a colon", "did:web:a.example:", did.ErrSyntax},
		{"percent encoding cut", "did:web:a.example%3", did.ErrSyntax},
		{"too long", "did:web:" + strings.Repeat("a", 5000), did.ErrSyntax},
		{"other method", "did:webvh:abc:a.example", did.ErrMethod},
		{"did:web with an empty segment", "did:web:a.example::b", did.ErrSyntax},
		{"did:web upwards", "did:web:a.example:..:b", did.ErrSyntax},
		{"did:web upwards, encoded", "did:web:a.example:%2e%2e:b", did.ErrSyntax},
		{"did:web encoded slash", "did:web:a.example:b%2fc", did.ErrSyntax},
		{"did:web encoded slash in the host", "did:web:a.example%2fb", did.ErrSyntax},
		{"did:web encoded question mark", "did:web:a.example:b%3Fc", did.ErrSyntax},
		{"did:web encoded twice", "did:web:a.example:b%252fc", did.ErrSyntax},
		{"did:web user", "did:web:user%40a.example", did.ErrSyntax},
		{"did:web IPv4", "did:web:127.0.0.1", did.ErrSyntax},
		{"did:web IPv4 with port", "did:web:127.0.0.1%3A80", did.ErrSyntax},
		{"did:web IPv4 as one number", "did:web:2130706433", did.ErrSyntax},
		{"did:web IPv4 in hexadecimal", "did:web:0x7f.0x1", did.ErrSyntax},
		{"did:web IPv6", "did:web:%5B%3A%3A1%5D", did.ErrSyntax},
		{"did:web port zero", "did:web:a.example%3A0", did.ErrSyntax},
		{"did:web port too large", "did:web:a.example%3A65536", did.ErrSyntax},
		{"did:web port with a leading zero", "did:web:a.example%3A080", did.ErrSyntax},
		{"did:web port empty", "did:web:a.example%3A", did.ErrSyntax},
		{"did:web trailing dot", "did:web:a.example.", did.ErrSyntax},
		{"did:web label with hyphen", "did:web:-a.example", did.ErrSyntax},
		{"did:web page absent", "did:web:absent.example", errNoPage},
		{"did:web page about another", "did:web:other.example", did.ErrDocument},
		{"did:web page not JSON", "did:web:html.example", did.ErrDocument},
		{"did:web page with a member twice", "did:web:twice.example", did.ErrDocument},
		{"did:web page with an id twice", "did:web:ids.example", did.ErrDocument},
		{"did:web page too long", "did:web:long.example", did.ErrDocument},
		{"did:jwk not base64url", "did:jwk:abc.def", did.ErrSyntax},
		{"did:jwk bits unused", "did:jwk:e31", did.ErrSyntax},
		{"did:jwk not JSON", enc("x"), jose.ErrSyntax},
		{"did:jwk private", enc(`{"d":"AA",` + string(jwk[1:])), jose.ErrPrivate},
		{"did:jwk member twice", enc(`{"kty":"EC",` + string(jwk[1:])), jose.ErrSyntax},
		{"did:jwk symmetric", enc(`{"kty":"oct","k":"AAAA"}`), jose.ErrPrivate},
		{"did:key not base58btc", "did:key:u7QEA", did.ErrSyntax},
		{"did:key foreign character", "did:key:z0OIl", did.ErrSyntax},
		{"did:key empty", "did:key:z", did.ErrSyntax},
		{"did:key unknown codec", "did:key:z2J9", jose.ErrKey},
		{"did:key cut", "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDoo", jose.ErrKey},
		{"did:key secp256k1", "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", jose.ErrKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pages := site{
				"https://other.example/.well-known/did.json": `{"id":"did:web:a.example"}`,
				"https://html.example/.well-known/did.json":  `<html>`,
				"https://twice.example/.well-known/did.json": `{"id":"did:web:twice.example","id":"did:web:twice.example"}`,
				"https://ids.example/.well-known/did.json":   `{"id":"did:web:ids.example","verificationMethod":[{"id":"#a"},{"id":"did:web:ids.example#a"}]}`,
				"https://long.example/.well-known/did.json":  `{"id":"did:web:long.example","x":"` + strings.Repeat("a", 300000) + `"}`,
			}
			doc, err := did.Resolve(t.Context(), tt.did, pages)
			if !errors.Is(err, tt.want) || doc != nil {
				t.Errorf("got %v, error %v, want %v", doc, err, tt.want)
			}
		})
	}
	if _, err := did.Resolve(t.Context(), "did:web:a.example", nil); !errors.Is(err, did.ErrMethod) {
		t.Errorf("did:web without a fetcher: %v", err)
	}
}

func TestWebFromURL(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"https://devaart.example", "did:web:devaart.example"},
		{"https://devaart.example/", "did:web:devaart.example"},
		{"https://DeVaart.example", "did:web:devaart.example"},
		{"https://localhost:1234", "did:web:localhost%3A1234"},
		{"http://localhost:1234", "did:web:localhost%3A1234"},
		{"https://a.example/b/c", "did:web:a.example:b:c"},
		{"https://a.example/b?x=1", ""},
		{"https://a.example/#x", ""},
		{"https://user@a.example", ""},
		{"https://127.0.0.1:80", ""},
		{"https://a.example/b//c", ""},
		{"https://a.example/../c", ""},
		{"ftp://a.example", ""},
		{"a.example", ""},
	} {
		got, err := did.WebFromURL(tt.url)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: got %q, %v, want %q", tt.url, got, err, tt.want)
		}
	}
}
