package openid4vci

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// AuthorizationRequest holds the parameters of an authorization request (5.1),
// pushed (RFC 9126) or not.
type AuthorizationRequest struct {
	ClientID             string
	RedirectURI          string
	State                string
	Scope                string
	IssuerState          string // from the offer
	CodeChallenge        string // S256
	DPoPKey              string // dpop_jkt, RFC 9449 10
	AuthorizationDetails []AuthorizationDetail
}

// Form encodes the request as parameters.
func (r *AuthorizationRequest) Form() (url.Values, error) {
	form := url.Values{
		"response_type":         {responseTypeCode},
		"code_challenge":        {r.CodeChallenge},
		"code_challenge_method": {codeChallengeMethod},
	}
	for name, value := range map[string]string{
		"client_id": r.ClientID, "redirect_uri": r.RedirectURI, "state": r.State,
		"scope": r.Scope, "issuer_state": r.IssuerState, "dpop_jkt": r.DPoPKey,
	} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if len(r.AuthorizationDetails) > 0 {
		details, err := json.Marshal(r.AuthorizationDetails)
		if err != nil {
			return nil, fmt.Errorf("openid4vci: encode authorization_details: %w", err)
		}
		form.Set("authorization_details", string(details))
	}
	return form, nil
}

// ParseAuthorizationRequest reads the parameters of an authorization request as a
// server receives them. PKCE with S256 is demanded: both profiles do. The error is
// an *Error.
func ParseAuthorizationRequest(form url.Values) (*AuthorizationRequest, error) {
	var responseType, method, details string
	r := &AuthorizationRequest{}
	for name, target := range map[string]*string{
		"response_type": &responseType, "code_challenge_method": &method, "authorization_details": &details,
		"client_id": &r.ClientID, "redirect_uri": &r.RedirectURI, "state": &r.State, "scope": &r.Scope,
		"issuer_state": &r.IssuerState, "dpop_jkt": &r.DPoPKey, "code_challenge": &r.CodeChallenge,
	} {
		value, err := single(form, name)
		if err != nil {
			return nil, err
		}
		*target = value
	}
	switch {
	case form.Has("request_uri"):
		// RFC 9126 2.1: "The request_uri authorization request parameter MUST NOT be
		// provided" in a pushed request.
		return nil, Refuse(InvalidRequest, "request_uri is not accepted here")
	case responseType != responseTypeCode:
		return nil, Refuse(UnsupportedResponseType, "response_type must be code")
	case r.ClientID == "":
		return nil, Refuse(InvalidRequest, "client_id is missing")
	case method != codeChallengeMethod || len(r.CodeChallenge) != 43:
		return nil, Refuse(InvalidRequest, "a code_challenge of method S256 is needed")
	// 5.1.2: both may be there, and then "MUST [be interpreted] individually".
	case r.Scope == "" && details == "":
		return nil, Refuse(InvalidRequest, "want scope or authorization_details")
	}
	if details != "" {
		parsed, err := ParseAuthorizationDetails(details)
		if err != nil {
			return nil, err
		}
		r.AuthorizationDetails = parsed
	}
	return r, nil
}

// PushedAuthorizationResponse is the 201 answer of RFC 9126 2.2.
type PushedAuthorizationResponse struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"` // seconds
}

// AuthorizationResponse is what comes back to the wallet's redirect URI (5.2, 5.3).
type AuthorizationResponse struct {
	Code, State, Issuer string
}

// ParseAuthorizationResponse reads the query of the redirect and checks state and
// issuer: RFC 9207 2.4, the client "MUST compare the extracted and URL-decoded
// value to the issuer identifier of the authorization server where the
// authorization request was sent to". An error answer comes back as *Error.
func ParseAuthorizationResponse(query url.Values, state string, server *AuthorizationServerMetadata) (*AuthorizationResponse, error) {
	r := &AuthorizationResponse{Code: query.Get("code"), State: query.Get("state"), Issuer: query.Get("iss")}
	if r.State != state {
		return nil, errors.New("openid4vci: the authorization response has another state")
	}
	if (server.AuthorizationResponseIss || r.Issuer != "") && r.Issuer != server.Issuer {
		return nil, errors.New("openid4vci: the authorization response is of another authorization server")
	}
	if code := query.Get("error"); code != "" {
		return nil, Refuse(Code(describe(code)), describe(query.Get("error_description")))
	}
	if r.Code == "" {
		return nil, errors.New("openid4vci: the authorization response has no code")
	}
	return r, nil
}
