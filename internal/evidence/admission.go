package evidence

import (
	"crypto"
	"crypto/x509"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/sdjwtvc"
)

func fingerprintOf(c *x509.Certificate) string { return registry.Fingerprint(c.Raw) }

// admission says what a registry knows of the organisation that issued as iss on a day,
// and of the key that it signed with.
func admission(v registry.View, iss string, key sdjwtvc.IssuerKeyResult, at time.Time) paspoort.Admission {
	answer, err := v.Admission(registry.Question{Lookup: issuerLookup(iss, key), Role: registry.Issuer, At: at})
	if err != nil || answer.Organisation == nil {
		return paspoort.Admission{Erased: answer.Code == registry.CodeErased, Certified: certified(v, key, at) && v.Erases()}
	}
	org := *answer.Organisation
	a := paspoort.Admission{Found: true, Organisation: org.ID, Name: org.Name, Erased: org.Erased && org.Name == ""}
	if fact, ok := certificateOf(v, org.ID, key, at); ok {
		a.Key = keyRecord(v, fact)
	}
	for _, role := range org.Roles {
		if role.Role == registry.Issuer {
			a.Grants, a.Withdrawals, a.Suspensions = grants(role.Standing), withdrawals(role.Standing), suspensions(role.Standing)
		}
	}
	return a
}

// certified says whether the region's own authority certified the key. What an erasure leaves of
// a one-person firm is nothing that a certificate could be found by (D4), so this is all that
// tells it from a stranger.
func certified(v registry.View, key sdjwtvc.IssuerKeyResult, at time.Time) bool {
	if len(key.Chain) == 0 {
		return false
	}
	for _, der := range v.Anchors(at) {
		anchor, err := x509.ParseCertificate(der)
		if err == nil && key.Chain[0].CheckSignatureFrom(anchor) == nil {
			return true
		}
	}
	return false
}

// issuerLookup: the organisation is who had this iss on that day. SD-JWT VC draft 18 2.2.2
// lets iss be absent with x5c; then the certificate names who issued.
func issuerLookup(iss string, key sdjwtvc.IssuerKeyResult) registry.Lookup {
	switch {
	case iss == "" && len(key.Chain) > 0:
		return registry.Lookup{Certificate: fingerprintOf(key.Chain[0])}
	case iss == "":
		return registry.Lookup{SPKI: registry.SPKIHash(key.Public)}
	case strings.HasPrefix(iss, "did:"):
		return registry.Lookup{DID: iss}
	}
	return registry.Lookup{URL: iss}
}

// certificateOf finds the record of the key that signed: the very certificate when the
// credential carries one, else any certificate of the organisation for this key,
// preferring one that counted on the day.
func certificateOf(v registry.View, organisation string, key sdjwtvc.IssuerKeyResult, at time.Time) (registry.CertificateFact, bool) {
	if len(key.Chain) > 0 {
		fact, err := v.Certificate(fingerprintOf(key.Chain[0]))
		return fact, err == nil && fact.Organisation == organisation && fact.Usage == registry.UsageCredential
	}
	return certificateOfKey(v, organisation, key.Public, at)
}

func certificateOfKey(v registry.View, organisation string, pub crypto.PublicKey, at time.Time) (best registry.CertificateFact, ok bool) {
	spki := registry.SPKIHash(pub)
	for _, fact := range v.Certificates(organisation) {
		if spki == "" || v.SPKIOf(fact) != spki || fact.Usage != registry.UsageCredential {
			continue
		}
		if !ok || fact.ValidOn(at) && !best.ValidOn(at) {
			best, ok = fact, true
		}
	}
	return best, ok
}

// keyRecord: a key counts from its log time on (D9); a revocation for theft, of this or of
// another certificate for the key, may reach back; any other ends the certificate.
func keyRecord(v registry.View, c registry.CertificateFact) *paspoort.KeyRecord {
	r := &paspoort.KeyRecord{
		NotBefore: unix(max(c.Recorded, c.NotBefore)), NotAfter: unix(c.NotAfter), CompromisedFrom: unix(v.CompromisedSince(c)),
	}
	if c.Revoked != nil && !c.Revoked.Compromised && c.Revoked.EffectiveFrom < c.NotAfter {
		r.NotAfter = unix(c.Revoked.EffectiveFrom)
	}
	return r
}

func grants(s registry.Standing) (out []paspoort.Grant) {
	for _, g := range s.Grants {
		grant := paspoort.Grant{Types: typeNames(g.Types), From: unix(g.Since), Until: unix(g.Until)}
		for _, l := range g.Levels {
			grant.Audited = append(grant.Audited, paspoort.Audit{Level: l.Level, Types: typeNames(l.Types), On: unix(l.On), Until: unix(l.Until)})
		}
		out = append(out, grant)
	}
	return out
}

// typeNames turns the registry's names of types (vct) into the profile's. Others stay: they
// grant nothing here, and are not ours to drop.
func typeNames(vcts []string) (out []string) {
	for _, vct := range vcts {
		if t, err := paspoort.TypeOf(vct); err == nil {
			vct = string(t)
		}
		out = append(out, vct)
	}
	return out
}

func withdrawals(s registry.Standing) (out []paspoort.Withdrawal) {
	for _, w := range s.Withdrawals {
		out = append(out, paspoort.Withdrawal{EffectiveFrom: unix(w.EffectiveFrom), Decided: unix(w.Decided), Fraud: w.Fraud})
	}
	return out
}

func suspensions(s registry.Standing) (out []paspoort.Suspension) {
	for _, p := range s.Suspensions {
		out = append(out, paspoort.Suspension{From: unix(p.From), Until: unix(p.Until)})
	}
	return out
}

// unix is the time of the registry's seconds; 0 is no time.
func unix(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
