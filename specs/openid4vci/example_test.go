package openid4vci_test

import (
	"fmt"

	"paspoort.example/paspoort/specs/openid4vci"
)

// An offer that asks a transaction code, by value and by reference.
func ExampleCredentialOffer() {
	offer := &openid4vci.CredentialOffer{
		CredentialIssuer: "https://vaart.example",
		ConfigurationIDs: []string{"Opleiding_dc_sd_jwt"},
		Grants:           &openid4vci.Grants{PreAuthorized: &openid4vci.PreAuthorizedGrant{Code: "een-code", TxCode: &openid4vci.TxCode{}}},
	}
	link, err := offer.LinkByValue("openid-credential-offer://")
	if err != nil {
		panic(err)
	}
	read, err := openid4vci.ParseOfferLink(link)
	if err != nil {
		panic(err)
	}
	fmt.Println("asks a code:", read.Offer.PreAuthorized().TxCode != nil)
	fmt.Println(openid4vci.LinkByReference("openid-credential-offer://", "https://vaart.example/credential-offer/abc"))
	// Output:
	// asks a code: true
	// openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fvaart.example%2Fcredential-offer%2Fabc
}

// The well-known name is inserted between host and path.
func ExampleIssuerMetadataURL() {
	at, err := openid4vci.IssuerMetadataURL("https://vaart.example/roc")
	fmt.Println(at, err)
	// Output: https://vaart.example/.well-known/openid-credential-issuer/roc <nil>
}

// Callers branch on the code.
func ExampleCode() {
	err := fmt.Errorf("accept: %w", openid4vci.Refuse(openid4vci.InvalidGrant, "the transaction code is wrong"))
	fmt.Println(openid4vci.AsError(err).Code, openid4vci.AsError(err).HTTPStatus())
	// Output: invalid_grant 400
}
