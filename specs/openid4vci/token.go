package openid4vci

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"

	"paspoort.example/paspoort/specs/ijson"
)

// AuthorizationDetail is an authorization details object of type
// openid_credential (5.1.1, and 6.2 for CredentialIdentifiers).
type AuthorizationDetail struct {
	Type                  string   `json:"type"`
	Locations             []string `json:"locations,omitempty"`
	ConfigurationID       string   `json:"credential_configuration_id"`
	Claims                []Claim  `json:"claims,omitempty"`
	CredentialIdentifiers []string `json:"credential_identifiers,omitempty"` // in token responses only
}

// NewAuthorizationDetail asks for one credential configuration. When the issuer's
// metadata has authorization_servers, locations MUST hold the issuer (5.1.1, 6.1).
func NewAuthorizationDetail(m *IssuerMetadata, configurationID string) AuthorizationDetail {
	d := AuthorizationDetail{Type: typeOpenIDCredential, ConfigurationID: configurationID}
	if len(m.AuthorizationServers) > 0 {
		d.Locations = []string{m.CredentialIssuer}
	}
	return d
}

// ParseAuthorizationDetails reads an authorization_details parameter and keeps
// what is of type openid_credential; unknown data fields are allowed (5.1.1:
// "never considered invalid due to unknown fields").
func ParseAuthorizationDetails(raw string) ([]AuthorizationDetail, error) {
	var all []AuthorizationDetail
	if err := ijson.Unmarshal([]byte(raw), &all); err != nil {
		return nil, Refuse(InvalidAuthorizationDetails, "authorization_details is not an array of objects")
	}
	var details []AuthorizationDetail
	for _, d := range all {
		if d.Type != typeOpenIDCredential {
			// RFC 9396 5: the server "MUST refuse to process any unknown authorization
			// details type".
			return nil, Refuse(InvalidAuthorizationDetails, "only the type openid_credential is known here")
		}
		if d.ConfigurationID == "" || checkClaims(d.Claims) != nil {
			return nil, Refuse(InvalidAuthorizationDetails, "credential_configuration_id or claims is not usable")
		}
		details = append(details, d)
	}
	if len(details) == 0 {
		return nil, Refuse(InvalidAuthorizationDetails, "authorization_details is empty")
	}
	return details, nil
}

// TokenRequest is a request to the token endpoint (6.1). Which members are set
// depends on GrantType. TxCode is nil when the parameter was absent.
type TokenRequest struct {
	GrantType string

	PreAuthorizedCode string  // pre-authorized_code grant
	TxCode            *string // pre-authorized_code grant

	RefreshToken string // refresh_token grant

	AuthorizationCode string // authorization_code grant
	RedirectURI       string // authorization_code grant
	CodeVerifier      string // authorization_code grant, RFC 7636

	ClientID             string
	Scope                string
	AuthorizationDetails []AuthorizationDetail

	// Set by Server from headers that it verified, never sent as parameters.
	DPoPKey string // RFC 7638 thumbprint of the DPoP key, empty without DPoP
}

