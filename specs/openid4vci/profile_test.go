package openid4vci_test

import (
	"errors"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

func TestProfiles(t *testing.T) {
	metadata := func(change func(m *openid4vci.IssuerMetadata, as *openid4vci.AuthorizationServerMetadata, c *openid4vci.CredentialConfiguration)) (*openid4vci.IssuerMetadata, *openid4vci.AuthorizationServerMetadata) {
		c := vcitest.Configuration("a")
		m := &openid4vci.IssuerMetadata{CredentialIssuer: "https://vaart.example", NonceEndpoint: "https://vaart.example/nonce"}
		as := &openid4vci.AuthorizationServerMetadata{DPoPSigningAlgs: []string{"ES256"}, AuthorizationDetailsTypes: []string{"openid_credential"}}
		if change != nil {
			change(m, as, &c)
		}
		m.Configurations = map[string]openid4vci.CredentialConfiguration{"a": c}
		return m, as
	}
	type change = func(m *openid4vci.IssuerMetadata, as *openid4vci.AuthorizationServerMetadata, c *openid4vci.CredentialConfiguration)
	tests := []struct {
		name              string
		change            change
		plain, diip, haip bool
	}{
		{"complete", nil, true, true, true},
		{"no scope", func(_ *openid4vci.IssuerMetadata, _ *openid4vci.AuthorizationServerMetadata, c *openid4vci.CredentialConfiguration) {
			c.Scope = ""
		}, true, true, false},
		{"no nonce endpoint", func(m *openid4vci.IssuerMetadata, _ *openid4vci.AuthorizationServerMetadata, _ *openid4vci.CredentialConfiguration) {
			m.NonceEndpoint = ""
		}, true, true, false},
		{"no DPoP", func(_ *openid4vci.IssuerMetadata, as *openid4vci.AuthorizationServerMetadata, _ *openid4vci.CredentialConfiguration) {
			as.DPoPSigningAlgs = nil
		}, true, true, false},
		{"vc+sd-jwt", func(_ *openid4vci.IssuerMetadata, _ *openid4vci.AuthorizationServerMetadata, c *openid4vci.CredentialConfiguration) {
			c.Format = openid4vci.FormatVCSDJWT
		}, true, true, false},
		{"no did:jwk", func(_ *openid4vci.IssuerMetadata, _ *openid4vci.AuthorizationServerMetadata, c *openid4vci.CredentialConfiguration) {
			c.BindingMethods = []string{"jwk"}
		}, true, false, true},
		{"no authorization details", func(_ *openid4vci.IssuerMetadata, as *openid4vci.AuthorizationServerMetadata, _ *openid4vci.CredentialConfiguration) {
			as.AuthorizationDetailsTypes = nil
		}, true, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, as := metadata(test.change)
			for profile, want := range map[openid4vci.Profile]bool{openid4vci.Plain: test.plain, openid4vci.DIIP: test.diip, openid4vci.HAIP: test.haip} {
				if err := profile.CheckMetadata(m, as); (err == nil) != want || err != nil && !errors.Is(err, openid4vci.ErrProfile) {
					t.Errorf("profile %d: got %v, want ok %v", profile, err, want)
				}
			}
		})
	}
	t.Run("HAIP server without DPoP and attestation", func(t *testing.T) {
		issuer := &vcitest.Issuer{}
		_, err := openid4vci.NewServer(openid4vci.ServerConfig{
			Metadata: openid4vci.IssuerMetadata{CredentialIssuer: "https://vaart.example",
				Configurations: map[string]openid4vci.CredentialConfiguration{"a": vcitest.Configuration("a")}},
			Issuer: issuer, Nonces: issuer, Now: time.Now, Profile: openid4vci.HAIP,
		})
		if !errors.Is(err, openid4vci.ErrProfile) {
			t.Errorf("got %v, want ErrProfile", err)
		}
	})
	t.Run("HAIP wallet and a pre-authorized offer", func(t *testing.T) {
		issuer := vcitest.Start(t, vcitest.Options{})
		c := issuer.Client()
		c.Profile = openid4vci.HAIP
		if _, err := c.Offer(t.Context(), issuer.Link(vcitest.ConfigurationID, "")); !errors.Is(err, openid4vci.ErrProfile) {
			t.Errorf("got %v, want ErrProfile", err)
		}
	})
	t.Run("DIIP wallet at the double", func(t *testing.T) {
		issuer := vcitest.Start(t, vcitest.Options{Change: func(c *openid4vci.ServerConfig) { c.Profile = openid4vci.DIIP }})
		c := issuer.Client()
		c.Profile = openid4vci.DIIP
		offer, err := c.Offer(t.Context(), issuer.Link(vcitest.ConfigurationID, "1"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Begin(t.Context(), offer)
		if err != nil {
			t.Fatal(err)
		}
		// DIIP asks by authorization_details, and then by credential identifier.
		token, _ := obtain(t, s, "1", openid4vci.Wanted{ConfigurationID: vcitest.ConfigurationID, Keys: newKeys(t, 2)})
		if len(token.Identifiers(vcitest.ConfigurationID)) != 1 {
			t.Errorf("token response without credential identifiers: %+v", token.AuthorizationDetails)
		}
	})
}

func TestNewServerRefuses(t *testing.T) {
	issuer := &vcitest.Issuer{}
	good := func() openid4vci.ServerConfig {
		return openid4vci.ServerConfig{
			Metadata: openid4vci.IssuerMetadata{CredentialIssuer: "https://vaart.example",
				Configurations: map[string]openid4vci.CredentialConfiguration{"a": vcitest.Configuration("a")}},
			Issuer: issuer, Nonces: issuer, Now: time.Now,
		}
	}
	for name, change := range map[string]func(c *openid4vci.ServerConfig){
		"no issuer":         func(c *openid4vci.ServerConfig) { c.Issuer = nil },
		"no nonces":         func(c *openid4vci.ServerConfig) { c.Nonces = nil },
		"no clock":          func(c *openid4vci.ServerConfig) { c.Now = nil },
		"slash at the end":  func(c *openid4vci.ServerConfig) { c.Metadata.CredentialIssuer += "/" },
		"query":             func(c *openid4vci.ServerConfig) { c.Metadata.CredentialIssuer += "?a" },
		"no configurations": func(c *openid4vci.ServerConfig) { c.Metadata.Configurations = nil },
		"claims repeated": func(c *openid4vci.ServerConfig) {
			m := c.Metadata.Configurations["a"].Metadata
			m.Claims = append(m.Claims, m.Claims[0])
		},
		"batch size of one ": func(c *openid4vci.ServerConfig) { c.Metadata.BatchIssuance = &openid4vci.BatchIssuance{BatchSize: 1} },
	} {
		c := good()
		change(&c)
		if _, err := openid4vci.NewServer(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := openid4vci.NewServer(good()); err != nil {
		t.Errorf("good: %v", err)
	}
}
