package openid4vci

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// proofType is the typ of a key proof (F.1: "MUST be openid4vci-proof+jwt").
const proofTyp = "openid4vci-proof+jwt"

// ProofKey is a wallet key that a credential copy is to be bound to.
type ProofKey struct {
	Signer crypto.Signer
	// KeyID is a DID URL such as "did:jwk:...#0" that names the key (DIIP v5).
	// Empty: the public key itself travels as jwk (HAIP 1.0).
	KeyID string
	// Attestation is a key attestation that lists the key (appendix D), optional.
	Attestation string
}

// proofClaims is the body of a key proof (F.1).
type proofClaims struct {
	Issuer   string `json:"iss,omitempty"`
	Audience string `json:"aud"`
	IssuedAt *int64 `json:"iat"`
	Nonce    string `json:"nonce,omitempty"`
}

// SignProof makes a key proof of type jwt for issuer (F.1). clientID is left
// empty for a token from the pre-authorized code flow without a client_id: iss
// "MUST be omitted if the access token [...] was obtained from a Pre-Authorized
// Code Flow through anonymous access to the token endpoint".
func SignProof(key ProofKey, issuer, clientID, nonce string, at time.Time) (string, error) {
	iat := at.Unix()
	body, err := json.Marshal(proofClaims{Issuer: clientID, Audience: issuer, IssuedAt: &iat, Nonce: nonce})
	if err != nil {
		return "", fmt.Errorf("openid4vci: encode key proof: %w", err)
	}
	// F.1: kid, jwk and x5c exclude each other.
	h := jose.Header{Type: proofTyp, KeyID: key.KeyID}
	if key.KeyID == "" {
		h.JWK = &jose.Key{Public: key.Signer.Public()}
	}
	if key.Attestation != "" {
		h.Extra = map[string]any{"key_attestation": key.Attestation}
	}
	proof, err := jose.Sign(key.Signer, h, body)
	if err != nil {
		return "", fmt.Errorf("openid4vci: sign key proof: %w", err)
	}
	return proof, nil
}

// HolderKey is a key that a wallet proved to hold.
type HolderKey struct {
	Public crypto.PublicKey
	KeyID  string // the DID URL that the wallet named, empty for jwk and x5c
	// Attested is the key attestation that came with the proof, nil without.
	Attested *KeyAttestation
}

// ProofPolicy is what an issuer demands of key proofs.
type ProofPolicy struct {
	Issuer         string           // Credential Issuer Identifier, the audience
	ClientID       string           // client of the access token; empty: anonymous
	Algorithms     []jose.Algorithm // proof_signing_alg_values_supported
	BindingMethods []string         // cryptographic_binding_methods_supported
	MaxKeys        int              // batch_size, or 1
	Now            time.Time
	MaxAge         time.Duration // 0: five minutes
	NonceNeeded    bool          // the issuer has a nonce endpoint

	// Attestations, when not nil, demands a key attestation and judges it.
	Attestations AttestationTrust
	Required     *KeyAttestationsRequired
}

const (
	defaultProofAge = 5 * time.Minute
	// proofSkew: 13.8, proofs "that carry an iat time in the reasonably near future
	// (on the order of seconds or minutes)" may be accepted.
	proofSkew = time.Minute
)

// ProvenKeys are the keys of a verified proofs parameter.
type ProvenKeys struct {
	Keys   []HolderKey
	Nonces []string // distinct c_nonce values that the proofs carry; the caller spends them
}

// Verify checks a proofs parameter as F.4 lists, all but the freshness of the
// nonces. The error is an *Error with invalid_proof.
func (p ProofPolicy) Verify(proofs *Proofs) (*ProvenKeys, error) {
	out := &ProvenKeys{}
	switch proofs.Type() {
	case "":
		return nil, Refuse(InvalidProof, "proofs is missing")
	case ProofJWT:
		if len(proofs.JWT) > max(p.MaxKeys, 1) {
			return nil, Refuse(InvalidProof, "more proofs than batch_size")
		}
		for _, compact := range proofs.JWT {
			key, nonce, err := p.verifyJWT(compact)
			if err != nil {
				return nil, err
			}
			if err := out.add(nonce, key); err != nil {
				return nil, err
			}
		}
	case ProofAttestation:
		if p.Attestations == nil {
			return nil, Refuse(InvalidProof, "the proof type is not offered for this credential")
		}
		a, err := p.verifyAttestation(proofs.Attestation[0])
		if err != nil {
			return nil, err
		}
		if len(a.Keys) > max(p.MaxKeys, 1) {
			return nil, Refuse(InvalidProof, "more attested keys than batch_size")
		}
		for _, key := range a.Keys {
			if err := out.add(a.Nonce, HolderKey{Public: key, Attested: a}); err != nil {
				return nil, err
			}
		}
	default:
		return nil, Refuse(InvalidProof, "the proof type is not offered for this credential")
	}
	return out, nil
}

