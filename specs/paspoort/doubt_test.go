package paspoort

import (
	"slices"
	"testing"
	"time"
)

// The name of a proved skill is the word of who proved it: a holder may write any
// label beside a code in their own words.
func TestLabelIsOfTheProof(t *testing.T) {
	in := goodInput(t, Zelfverklaring, Opleiding)
	in.Asked = []string{caring}
	own := in.Credentials[0].Claims
	own["skills"] = []any{map[string]any{"framework": "Eigen", "uri": caring, "label": "Leidinggeven aan chirurgen"}}
	for range 2 {
		s := find(t, Decide(in), caring)
		if s.State != OK || s.Label != "Verzorgen" || s.Framework == "Eigen" {
			t.Errorf("%s: %q of %q", s.State, s.Label, s.Framework)
		}
		slices.Reverse(in.Credentials)
	}
}

// The key in cnf is the holder's by the word of the issuer alone.
func TestHolderNeedsTheIssuersSignature(t *testing.T) {
	testRules(t, Opleiding, []verdictRule{
		{"issuer's key not to be had", func(_ *Input, f *Facts) { f.Signature = Finding{Unknown, "issuer_key_unavailable"} }, CheckHolderBinding, Unknown, "signature_not_ok"},
		{"forged", func(_ *Input, f *Facts) { f.Signature = Finding{Failed, "signature_invalid"} }, CheckHolderBinding, Unknown, "signature_not_ok"},
		{"forged, and the holder's signature too", func(_ *Input, f *Facts) {
			f.Signature, f.Binding.Signature = Finding{Failed, "signature_invalid"}, Finding{Failed, "key_binding_invalid"}
		}, CheckHolderBinding, Failed, "key_binding_invalid"},
		{"same holder of what is forged", func(_ *Input, f *Facts) { f.Signature = Finding{Failed, "signature_invalid"} }, CheckSameHolder, Unknown, "holder_not_shown"},
	})
}

// What failed in any way proves nothing, so it has no proof level.
func TestNoLevelWithoutProof(t *testing.T) {
	for name, change := range map[string]func(f *Facts){
		"another nonce": func(f *Facts) { f.Binding.Nonce = "n-2" },
		"dated after it existed": func(f *Facts) {
			f.Timestamps[0].At, f.Timestamps[1].At = at("2026-01-02 00:00"), at("2026-01-02 00:00")
		},
		"revoked": func(f *Facts) { f.Status.Value = 1 },
		"expired": func(f *Facts) { f.Claims["exp"] = float64(now.Add(-time.Hour).Unix()) },
	} {
		in := goodInput(t, Opleiding)
		change(&in.Credentials[0])
		v := Decide(in)
		if c := v.Credentials[0]; c.Outcome != Failed || c.ProofLevel != nil {
			t.Errorf("%s: outcome %s, level %v", name, c.Outcome, c.ProofLevel)
		}
	}
}

// validFrom and nbf both keep a credential from being valid too soon (VCDM 2.0 4.9,
// RFC 7519 4.1.5).
func TestLaterStartCounts(t *testing.T) {
	claims := claimsOf(t, Opleiding, FormatVCDM)
	claims["nbf"] = float64(now.Add(time.Hour).Unix())
	c, err := Read(claims)
	if err != nil || !c.NotBefore.Equal(now.Add(time.Hour)) {
		t.Errorf("not before %s, %v", c.NotBefore, err)
	}
}

// Anybody can make a certificate that bears an issuer's address. The issuer is named only
// when the registry recorded the key.
func TestForgerIsNotNamedAsTheIssuer(t *testing.T) {
	in := goodInput(t, Opleiding)
	in.Credentials[0].Admission.Key = nil
	v := Decide(in)
	if got := v.Credentials[0].Issuer; got.Name != "" || got.Organisation != "" || got.Region != "" {
		t.Errorf("named %+v", got)
	}
	for _, s := range v.Skills {
		if s.Proofs[0].By.Name != "" {
			t.Errorf("%s by %q", s.Label, s.Proofs[0].By.Name)
		}
	}
}

// Without the issuer's key there was nothing to ask the registry; that is no absent registry.
func TestUnaskedRegistryIsNotAbsent(t *testing.T) {
	testRules(t, Opleiding, []verdictRule{
		{"key not to be had", func(_ *Input, f *Facts) {
			f.Signature, f.Key, f.Admission = Finding{Unknown, "issuer_key_unavailable"}, "", nil
		}, CheckIssuerAdmitted, Unknown, "signature_not_ok"},
		{"no registry", func(in *Input, f *Facts) { in.Registry, f.Admission = nil, nil }, CheckIssuerAdmitted, Unknown, "registry_absent"},
	})
}

// RFC 9901 7.3 step 5.h with RFC 7519 4.1.4 and 4.1.5: a KB-JWT may say itself until when.
func TestBindingSaysUntilWhen(t *testing.T) {
	claims := func(name string, d time.Duration) func(*Input, *Facts) {
		return func(_ *Input, f *Facts) { f.Binding.Claims = map[string]any{name: float64(now.Add(d).Unix())} }
	}
	testRules(t, Opleiding, []verdictRule{
		{"run out", claims("exp", -10*time.Minute), CheckHolderBinding, Failed, "binding_too_old"},
		{"not yet", claims("nbf", 10*time.Minute), CheckHolderBinding, Failed, "binding_in_future"},
		{"good for a while", claims("exp", 10*time.Minute), CheckHolderBinding, OK, "holder_ok"},
	})
}
