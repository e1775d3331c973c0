// Package did resolves the three DID methods that Paspoort speaks (did:web,
// did:jwk, did:key), finds keys in DID documents, and builds our own document.
//
// It follows W3C Decentralized Identifiers 1.0 and 1.1 (syntax, documents,
// verification relationships), the did:web method text of 2026-05, did:jwk of
// 2023-08 and did:key v0.7 for the keys that jose knows: P-256, P-384, Ed25519 and
// RSA. Keys for encryption only (X25519) and P-521 are refused with an error that
// wraps jose.ErrKey.
//
// It does no fetching: [Resolve] is handed a [Fetcher], which decides about TLS,
// redirects, addresses and sizes. did:jwk and did:key never touch it.
//
// A DID says which key belongs to an identifier. It says nothing about who that is,
// and whether the key was good on a day in the past: that is the registry's.
package did
