package openid4vci

import (
	"errors"
	"net/http"
	"strings"
)

// Code is an error code of the protocol, spelled as on the wire. A Code is an
// error, so callers branch with errors.Is(err, openid4vci.InvalidNonce).
type Code string

// Error makes a Code usable with errors.Is.
func (c Code) Error() string { return string(c) }

// Error codes of the token and pushed authorization endpoints: RFC 6749 5.2 and
// 4.1.2.1, RFC 9449 (5, 8), RFC 9396 5, RFC 8707 2, and attestation-based client
// authentication 6.2.
const (
	InvalidRequest              Code = "invalid_request"
	InvalidClient               Code = "invalid_client"
	InvalidGrant                Code = "invalid_grant"
	UnauthorizedClient          Code = "unauthorized_client"
	UnsupportedGrantType        Code = "unsupported_grant_type"
	InvalidScope                Code = "invalid_scope"
	InvalidTarget               Code = "invalid_target"
	InvalidAuthorizationDetails Code = "invalid_authorization_details"
	InvalidRequestURI           Code = "invalid_request_uri"
	AccessDenied                Code = "access_denied"
	UnsupportedResponseType     Code = "unsupported_response_type"
	ServerError                 Code = "server_error"
	TemporarilyUnavailable      Code = "temporarily_unavailable"
	InvalidDPoPProof            Code = "invalid_dpop_proof"
	UseDPoPNonce                Code = "use_dpop_nonce"
	UseAttestationChallenge     Code = "use_attestation_challenge"
	UseFreshAttestation         Code = "use_fresh_attestation"
	InvalidClientAttestation    Code = "invalid_client_attestation"
)

// Error codes of protected endpoints: RFC 6750 3.1.
const (
	InvalidToken      Code = "invalid_token"
	InsufficientScope Code = "insufficient_scope"
)

// Error codes of the credential and deferred credential endpoints: OpenID4VCI
// 8.3.1.2 and 9.3.
const (
	InvalidCredentialRequest       Code = "invalid_credential_request"
	UnknownCredentialConfiguration Code = "unknown_credential_configuration"
	UnknownCredentialIdentifier    Code = "unknown_credential_identifier"
	InvalidProof                   Code = "invalid_proof"
	InvalidNonce                   Code = "invalid_nonce"
	InvalidEncryptionParameters    Code = "invalid_encryption_parameters"
	CredentialRequestDenied        Code = "credential_request_denied"
	InvalidTransactionID           Code = "invalid_transaction_id"
)

// Error codes of the notification endpoint: OpenID4VCI 11.3.
const (
	InvalidNotificationID      Code = "invalid_notification_id"
	InvalidNotificationRequest Code = "invalid_notification_request"
)

// status is the HTTP status that goes with each code; what is not listed is 400.
var status = map[Code]int{
	InvalidClient:            http.StatusUnauthorized, // RFC 6749 5.2
	InvalidClientAttestation: http.StatusUnauthorized,
	InvalidToken:             http.StatusUnauthorized, // RFC 6750 3.1
	InsufficientScope:        http.StatusForbidden,    // RFC 6750 3.1
	AccessDenied:             http.StatusForbidden,
	ServerError:              http.StatusInternalServerError,
	TemporarilyUnavailable:   http.StatusServiceUnavailable,
}

// Error is a protocol error: what a server answers and what a client received.
type Error struct {
	Code        Code   // REQUIRED, `error`
	Description string // `error_description`: for developers, ASCII, never personal data
	Status      int    // HTTP status; 0 stands for the one that belongs to Code
	Scheme      string // authentication scheme to challenge with ("Bearer", "DPoP"); empty: none
}

// Refuse makes a protocol error. Descriptions are constants of the program, so
// that nothing a stranger sent is echoed.
func Refuse(code Code, description string) *Error {
	return &Error{Code: code, Description: description}
}

// Error gives the code and, if there is one, the description.
func (e *Error) Error() string {
	if e.Description == "" {
		return "openid4vci: " + string(e.Code)
	}
	return "openid4vci: " + string(e.Code) + ": " + e.Description
}

// Is reports whether target is the Code of e.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// HTTPStatus is the status that e is answered with.
func (e *Error) HTTPStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	if s, ok := status[e.Code]; ok {
		return s
	}
	return http.StatusBadRequest
}

// AsError returns the protocol error in err's chain; an error that is none
// becomes server_error, without its text: what went wrong inside is not for the
// other side.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Refuse(ServerError, "")
}

// describe keeps to the characters that OpenID4VCI 8.3.1.2 and RFC 6749 5.2
// allow: "MUST NOT include characters outside the set %x20-21 / %x23-5B /
// %x5D-7E".
func describe(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '\''
		case r < 0x20 || r > 0x7e:
			return '?'
		}
		return r
	}, s)
}
