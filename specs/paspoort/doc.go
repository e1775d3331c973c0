// Package paspoort is the profile of the Persoonlijk Profiel Paspoort: which
// credential types exist and what stands in them, how one dataset becomes a
// signed credential in either format, how a signed credential is read back,
// how strongly a skill is proved (the ladder), and the verdict that a verifier
// gives about what it was shown.
//
// It is not a protocol and fetches nothing. Signatures are checked by
// packages sdjwt and vcdm, registry answers come from package registry,
// status tokens from package statuslist; here they arrive as values. The
// package reads no clock: every function that needs a time is given one.
//
// It follows SD-JWT VC draft 18 (claims that may not be selectively
// disclosable 2.2.2.3, Type Metadata 4), VCDM 2.0 and VC-JOSE-COSE for the
// second format, the Open Badges 3.0 vocabulary with the mappings that
// edubadges uses, the Council Recommendation on micro-credentials of 16 June
// 2022 for the fields of an Opleiding, OpenID4VCI 1.0 12.2.4 for
// credential_metadata and OpenID4VP 1.0 6 for the skills request.
//
// An issuer checks what it was given, draws a record, and renders one copy per
// wallet key:
//
//	data, err := paspoort.NewDataset(paspoort.Opleiding, claims, rand.Reader)
//	for _, c := range copies {
//		typ, payload, err := paspoort.Render(paspoort.FormatSDJWTVC, issuer, data, c)
//		// sign payload with package sdjwt, header typ
//	}
//
// A verifier collects facts and asks for the verdict:
//
//	verdict := paspoort.Decide(paspoort.Input{Now: now, Credentials: facts, Registry: copy})
//
// Decide is a function of its input alone, so two parties who hold the same
// facts hold the same verdict.
package paspoort
