package did

import (
	"crypto"
	"fmt"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// JWK returns the did:jwk of a public key. The members of the JWK are the required
// ones in lexicographic order, so that one key has one DID; the key's id is the DID
// with fragment "0".
func JWK(pub crypto.PublicKey) (string, error) {
	raw, err := ijson.Canonical(jose.Key{Public: pub})
	if err != nil {
		return "", err
	}
	return "did:jwk:" + jose.EncodeBase64URL(raw), nil
}

// resolveJWK: the id is the key (did:jwk, Read).
func resolveJWK(did, id string) (*Document, error) {
	raw, err := jose.DecodeBase64URL(id)
	if err != nil {
		return nil, fmt.Errorf("%w: did:jwk: %w", ErrSyntax, err)
	}
	k, err := jose.ParseKey(raw)
	if err != nil {
		return nil, fmt.Errorf("did:jwk: %w", err)
	}
	d := &Document{
		Context: []any{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"},
		ID:      did,
		VerificationMethod: []Method{{
			ID: did + "#0", Type: "JsonWebKey2020", Controller: did, PublicKeyJWK: raw,
		}},
	}
	// "If the JWK contains a use property with the value sig then the
	// keyAgreement property is not included"; with enc it is the only one.
	ref := []Relationship{{Reference: did + "#0"}}
	if k.Use != "enc" {
		d.AssertionMethod, d.Authentication = ref, ref
	}
	if k.Use != "sig" {
		d.KeyAgreement = ref
	}
	return d, nil
}
