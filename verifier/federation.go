package verifier

import (
	"fmt"
	"net/http"

	"paspoort.example/paspoort/internal/entity"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/openidfed"
	"paspoort.example/paspoort/specs/paspoort"
)

// federate makes the verifier's entity configuration (DIIP v5, Appendix B). It is signed with
// the access key, which the region's registry knows; before the region admitted the verifier
// there is none. Keys to encrypt to are not in it: each request brings one of its own.
func (v *Verifier) federate() (err error) {
	c := &v.config
	if len(c.Federation) == 0 || c.AccessKey == nil {
		return nil
	}
	formats := openid4vp.VPFormats{}
	for _, f := range paspoort.Formats() {
		formats[string(f)] = openid4vp.VPFormat{SDJWTAlgorithms: []string{string(jose.ES256)}, KBJWTAlgorithms: []string{string(jose.ES256)}}
	}
	asking, err := openidfed.Object(map[string]any{
		"vp_formats_supported": formats, "encrypted_response_enc_values_supported": []string{jose.A128GCM, jose.A256GCM},
		"client_name": c.Name,
	})
	if err != nil {
		return fmt.Errorf("verifier: %w", err)
	}
	v.entity, err = entity.New(entity.Config{
		ID: c.URL, Key: c.AccessKey, Authorities: c.Federation, HTTP: c.FederationHTTP, Clock: c.Clock, Log: c.Log,
		Metadata: openidfed.Metadata{
			openidfed.FederationEntity:   {"display_name": c.Name, "organization_name": c.Name},
			openidfed.CredentialVerifier: asking,
		},
	})
	if err != nil {
		return fmt.Errorf("verifier: %w", err)
	}
	v.site.Protocol.Handle(openidfed.WellKnown, v.entity).Methods(http.MethodGet, http.MethodHead)
	return nil
}
