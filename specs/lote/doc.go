// Package lote writes and reads Lists of Trusted Entities of ETSI TS 119 602 V1.1.1 (November
// 2025) in the JSON binding: one list of one scheme operator, signed as a JWS in compact form
// with the headers of a JAdES baseline B signature (ETSI TS 119 182-1).
//
// Verifiers of the EUDI world find trust anchors in such lists (`etsi_tl` in OpenID4VP 6.1.1).
// For attestations that are not qualified there is no list of the EU: an ecosystem publishes one
// of its own with the same data model, and that is what a region does. The package knows the
// data model, the signature and the rules for who reads a list; what a region puts in it is
// its node's to say.
//
// It is not: the XML binding, the classic trusted lists of TS 119 612, a validator of the EU's
// own profiles, or a client that fetches lists.
//
// The package reads no clock. A worked example, both sides:
//
//	token, err := lote.Sign(list, key, []*x509.Certificate{cert}, now)
//
//	r := lote.Reader{Operators: []*x509.Certificate{cert}, Seen: 41}
//	list, err := r.Read(token, now) // ErrOlder when a newer one was seen already
//	status, ok := list.Entities[0].Services[0].StatusAt(signedAt)
package lote
