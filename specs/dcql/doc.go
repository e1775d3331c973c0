// Package dcql is the Digital Credentials Query Language of OpenID for Verifiable Presentations 1.0 (final, 9 July 2025),
// sections 6 and 7: how a verifier writes down which credentials and which claims it asks for, how a wallet finds what
// it holds that matches, and how the verifier checks what came back.
//
// A query is read with [ParseQuery], which refuses what the text forbids. The wallet calls [Evaluate] with every
// credential it holds and gets, per credential query, the ones that match and the claims to disclose. The verifier calls
// [Query.CheckPresentation] for each presentation that it received and [Query.CheckSets] for the answer as a whole.
//
// The package knows nothing of signatures, keys or encodings: a [Credential] is the claims of one credential after its
// format was processed, with the facts that a query can ask about. ISO mdoc (mso_mdoc) exists as a type only: queries for
// it are read and validated, claims are matched when the caller hands in namespaces as nested objects.
//
// A query for a skill, as Paspoort asks it (only the matching elements of the array are selected):
//
//	{"credentials": [{"id": "opleiding", "format": "dc+sd-jwt", "multiple": true,
//	    "meta": {"vct_values": ["urn:paspoort:opleiding:1"]},
//	    "claims": [{"path": ["skills", null, "uri"], "values": ["http://data.europa.eu/esco/skill/…"]}]}],
//	 "credential_sets": [{"options": [["opleiding"]], "required": false}]}
package dcql