// Form encodes the request as application/x-www-form-urlencoded parameters.
func (r *TokenRequest) Form() (url.Values, error) {
	form := url.Values{"grant_type": {r.GrantType}}
	for name, value := range map[string]string{
		"pre-authorized_code": r.PreAuthorizedCode,
		"refresh_token":       r.RefreshToken,
		"code":                r.AuthorizationCode,
		"redirect_uri":        r.RedirectURI,
		"code_verifier":       r.CodeVerifier,
		"client_id":           r.ClientID,
		"scope":               r.Scope,
	} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if r.TxCode != nil {
		form.Set("tx_code", *r.TxCode)
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

// ParseTokenRequest reads the parameters of a token request. Unrecognised ones,
// such as `resource` and the `user_pin` of old drafts, are ignored (6.1: "MUST
// ignore any unrecognized parameters"). The error is an *Error.
func ParseTokenRequest(form url.Values) (*TokenRequest, error) {
	r := &TokenRequest{}
	targets := map[string]*string{
		"grant_type":          &r.GrantType,
		"pre-authorized_code": &r.PreAuthorizedCode,
		"refresh_token":       &r.RefreshToken,
		"code":                &r.AuthorizationCode,
		"redirect_uri":        &r.RedirectURI,
		"code_verifier":       &r.CodeVerifier,
		"client_id":           &r.ClientID,
		"scope":               &r.Scope,
	}
	for name, target := range targets {
		value, err := single(form, name)
		if err != nil {
			return nil, err
		}
		*target = value
	}
	txCode, err := single(form, "tx_code")
	if err != nil {
		return nil, err
	}
	if txCode != "" {
		r.TxCode = &txCode
	}
	details, err := single(form, "authorization_details")
	if err != nil {
		return nil, err
	}
	if details != "" {
		if r.AuthorizationDetails, err = ParseAuthorizationDetails(details); err != nil {
			return nil, err
		}
	}
	return r, r.check()
}

// single returns the one value of a parameter. RFC 6749 3.2: "Request and response
// parameters MUST NOT be included more than once", "Parameters sent without a
// value MUST be treated as if they were omitted".
func single(form url.Values, name string) (string, error) {
	values := form[name]
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		if len(values[0]) > MaxOffer {
			return "", Refuse(InvalidRequest, name+" is too long")
		}
		return values[0], nil
	}
	return "", Refuse(InvalidRequest, name+" is included more than once")
}

func (r *TokenRequest) check() error {
	// 6.1: tx_code "MUST only be used if the grant_type is [pre-authorized_code]".
	if r.TxCode != nil && r.GrantType != GrantPreAuthorizedCode {
		return Refuse(InvalidRequest, "tx_code goes with a pre-authorized code only")
	}
	switch r.GrantType {
	case "":
		return Refuse(InvalidRequest, "grant_type is missing")
	case GrantPreAuthorizedCode:
		// 6.1: "This parameter MUST be present if the grant_type is ...".
		if r.PreAuthorizedCode == "" {
			return Refuse(InvalidRequest, "pre-authorized_code is missing")
		}
	case GrantRefreshToken:
		if r.RefreshToken == "" {
			return Refuse(InvalidRequest, "refresh_token is missing")
		}
	case GrantAuthorizationCode:
		if r.AuthorizationCode == "" {
			return Refuse(InvalidRequest, "code is missing")
		}
		if r.CodeVerifier != "" && CheckCodeVerifier(r.CodeVerifier) != nil {
			return Refuse(InvalidRequest, "code_verifier is malformed")
		}
	}
	return nil
}

// TokenResponse is a successful answer of the token endpoint (6.2).
type TokenResponse struct {
	AccessToken          string                `json:"access_token"`
	TokenType            string                `json:"token_type"`           // "Bearer" or "DPoP", compared without case
	ExpiresIn            int64                 `json:"expires_in,omitempty"` // seconds
	RefreshToken         string                `json:"refresh_token,omitempty"`
	Scope                string                `json:"scope,omitempty"`
	AuthorizationDetails []AuthorizationDetail `json:"authorization_details,omitempty"`
}

// LogValue keeps tokens out of logs.
func (r TokenResponse) LogValue() slog.Value { return slog.StringValue("[token response]") }

// LogValue keeps codes out of logs.
func (r TokenRequest) LogValue() slog.Value {
	return slog.StringValue("[token request " + r.GrantType + "]")
}

// LogValue keeps the pre-authorized code out of logs.
func (o CredentialOffer) LogValue() slog.Value {
	return slog.StringValue("[credential offer of " + o.CredentialIssuer + "]")
}

// Identifiers returns the credential identifiers that this token allows for a
// configuration. When there are any, a credential request MUST use one (8.2).
func (r *TokenResponse) Identifiers(configurationID string) []string {
	for _, d := range r.AuthorizationDetails {
		if d.Type == typeOpenIDCredential && d.ConfigurationID == configurationID {
			return d.CredentialIdentifiers
		}
	}
	return nil
}
