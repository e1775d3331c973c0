package jose

import "errors"

// What can be wrong with a token or a key. Errors of this package wrap one of
// these; their text never contains a payload or a private key.
var (
	ErrSyntax      = errors.New("jose: malformed")
	ErrSize        = errors.New("jose: too large")
	ErrAlgorithm   = errors.New("jose: algorithm not allowed")
	ErrCritical    = errors.New("jose: critical header parameter not understood")
	ErrSignature   = errors.New("jose: signature does not verify")
	ErrKey         = errors.New("jose: key not acceptable")
	ErrPrivate     = errors.New("jose: private key where a public key belongs")
	ErrDecrypt     = errors.New("jose: cannot decrypt")
	ErrKeyID       = errors.New("jose: encrypted to another key")
	ErrCertificate = errors.New("jose: certificate not acceptable")
	ErrAnchor      = errors.New("jose: trust anchor inside x5c")
)
