// Package openid4vp is OpenID for Verifiable Presentations 1.0 (final, 9 July 2025) over HTTP, both halves: [Client] is the
// wallet, which reads an invocation, fetches and authenticates the request and sends the answer; [Server] is the verifier,
// which makes requests and receives answers as an http.Handler over a small interface that a role implements. The profiles
// DIIP v5 and OpenID4VC HAIP 1.0 are switches of strictness ([Profile]) over the same code.
//
// It is not the verdict: signatures of credentials, their status and their issuer are judged elsewhere. What the server
// half refuses is what makes the response itself unacceptable: the wrong transaction, encryption, shape, nonce or audience.
// It is not the Digital Credentials API either (Appendix A); its response modes exist as names, so that a request with one
// is refused for what it is.
//
// The package opens no connection of its own (a [Doer] is handed in, and decides which addresses may be reached and whether
// plain http on loopback is tolerated), reads no clock and keeps no state.
//
// Purpose of a request. OpenID4VP has no parameter for it; section 5.11 leaves the formats of verifier_info to ecosystems.
// Ours is [PurposeFormat] with the data of [Purpose]: one sentence in the verifier's words, in the language it was written
// in. It is covered by the signature of the request and by nothing else, so a wallet shows it as what the asker says.
//
// A cross-device flow in five lines, wallet side:
//
//	inv, err := openid4vp.ParseInvocation("openid4vp://?client_id=…&request_uri=…")
//	x, err := client.Fetch(ctx, inv, now)          // authenticated, checked against the profile
//	result := dcql.Evaluate(x.Request.Query, held) // ask the holder what may go
//	redirect, err := client.Send(ctx, x, openid4vp.VPToken{"opleiding": {presentation}})
//	// or, when the holder chooses to say no: client.Refuse(ctx, x, openid4vp.AccessDenied, "")
package openid4vp
