package openid4vci_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
)

// roundTrip: what parses must encode to something that parses to the same bytes
// again.
func roundTrip[T any](t *testing.T, v *T, parse func([]byte) (*T, error)) {
	t.Helper()
	first, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	again, err := parse(first)
	if err != nil {
		t.Fatalf("parse again: %v\n%s", err, first)
	}
	second, err := json.Marshal(again)
	if err != nil || string(first) != string(second) {
		t.Errorf("not stable:\n%s\n%s", first, second)
	}
}

func FuzzParseOffer(f *testing.F) {
	f.Add([]byte(goodOffer))
	f.Add([]byte(`{"credential_issuer":"a","credential_configuration_ids":["a"],"grants":{"authorization_code":{"issuer_state":"s"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		offer, err := openid4vci.ParseOffer(raw)
		if err != nil {
			if offer != nil {
				t.Error("an offer beside an error")
			}
			return
		}
		roundTrip(t, offer, openid4vci.ParseOffer)
	})
}

func FuzzParseOfferLink(f *testing.F) {
	f.Add("openid-credential-offer://?credential_offer=" + url.QueryEscape(goodOffer))
	f.Add("x://?credential_offer_uri=https%3A%2F%2Fa")
	f.Fuzz(func(t *testing.T, link string) {
		got, err := openid4vci.ParseOfferLink(link)
		if err == nil && (got.Offer == nil) == (got.URI == "") {
			t.Errorf("want exactly one of offer and URI: %+v", got)
		}
	})
}

func FuzzParseIssuerMetadata(f *testing.F) {
	f.Add([]byte(goodMetadata))
	f.Fuzz(func(t *testing.T, raw []byte) {
		parse := func(b []byte) (*openid4vci.IssuerMetadata, error) {
			return openid4vci.ParseIssuerMetadata(b, "https://vaart.example")
		}
		m, err := parse(raw)
		if err != nil {
			return
		}
		for id := range m.Configurations {
			_, _ = m.Configuration(id)
		}
		_ = openid4vci.HAIP.CheckMetadata(m, &openid4vci.AuthorizationServerMetadata{})
	})
}

func FuzzParseCredentialRequest(f *testing.F) {
	f.Add([]byte(`{"credential_configuration_id":"a","proofs":{"jwt":["a.b.c"]}}`))
	f.Add([]byte(`{"credential_identifier":"a","proofs":{"di_vp":[{}]}}`))
	policy := openid4vci.ProofPolicy{Issuer: "i", Algorithms: []jose.Algorithm{jose.ES256}, BindingMethods: []string{"jwk"}, Now: time.Unix(0, 0)}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := openid4vci.ParseCredentialRequest(raw)
		if err != nil {
			return
		}
		if (r.Identifier == "") == (r.ConfigurationID == "") {
			t.Errorf("want exactly one name: %+v", r)
		}
		if _, err := policy.Verify(r.Proofs); err == nil {
			t.Error("a proof that nobody signed was accepted")
		}
	})
}

func FuzzParseCredentialResponse(f *testing.F) {
	f.Add([]byte(`{"credentials":[{"credential":"a~"}],"notification_id":"n"}`))
	f.Add([]byte(`{"transaction_id":"t","interval":5}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := openid4vci.ParseCredentialResponse(raw)
		if err == nil && (len(r.Credentials) > 0) == (r.TransactionID != "") {
			t.Errorf("want credentials or a transaction: %+v", r)
		}
	})
}

func FuzzParseTokenRequest(f *testing.F) {
	f.Add("grant_type=refresh_token&refresh_token=a")
	f.Add(preAuthorized("a", "tx_code", "1", "authorization_details", `[{"type":"openid_credential","credential_configuration_id":"a"}]`))
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		r, err := openid4vci.ParseTokenRequest(form)
		if err != nil {
			return
		}
		encoded, err := r.Form()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openid4vci.ParseTokenRequest(encoded); err != nil {
			t.Errorf("parse again: %v", err)
		}
	})
}

func FuzzParseNotification(f *testing.F) {
	f.Add([]byte(`{"notification_id":"a","event":"credential_accepted"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := openid4vci.ParseNotification(raw)
		if err == nil {
			roundTrip(t, n, openid4vci.ParseNotification)
		}
	})
}

// FuzzParseAuthorizationServerMetadata: what is accepted is of the server asked and names
// where tokens are.
func FuzzParseAuthorizationServerMetadata(f *testing.F) {
	const server = "https://vaart.example"
	f.Add([]byte(`{"issuer":"https://vaart.example","token_endpoint":"https://vaart.example/token","grant_types_supported":["a"]}`))
	f.Add([]byte(`{"issuer":"https://vaart.example/","token_endpoint":"x"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := openid4vci.ParseAuthorizationServerMetadata(raw, server)
		if err != nil {
			return
		}
		if m.Issuer != server || m.TokenEndpoint == "" {
			t.Errorf("accepted %+v", m)
		}
		roundTrip(t, m, func(b []byte) (*openid4vci.AuthorizationServerMetadata, error) {
			return openid4vci.ParseAuthorizationServerMetadata(b, server)
		})
	})
}

// FuzzParseDeferredRequest: a request that is accepted names a transaction.
func FuzzParseDeferredRequest(f *testing.F) {
	f.Add([]byte(`{"transaction_id":"t-1","credential_response_encryption":{"enc":"A128GCM"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := openid4vci.ParseDeferredRequest(raw); (err == nil) != (r != nil && r.TransactionID != "") {
			t.Errorf("%+v with %v", r, err)
		}
	})
}
