package openid4vci_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/openid4vci"
)

func TestAuthorizationRequest(t *testing.T) {
	verifier, err := openid4vci.NewCodeVerifier(testkit.Rand(1))
	if err != nil {
		t.Fatal(err)
	}
	want := &openid4vci.AuthorizationRequest{
		ClientID: "wallet", RedirectURI: "https://wallet.example/cb", State: "s", IssuerState: "i", DPoPKey: "k",
		CodeChallenge:        openid4vci.CodeChallenge(verifier),
		AuthorizationDetails: []openid4vci.AuthorizationDetail{{Type: "openid_credential", ConfigurationID: "a"}},
	}
	form, err := want.Form()
	if err != nil {
		t.Fatal(err)
	}
	got, err := openid4vci.ParseAuthorizationRequest(form)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	for name, test := range map[string]struct {
		change func(f url.Values)
		want   openid4vci.Code
	}{
		"request_uri":        {func(f url.Values) { f.Set("request_uri", "x") }, openid4vci.InvalidRequest},
		"response type":      {func(f url.Values) { f.Set("response_type", "token") }, openid4vci.UnsupportedResponseType},
		"client missing":     {func(f url.Values) { f.Del("client_id") }, openid4vci.InvalidRequest},
		"challenge plain":    {func(f url.Values) { f.Set("code_challenge_method", "plain") }, openid4vci.InvalidRequest},
		"challenge missing":  {func(f url.Values) { f.Del("code_challenge") }, openid4vci.InvalidRequest},
		"state twice":        {func(f url.Values) { f.Add("state", "x") }, openid4vci.InvalidRequest},
		"nothing asked":      {func(f url.Values) { f.Del("authorization_details") }, openid4vci.InvalidRequest},
		"details of no type": {func(f url.Values) { f.Set("authorization_details", "[{}]") }, openid4vci.InvalidAuthorizationDetails},
	} {
		form, _ := want.Form()
		test.change(form)
		if _, err := openid4vci.ParseAuthorizationRequest(form); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
}

func TestAuthorizationResponse(t *testing.T) {
	server := &openid4vci.AuthorizationServerMetadata{Issuer: "https://vaart.example", AuthorizationResponseIss: true}
	for name, test := range map[string]struct {
		query string
		ok    bool
		code  openid4vci.Code
	}{
		"good":              {"code=c&state=s&iss=https://vaart.example", true, ""},
		"another state":     {"code=c&state=x&iss=https://vaart.example", false, ""},
		"mixed up":          {"code=c&state=s&iss=https://elders.example", false, ""},
		"iss missing":       {"code=c&state=s", false, ""},
		"refused":           {"error=access_denied&state=s&iss=https://vaart.example", false, openid4vci.AccessDenied},
		"neither":           {"state=s&iss=https://vaart.example", false, ""},
		"error of a forger": {"error=access_denied&state=s&iss=https://elders.example", false, ""},
	} {
		query, err := url.ParseQuery(test.query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = openid4vci.ParseAuthorizationResponse(query, "s", server)
		if (err == nil) != test.ok || (test.code != "") != errors.Is(err, openid4vci.AccessDenied) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
