package openid4vp

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Content encryption of an encrypted response (HAIP 5: both MUST be supported by verifiers).
const (
	A128GCM = "A128GCM" // the default when a verifier lists none (section 5.1)
	A256GCM = "A256GCM"

	algECDHES = "ECDH-ES"
)

// ClientMetadata is the verifier's metadata as it travels in a request (sections 5.1 and 11).
type ClientMetadata struct {
	// Keys are the keys of jwks that this package can encrypt to: P-256 with alg ECDH-ES and a kid. Others are dropped.
	Keys []jose.Key
	// EncryptionMethods is encrypted_response_enc_values_supported; nil means the default, A128GCM.
	EncryptionMethods []string
	VPFormats         VPFormats
}

// VPFormats is vp_formats_supported: Credential Format Identifier to what is supported of it.
type VPFormats map[string]VPFormat

// VPFormat lists the algorithms of one format. nil lists place no restriction.
type VPFormat struct {
	SDJWTAlgorithms []string `json:"sd-jwt_alg_values,omitempty"` // B.3.4
	KBJWTAlgorithms []string `json:"kb-jwt_alg_values,omitempty"` // B.3.4
	Algorithms      []string `json:"alg_values,omitempty"`        // B.1.3.1.3
}

type wireMetadata struct {
	JWKS              *wireKeys `json:"jwks,omitempty"`
	EncryptionMethods []string  `json:"encrypted_response_enc_values_supported,omitempty"`
	VPFormats         VPFormats `json:"vp_formats_supported,omitempty"`
}

type wireKeys struct {
	Keys []json.RawMessage `json:"keys"`
}

func parseClientMetadata(raw []byte) (*ClientMetadata, error) {
	var wire struct {
		JWKS              *wireKeys      `json:"jwks"`
		EncryptionMethods []string       `json:"encrypted_response_enc_values_supported"`
		VPFormats         map[string]any `json:"vp_formats_supported"`
	}
	if err := ijson.Unmarshal(raw, &wire); err != nil {
		return nil, err
	}
	m := &ClientMetadata{EncryptionMethods: wire.EncryptionMethods}
	if wire.EncryptionMethods != nil && len(wire.EncryptionMethods) == 0 {
		return nil, errors.New("encrypted_response_enc_values_supported is empty")
	}
	if wire.JWKS != nil {
		for _, rawKey := range wire.JWKS.Keys {
			key, err := encryptionKey(rawKey)
			if err != nil {
				return nil, err
			}
			if key != nil {
				m.Keys = append(m.Keys, *key)
			}
		}
	}
	m.VPFormats = readFormats(wire.VPFormats)
	return m, nil
}

// encryptionKey returns the key when an answer can be encrypted to it, nil when it is one for somebody else: another use,
// curve or algorithm.
func encryptionKey(raw []byte) (*jose.Key, error) {
	var head struct {
		KeyType   string `json:"kty"`
		Curve     string `json:"crv"`
		Algorithm string `json:"alg"`
		Use       string `json:"use"`
		KeyID     string `json:"kid"`
	}
	if err := ijson.Unmarshal(raw, &head); err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	// Section 5.1: "Each JWK in the set MUST have a kid". Section 8.3: "The alg parameter MUST be present in the JWKs." A
	// key without them is not used rather than refused: it may be meant for something else.
	if head.KeyType != "EC" || head.Curve != "P-256" || head.Algorithm != algECDHES || head.KeyID == "" ||
		(head.Use != "" && head.Use != "enc") {
		return nil, nil
	}
	key, err := jose.ParseKey(raw)
	if err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	return &key, nil
}

// readFormats keeps what it understands of each format; a format with odd members is still a supported format.
func readFormats(wire map[string]any) VPFormats {
	if wire == nil {
		return nil
	}
	formats := VPFormats{}
	for id, v := range wire {
		o, _ := v.(map[string]any)
		var f VPFormat
		f.SDJWTAlgorithms, _ = stringList(o["sd-jwt_alg_values"])
		f.KBJWTAlgorithms, _ = stringList(o["kb-jwt_alg_values"])
		f.Algorithms, _ = stringList(o["alg_values"])
		formats[id] = f
	}
	return formats
}

// MarshalJSON writes the metadata with every key marked for encryption.
func (m ClientMetadata) MarshalJSON() ([]byte, error) {
	wire := wireMetadata{EncryptionMethods: m.EncryptionMethods, VPFormats: m.VPFormats}
	if len(m.Keys) > 0 {
		wire.JWKS = &wireKeys{}
	}
	for _, key := range m.Keys {
		raw, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		wire.JWKS.Keys = append(wire.JWKS.Keys, raw)
	}
	return json.Marshal(wire)
}

// encryption chooses key and content encryption for the answer. HAIP 5: a wallet that supports both SHOULD use A256GCM.
func (m *ClientMetadata) encryption() (jose.Key, string, error) {
	if m == nil || len(m.Keys) == 0 {
		return jose.Key{}, "", errors.New("client_metadata has no P-256 key with alg ECDH-ES and a kid to encrypt the answer to")
	}
	switch {
	case slices.Contains(m.EncryptionMethods, A256GCM):
		return m.Keys[0], A256GCM, nil
	case m.EncryptionMethods == nil, slices.Contains(m.EncryptionMethods, A128GCM):
		return m.Keys[0], A128GCM, nil
	}
	return jose.Key{}, "", errors.New("encrypted_response_enc_values_supported has neither A256GCM nor A128GCM")
}

// WalletMetadata is what a wallet tells of itself (section 10) when it fetches a request by POST.
type WalletMetadata struct {
	VPFormats                VPFormats `json:"vp_formats_supported,omitempty"`
	Prefixes                 []Prefix  `json:"client_id_prefixes_supported,omitempty"`
	RequestSigningAlgorithms []string  `json:"request_object_signing_alg_values_supported,omitempty"`
	ResponseTypes            []string  `json:"response_types_supported,omitempty"`
	ResponseModes            []string  `json:"response_modes_supported,omitempty"`
}
