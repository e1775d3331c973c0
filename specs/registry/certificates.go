package registry

import (
	"slices"
	"strings"
)

func (c *CertificateRecord) subject() string {
	if c.Fingerprint == "" {
		return OrganisationParty(c.Organisation)
	}
	return CertificateSubject(c.Fingerprint)
}

func (c *CertificateRevocation) subject() string { return CertificateSubject(c.Certificate) }

func (c *CertificateRecord) check() error {
	if !isHash(c.Anchor) || !isOrganisation(c.Organisation) || !slices.Contains([]Usage{UsageCredential, UsageStatus, UsageAccess}, c.Usage) {
		return ErrBody.with("a certificate has an anchor, an organisation and a usage")
	}
	if c.NotBefore <= 0 || c.NotAfter <= c.NotBefore {
		return ErrBody.with("a certificate is valid from a moment until a later one")
	}
	if (c.Fingerprint == "") != (c.SPKI == "") || c.Fingerprint != "" && (!isHash(c.Fingerprint) || !isHash(c.SPKI)) {
		return ErrBody.with("fingerprint and key hash are SHA-256 in hexadecimal, both or neither")
	}
	return nil
}

func (c *CertificateRevocation) check() error {
	if !isHash(c.Certificate) || c.EffectiveFrom < 0 {
		return ErrBody.with("a revocation names a certificate and no moment before 1970")
	}
	return checkText("reason", c.Reason, 2000)
}

// checkUnder: version 1 had no word for renewal.
func (c *CertificateRecord) checkUnder(rules int) error {
	if c.Renews != "" && !isHash(c.Renews) {
		return ErrBody.with("the certificate that is renewed is named by fingerprint or commitment")
	}
	return onlyUnder(2, rules, c.Renews != "")
}

// renewable refuses to renew what is not the organisation's for the same usage, or ended.
func (x *step) renewable(c *CertificateRecord) error {
	if c.Renews == "" {
		return nil
	}
	old, ok := x.s.certificates.get(c.Renews, x.s.size)
	switch {
	case !ok || old.Organisation != c.Organisation || old.Usage != c.Usage:
		return ErrUnknown.with("no certificate of this organisation for the same usage to renew")
	case old.Revoked != nil || x.now > old.NotAfter || c.NotAfter <= old.NotAfter:
		return ErrTransition.with("a certificate is renewed before it ends, by one that ends later")
	}
	return nil
}

// authoriseCertificate: the member that operates the anchor records what it issued with it,
// for organisations that are admitted in a role that the usage belongs to. The organisation
// signs too: the operator alone could otherwise give anybody's name to a key of its own. For
// a one-person firm, whose key nobody here sees, another member signs.
func authoriseCertificate(x *step) error {
	c := x.body.(*CertificateRecord)
	anchor, ok := x.s.anchors.get(c.Anchor, x.s.size)
	if !ok || anchor.Removed != 0 {
		return ErrUnknown.with("no such anchor")
	}
	org, err := x.s.organisation(c.Organisation)
	if err != nil {
		return err
	}
	signers := x.leaf.Event.Signers
	witness := len(signers) == 2 && (signers[1].Party == OrganisationParty(org.ID) ||
		org.OnePerson && strings.HasPrefix(signers[1].Party, memberParty) && signers[1].Party != signers[0].Party)
	if !witness || signers[0].Party != MemberParty(anchor.Operator) {
		return ErrSigner.with("the operator of the anchor signs, then the organisation; for a one-person firm another member")
	}
	commitments := x.leaf.Event.Commitments
	if org.OnePerson != (c.Fingerprint == "") || org.OnePerson && (commitments["certificate"] == "" || commitments["spki"] == "") ||
		!org.OnePerson && len(commitments) > 0 {
		return ErrCommitment.with("fingerprint and key hash of a one-person firm are commitments, of others they are not")
	}
	if c.NotAfter < x.now {
		return ErrTransition.with("the certificate has run out")
	}
	if err := x.renewable(c); err != nil {
		return err
	}
	for _, role := range rolesFor(c.Usage) {
		if st, ok := x.s.standings.get(standingKey(c.Organisation, role), x.s.size); ok && st.admitted(x.now) {
			return nil
		}
	}
	return ErrNotAdmitted.with("not admitted now in a role with this usage")
}

