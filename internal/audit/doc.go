// Package audit checks a region's log from the outside, from its public files alone: the
// checkpoint, the tiles and the entry bundles of C2SP tlog-tiles, and the checkpoints at which the
// nodes changed. It believes one thing beforehand, the id of the region (its genesis).
//
// It hashes every entry into the tree again and holds the tree against what the nodes signed, has
// every event judged by the rules of specs/registry, and compares what comes of that with what each
// node of the region answers. What it finds wrong it says as a [Finding]: what, where in the log,
// since when, and by whom. It decides nothing and changes nothing. It is not a follower that
// roles judge by (internal/evidence), and it keeps no copy unless it is asked to.
//
// Sources are an address or a folder, of the same layout, so that a folder can be served as it is
// and audited again:
//
//	checkpoint            the newest checkpoint, a signed note
//	tile/0/000            tiles of hashes
//	tile/entries/000      bundles of entries
//	v1/handovers          checkpoints at which the nodes changed, as the registry's protocol has it
//
//	report, err := audit.Run(ctx, audit.Config{Genesis: genesis, Source: audit.Folder(dir)})
package audit
