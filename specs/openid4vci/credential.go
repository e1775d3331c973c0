package openid4vci

import (
	"encoding/json"
	"errors"
	"fmt"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Limits of credential requests and responses.
const (
	MaxCredentialRequest  = 512 << 10 // bytes
	MaxCredentialResponse = 8 << 20   // bytes
	maxProofs             = 256
)

// CredentialRequest is the request of 8.2.
type CredentialRequest struct {
	Identifier         string              `json:"credential_identifier,omitempty"`
	ConfigurationID    string              `json:"credential_configuration_id,omitempty"`
	Proofs             *Proofs             `json:"proofs,omitempty"`
	ResponseEncryption *EncryptionRequired `json:"credential_response_encryption,omitempty"`
}

// Proofs holds key proofs of exactly one type (appendix F).
type Proofs struct {
	JWT         []string          `json:"jwt,omitempty"`
	Attestation []string          `json:"attestation,omitempty"`
	DIVP        []json.RawMessage `json:"di_vp,omitempty"`
}

// Proof type identifiers of appendix F.
const (
	ProofJWT         = "jwt"
	ProofAttestation = "attestation"
	ProofDIVP        = "di_vp"
)

// EncryptionRequired is credential_response_encryption: how the wallet wants the
// response encrypted.
type EncryptionRequired struct {
	JWK jose.Key `json:"jwk"`
	Enc string   `json:"enc"`
	Zip string   `json:"zip,omitempty"`
}

// ParseCredentialRequest reads a request. Unrecognised parameters are ignored
// (8.2). The error is an *Error.
func ParseCredentialRequest(data []byte) (*CredentialRequest, error) {
	if len(data) > MaxCredentialRequest {
		return nil, Refuse(InvalidCredentialRequest, "the request is too long")
	}
	var members map[string]json.RawMessage
	if err := ijson.Unmarshal(data, &members); err != nil {
		return nil, Refuse(InvalidCredentialRequest, "the request is not a JSON object, or repeats a parameter")
	}
	r := &CredentialRequest{}
	for name, target := range map[string]*string{
		"credential_identifier":       &r.Identifier,
		"credential_configuration_id": &r.ConfigurationID,
	} {
		if raw, ok := members[name]; ok && (ijson.Unmarshal(raw, target) != nil || *target == "") {
			return nil, Refuse(InvalidCredentialRequest, name+" is not a string")
		}
	}
	// 8.2: of the two, one is REQUIRED and then the other MUST NOT be present.
	if (r.Identifier == "") == (r.ConfigurationID == "") {
		return nil, Refuse(InvalidCredentialRequest, "want exactly one of credential_identifier and credential_configuration_id")
	}
	if raw, ok := members["credential_response_encryption"]; ok {
		r.ResponseEncryption = &EncryptionRequired{}
		if err := ijson.Unmarshal(raw, r.ResponseEncryption); err != nil {
			return nil, Refuse(InvalidEncryptionParameters, "credential_response_encryption has no usable jwk and enc")
		}
	}
	if raw, ok := members["proofs"]; ok {
		proofs, err := parseProofs(raw)
		if err != nil {
			return nil, err
		}
		r.Proofs = proofs
	}
	return r, nil
}

// parseProofs: 8.2, "The proofs parameter contains exactly one parameter named as
// the proof type in Appendix F, the value set for this parameter is a non-empty
// array".
func parseProofs(raw []byte) (*Proofs, error) {
	var types map[string][]json.RawMessage
	if err := ijson.Unmarshal(raw, &types); err != nil || len(types) != 1 {
		return nil, Refuse(InvalidProof, "proofs needs exactly one proof type with an array")
	}
	for name, values := range types {
		if len(values) == 0 || len(values) > maxProofs {
			return nil, Refuse(InvalidProof, "proofs is empty or has too many entries")
		}
		switch name {
		case ProofDIVP:
			return &Proofs{DIVP: values}, nil
		case ProofJWT, ProofAttestation:
			tokens := make([]string, len(values))
			for i, v := range values {
				if ijson.Unmarshal(v, &tokens[i]) != nil {
					return nil, Refuse(InvalidProof, "a proof is not a string")
				}
			}
			if name == ProofJWT {
				return &Proofs{JWT: tokens}, nil
			}
			// F.3: "an array that contains exactly one JWT".
			if len(tokens) != 1 {
				return nil, Refuse(InvalidProof, "attestation has exactly one entry")
			}
			return &Proofs{Attestation: tokens}, nil
		}
	}
	return nil, Refuse(InvalidProof, "the proof type is not known")
}

// Type names the proof type, empty for nil.
func (p *Proofs) Type() string {
	switch {
	case p == nil:
		return ""
	case len(p.JWT) > 0:
		return ProofJWT
	case len(p.Attestation) > 0:
		return ProofAttestation
	}
	return ProofDIVP
}

// CredentialResponse is the answer of the credential and the deferred credential
// endpoint (8.3, 9.2): either Credentials, or TransactionID with Interval.
type CredentialResponse struct {
	Credentials    []IssuedCredential `json:"credentials,omitempty"`
	NotificationID string             `json:"notification_id,omitempty"`
	TransactionID  string             `json:"transaction_id,omitempty"`
	Interval       int64              `json:"interval,omitempty"` // seconds
}

// IssuedCredential holds one credential; for SD-JWT formats a JSON string.
type IssuedCredential struct {
	Credential json.RawMessage `json:"credential"`
}

// Compact wraps a credential in a compact serialisation, such as an SD-JWT.
func Compact(credential string) IssuedCredential {
	raw, err := json.Marshal(credential)
	if err != nil { // a string always encodes
		panic(err)
	}
	return IssuedCredential{Credential: raw}
}

// Text returns the credential of a format that is a string.
func (c IssuedCredential) Text() (string, error) {
	var s string
	if err := ijson.Unmarshal(c.Credential, &s); err != nil {
		return "", errors.New("openid4vci: the credential is not a string")
	}
	return s, nil
}

// ErrResponse is wrapped by every refusal of a response that breaks the protocol.
var ErrResponse = errors.New("openid4vci: the answer breaks the protocol")

// ParseCredentialResponse reads an answer and holds it to 8.3. Unrecognised
// parameters are ignored.
func ParseCredentialResponse(data []byte) (*CredentialResponse, error) {
	if len(data) > MaxCredentialResponse {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrResponse, MaxCredentialResponse)
	}
	var r CredentialResponse
	if err := ijson.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	return &r, r.check()
}

