package openid4vci

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/jose"
)

// errNoToken is the answer to a request without any access token.
var errNoToken = &Error{Code: InvalidToken, Description: "an access token is needed"}

// serveCredential answers section 8.
func (s *Server) serveCredential(w http.ResponseWriter, r *http.Request) error {
	access, err := s.access(w, r)
	if err != nil {
		return err
	}
	body, encrypted, err := s.readEncrypted(w, r)
	if err != nil {
		return err
	}
	request, err := ParseCredentialRequest(body)
	if err != nil {
		return err
	}
	if err := s.checkEncryption(request.ResponseEncryption, encrypted); err != nil {
		return err
	}
	issuance, err := s.resolve(access, request)
	if err != nil {
		return err
	}
	if err := s.prove(r, access, request, issuance); err != nil {
		return err
	}
	answer, err := s.config.Issuer.Issue(r.Context(), access, issuance)
	if err != nil {
		return err
	}
	return s.respond(w, answer, request.ResponseEncryption)
}

// access finds what the access token of a request allows (8.3.1.1, RFC 6750 3).
func (s *Server) access(w http.ResponseWriter, r *http.Request) (*Access, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return nil, errNoToken
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	bearer, bound := strings.EqualFold(scheme, tokenTypeBearer), strings.EqualFold(scheme, tokenTypeDPoP)
	if len(values) != 1 || token == "" || len(token) > maxOfferURI || !bearer && !bound {
		return nil, Refuse(InvalidToken, "want one Authorization header with an access token")
	}
	access, err := s.config.Issuer.Access(r.Context(), token)
	if err != nil {
		return nil, err
	}
	// RFC 9449 7.1 and 7.2: a token that is bound to a key is never taken as a bearer
	// token, nor the other way round.
	if bound != (access.DPoPKey != "") || bound && s.config.DPoP == nil {
		return nil, &Error{Code: InvalidToken, Description: "the access token goes with another authentication scheme", Scheme: scheme}
	}
	if !bound {
		return access, nil
	}
	key, err := s.config.DPoP.Verify(w, r, s.config.Metadata.CredentialIssuer+r.URL.Path[len(s.prefix()):], token)
	if err != nil {
		return nil, err
	}
	if key != access.DPoPKey {
		return nil, &Error{Code: InvalidToken, Description: "the access token is bound to another key", Scheme: tokenTypeDPoP}
	}
	return access, nil
}

// prefix is the path of the credential issuer identifier.
func (s *Server) prefix() string { return strings.TrimSuffix(s.offers, pathOffer) }

// readEncrypted reads a request that may be a JWE (section 10).
func (s *Server) readEncrypted(w http.ResponseWriter, r *http.Request) (body []byte, encrypted bool, err error) {
	if body, err = readBody(w, r, MaxCredentialRequest, InvalidCredentialRequest); err != nil {
		return nil, false, err
	}
	switch mediaType(r.Header) {
	case mediaTypeJSON:
		// Section 10: "When encryption of a message was required but the received
		// message is unencrypted, it SHOULD be rejected."
		if e := s.config.Metadata.RequestEncryption; e != nil && e.Required {
			return nil, false, Refuse(InvalidEncryptionParameters, "the request must be encrypted")
		}
		return body, false, nil
	case mediaTypeJWT:
		if s.config.RequestKey == nil {
			return nil, false, Refuse(InvalidEncryptionParameters, "encrypted requests are not offered")
		}
		plain, _, err := jose.Decrypt(string(body), s.config.RequestKey, s.config.RequestKeyID, s.config.Metadata.RequestEncryption.Enc...)
		if err != nil {
			return nil, false, Refuse(InvalidEncryptionParameters, "the request could not be decrypted with the published key")
		}
		return plain, true, nil
	}
	return nil, false, Refuse(InvalidCredentialRequest, "the content type must be application/json or application/jwt")
}

// checkEncryption judges credential_response_encryption (8.2, 10).
func (s *Server) checkEncryption(e *EncryptionRequired, requestEncrypted bool) error {
	offered := s.config.Metadata.ResponseEncryption
	switch {
	case e == nil && (offered == nil || !offered.Required):
		return nil
	case e == nil:
		return Refuse(InvalidEncryptionParameters, "credential_response_encryption is needed")
	case offered == nil:
		return Refuse(InvalidEncryptionParameters, "encrypted responses are not offered")
	// 8.2: "Credential Request encryption MUST be used if the
	// credential_response_encryption parameter is included".
	case !requestEncrypted:
		return Refuse(InvalidEncryptionParameters, "the request must be encrypted when the response is to be")
	// 10: "The alg parameter MUST be present."
	case !slices.Contains(offered.Alg, e.JWK.Algorithm):
		return Refuse(InvalidEncryptionParameters, "alg of the jwk is not offered")
	case !slices.Contains(offered.Enc, e.Enc):
		return Refuse(InvalidEncryptionParameters, "enc is not offered")
	case e.Zip != "":
		return Refuse(InvalidEncryptionParameters, "zip is not offered")
	}
	return nil
}

