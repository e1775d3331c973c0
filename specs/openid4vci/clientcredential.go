package openid4vci

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Wanted says which credential a wallet asks for.
type Wanted struct {
	ConfigurationID string
	// Keys are the keys that copies are to be bound to, one copy each. Not more than
	// Session.Issuer.BatchSize; empty when the configuration asks no proof.
	Keys []ProofKey
	// Encrypt asks for an encrypted exchange even where the issuer does not require
	// it.
	Encrypt bool
}

// Nonce fetches a fresh c_nonce (section 7); empty when the issuer has no nonce
// endpoint.
func (s *Session) Nonce(ctx context.Context) (string, error) {
	if s.Issuer.NonceEndpoint == "" {
		return "", nil
	}
	answer, err := s.post(ctx, s.Issuer.NonceEndpoint, "", nil, nil, MaxOffer)
	if err != nil {
		return "", err
	}
	var body struct {
		Nonce string `json:"c_nonce"`
	}
	if err := ijson.Unmarshal(answer.body, &body); err != nil || body.Nonce == "" {
		return "", fmt.Errorf("%w: nonce response", ErrResponse)
	}
	return body.Nonce, nil
}

// Credentials asks for a batch of copies (section 8): it fetches a nonce, proves
// possession of each key and returns the issuer's answer. When the issuer rejects
// the nonce, one retry is made with a new one (8.3.1.2, invalid_nonce).
//
// The credentials are as received: their signature, binding and content are the
// caller's to verify. There are at most as many as keys (8.3).
func (s *Session) Credentials(ctx context.Context, t *Token, w Wanted) (*CredentialResponse, error) {
	configuration, err := s.Issuer.Configuration(w.ConfigurationID)
	if err != nil {
		return nil, err
	}
	if err := s.checkWanted(configuration, w); err != nil {
		return nil, err
	}
	answer, err := s.askOnce(ctx, t, w)
	if errors.Is(err, InvalidNonce) {
		answer, err = s.askOnce(ctx, t, w)
	}
	if err != nil {
		return nil, err
	}
	if len(answer.Credentials) > max(len(w.Keys), 1) {
		return nil, fmt.Errorf("%w: more credentials than keys", ErrResponse)
	}
	return answer, nil
}

// checkWanted refuses what the issuer's metadata rules out, before it is asked.
func (s *Session) checkWanted(c CredentialConfiguration, w Wanted) error {
	switch {
	case len(w.Keys) > s.Issuer.BatchSize():
		return fmt.Errorf("openid4vci: %d keys, and the issuer's batch size is %d", len(w.Keys), s.Issuer.BatchSize())
	case len(c.ProofTypes) > 0 && len(w.Keys) == 0:
		return errors.New("openid4vci: the issuer asks for a key proof and there is no key")
	case len(c.ProofTypes) == 0:
		return nil
	}
	offered, ok := c.ProofTypes[ProofJWT]
	if !ok {
		return fmt.Errorf("%w: the proof type jwt is not offered", ErrMetadata)
	}
	if offered.KeyAttestationsRequired != nil && slices.ContainsFunc(w.Keys, func(k ProofKey) bool { return k.Attestation == "" }) {
		return fmt.Errorf("%w: a key attestation is asked for", ErrMetadata)
	}
	return nil
}

// askOnce sends one credential request with a fresh nonce.
func (s *Session) askOnce(ctx context.Context, t *Token, w Wanted) (*CredentialResponse, error) {
	request := &CredentialRequest{ConfigurationID: w.ConfigurationID}
	// 8.2: credential_identifier is REQUIRED when the token response named some, and
	// then credential_configuration_id MUST NOT be present.
	if ids := t.Identifiers(w.ConfigurationID); len(ids) > 0 {
		request.Identifier, request.ConfigurationID = ids[0], ""
	}
	if len(w.Keys) > 0 {
		nonce, err := s.Nonce(ctx)
		if err != nil {
			return nil, err
		}
		request.Proofs = &Proofs{}
		for _, key := range w.Keys {
			proof, err := SignProof(key, s.Issuer.CredentialIssuer, s.proofIssuer(), nonce, s.client.Now())
			if err != nil {
				return nil, err
			}
			request.Proofs.JWT = append(request.Proofs.JWT, proof)
		}
	}
	body, err := s.exchange(ctx, s.Issuer.CredentialEndpoint, t, w.Encrypt, request, &request.ResponseEncryption)
	if err != nil {
		return nil, err
	}
	return ParseCredentialResponse(body)
}

// proofIssuer is iss of key proofs: left out by an anonymous client (F.1).
func (s *Session) proofIssuer() string {
	if s.Server.PreAuthorizedAnonymous {
		return ""
	}
	return s.ClientID
}

