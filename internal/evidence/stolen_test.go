package evidence_test

import (
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// TestVerifyStolenKey: a theft is of the key, whichever of its certificates is shown.
func TestVerifyStolenKey(t *testing.T) {
	s := newStage(t)
	s.clock.Advance(time.Hour)
	renewed := s.region.Certify(s.issuer.ID, s.issuer.URL, s.issuer.Key.Public(), registry.UsageCredential)
	stolen := s.clock.Now()
	s.clock.Advance(time.Hour)
	s.region.Revoke(s.issuer.ID, s.issuer.Cert, true, stolen)
	s.clock.Advance(time.Hour)
	s.refresh()
	for name, cert := range map[string][]byte{"revoked": s.issuer.Cert.Raw, "renewed": renewed.Raw} {
		token := s.issuer.IssueAs(paspoort.FormatSDJWTVC, paspoort.Opleiding, s.holder.Public(), func(_ map[string]any, h *jose.Header) { h.X5C = [][]byte{cert} })
		t.Run(name, func(t *testing.T) {
			expect(t, s.verify(s.present(token)), "outcome=failed", "withdrawal=failed/key_compromised")
		})
	}
}

// TestVerifyStolenStatusKey: whoever has the key sets the date of the list.
func TestVerifyStolenStatusKey(t *testing.T) {
	s := newStage(t)
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	before := s.issuer.StatusToken()
	s.clock.Advance(time.Hour)
	s.region.Revoke(s.issuer.ID, s.issuer.StatusCert, true, s.clock.Now())
	s.clock.Advance(time.Hour)
	s.refresh()
	for name, page := range map[string]func() string{
		"dated before the theft":          func() string { return before },
		"dated after it, on the same day": s.issuer.StatusToken,
	} {
		t.Run(name, func(t *testing.T) {
			s.web.Pages[s.issuer.StatusURI] = page
			fresh := s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web})
			expect(t, s.verifyWith(fresh, s.present(token)), "outcome=unknown", "status=unknown/status_signer_unknown")
		})
	}
}

// TestVerifyRetiredStatusKey: an ordinary revocation ends the key at its moment, and leaves
// what it signed before.
func TestVerifyRetiredStatusKey(t *testing.T) {
	s := newStage(t)
	token := s.issuer.Issue(paspoort.Opleiding, s.holder.Public())
	before := s.issuer.StatusToken()
	s.clock.Advance(time.Hour)
	s.region.Revoke(s.issuer.ID, s.issuer.StatusCert, false, s.clock.Now())
	s.clock.Advance(time.Hour)
	s.refresh()
	after := s.issuer.StatusToken()
	for _, tt := range []struct{ name, page, want string }{
		{"before", before, "status=ok/status_valid"}, {"after", after, "status=unknown/status_signer_unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.web.Pages[s.issuer.StatusURI] = func() string { return tt.page }
			fresh := s.serve(evidence.Config{Copies: []evidence.Copy{s.follow}, Fetch: s.web})
			expect(t, s.verifyWith(fresh, s.present(token)), tt.want)
		})
	}
}

// TestVerifyAsksNobodyForStrangers: anyone can sign a credential that names any address, by
// the thousand. Of an issuer that no region knows no list is fetched or kept: what it says
// would count for nothing.
func TestVerifyAsksNobodyForStrangers(t *testing.T) {
	s := newStage(t)
	strangers := evidencetest.New(t, s.clock.Now)
	stranger := strangers.Issuer("vreemd.example", paspoort.Opleiding)
	posing := strangers.Issuer("devaart.example", paspoort.Opleiding) // as the issuer that the region knows
	posing.StatusURI = "https://vreemd.example/status/2"
	s.web.Pages[stranger.StatusURI], s.web.Pages[posing.StatusURI] = stranger.StatusToken, posing.StatusToken
	expect(t, s.verify(s.present(stranger.Issue(paspoort.Opleiding, s.holder.Public()))),
		"signature=ok", "status=unknown/issuer_not_in_region", "issuer_admitted=failed/issuer_not_in_region")
	expect(t, s.verify(s.present(posing.Issue(paspoort.Opleiding, s.holder.Public()))),
		"signature=ok", "status=unknown/key_not_recorded", "issuer_admitted=failed/key_not_recorded")
	alone := s.serve(evidence.Config{Fetch: s.web})
	expect(t, s.verifyWith(alone, s.present(s.issuer.Issue(paspoort.Opleiding, s.holder.Public()))), "status=unknown/registry_absent")
	if len(s.web.Fetched) != 0 {
		t.Errorf("fetched %v for strangers", s.web.Fetched)
	}
}
