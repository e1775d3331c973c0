package openid4vci_test

import (
	"testing"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

// An issuer that publishes that it needs key attestations and looks at none would take any
// key.
func TestServerLooksAtWhatItAsks(t *testing.T) {
	d := attested(t, testkit.P256(t).Public())
	var config openid4vci.ServerConfig
	configuration := vcitest.Configuration(vcitest.ConfigurationID)
	configuration.ProofTypes = map[string]openid4vci.ProofType{openid4vci.ProofJWT: {
		SigningAlgs: []string{"ES256"}, KeyAttestationsRequired: &openid4vci.KeyAttestationsRequired{}}}
	vcitest.Start(t, vcitest.Options{Now: d.clock.Now, Change: func(c *openid4vci.ServerConfig) { config = *c }})
	config.Metadata.Configurations = map[string]openid4vci.CredentialConfiguration{vcitest.ConfigurationID: configuration}
	if _, err := openid4vci.NewServer(config); err == nil {
		t.Error("a server that lets everybody in")
	}
}
