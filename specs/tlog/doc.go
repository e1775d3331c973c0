// Package tlog speaks the C2SP transparency log formats: signed notes, checkpoints,
// cosignatures, tiles, tlog-proof files and tlog-policy files, over the Merkle tree
// of RFC 6962.
//
// It is the format and the arithmetic of a log, not a log: nothing here stores a
// tile, asks the time or opens a connection. A reader hands in a [TileReader]; a
// writer asks a [Tree] what an append changes and stores that itself; a witness
// hands [WitnessServer] its store.
//
// Followed texts:
//   - C2SP signed-note v1.0.0 (type 0x01 Ed25519 and 0x04 cosignature keys; other
//     types are kept as unknown signatures and never verify);
//   - C2SP tlog-checkpoint v1.0.0;
//   - C2SP tlog-cosignature v1.0.1, Ed25519 (cosignature/v1); ML-DSA-44 (0x06) is
//     recognised as a type in no vkey yet, since Go's standard library lacks it;
//   - C2SP tlog-tiles v0.1.0, paths, tiles and entry bundles, unpruned logs;
//   - C2SP tlog-witness v1.0.0: add-checkpoint and the latest checkpoint, both sides;
//     sign-subtree is optional and absent;
//   - C2SP tlog-proof (c2sp.org/tlog-proof@v1) and tlog-policy, of 2026-07;
//   - RFC 6962 section 2.1 for all hashing.
//
// A worked example: check with a policy that an event is in a region's log.
//
//	policy, err := tlog.ParsePolicy(policyFile)
//	proof, err := tlog.ParseProof(proofFile)
//	seen, err := proof.Verify(policy, tlog.LeafHash(event))
//	// seen.Checkpoint.Size leaves, seen.Freshest() is how recently that was witnessed
package tlog
