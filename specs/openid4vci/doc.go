// Package openid4vci speaks OpenID for Verifiable Credential Issuance 1.0: how a
// wallet obtains credentials from a credential issuer.
//
// It holds both halves. [Client] is the wallet's: it reads an offer, fetches and
// checks metadata, obtains tokens and nonces, proves possession of its keys and
// asks for a batch of credentials. [Server] is the issuer's: an http.Handler over
// the small [Issuer] interface, which decides what is issued to whom. Everything
// that travels between the two is a type of its own with the standard's names:
// [CredentialOffer], [IssuerMetadata], [AuthorizationServerMetadata],
// [TokenRequest], [CredentialRequest], [Notification].
//
// The package is not an issuer and not a wallet: it stores nothing, reads no
// clock (time comes in through a function), knows no credential format and does
// not judge whether an issuer may be trusted. What is in an offer is unsigned:
// callers show nothing of it before the metadata was fetched and checked.
//
// Followed: OpenID4VCI 1.0 Final (sections 4, 6 to 12, appendices A.3, B, D, F),
// RFC 6749 (5.1, 5.2), RFC 6750 (3), RFC 7636, RFC 8414, RFC 9126, RFC 9396,
// RFC 9449, and draft-ietf-oauth-attestation-based-client-auth-10 (accepting
// -07). Wired: the pre-authorized code grant with a transaction code, and
// refresh tokens for new copies. The authorization code grant, PAR and deferred
// issuance are present in the types.
//
// An issuer offers, a wallet accepts:
//
//	client := &openid4vci.Client{HTTP: http.DefaultClient, Now: time.Now, Rand: rand.Reader}
//	offer, err := client.Offer(ctx, "openid-credential-offer://?credential_offer_uri=https%3A%2F%2F...")
//	session, err := client.Begin(ctx, offer)
//	token, err := session.PreAuthorized(ctx, "271828")
//	answer, err := session.Credentials(ctx, token, openid4vci.Wanted{
//		ConfigurationID: offer.ConfigurationIDs[0],
//		Keys:            []openid4vci.ProofKey{{Signer: key}},
//	})
package openid4vci
