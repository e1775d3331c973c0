package issuer

import (
	"io"
	"net/http"
	"testing"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/sdjwt"
)

// TestEntityConfiguration: the issuer says in its entity configuration what wallets and
// verifiers need, under its credential issuer identifier, with the key under the very kid that
// credentials name (DIIP v5, Appendix B).
func TestEntityConfiguration(t *testing.T) {
	const region = "https://regio.example"
	r := newRig(t, func(c *Config) { c.Federation = []string{region} })
	answer, err := r.http.Client().Get(r.http.URL + openidfed.WellKnown)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/entity-statement+jwt" {
		t.Fatalf("got %d %v: %s, %v", answer.StatusCode, answer.Header, body, err)
	}
	s, err := openidfed.ParseStatement(string(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.VerifySelf(r.clock.Now()); err != nil || s.Subject != testURL || len(s.AuthorityHints) != 1 || s.AuthorityHints[0] != region {
		t.Errorf("got %+v, %v", s, err)
	}
	if s.Metadata.DisplayName() == "" || s.Metadata.Text(openidfed.CredentialIssuer, "credential_issuer") != testURL || s.Metadata.Text(openidfed.AuthorizationServer, "issuer") != testURL {
		t.Errorf("got metadata %v", s.Metadata)
	}
	keys, err := s.Metadata.Keys(openidfed.VCIssuer)
	if err != nil || len(keys.Keys) != 1 || keys.Keys[0].KeyID != r.credentialKeyID || !jose.SameKey(keys.Keys[0].Public, r.c.CredentialKey.Public()) {
		t.Errorf("got keys %+v, %v", keys, err)
	}
	token, err := sdjwt.Parse(r.accept(r.offer(opleiding, nil), 1).copies[0])
	if err != nil || token.Payload()["fed"] != testURL || token.Header().KeyID != keys.Keys[0].KeyID {
		t.Errorf("got fed %v, kid %v, %v", token.Payload()["fed"], token.Header().KeyID, err)
	}
	plain := newRig(t)
	if answer, err := plain.http.Client().Get(plain.http.URL + openidfed.WellKnown); err != nil || answer.StatusCode != http.StatusNotFound {
		t.Errorf("an issuer below no region: got %v, %v", answer, err)
	}
}