// exchange sends a request and returns the plain answer, encrypting both where the
// issuer requires it or encrypt asks for it (section 10). slot is the place in
// request for the wallet's encryption parameters.
func (s *Session) exchange(ctx context.Context, at string, t *Token, encrypt bool, request any, slot **EncryptionRequired) ([]byte, error) {
	in, out := s.Issuer.RequestEncryption, s.Issuer.ResponseEncryption
	encryptResponse := out != nil && (out.Required || encrypt)
	if !encryptResponse && (in == nil || !in.Required && !encrypt) {
		answer, err := s.postJSON(ctx, at, request, t, MaxCredentialResponse)
		if err != nil {
			return nil, err
		}
		if mediaType(answer.header) != mediaTypeJSON {
			return nil, fmt.Errorf("%w: the content type is not application/json", ErrResponse)
		}
		return answer.body, nil
	}
	if in == nil {
		// 8.2: "Credential Request encryption MUST be used if the
		// credential_response_encryption parameter is included".
		return nil, fmt.Errorf("%w: response encryption without request encryption", ErrMetadata)
	}
	var key *ecdsa.PrivateKey
	if encryptResponse {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P256(), s.client.Rand); err != nil {
			return nil, fmt.Errorf("openid4vci: make encryption key: %w", err)
		}
		enc, err := commonEnc(out.Enc)
		if err != nil || !slices.Contains(out.Alg, encryptionAlgorithm) {
			return nil, fmt.Errorf("%w: no common algorithm for response encryption", ErrMetadata)
		}
		*slot = &EncryptionRequired{Enc: enc, JWK: jose.Key{
			Public: key.Public(), KeyID: responseKeyID, Algorithm: encryptionAlgorithm, Use: "enc",
		}}
	}
	sealed, err := sealRequest(in, request)
	if err != nil {
		return nil, err
	}
	answer, err := s.post(ctx, at, mediaTypeJWT, []byte(sealed), t, MaxCredentialResponse)
	if err != nil {
		return nil, err
	}
	return openResponse(answer, key)
}

// responseKeyID is the kid of the ephemeral key that a response is encrypted to.
const responseKeyID = "response"

func sealRequest(in *RequestEncryption, request any) (string, error) {
	enc, err := commonEnc(in.Enc)
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(request)
	if err != nil {
		return "", fmt.Errorf("openid4vci: encode request: %w", err)
	}
	// 10: the key is chosen by its alg; "The alg parameter MUST be present."
	for _, key := range in.JWKS.Keys {
		if key.Algorithm != encryptionAlgorithm || key.Use != "" && key.Use != "enc" {
			continue
		}
		sealed, err := jose.Encrypt(plain, key, enc, jose.Header{})
		if err != nil {
			return "", fmt.Errorf("openid4vci: encrypt request: %w", err)
		}
		return sealed, nil
	}
	return "", fmt.Errorf("%w: no usable key in credential_request_encryption", ErrMetadata)
}

// openResponse: 10, "When encryption of a message was required but the received
// message is unencrypted, it SHOULD be rejected."
func openResponse(answer *reply, key *ecdsa.PrivateKey) ([]byte, error) {
	encrypted := mediaType(answer.header) == mediaTypeJWT
	switch {
	case key == nil && !encrypted:
		return answer.body, nil
	case key == nil || !encrypted:
		return nil, fmt.Errorf("%w: the response is not encrypted as asked", ErrResponse)
	}
	plain, _, err := jose.Decrypt(string(answer.body), key, responseKeyID, "A128GCM", "A256GCM")
	if err != nil {
		return nil, fmt.Errorf("%w: decrypt: %w", ErrResponse, err)
	}
	return plain, nil
}

// commonEnc picks a content encryption that both sides know.
func commonEnc(offered []string) (string, error) {
	for _, enc := range []string{"A256GCM", "A128GCM"} {
		if slices.Contains(offered, enc) {
			return enc, nil
		}
	}
	return "", fmt.Errorf("%w: no common content encryption", ErrMetadata)
}

// Deferred asks again for credentials that were not ready (section 9). The caller
// waits the interval of the answer before.
func (s *Session) Deferred(ctx context.Context, t *Token, transactionID string) (*CredentialResponse, error) {
	if s.Issuer.DeferredCredentialEndpoint == "" {
		return nil, fmt.Errorf("%w: deferred_credential_endpoint is missing", ErrMetadata)
	}
	request := &DeferredRequest{TransactionID: transactionID}
	body, err := s.exchange(ctx, s.Issuer.DeferredCredentialEndpoint, t, false, request, &request.ResponseEncryption)
	if err != nil {
		return nil, err
	}
	return ParseCredentialResponse(body)
}

// Notify tells the issuer what became of the credentials (section 11). Without a
// notification endpoint or id it does nothing.
func (s *Session) Notify(ctx context.Context, t *Token, n Notification) error {
	if s.Issuer.NotificationEndpoint == "" || n.ID == "" {
		return nil
	}
	n.Description = describe(n.Description)
	answer, err := s.postJSON(ctx, s.Issuer.NotificationEndpoint, n, t, maxErrorBody)
	if err != nil {
		return err
	}
	if answer.status >= http.StatusMultipleChoices {
		return fmt.Errorf("%w: HTTP status %d", ErrResponse, answer.status)
	}
	return nil
}
