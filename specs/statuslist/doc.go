// Package statuslist speaks Token Status List (draft-ietf-oauth-status-list-20): many
// credentials share one signed list in which each has a few bits, so that asking for
// the list tells nobody which credential is being checked.
//
// It implements the Status List and its compressed byte array (section 4), Status List
// Tokens as JWT (5.1), references from JOSE credentials (6.2), status types (7), the
// checks of a Relying Party (8.3), historical resolution (8.4, the decision only) and
// the aggregation (9). It does not implement CBOR (4.3, 5.2, 6.3), and it fetches
// nothing: no clock, no network.
//
// Everything decoded has a limit before it is decoded: the compressed form of a
// megabyte of zeroes is a kilobyte, and a hostile list is a "zip bomb".
//
// A worked example, an issuer's side and a verifier's:
//
//	list, err := statuslist.New(2, 100_000, statuslist.Invalid) // never allocated = INVALID
//	err = list.Set(4711, statuslist.Valid)
//	token, err := list.Token(signer, jose.Header{X5C: chain}, statuslist.TokenClaims{
//		Subject: uri, IssuedAt: now, ExpiresAt: now.Add(24 * time.Hour), TTL: 15 * time.Minute})
//
//	t, err := statuslist.ParseToken(token, statuslist.Limits{})
//	err = t.Verify(publicKey, now)
//	status, err := t.Status(statuslist.Reference{Index: 4711, URI: uri})
package statuslist
