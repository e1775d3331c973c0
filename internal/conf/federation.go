package conf

import "paspoort.example/paspoort/specs/jose"

// Federation is an ecosystem outside the regions that counts for issuers whom no region knows:
// a trust anchor of OpenID Federation, with its keys pinned here.
type Federation struct {
	Entity string      `json:"entity"` // entity identifier of the trust anchor
	Name   string      `json:"name"`   // for people
	Keys   jose.KeySet `json:"jwks"`   // got from the federation by another way than its own address
	// Types are the credential types (vct) that are relied on, each with the type of the trust
	// mark that an issuer must have for it; "" takes every issuer of the federation.
	Types map[string]string `json:"types"`
}
