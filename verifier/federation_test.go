package verifier_test

import (
	"io"
	"net/http"
	"testing"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/verifier"
)

// TestEntityConfiguration: an admitted verifier says in its entity configuration who it is,
// below which region, signed with the key that the region's registry holds a certificate for.
func TestEntityConfiguration(t *testing.T) {
	const region = "https://regio.example"
	var access jose.KeySet
	s := newStage(t, func(c *verifier.Config) {
		c.Federation = []string{region}
		keys, err := openidfed.Keys(c.AccessKey.Public())
		if err != nil {
			t.Fatal(err)
		}
		access = keys
	})
	answer, err := s.http.Get(s.address + openidfed.WellKnown)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("got %d: %s, %v", answer.StatusCode, body, err)
	}
	c, err := openidfed.ParseStatement(string(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(access, s.clock.Now()); err != nil || c.Subject != s.address || c.AuthorityHints[0] != region || c.Metadata.DisplayName() == "" {
		t.Errorf("got %+v, %v", c, err)
	}
	if formats, ok := c.Metadata[openidfed.CredentialVerifier]["vp_formats_supported"].(map[string]any); !ok || len(formats) != 2 {
		t.Errorf("got %v", c.Metadata)
	}
}
