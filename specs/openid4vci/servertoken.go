package openid4vci

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"

	"paspoort.example/paspoort/specs/jose"
)

// metadataTyp is the typ of signed metadata (12.2.3).
const metadataTyp = "openidvci-issuer-metadata+jwt"

// serveMetadata answers 12.2.2: unsigned always, signed when the wallet prefers
// application/jwt and the issuer signs.
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Vary", "Accept")
	accept := r.Header.Get("Accept")
	wantsJWT := strings.Contains(accept, mediaTypeJWT) && !strings.Contains(accept, mediaTypeJSON)
	if s.config.SignMetadata == nil || !wantsJWT {
		writeJSON(w, http.StatusOK, s.config.Metadata)
		return nil
	}
	payload, err := s.signedPayload()
	if err != nil {
		return err
	}
	signed, err := s.config.SignMetadata(jose.Header{Type: metadataTyp}, payload)
	if err != nil {
		return fmt.Errorf("openid4vci: sign metadata: %w", err)
	}
	w.Header().Set("Content-Type", mediaTypeJWT)
	_, err = w.Write([]byte(signed))
	return ignoreGone(err)
}

// ignoreGone: after the first byte nothing can be said any more.
func ignoreGone(error) error { return nil }

// signedPayload: 12.2.3, "All metadata parameters used by the Credential Issuer
// MUST be added as top-level claims in the JWS payload", with sub and iat.
func (s *Server) signedPayload() ([]byte, error) {
	raw, err := json.Marshal(s.config.Metadata)
	if err != nil {
		return nil, fmt.Errorf("openid4vci: encode metadata: %w", err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return nil, fmt.Errorf("openid4vci: encode metadata: %w", err)
	}
	claims["sub"], claims["iat"] = s.config.Metadata.CredentialIssuer, s.config.Now().Unix()
	return json.Marshal(claims)
}

func (s *Server) serveServerMetadata(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeJSON(w, http.StatusOK, s.config.AuthorizationServer)
	return nil
}

// serveOffer answers an offer by reference (4.1.3), application/json, never cached.
func (s *Server) serveOffer(w http.ResponseWriter, r *http.Request) error {
	offer, err := s.config.Issuer.Offer(r.Context(), path.Base(r.URL.Path))
	if errors.Is(err, ErrNotFound) {
		return &Error{Code: InvalidRequest, Description: "this offer does not exist or was used", Status: http.StatusNotFound}
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, offer)
	return nil
}

// serveToken answers section 6.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	request, err := ParseTokenRequest(form)
	if err != nil {
		return err
	}
	as := s.config.AuthorizationServer
	if !as.Supports(request.GrantType) {
		return Refuse(UnsupportedGrantType, "this grant type is not offered")
	}
	if err := s.authenticate(w, r, request); err != nil {
		return err
	}
	if err := s.checkDetails(request.AuthorizationDetails); err != nil {
		return err
	}
	answer, err := s.config.Issuer.Token(r.Context(), request)
	if err != nil {
		return err
	}
	// RFC 6749 5.1: the authorization server "MUST include the HTTP "Cache-Control"
	// response header field with a value of "no-store"": ServeHTTP has set it.
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// authenticate checks client attestation and DPoP where the configuration has them.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request, request *TokenRequest) error {
	if s.config.ClientAttestations != nil {
		client, err := s.config.ClientAttestations.Authenticate(r.Context(), r.Header)
		if err != nil {
			return err
		}
		if request.ClientID != "" && request.ClientID != client {
			return Refuse(InvalidClient, "client_id is not the subject of the client attestation")
		}
		request.ClientID = client
	}
	if s.config.DPoP == nil {
		return nil
	}
	key, err := s.config.DPoP.Verify(w, r, s.config.AuthorizationServer.TokenEndpoint, "")
	if err != nil {
		return err
	}
	if key == "" && s.config.Profile == HAIP {
		return Refuse(InvalidDPoPProof, "a DPoP proof is needed")
	}
	request.DPoPKey = key
	return nil
}

// checkDetails: 6.1, with authorization_servers in the metadata, "the
// authorization_details object MUST contain the Credential Issuer's identifier in
// the locations element". Without, a location that names another issuer is refused.
func (s *Server) checkDetails(details []AuthorizationDetail) error {
	m := s.config.Metadata
	for _, d := range details {
		if _, ok := m.Configurations[d.ConfigurationID]; !ok {
			return Refuse(InvalidAuthorizationDetails, "there is no such credential configuration")
		}
		if len(m.AuthorizationServers) > 0 && len(d.Locations) == 0 {
			return Refuse(InvalidAuthorizationDetails, "locations must name the credential issuer")
		}
		for _, l := range d.Locations {
			if l != m.CredentialIssuer {
				return Refuse(InvalidAuthorizationDetails, "locations names another credential issuer")
			}
		}
	}
	return nil
}

// serveNonce answers section 7. It needs no token and looks at no body.
func (s *Server) serveNonce(w http.ResponseWriter, r *http.Request) error {
	nonce, err := s.config.Nonces.Nonce(r.Context())
	if err != nil {
		return err
	}
	if s.config.DPoP != nil {
		s.config.DPoP.Offer(w) // 7.2: "MAY provide a DPoP nonce in an HTTP header"
	}
	writeJSON(w, http.StatusOK, map[string]string{"c_nonce": nonce})
	return nil
}
