package jose_test

import (
	"errors"
	"fmt"

	"paspoort.example/paspoort/specs/jose"
)

func ExampleSign() {
	key, _ := jose.Generate(jose.ES256)
	token, _ := jose.Sign(key, jose.Header{Type: "dc+sd-jwt", KeyID: "k1"}, []byte(`{"iss":"https://devaart.example"}`))

	s, _ := jose.Parse(token)
	fmt.Println(s.Header.Algorithm, s.Header.Type, s.Header.KeyID)
	fmt.Println(s.Verify(key.Public(), jose.ES256))
	fmt.Println(errors.Is(s.Verify(key.Public(), jose.EdDSA), jose.ErrAlgorithm))
	// Output:
	// ES256 dc+sd-jwt k1
	// <nil>
	// true
}

func ExampleEncrypt() {
	key, _ := jose.Generate(jose.ES256)
	to := jose.Key{Public: key.Public(), KeyID: "antwoord-1", Use: "enc", Algorithm: jose.ECDHES}
	token, _ := jose.Encrypt([]byte("voor u alleen"), to, jose.A256GCM, jose.Header{})

	plaintext, header, err := jose.Decrypt(token, key, "antwoord-1", jose.A256GCM)
	fmt.Printf("%s %s %v\n", plaintext, header.KeyID, err)
	// Output: voor u alleen antwoord-1 <nil>
}

func ExampleThumbprint() {
	key, _ := jose.ParseKey([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	thumbprint, _ := jose.Thumbprint(key.Public)
	fmt.Println(thumbprint)
	// Output: kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
}

func ExamplePrivateKey() {
	key, _ := jose.Generate(jose.EdDSA)
	fmt.Println(key)
	// Output: private key (hidden)
}
