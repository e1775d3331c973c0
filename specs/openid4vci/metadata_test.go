package openid4vci_test

import (
	"errors"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/openid4vci"
)

func TestWellKnownURLs(t *testing.T) {
	tests := []struct{ issuer, want string }{
		{"https://vaart.example/huurder", "https://vaart.example/.well-known/openid-credential-issuer/huurder"},
		{"https://huurder.vaart.example", "https://huurder.vaart.example/.well-known/openid-credential-issuer"},
		{"https://issuer.example:8443/a/b", "https://issuer.example:8443/.well-known/openid-credential-issuer/a/b"},
		{"https://issuer.example/", "https://issuer.example/.well-known/openid-credential-issuer"},
		{"https://issuer.example?x", ""},
		{"https://issuer.example#x", ""},
		{"https://issuer.example#", ""},
		{"https://user@issuer.example", ""},
		{"issuer.example", ""},
		{"mailto:a@issuer.example", ""},
		{"", ""},
	}
	for _, test := range tests {
		got, err := openid4vci.IssuerMetadataURL(test.issuer)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%q: got %q, %v, want %q", test.issuer, got, err, test.want)
		}
	}
}

const goodMetadata = `{"credential_issuer":"https://vaart.example","credential_endpoint":"https://vaart.example/c",` +
	`"credential_configurations_supported":{"a":{"format":"dc+sd-jwt","vct":"v","credential_metadata":{"claims":[{"path":["x"]}],"display":[{"name":"n","locale":"nl"}]}}}}`

func TestParseIssuerMetadataRefuses(t *testing.T) {
	const issuer = "https://vaart.example"
	replace := func(old, new string) string { return strings.Replace(goodMetadata, old, new, 1) }
	extra := func(member string) string { return replace("{", "{"+member+",") }
	tests := map[string]string{
		"no JSON":                        "x",
		"repeated member":                extra(`"credential_issuer":"https://vaart.example"`),
		"of another issuer":              replace(`"https://vaart.example"`, `"https://elders.example"`),
		"same issuer with a slash":       replace(`"https://vaart.example"`, `"https://vaart.example/"`),
		"same issuer in capitals":        replace(`"https://vaart.example"`, `"https://VAART.example"`),
		"credential endpoint missing":    replace("credential_endpoint", "x"),
		"no configurations":              replace("credential_configurations_supported", "x"),
		"batch of one":                   extra(`"batch_credential_issuance":{"batch_size":1}`),
		"batch without size":             extra(`"batch_credential_issuance":{}`),
		"request encryption empty":       extra(`"credential_request_encryption":{"jwks":{"keys":[]},"enc_values_supported":["A128GCM"],"encryption_required":false}`),
		"response encryption empty":      extra(`"credential_response_encryption":{}`),
		"issuer display twice":           extra(`"display":[{"locale":"nl"},{"locale":"NL"}]`),
		"configuration without format":   replace(`"format"`, `"x"`),
		"configuration display twice":    replace(`[{"name":"n","locale":"nl"}]`, `[{"locale":"nl"},{"locale":"nl"}]`),
		"claim twice":                    replace(`[{"path":["x"]}]`, `[{"path":["x"]},{"path":["x"]}]`),
		"claim without path":             replace(`[{"path":["x"]}]`, `[{"path":[]}]`),
		"claim array and object":         replace(`[{"path":["x"]}]`, `[{"path":["x",null]},{"path":["x","y"]}]`),
		"claim all and one of an array":  replace(`[{"path":["x"]}]`, `[{"path":["x",null]},{"path":["x",0]}]`),
		"claim with a negative index":    replace(`[{"path":["x"]}]`, `[{"path":["x",-1]}]`),
		"claim with a fraction as index": replace(`[{"path":["x"]}]`, `[{"path":["x",0.5]}]`),
		"claim with an object as step":   replace(`[{"path":["x"]}]`, `[{"path":[{}]}]`),
		"proof type without algorithms":  replace(`"vct":"v"`, `"proof_types_supported":{"jwt":{}}`),
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			m, err := openid4vci.ParseIssuerMetadata([]byte(raw), issuer)
			if err == nil {
				_, err = m.Configuration("a")
			}
			if !errors.Is(err, openid4vci.ErrMetadata) {
				t.Errorf("got %v, want ErrMetadata", err)
			}
		})
	}
	m, err := openid4vci.ParseIssuerMetadata([]byte(extra(`"unknown":{"deep":[1]}`)), issuer)
	if err != nil {
		t.Fatalf("good metadata: %v", err)
	}
	if _, err := m.Configuration("a"); err != nil || m.BatchSize() != 1 {
		t.Errorf("good configuration: %v, batch %d", err, m.BatchSize())
	}
	if _, err := m.Configuration("b"); !errors.Is(err, openid4vci.ErrMetadata) {
		t.Errorf("unknown configuration: got %v", err)
	}
}

func TestLocalized(t *testing.T) {
	displays := []openid4vci.Display{{Name: "Opleiding", Locale: "nl-NL"}, {Name: "Course", Locale: "en"}}
	for _, test := range []struct{ language, want string }{{"nl", "Opleiding"}, {"en-GB", "Course"}, {"fr", "Opleiding"}} {
		if got := openid4vci.Localized(displays, test.language).Name; got != test.want {
			t.Errorf("%s: got %q, want %q", test.language, got, test.want)
		}
	}
	if got := openid4vci.Localized(nil, "nl"); got.Name != "" {
		t.Errorf("nothing: got %v", got)
	}
}
