// Package registry is a region's registry: who may issue, ask, host and sign what,
// decided by the signatures of the region's members over events, and replayed by
// everybody through one function.
//
//	Apply(*State, Leaf) (Effect, error)   deterministic, atomic; reads nothing else
//
// The same Apply runs in a replica (fed by raft), in another region's mirror (fed by
// the log), in an offline verifier (fed by a [Snapshot]) and in tests (as the model).
//
// The words:
//
//   - An [Event] is something that members, organisations or nodes of a region sign. It
//     names the region (the hash of its genesis event), a subject, the subject's last
//     event (so that what was held back, replayed or reordered is refused), a time of
//     signing and a time after which it must not be accepted any more.
//   - A [Leaf] is an accepted event with the log time that the leader stamped on it. Its
//     position in the log is its index. Refused and repeated events make no leaf.
//   - The [State] is what all leaves so far amount to. Nothing in it is overwritten: each
//     fact carries the leaf that brought it, so that every query can be asked "as of" a
//     number of leaves (what was known), next to "at" a moment (what was so in law).
//   - Personal data of one-person firms is not in events: they carry a commitment, and the
//     content travels beside the log, sealed under a key of its own ([Seal]).
//
// What it is not: it orders nothing (raft does), stores nothing, fetches nothing and knows
// nothing about holders: no credential, no hash of one and no holder's key is ever in it.
//
// # Wire form
//
// A leaf is one JSON object in the canonical form of RFC 8785 (JCS), restricted to strings,
// integers, booleans, arrays and objects; its bytes must equal their own re-encoding. The
// signing input is the line "paspoort/registry/event/v1" and the canonical event; the event
// id is its SHA-256 in lower-case hexadecimal, so that another signature over the same event
// is the same event. Signatures are ES256: ECDSA on P-256 with SHA-256 (FIPS 186-5 6), the 64
// bytes r||s (RFC 7518 3.4) with s in the lower half of the order. The JSON Schemas are
// schema/leaf.json, leaf-2.json and leaf-3.json, by rules version. The one number
// that is no integer is the credits of a module, in halves.
//
// # Rules
//
// Each event names the version of the rules that it was signed under, and it must be the one
// in force. A governed event raises it; this package follows all versions up to
// [RulesVersion] and stops with [ErrNewer] at what comes after. Kinds that have a name and no
// effect under a version are refused with [ErrReserved].
package registry
