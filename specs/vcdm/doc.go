// Package vcdm reads W3C Verifiable Credentials Data Model 2.0 (Recommendation of
// 15 May 2025) secured as SD-JWT (vc+sd-jwt) and, for imports, as JWT (vc+jwt) by
// VC-JOSE-COSE (same date), with the vocabulary of Open Badges 3.0 (document of
// April 2025, context 3.0.3).
//
// It checks structure and reports what is wrong as problems with a code and a
// place. It is no JSON-LD processor: a context is an identifier that is compared
// with a pinned list, never fetched, and the type table gives the IRIs that the
// pinned contexts would. Data integrity proofs are not verified; a document that has
// nothing else is read as "not verified".
//
// Whether an issuer may issue, and which of our own claims a credential holds, is
// said elsewhere: in the registry and in package paspoort.
//
//	token, err := sdjwt.Parse(text)
//	// find the key, token.VerifyIssuer(key)
//	credential, err := vcdm.Read(token, vcdm.Options{Now: now})
//	ok := credential.HasType("https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential")
package vcdm
