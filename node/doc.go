// Package node is a registry node: it keeps a region's registry together with the region's
// other nodes, publishes the log, and answers questions about it.
//
// What is decided is decided by signatures over events and checked by registry.Apply; raft
// only orders and keeps events. A node signs checkpoints of the log with a log key of its own
// and cosigns those of the others. It never sees a holder's data, except when somebody asks it
// to verify a credential: that happens in memory, is not logged, and can be switched off.
//
// It is not an issuer, verifier or wallet, and it decides nothing about admission.
//
// The parts, from the inside out:
//
//   - machine: registry state, Merkle tree and store behind raft (machine.go, snapshot.go);
//   - writing in batches and reading with a stated consistency (submit.go, read.go);
//   - membership that follows the charter (membership.go), over mutual TLS (transport.go);
//   - the public log: checkpoints, cosignatures, tiles (publish.go, cosign.go, log.go);
//   - the HTTP API (api.go, openapi.yaml) and the pages.
//
// A worked example:
//
//	n, err := node.New(node.Config{ID: "knoop-1", Founding: event, Dir: dir, ...})
//	go web.Serve(ctx, listener, n.Handler(), tlsConfig)
//	err = n.Run(ctx)
package node
