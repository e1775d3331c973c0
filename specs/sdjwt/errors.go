package sdjwt

import "errors"

// What can be wrong with an SD-JWT. Every error of this package wraps
// one of these, or one of package jose when a signature does not verify.
var (
	// ErrMalformed: not the serialization of RFC 9901 4 or 8.
	ErrMalformed = errors.New("malformed sd-jwt")
	// ErrTooLarge: more bytes, disclosures or nesting than the limits allow.
	ErrTooLarge = errors.New("sd-jwt exceeds a limit")
	// ErrHashAlgorithm: _sd_alg is not understood (7.1 step 2.d).
	ErrHashAlgorithm = errors.New("unsupported _sd_alg")
	// ErrDisclosure: a disclosure is no JSON array of the length that its place
	// asks (7.1 steps 3.c.ii.1 and 3.c.iii.1).
	ErrDisclosure = errors.New("malformed disclosure")
	// ErrReservedName: _sd, ... or _sd_alg stands where it may not (4.1 rule 7,
	// 4.1.1, 7.1 step 3.c.ii.2).
	ErrReservedName = errors.New("reserved claim name")
	// ErrClaimExists: a disclosure names a claim that is already there (7.1 step
	// 3.c.ii.3).
	ErrClaimExists = errors.New("disclosed claim exists already")
	// ErrDuplicateDigest: a digest is met twice (7.1 step 4).
	ErrDuplicateDigest = errors.New("digest appears more than once")
	// ErrUnreferenced: a disclosure has no digest that can be reached (7.1 step 5).
	ErrUnreferenced = errors.New("disclosure is not referenced")
	// ErrExpired and ErrNotYetValid: exp and nbf (7.1 step 6).
	ErrExpired     = errors.New("expired")
	ErrNotYetValid = errors.New("not yet valid")
	// ErrNoKeyBinding: key binding is required and there is none (7.3 step 2).
	ErrNoKeyBinding = errors.New("no key binding")
	// ErrUnexpectedKeyBinding: an SD-JWT+KB where only an SD-JWT may be (7.2).
	ErrUnexpectedKeyBinding = errors.New("unexpected key binding")
	// ErrKeyBinding: the KB-JWT lacks a claim, or one has the wrong form (4.3).
	ErrKeyBinding = errors.New("malformed key binding jwt")
	// ErrType: the typ of the KB-JWT is not kb+jwt (7.3 step 5.d).
	ErrType = errors.New("wrong typ")
	// ErrIssuedAt: iat of the KB-JWT is outside the window (7.3 step 5.e).
	ErrIssuedAt = errors.New("key binding outside the time window")
	// ErrNonce and ErrAudience: bound to another transaction or verifier (7.3
	// step 5.f).
	ErrNonce    = errors.New("wrong nonce")
	ErrAudience = errors.New("wrong audience")
	// ErrSDHash: bound to another set of disclosures (7.3 step 5.g).
	ErrSDHash = errors.New("wrong sd_hash")
	// ErrConfirmation: no usable holder key in cnf (4.1.2).
	ErrConfirmation = errors.New("no usable confirmation key")
)
