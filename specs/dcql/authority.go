package dcql

import (
	"crypto/x509"
	"encoding/base64"
	"slices"
)

// authorityMatches is section 6.1.1: a match with one of the values of one of the entries. An entry of a type that the
// caller has no facts about matches nothing.
func (c *CredentialQuery) authorityMatches(cred *Credential) bool {
	if len(c.TrustedAuthorities) == 0 {
		return true
	}
	return slices.ContainsFunc(c.TrustedAuthorities, func(a TrustedAuthority) bool {
		return slices.ContainsFunc(cred.Authorities[a.Type], func(known string) bool { return slices.Contains(a.Values, known) })
	})
}

// AuthorityKeyIdentifiers returns the values by which an "aki" query can ask for a credential with this certificate chain
// (section 6.1.1.1): the KeyIdentifier of each certificate's AuthorityKeyIdentifier, as base64url. The anchor need not be
// in the chain, the leaf's own extension names it.
func AuthorityKeyIdentifiers(chain []*x509.Certificate) []string {
	var ids []string
	for _, cert := range chain {
		if len(cert.AuthorityKeyId) > 0 {
			ids = append(ids, base64.RawURLEncoding.EncodeToString(cert.AuthorityKeyId))
		}
	}
	return ids
}
