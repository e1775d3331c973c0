package openidfed

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"paspoort.example/paspoort/specs/jose"
)

// unsigned makes a token of any payload: parsers see it before a signature is checked.
func unsigned(typ string, payload []byte) string {
	header := `{"alg":"ES256","kid":"k","typ":"` + typ + `"}`
	return jose.EncodeBase64URL([]byte(header)) + "." + jose.EncodeBase64URL(payload) + "." + jose.EncodeBase64URL(make([]byte, 64))
}

// FuzzStatements: what is not accepted returns nothing, what is accepted keeps the rules
// that others rely on.
func FuzzStatements(f *testing.F) {
	p := newWorld(f).add("a.example", Statement{})
	for _, s := range []Statement{{}, {AuthorityHints: []string{"https://b.example"}, Metadata: Metadata{FederationEntity: {"display_name": "A"}}}} {
		s.Keys = p.keys
		token, err := p.statement(s, p.id)
		if err != nil {
			f.Fatal(err)
		}
		signed, err := jose.Parse(token)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(signed.Payload)
	}
	f.Add([]byte(`{"iss":"https://a.example","sub":"https://b.example","iat":1,"exp":2,"jwks":{"keys":[]},"metadata_policy":{"x":{"scope":{"value":"a b","subset_of":["a","b"]}}},"constraints":{"max_path_length":1,"naming_constraints":{"permitted":[".x"]}}}`))
	f.Add([]byte(`{"iss":"https://a.example","sub":"https://b.example","iat":1,"trust_mark_type":"x","keys":[{"kid":"a","exp":1}],"status":"active","trust_mark":"x","trust_chain":["x"],"metadata":{},"exp":2}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := ParseStatement(unsigned(TypeStatement, payload))
		if (s == nil) == (err == nil) {
			t.Fatalf("got %v and %v", s, err)
		}
		if s != nil {
			if _, err := MergePolicies(s.Policy, s.Policy); err != nil {
				t.Errorf("a policy that was read does not merge with itself: %v", err)
			}
			if _, err := ValidateChain([]*Statement{s}, []TrustAnchor{{EntityID: s.Issuer, Keys: p.keys}}, now); err == nil {
				t.Error("a chain without a signature is valid")
			}
		}
		_, _ = ParseTrustMark(unsigned(TypeTrustMark, payload))
		_, _ = ParseDelegation(unsigned(TypeDelegation, payload))
		if h, err := ParseHistoricalKeys(unsigned(TypeKeySet, payload), "https://a.example", p.keys, now); err == nil {
			t.Errorf("unsigned keys were accepted: %v", h)
		}
		if r, err := ParseResolved(unsigned(TypeResolveResponse, payload), "https://a.example", "https://b.example", p.keys, now); err == nil {
			t.Errorf("an unsigned answer was accepted: %v", r)
		}
		if s, err := ParseTrustMarkStatus(unsigned(TypeTrustMarkStatus, payload), "https://a.example", "x", p.keys, now); err == nil {
			t.Errorf("an unsigned status was accepted: %v", s)
		}
	})
}

// FuzzServer: any request gets an answer that is JSON or a JWT.
func FuzzServer(f *testing.F) {
	p := newWorld(f).add("a.example", Statement{})
	f.Add("/e/federation/fetch", "sub=https://b.example", []byte("trust_mark=x"))
	f.Add("/e/federation/list", "trust_marked=true&entity_type=a&entity_type=b", []byte{})
	f.Add("/e/federation/trust-mark-status", "", []byte("trust_mark=x"))
	f.Fuzz(func(t *testing.T, path, query string, body []byte) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequest(method, "https://a.example/", bytes.NewReader(body))
			r.URL.Path, r.URL.RawQuery = path, query
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			p.server.ServeHTTP(rec, r)
			got, err := io.ReadAll(rec.Result().Body)
			if err != nil || len(got) == 0 {
				t.Errorf("got status %d with %q, %v", rec.Code, got, err)
			}
			if rec.Code == http.StatusInternalServerError {
				t.Errorf("got server_error: %s", got)
			}
		}
	})
}
