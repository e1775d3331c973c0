package openid4vci_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/openid4vci"
)

const goodOffer = `{"credential_issuer":"https://vaart.example","credential_configuration_ids":["a"],` +
	`"grants":{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"c","tx_code":{}}}}`

func TestParseOfferLink(t *testing.T) {
	byValue := "credential_offer=" + url.QueryEscape(goodOffer)
	tests := []struct {
		name, link string
		ok         bool
	}{
		{"custom scheme by value", "openid-credential-offer://?" + byValue, true},
		{"web wallet by value", "https://wallet.example/offer?" + byValue, true},
		{"space around", " openid-credential-offer://?" + byValue + "\n", true},
		{"by reference", "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fvaart.example%2Fo", true},
		{"other parameters", "haip-vci://?x=1&" + byValue, true},
		{"the offer URI itself", "https://vaart.example/credential-offer/abc", true},
		{"the offer URI itself, with a query", "https://vaart.example/offer?id=3", true},
		{"both", "x://?" + byValue + "&credential_offer_uri=https%3A%2F%2Fa", false},
		{"twice", "x://?" + byValue + "&" + byValue, false},
		{"none", "x://?a=b", false},
		{"no query", "openid-credential-offer://", false},
		{"empty reference", "x://?credential_offer_uri=", false},
		{"broken escape", "x://?credential_offer=%zz", false},
		{"too long", "x://?credential_offer=" + strings.Repeat("a", openid4vci.MaxInvocation), false},
		{"overlong reference", "x://?credential_offer_uri=https%3A%2F%2Fa/" + strings.Repeat("a", 3000), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := openid4vci.ParseOfferLink(test.link)
			if (err == nil) != test.ok || err != nil && !errors.Is(err, openid4vci.ErrOffer) {
				t.Errorf("got %v, want ok %v", err, test.ok)
			}
		})
	}
}

func TestParseOfferRefuses(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(goodOffer, old, new, 1) }
	tests := map[string]string{
		"no JSON":                  "x",
		"trailing bytes":           goodOffer + "x",
		"repeated member":          replace(`{`, `{"credential_issuer":"https://a.example",`),
		"issuer missing":           replace("credential_issuer", "x"),
		"no configuration":         replace(`["a"]`, `[]`),
		"configuration repeated":   replace(`["a"]`, `["a","a"]`),
		"configuration empty":      replace(`["a"]`, `[""]`),
		"too many configurations":  replace(`["a"]`, `["a`+strings.Repeat(`","b`, 40)+`"]`),
		"code missing":             replace(`"pre-authorized_code":"c",`, ""),
		"input mode unknown":       replace(`"tx_code":{}`, `"tx_code":{"input_mode":"voice"}`),
		"length negative":          replace(`"tx_code":{}`, `"tx_code":{"length":-1}`),
		"length huge":              replace(`"tx_code":{}`, `"tx_code":{"length":1000000}`),
		"description over 300":     replace(`"tx_code":{}`, `"tx_code":{"description":"`+strings.Repeat("é", 301)+`"}`),
		"invalid UTF-8":            replace("vaart", "va\xffrt"),
		"longer than can be right": replace("vaart", strings.Repeat("a", openid4vci.MaxOffer)),
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			if offer, err := openid4vci.ParseOffer([]byte(raw)); !errors.Is(err, openid4vci.ErrOffer) || offer != nil {
				t.Errorf("got %v, %v, want ErrOffer", offer, err)
			}
		})
	}
}

// TestTxCodeEmpty: an empty object means that a code is wanted, so it is written
// and read as one; absence stays absence.
func TestTxCodeEmpty(t *testing.T) {
	for _, want := range []*openid4vci.TxCode{nil, {}, {InputMode: openid4vci.InputNumeric, Length: 6}} {
		offer := &openid4vci.CredentialOffer{CredentialIssuer: "https://vaart.example", ConfigurationIDs: []string{"a"},
			Grants: &openid4vci.Grants{PreAuthorized: &openid4vci.PreAuthorizedGrant{Code: "c", TxCode: want}}}
		link, err := offer.LinkByValue("openid-credential-offer://")
		if err != nil {
			t.Fatal(err)
		}
		got, err := openid4vci.ParseOfferLink(link)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(offer, got.Offer); diff != "" {
			t.Errorf("offer (-want +got):\n%s", diff)
		}
		if raw, _ := json.Marshal(offer); strings.Contains(string(raw), "tx_code") != (want != nil) {
			t.Errorf("tx_code in %s, want %v", raw, want)
		}
	}
}
