package openidfed

import (
	"errors"
	"net/http"
)

// Code is an error code of the federation endpoints (8.9).
type Code string

// The codes of 8.9 with the status each SHOULD have.
const (
	InvalidRequest         Code = "invalid_request"         // 400
	InvalidClient          Code = "invalid_client"          // 401
	InvalidIssuer          Code = "invalid_issuer"          // 404
	InvalidSubject         Code = "invalid_subject"         // 404
	InvalidTrustAnchor     Code = "invalid_trust_anchor"    // 404
	InvalidTrustChain      Code = "invalid_trust_chain"     // 400
	InvalidMetadata        Code = "invalid_metadata"        // 400
	NotFound               Code = "not_found"               // 404
	UnsupportedParameter   Code = "unsupported_parameter"   // 400
	ServerError            Code = "server_error"            // 500
	TemporarilyUnavailable Code = "temporarily_unavailable" // 503
)

// Error is an error answer of a federation endpoint, on both sides of it.
type Error struct {
	Code        Code
	Description string
}

// Refuse makes an error answer. The description is for the developer at the other side.
func Refuse(code Code, description string) *Error {
	return &Error{Code: code, Description: description}
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Description }

// Status is the HTTP status of the answer.
func (e *Error) Status() int {
	switch e.Code {
	case InvalidClient:
		return http.StatusUnauthorized
	case InvalidIssuer, InvalidSubject, InvalidTrustAnchor, NotFound:
		return http.StatusNotFound
	case ServerError:
		return http.StatusInternalServerError
	case TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

// asError makes the answer for any error: what is no error of the protocol tells the
// other side nothing.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Refuse(ServerError, "something went wrong here; try again later")
}