func (r *CredentialResponse) check() error {
	deferred := r.TransactionID != ""
	switch {
	// 8.3: credentials "MUST NOT be used if the transaction_id parameter is present".
	case deferred == (len(r.Credentials) > 0):
		return fmt.Errorf("%w: want exactly one of credentials and transaction_id", ErrResponse)
	case deferred && r.Interval <= 0:
		return fmt.Errorf("%w: a transaction_id needs a positive interval", ErrResponse)
	case len(r.Credentials) > maxProofs:
		return fmt.Errorf("%w: too many credentials", ErrResponse)
	}
	for _, c := range r.Credentials {
		if len(c.Credential) == 0 || string(c.Credential) == "null" {
			return fmt.Errorf("%w: an entry of credentials has no credential", ErrResponse)
		}
	}
	return nil
}

// DeferredRequest is the request of 9.1.
type DeferredRequest struct {
	TransactionID      string              `json:"transaction_id"`
	ResponseEncryption *EncryptionRequired `json:"credential_response_encryption,omitempty"`
}

// ParseDeferredRequest reads a deferred credential request. The error is an *Error.
func ParseDeferredRequest(data []byte) (*DeferredRequest, error) {
	var r DeferredRequest
	if len(data) > MaxCredentialRequest || ijson.Unmarshal(data, &r) != nil || r.TransactionID == "" {
		return nil, Refuse(InvalidCredentialRequest, "want a JSON object with transaction_id")
	}
	return &r, nil
}
