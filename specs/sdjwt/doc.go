// Package sdjwt is Selective Disclosure for JSON Web Tokens as RFC 9901
// (November 2025) defines it: issuing with structured, recursive and array
// disclosures and decoy digests (section 4), the processing that every holder
// and verifier must do (section 7), key binding (sections 4.3 and 7.3), the
// compact form and the JWS JSON forms (section 8).
//
// It is not a credential format: which claims must be there, which may never be
// selectively disclosable, where the issuer's key comes from and what a status
// means is said by the packages on top of it, sdjwtvc and vcdm. It reads no
// clock and does no I/O; times come in as parameters, randomness as an
// io.Reader.
//
// An issuer marks with SD what the holder may leave out:
//
//	token, err := sdjwt.Issue(sdjwt.IssueOptions{
//		Signer: issuerKey,
//		Header: jose.Header{Type: "dc+sd-jwt"},
//		Claims: map[string]any{
//			"iss":        "https://opleider.example",
//			"given_name": sdjwt.SD{Value: "Fatima"},
//			"skills":     []any{sdjwt.SD{Value: map[string]any{"label": "lassen"}}},
//		},
//	})
//
// A holder chooses with Select and signs with Bind; a verifier calls Parse,
// VerifyIssuer, Claims and VerifyKeyBinding, in that order, and uses nothing
// before all four succeeded.
package sdjwt