// resolve finds the configuration that is asked for and holds it to the token
// (8.2, 8.3.1.2).
func (s *Server) resolve(a *Access, r *CredentialRequest) (*Issuance, error) {
	id := r.ConfigurationID
	if r.Identifier != "" {
		var ok bool
		if id, ok = a.Identifiers[r.Identifier]; !ok {
			return nil, Refuse(UnknownCredentialIdentifier, "the access token has no such credential identifier")
		}
	} else if len(a.Identifiers) > 0 {
		// 8.2: credential_identifier is "REQUIRED when an Authorization Details of type
		// openid_credential was returned from the Token Response".
		return nil, Refuse(InvalidCredentialRequest, "use one of the credential identifiers of the token response")
	}
	configuration, ok := s.config.Metadata.Configurations[id]
	if !ok {
		return nil, Refuse(UnknownCredentialConfiguration, "there is no such credential configuration")
	}
	if !slices.Contains(a.ConfigurationIDs, id) {
		// 8.3.1.1: the token does not enable issuance of this credential.
		return nil, Refuse(InsufficientScope, "the access token is not for this credential configuration")
	}
	return &Issuance{ConfigurationID: id, Identifier: r.Identifier, Configuration: configuration}, nil
}

// prove verifies the key proofs and spends their nonces.
func (s *Server) prove(r *http.Request, a *Access, request *CredentialRequest, out *Issuance) error {
	types := out.Configuration.ProofTypes
	if len(types) == 0 {
		return nil // 12.2.4: "the Wallet is not required to supply proofs"
	}
	offered, ok := types[request.Proofs.Type()]
	if !ok {
		return Refuse(InvalidProof, "proofs is missing, or its type is not offered for this credential")
	}
	policy := ProofPolicy{
		Issuer: s.config.Metadata.CredentialIssuer, ClientID: a.ClientID, Now: s.config.Now(),
		BindingMethods: out.Configuration.BindingMethods, MaxKeys: s.config.Metadata.BatchSize(),
		NonceNeeded: s.config.Metadata.NonceEndpoint != "",
	}
	for _, alg := range offered.SigningAlgs {
		policy.Algorithms = append(policy.Algorithms, jose.Algorithm(alg))
	}
	if offered.KeyAttestationsRequired != nil || request.Proofs.Type() == ProofAttestation {
		policy.Attestations, policy.Required = s.config.KeyAttestations, offered.KeyAttestationsRequired
	}
	proven, err := policy.Verify(request.Proofs)
	if err != nil {
		return err
	}
	if len(proven.Nonces) > 0 {
		if err := s.config.Nonces.Spend(r.Context(), proven.Nonces); err != nil {
			return err
		}
	}
	out.Keys = proven.Keys
	return nil
}

// respond writes the answer, encrypted when the wallet asked for it.
func (s *Server) respond(w http.ResponseWriter, answer *CredentialResponse, e *EncryptionRequired) error {
	if err := answer.check(); err != nil {
		return err
	}
	status := http.StatusOK
	if answer.TransactionID != "" {
		status = http.StatusAccepted // 8.3
	}
	if e == nil {
		writeJSON(w, status, answer)
		return nil
	}
	plain, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("openid4vci: encode credential response: %w", err)
	}
	// 10: "If the selected public key contains a kid parameter, the JWE MUST include
	// the same value in the kid JWE Header Parameter": jose.Encrypt does.
	sealed, err := jose.Encrypt(plain, e.JWK, e.Enc, jose.Header{})
	if err != nil {
		return Refuse(InvalidEncryptionParameters, "the response cannot be encrypted to this jwk")
	}
	w.Header().Set("Content-Type", mediaTypeJWT)
	w.WriteHeader(status)
	_, err = w.Write([]byte(sealed))
	return ignoreGone(err)
}

// serveNotification answers section 11.
func (s *Server) serveNotification(w http.ResponseWriter, r *http.Request) error {
	access, err := s.access(w, r)
	if err != nil {
		return err
	}
	if mediaType(r.Header) != mediaTypeJSON {
		return Refuse(InvalidNotificationRequest, "the content type must be application/json")
	}
	body, err := readBody(w, r, MaxOffer, InvalidNotificationRequest)
	if err != nil {
		return err
	}
	notification, err := ParseNotification(body)
	if err != nil {
		return err
	}
	if err := s.config.Notified.Notify(r.Context(), access, notification); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// serveDeferred answers section 9.
func (s *Server) serveDeferred(w http.ResponseWriter, r *http.Request) error {
	access, err := s.access(w, r)
	if err != nil {
		return err
	}
	body, encrypted, err := s.readEncrypted(w, r)
	if err != nil {
		return err
	}
	request, err := ParseDeferredRequest(body)
	if err != nil {
		return err
	}
	if err := s.checkEncryption(request.ResponseEncryption, encrypted); err != nil {
		return err
	}
	answer, err := s.config.Deferrer.Deferred(r.Context(), access, request.TransactionID)
	if err != nil {
		return err
	}
	return s.respond(w, answer, request.ResponseEncryption)
}
