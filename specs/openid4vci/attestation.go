package openid4vci

import (
	"crypto"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// keyAttestationTyp is the typ of a key attestation (D.1).
const keyAttestationTyp = "key-attestation+jwt"

// Attack potential resistance values of D.2.
const (
	ISO18045High          = "iso_18045_high"
	ISO18045Moderate      = "iso_18045_moderate"
	ISO18045EnhancedBasic = "iso_18045_enhanced-basic"
	ISO18045Basic         = "iso_18045_basic"
)

// AttestationTrust finds the key of the party that signed a key attestation or a
// client attestation, from its x5c or kid, or refuses that party. Whom to trust is
// the issuer's own decision.
type AttestationTrust func(h jose.Header) (crypto.PublicKey, error)

// KeyAttestation is the content of a verified key attestation (D.1).
type KeyAttestation struct {
	Keys               []crypto.PublicKey
	KeyStorage         []string
	UserAuthentication []string
	Certification      string
	Nonce              string
	IssuedAt           time.Time
	ExpiresAt          time.Time // zero: not said
	Status             any       // revocation check mechanism, as received
}

type keyAttestationClaims struct {
	IssuedAt           *int64     `json:"iat"`
	ExpiresAt          *int64     `json:"exp"`
	AttestedKeys       []jose.Key `json:"attested_keys"`
	KeyStorage         []string   `json:"key_storage"`
	UserAuthentication []string   `json:"user_authentication"`
	Certification      string     `json:"certification"`
	Nonce              string     `json:"nonce"`
	Status             any        `json:"status"`
}

// attested checks the key attestation in the header of a jwt proof: D.1, "the
// Credential Issuer MUST validate that the JWT used as a proof is signed by a key
// contained in the attestation in the JOSE Header", and exp "MUST be present".
func (p ProofPolicy) attested(h jose.Header, key crypto.PublicKey, nonce string) (*KeyAttestation, error) {
	compact, ok := h.Extra["key_attestation"].(string)
	if !ok {
		return nil, Refuse(InvalidProof, "a key attestation is needed")
	}
	a, err := p.verifyAttestation(compact)
	if err != nil {
		return nil, err
	}
	switch {
	case a.ExpiresAt.IsZero():
		return nil, Refuse(InvalidProof, "exp of the key attestation is missing")
	case a.Nonce != "" && a.Nonce != nonce:
		return nil, Refuse(InvalidProof, "the key attestation has another nonce than the proof")
	case !slices.ContainsFunc(a.Keys, func(k crypto.PublicKey) bool { return jose.SameKey(k, key) }):
		return nil, Refuse(InvalidProof, "the key attestation is not about the key of the proof")
	}
	return a, nil
}

// verifyAttestation checks a key attestation of D.1, in either place.
func (p ProofPolicy) verifyAttestation(compact string) (*KeyAttestation, error) {
	jws, err := jose.Parse(compact)
	if err != nil || jws.Header.Type != keyAttestationTyp {
		return nil, Refuse(InvalidProof, "the key attestation is not a JWT of typ "+keyAttestationTyp)
	}
	signer, err := p.Attestations(jws.Header)
	if err != nil {
		return nil, Refuse(InvalidProof, "the party that attests the key is not trusted here")
	}
	// F.1: the alg of the key attestation "MUST match one of the values listed in the
	// proof_signing_alg_values_supported metadata parameter".
	if err := jws.Verify(signer, p.Algorithms...); err != nil {
		return nil, Refuse(InvalidProof, "the signature or algorithm of the key attestation is not acceptable")
	}
	var c keyAttestationClaims
	if err := ijson.Unmarshal(jws.Payload, &c); err != nil || c.IssuedAt == nil || len(c.AttestedKeys) == 0 {
		return nil, Refuse(InvalidProof, "the body of the key attestation is malformed")
	}
	return p.judge(c)
}

func (p ProofPolicy) judge(c keyAttestationClaims) (*KeyAttestation, error) {
	a := &KeyAttestation{
		KeyStorage: c.KeyStorage, UserAuthentication: c.UserAuthentication, Certification: c.Certification,
		Nonce: c.Nonce, IssuedAt: time.Unix(*c.IssuedAt, 0), Status: c.Status,
	}
	if c.ExpiresAt != nil {
		a.ExpiresAt = time.Unix(*c.ExpiresAt, 0)
	}
	for _, k := range c.AttestedKeys {
		a.Keys = append(a.Keys, k.Public)
	}
	switch {
	case a.IssuedAt.After(p.Now.Add(proofSkew)):
		return nil, Refuse(InvalidProof, "the key attestation is from the future")
	case !a.ExpiresAt.IsZero() && !p.Now.Before(a.ExpiresAt):
		return nil, Refuse(InvalidProof, "the key attestation has expired")
	// D.1, F.3: with a nonce endpoint, nonce "MUST be set to a server-provided
	// c_nonce".
	case p.NonceNeeded && a.Nonce == "":
		return nil, Refuse(InvalidProof, "the key attestation has no nonce")
	case p.Required != nil && !meets(a.KeyStorage, p.Required.KeyStorage):
		return nil, Refuse(InvalidProof, "key_storage of the key attestation is not sufficient")
	case p.Required != nil && !meets(a.UserAuthentication, p.Required.UserAuthentication):
		return nil, Refuse(InvalidProof, "user_authentication of the key attestation is not sufficient")
	}
	return a, nil
}

// meets reports whether one of the accepted values is asserted; no accepted values
// means no constraint.
func meets(asserted, accepted []string) bool {
	return len(accepted) == 0 || slices.ContainsFunc(asserted, func(v string) bool { return slices.Contains(accepted, v) })
}
