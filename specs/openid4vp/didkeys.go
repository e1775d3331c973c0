package openid4vp

import (
	"context"
	"crypto"

	"paspoort.example/paspoort/specs/did"
)

// DIDResolver is [DIDKeys] by resolving the DID anew for each request.
type DIDResolver struct {
	Fetcher did.Fetcher
}

// Key resolves the DID and returns the key that signs for it. Section 5.9.3: "A public key to verify the signature MUST be
// obtained from the verificationMethod property of a DID Document". The text names no relationship; DID Core lets a method
// be used for what it is listed under only, and verifiers in the field list their key for authentication or assertion.
func (r DIDResolver) Key(ctx context.Context, id, keyID string) (crypto.PublicKey, error) {
	doc, err := did.Resolve(ctx, id, r.Fetcher)
	if err != nil {
		return nil, err
	}
	key, err := doc.Key(keyID, did.Authentication)
	if err != nil {
		return doc.Key(keyID, did.AssertionMethod)
	}
	return key, nil
}
