// Package sdjwtvc is the credential format SD-JWT VC, draft-ietf-oauth-sd-jwt-vc-18
// (August 2026): which header and claims an SD-JWT needs to be a credential
// (section 2), where its issuer's key comes from (sections 2.5 and 3), and Type
// Metadata with extension, integrity, claims and display (sections 4 and 5).
// Drafts 09 to 17 are read too: iss may be there or not, and the old typ is taken
// where the caller says so.
//
// It does not decide whether an issuer may issue: that is the registry's. It
// fetches nothing itself; a caller hands in a Fetcher or a TypeFetcher, with the
// policy on addresses, sizes and times inside.
//
// A recipient goes through these steps:
//
//	token, err := sdjwt.Parse(text)
//	key, err := sdjwtvc.IssuerKey(ctx, token, sdjwtvc.KeyOptions{Fetcher: f, At: now})
//	err = token.VerifyIssuer(key.Public)
//	credential, err := sdjwtvc.Read(token, sdjwtvc.Options{Now: now})
//
// and, when it has the type's metadata, credential.CheckType.
package sdjwtvc
