package openid4vp_test

import (
	"fmt"

	"paspoort.example/paspoort/specs/openid4vp"
)

// A wallet reads the text of a QR code.
func ExampleParseInvocation() {
	inv, err := openid4vp.ParseInvocation("openid4vp://?client_id=x509_san_dns%3Awerkgever.example&request_uri=https%3A%2F%2Fwerkgever.example%2Fr%2F1")
	if err != nil {
		fmt.Println(err)
		return
	}
	prefix, name := inv.ClientID.Split()
	fmt.Println(prefix, name, inv.RequestURI)
	// Output: x509_san_dns werkgever.example https://werkgever.example/r/1
}

// The same request for a wallet host that is reached over https.
func ExampleInvocation_Link() {
	inv := &openid4vp.Invocation{ClientID: "decentralized_identifier:did:web:werkgever.example", RequestURI: "https://werkgever.example/r/1"}
	link, err := inv.Link("https://wallet.example/present")
	fmt.Println(link, err)
	// Output: https://wallet.example/present?client_id=decentralized_identifier%3Adid%3Aweb%3Awerkgever.example&request_uri=https%3A%2F%2Fwerkgever.example%2Fr%2F1 <nil>
}
