package verifier

import (
	"paspoort.example/paspoort/specs/dcql"
	"paspoort.example/paspoort/specs/jose"
)

// authorities says by which authority key identifiers a certificate chain can be asked for. A chain that cannot be read has
// none.
func authorities(x5c [][]byte) map[string][]string {
	chain, err := jose.ParseCertificates(x5c)
	if err != nil {
		return nil
	}
	return map[string][]string{dcql.AuthorityKeyIdentifier: dcql.AuthorityKeyIdentifiers(chain)}
}
