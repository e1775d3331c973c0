// Package evidence gathers everything that a verdict needs and is not in the
// presentation itself: a copy of the registry, the issuer's key, the status list. It
// is the one place that fetches for a verdict; the verifier, a node's check page, the
// wallet at acceptance and the offline command all use it, so that they cannot
// disagree.
//
//	service, err := evidence.New(evidence.Config{
//		Copies:     []evidence.Copy{follower},
//		Neighbours: neighbours,
//		Fetch:      outbound.New(policy),
//	})
//	go follower.Run(ctx)
//	go neighbours.Run(ctx)
//	verdict, err := service.Verify(ctx, evidence.Request{Presentations: shown, Expected: &expected})
//
// # Other regions
//
// A region's members decide which other regions count (D10): [Neighbours] read that from the
// home region's copy, follow each of those regions, and a verdict says by whose word such a
// registry counts, until when, and what is wrong with it. [Health] tells how following goes. A
// [Follower] with a store is a mirror: it gives others what it took. A region that signed two
// histories is a [Fork], and nothing it says counts for anybody any more.
//
// A copy with a store keeps its state there, in rows, so that it starts without a replay and needs
// little memory (specs/scale.md). Rows are held against their hashes when they are read, and
// made again from the leaves when they are not of these; a copy whose leaves are not what was signed
// is an error. A follower that is far behind applies in pieces what it put into the store.
//
// # Federations outside the regions
//
// An issuer that no region knows may belong to another ecosystem. Where the operator pinned a
// trust anchor of it, [Federation] follows the statements of OpenID Federation from the issuer up
// to that anchor, and the verdict says that it was asked and speaks of now only. Regions always
// come first. Finding a chain asks the issuer and those above it, so that they see that somebody
// looks; what was found is used for an hour. Without a pinned anchor nothing of this happens.
//
// # What leaves this computer
//
// Nothing about a holder. What is fetched is fetched whole: the leaves of a region, a
// status list, an issuer's document. The addresses come from credentials, so they are
// fetched only after the credential's form was found good, and a status list only after
// its signature verified under a key that the region recorded. An issuer who gives each holder an address of their own can
// see that somebody checked; such an issuer shows itself, because lists are shared by
// rule, and the region can act.
//
// # What is not known is unknown
//
// No function here turns a failed fetch into an answer. A missing status token, an
// unreachable document, an old registry copy become facts that package paspoort judges.
package evidence
