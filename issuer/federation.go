package issuer

import (
	"fmt"
	"net/http"

	"paspoort.example/paspoort/internal/entity"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
)

// named is the issuer as credentials name it.
func (i *Issuer) named() paspoort.Issuer {
	out := paspoort.Issuer{ID: i.c.URL, Name: i.c.Name, Country: i.c.Country}
	if len(i.c.Federation) > 0 {
		out.Entity = i.c.URL
	}
	return out
}

// federate makes the issuer's entity configuration (DIIP v5, Appendix B): the entity identifier
// is credential_issuer, the metadata is that of OpenID4VCI, and the keys that sign credentials
// stand in vc_issuer under the kid that credentials name.
func (i *Issuer) federate(site *web.Site) error {
	if len(i.c.Federation) == 0 {
		return nil
	}
	issuing, err := openidfed.Object(i.server.Metadata())
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	authorising, err := openidfed.Object(i.server.ServerMetadata())
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	credential := jose.Key{Public: i.c.CredentialKey.Public(), KeyID: i.credentialKeyID, Algorithm: string(jose.ES256), Use: "sig"}
	signing, err := openidfed.Object(map[string]any{"jwks": jose.KeySet{Keys: []jose.Key{credential}}})
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	i.entity, err = entity.New(entity.Config{
		ID: i.c.URL, Key: i.c.CredentialKey, Authorities: i.c.Federation, HTTP: i.c.FederationHTTP, Clock: i.c.Clock, Log: i.c.Log,
		Metadata: openidfed.Metadata{
			openidfed.FederationEntity:    {"display_name": i.c.Name, "organization_name": i.c.Name},
			openidfed.CredentialIssuer:    issuing,
			openidfed.AuthorizationServer: authorising,
			openidfed.VCIssuer:            signing,
		},
	})
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	site.Protocol.Handle(openidfed.WellKnown, i.entity).Methods(http.MethodGet, http.MethodHead)
	return nil
}