// add keeps 8.3: "Each key provided by the Wallet is used to bind to, at most, one
// Credential", so a repeated key is refused.
func (k *ProvenKeys) add(nonce string, key HolderKey) error {
	for _, other := range k.Keys {
		if jose.SameKey(other.Public, key.Public) {
			return Refuse(InvalidProof, "two proofs use one key")
		}
	}
	if nonce != "" && !slices.Contains(k.Nonces, nonce) {
		k.Nonces = append(k.Nonces, nonce)
	}
	k.Keys = append(k.Keys, key)
	return nil
}

// verifyJWT checks one key proof and returns its key and nonce.
func (p ProofPolicy) verifyJWT(compact string) (HolderKey, string, error) {
	refuse := func(why string) (HolderKey, string, error) { return HolderKey{}, "", Refuse(InvalidProof, why) }
	jws, err := jose.Parse(compact)
	if err != nil {
		return refuse("a key proof is not a well-formed JWT")
	}
	// F.1: typ "MUST be openid4vci-proof+jwt".
	if jws.Header.Type != proofTyp {
		return refuse("typ is not " + proofTyp)
	}
	key, err := p.headerKey(jws.Header)
	if err != nil {
		return refuse(err.Error())
	}
	// F.4: "the signature on the key proof verifies with the public key contained in
	// the header parameter", with an algorithm from the metadata.
	if err := jws.Verify(key.Public, p.Algorithms...); err != nil {
		return refuse("the signature or algorithm of a key proof is not acceptable")
	}
	var claims proofClaims
	if err := ijson.Unmarshal(jws.Payload, &claims); err != nil {
		return refuse("the body of a key proof is malformed")
	}
	if err := p.checkClaims(claims); err != nil {
		return refuse(err.Error())
	}
	if p.Attestations != nil {
		if key.Attested, err = p.attested(jws.Header, key.Public, claims.Nonce); err != nil {
			return HolderKey{}, "", err
		}
	}
	return key, claims.Nonce, nil
}

func (p ProofPolicy) checkClaims(c proofClaims) error {
	maxAge := p.MaxAge
	if maxAge == 0 {
		maxAge = defaultProofAge
	}
	switch {
	// F.1: aud "MUST be the Credential Issuer Identifier", a string.
	case c.Audience != p.Issuer:
		return errors.New("aud of a key proof is not this issuer")
	case c.IssuedAt == nil:
		return errors.New("iat of a key proof is missing")
	case time.Unix(*c.IssuedAt, 0).After(p.Now.Add(proofSkew)), time.Unix(*c.IssuedAt, 0).Before(p.Now.Add(-maxAge)):
		return errors.New("iat of a key proof is outside the acceptable window")
	// F.1: iss "MUST be the client_id". For an anonymous client there is nothing to
	// compare with, and nothing is derived from iss.
	case p.ClientID != "" && c.Issuer != "" && c.Issuer != p.ClientID:
		return errors.New("iss of a key proof is not the client")
	// 8.3.1.2 invalid_proof (3): "at least one of the key proofs does not contain a
	// c_nonce value".
	case p.NonceNeeded && c.Nonce == "":
		return errors.New("a key proof has no nonce")
	}
	return nil
}

// headerKey finds the key that a key proof names: exactly one of kid, jwk, x5c.
func (p ProofPolicy) headerKey(h jose.Header) (HolderKey, error) {
	named := 0
	for _, present := range []bool{h.KeyID != "", h.JWK != nil, len(h.X5C) > 0} {
		if present {
			named++
		}
	}
	switch {
	case named != 1:
		return HolderKey{}, errors.New("a key proof needs exactly one of kid, jwk and x5c")
	case h.JWK != nil:
		return HolderKey{Public: h.JWK.Public}, p.binds("jwk")
	case h.KeyID != "":
		return p.didKey(h.KeyID)
	}
	chain, err := jose.ParseCertificates(h.X5C)
	if err != nil || len(chain) == 0 {
		return HolderKey{}, errors.New("x5c of a key proof is malformed")
	}
	// F.1: "the first certificate contains the key that the Credential is to be bound
	// to"; the credential carries it as jwk.
	return HolderKey{Public: chain[0].PublicKey}, p.binds("jwk")
}

// didKey resolves a kid that is a did:jwk URL. Other DID methods would need the
// network and are not offered in BindingMethods.
func (p ProofPolicy) didKey(kid string) (HolderKey, error) {
	name, _, _ := strings.Cut(kid, "#")
	if !strings.HasPrefix(name, "did:jwk:") {
		return HolderKey{}, errors.New("kid of a key proof is not a did:jwk URL")
	}
	if err := p.binds("did:jwk"); err != nil {
		return HolderKey{}, err
	}
	document, err := did.Resolve(context.Background(), name, nil)
	if err != nil {
		return HolderKey{}, errors.New("kid of a key proof does not resolve to a key")
	}
	key, err := document.Key(kid, "authentication")
	if err != nil || kid != name+"#0" {
		return HolderKey{}, errors.New("kid of a key proof does not resolve to a key")
	}
	return HolderKey{Public: key, KeyID: kid}, nil
}

func (p ProofPolicy) binds(method string) error {
	if !slices.Contains(p.BindingMethods, method) {
		return errors.New("the binding method of a key proof is not offered for this credential")
	}
	return nil
}
