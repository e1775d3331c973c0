package evidence_test

import (
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/statuslist"
)

// TestVerifyRefreshesLongLists: a list may say that it is good for a year. A revocation must
// be seen long before that.
func TestVerifyRefreshesLongLists(t *testing.T) {
	for name, claims := range map[string]statuslist.TokenClaims{
		"exp in a year": {}, "ttl of a year": {TTL: 365 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			key, err := jose.Generate(jose.ES256)
			if err != nil {
				t.Fatal(err)
			}
			cert := s.region.Certify(s.issuer.ID, s.issuer.URL, key.Public(), "status")
			s.refresh()
			s.web.Pages[s.issuer.StatusURI] = func() string {
				claims.Subject, claims.IssuedAt, claims.ExpiresAt = s.issuer.StatusURI, s.clock.Now(), s.clock.Now().AddDate(1, 0, 0)
				text, err := s.issuer.List.Token(key, jose.Header{X5C: [][]byte{cert.Raw}}, claims)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
			expect(t, s.verify(s.present(token)), "status=ok/status_valid")
			if err := s.issuer.List.Set(0, statuslist.Invalid); err != nil {
				t.Fatal(err)
			}
			s.clock.Advance(time.Hour)
			expect(t, s.verify(s.present(token)), "status=failed/revoked")
		})
	}
}
