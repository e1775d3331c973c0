package openid4vp

import (
	"errors"
	"fmt"
	"strings"
)

// Code is an error code of an Authorization Error Response (section 8.5, RFC 6749 4.1.2.1, RFC 9101 7).
type Code string

// Error codes.
const (
	InvalidRequest          Code = "invalid_request"
	InvalidScope            Code = "invalid_scope"
	InvalidClient           Code = "invalid_client"
	UnauthorizedClient      Code = "unauthorized_client"
	UnsupportedResponseType Code = "unsupported_response_type"
	AccessDenied            Code = "access_denied"
	ServerError             Code = "server_error"
	TemporarilyUnavailable  Code = "temporarily_unavailable"

	// OpenID4VP section 8.5.
	VPFormatsNotSupported   Code = "vp_formats_not_supported"
	InvalidRequestURIMethod Code = "invalid_request_uri_method"
	InvalidTransactionData  Code = "invalid_transaction_data"
	WalletUnavailable       Code = "wallet_unavailable"

	// RFC 9101 section 7.
	InvalidRequestURI      Code = "invalid_request_uri"
	InvalidRequestObject   Code = "invalid_request_object"
	RequestNotSupported    Code = "request_not_supported"
	RequestURINotSupported Code = "request_uri_not_supported"
)

var known = map[Code]bool{
	InvalidRequest: true, InvalidScope: true, InvalidClient: true, UnauthorizedClient: true, UnsupportedResponseType: true,
	AccessDenied: true, ServerError: true, TemporarilyUnavailable: true, VPFormatsNotSupported: true,
	InvalidRequestURIMethod: true, InvalidTransactionData: true, WalletUnavailable: true, InvalidRequestURI: true,
	InvalidRequestObject: true, RequestNotSupported: true, RequestURINotSupported: true,
}

// Known tells whether the code is one of the standards' own.
func (c Code) Known() bool { return known[c] }

// Error is a protocol error: a code that the other side understands and a sentence that says what to do. The sentence
// holds nothing about the holder (section 15.9).
type Error struct {
	Code        Code
	Description string
	cause       error
}

// Error gives code and description.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Description) }

// Unwrap gives the cause, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// Is makes two protocol errors with the same code the same.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

func fail(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Description: err.Error(), cause: errors.Unwrap(err)}
}

// Errors that a [Backend] returns and that the handler turns into an answer.
var (
	// ErrUnknownTransaction: no transaction has this id, or it is long gone.
	ErrUnknownTransaction = errors.New("unknown transaction")
	// ErrAnswered: the transaction was answered before; a response counts once.
	ErrAnswered = errors.New("transaction was already answered")
)

// Errors of the wallet half that are no protocol errors: nothing is sent to the verifier.
var (
	// ErrInvocation: the link or text is not a request to present.
	ErrInvocation = errors.New("not an OpenID4VP invocation")
	// ErrUntrusted: the request is signed by a certificate that leads to no known anchor.
	ErrUntrusted = errors.New("the certificate of the asker leads to no known anchor")
	// ErrFetch: the request or the answer could not be exchanged.
	ErrFetch = errors.New("the asker cannot be reached")
)

// RefusedError is an answer of the verifier that is not 200, with the error that it gives. It is an [ErrFetch].
type RefusedError struct {
	Status      int
	Code        Code // "" when it gives none
	Description string
}

func (e *RefusedError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%v: status %d %s %s", ErrFetch, e.Status, e.Code, e.Description))
}

// Unwrap makes it an ErrFetch.
func (e *RefusedError) Unwrap() error { return ErrFetch }