// rolesFor lists the roles that a usage belongs to.
func rolesFor(u Usage) []Role {
	switch u {
	case UsageCredential:
		return []Role{Issuer}
	case UsageStatus:
		return []Role{Issuer, StatusSigner}
	case UsageAccess:
		return []Role{Verifier}
	}
	return nil
}

func enactCertificate(x *step) error {
	c := x.body.(*CertificateRecord)
	name, holder := c.Fingerprint, c.SPKI
	if name == "" {
		name, holder = x.leaf.Event.Commitments["certificate"], ""
	}
	if _, ok := x.s.certificates.get(name, x.s.size); ok {
		return ErrTaken.with("the certificate is recorded already")
	}
	if err := x.commit(c.Organisation); err != nil {
		return err
	}
	if holder != "" {
		under, _ := x.s.keyHolders.get(holder, x.s.size)
		for _, other := range under {
			if fact, _ := x.s.certificates.get(other, x.s.size); fact.Organisation != c.Organisation {
				return ErrTaken.with("another organisation has a certificate for this key")
			}
		}
		put(x, &x.s.keyHolders, holder, append(slices.Clone(under), name))
	}
	put(x, &x.s.certificates, name, CertificateFact{
		Anchor: c.Anchor, Commitments: x.leaf.Event.Commitments, Event: x.id, Fingerprint: c.Fingerprint,
		NotAfter: c.NotAfter, NotBefore: c.NotBefore, Organisation: c.Organisation, Recorded: x.now, Renews: c.Renews, SPKI: c.SPKI, Usage: c.Usage,
	})
	held, _ := x.s.holdings.get(c.Organisation, x.s.size)
	put(x, &x.s.holdings, c.Organisation, append(slices.Clone(held), name))
	put(x, &x.s.heads, CertificateSubject(name), x.id)
	return nil
}

// authoriseRevocation: the operator of the anchor or the organisation itself revokes at once;
// other members as they suspend.
func authoriseRevocation(x *step) error {
	if _, ok := x.s.certificates.get(x.body.(*CertificateRevocation).Certificate, x.s.size); !ok {
		return ErrUnknown.with("no such certificate")
	}
	if x.ownRevocation() {
		return nil
	}
	return onlyMembers(x)
}

func (x *step) ownRevocation() bool {
	fact, _ := x.s.certificates.get(x.body.(*CertificateRevocation).Certificate, x.s.size)
	anchor, _ := x.s.anchors.get(fact.Anchor, x.s.size)
	signers := x.leaf.Event.Signers
	return len(signers) == 1 && (signers[0].Party == OrganisationParty(fact.Organisation) || signers[0].Party == MemberParty(anchor.Operator))
}

func revocationThreshold(x *step) string {
	if x.ownRevocation() {
		return ""
	}
	return ForSuspension
}

// enactRevocation: final, except that a later one may say that it reaches further back.
func enactRevocation(x *step) error {
	r := x.body.(*CertificateRevocation)
	from, err := x.past(r.EffectiveFrom)
	if err != nil {
		return err
	}
	fact, ok := x.s.certificates.get(r.Certificate, x.s.size)
	if !ok {
		return ErrUnknown.with("no such certificate")
	}
	if fact.Revoked != nil && fact.Revoked.EffectiveFrom <= from && (fact.Revoked.Compromised || !r.Compromised) {
		return ErrTransition.with("revoked already, and this goes no further")
	}
	if fact.Revoked != nil {
		from = min(from, fact.Revoked.EffectiveFrom)
	}
	fact.Revoked = &Revocation{Compromised: r.Compromised, Decided: x.now, EffectiveFrom: from, Reason: r.Reason}
	put(x, &x.s.certificates, r.Certificate, fact)
	return nil
}
