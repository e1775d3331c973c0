// Package openidfed speaks OpenID Federation 1.1 (Final, 5 May 2026): entities publish
// signed statements about themselves and about who stands below them, and whoever has
// pinned the keys of a trust anchor can follow the statements from any entity up to it.
//
// It implements Entity Statements (sections 3 and 9), Trust Chains (4, 10), metadata
// (5), metadata policy (6.1), constraints (6.2), Trust Marks with delegation (7), the
// federation endpoints (8) in both halves ([Client], [Server]), and the profile for
// digital credentials of DIIP v5, Appendix B: keys of credential issuers stand in
// `vc_issuer`, names for people in `federation_entity`. It does not implement client
// authentication at the endpoints (8.8), signed_jwks_uri, registration of clients (12),
// and policy operators beside the standard ones: a statement that names another one
// critical is refused.
//
// The package reads no clock and fetches nothing by itself: times, keys and the HTTP
// client are parameters. Entity identifiers with plain http are read, because a region
// on one computer has no certificates; [Client] refuses to fetch them unless told.
//
// A worked example, a superior's side and a relying party's:
//
//	s := openidfed.Statement{Issuer: anchor, Subject: leaf, IssuedAt: now,
//		ExpiresAt: now.Add(24 * time.Hour), Keys: leafKeys}
//	token, err := s.Sign(anchorKey)
//
//	c := openidfed.Client{HTTP: client}
//	chain, err := c.Chain(ctx, leaf, []openidfed.TrustAnchor{{EntityID: anchor, Keys: pinned}}, now)
//	keys, err := chain.Metadata.Keys(openidfed.VCIssuer)
package openidfed
