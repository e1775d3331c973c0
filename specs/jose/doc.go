// Package jose signs, verifies, encrypts and decrypts, and reads keys: the part of
// JOSE (RFC 7515 JWS, 7516 JWE, 7517 JWK, 7518 JWA, 7638 thumbprints, 8037
// EdDSA) that Paspoort speaks, and no more.
//
// What it does:
//
//   - JWS in compact form, signed with ES256 (the default), ES384 or EdDSA
//     (Ed25519). RS256 can be verified, for imports, never signed.
//   - JWE in compact form with ECDH-ES on P-256 directly to A128GCM or A256GCM.
//   - Public keys as JWK on P-256, P-384, Ed25519 and RSA from 2048 bits, checked
//     when read: right length, on the curve, not of small order.
//   - x5c: certificates beside a signature, and the path to an anchor.
//
// What it does not do, and a caller cannot switch on: `none`, HMAC, RSA
// encryption, password based and symmetric key wrapping, compression, the JSON
// serializations, unencoded payloads, keys fetched from jku or x5u. A header with
// `crit` is refused, because no extension is understood (RFC 7515 4.1.11).
//
// The text of a token is read strictly: one spelling in base64url, no duplicate
// members, a limit on every length. Type, issuer, audience and times of a token are
// the business of the standards above this one.
//
// Inside works github.com/lestrrat-go/jwx/v2, of which no type appears outside:
// upstream has ended that line, and moving to the next one is a change in this
// package only.
package jose
