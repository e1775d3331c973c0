package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Algorithm is the value of the header parameter `alg` of a JWS (RFC 7518 3.1).
type Algorithm string

// The algorithms that exist here.
const (
	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256
	ES384 Algorithm = "ES384" // ECDSA on P-384 with SHA-384
	EdDSA Algorithm = "EdDSA" // Ed25519 (RFC 8037 3.1)
	RS256 Algorithm = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256; to verify imports only
)

// verifiers and signers hold jwx's implementations; both are stateless.
var (
	verifiers = map[Algorithm]jws.Verifier{
		ES256: must(jws.NewVerifier(jwa.ES256)),
		ES384: must(jws.NewVerifier(jwa.ES384)),
		EdDSA: must(jws.NewVerifier(jwa.EdDSA)),
		RS256: must(jws.NewVerifier(jwa.RS256)),
	}
	signers = map[Algorithm]jws.Signer{
		ES256: must(jws.NewSigner(jwa.ES256)),
		ES384: must(jws.NewSigner(jwa.ES384)),
		EdDSA: must(jws.NewSigner(jwa.EdDSA)),
	}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // jwx was built without an algorithm that it always has
	}
	return v
}

// AlgorithmFor returns the one algorithm that goes with a public key, or an error
// that wraps [ErrKey].
func AlgorithmFor(pub crypto.PublicKey) (Algorithm, error) {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return ES256, nil
		case elliptic.P384():
			return ES384, nil
		}
		return "", fmt.Errorf("%w: elliptic curve not supported", ErrKey)
	case ed25519.PublicKey:
		return EdDSA, nil
	case *rsa.PublicKey:
		return RS256, nil
	}
	return "", fmt.Errorf("%w: type %T not supported", ErrKey, pub)
}

// signatureSize is the length of a signature in bytes, 0 where the key decides.
func (a Algorithm) signatureSize() int {
	switch a {
	case ES256, EdDSA:
		return 64 // RFC 7518 3.4, RFC 8032 5.1.6
	case ES384:
		return 96
	}
	return 0
}
