package tlog_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/tlog"
)

// A node signs the tree it knows as a log, another node cosigns it, and a reader holds
// the result against a policy.
func Example() {
	seed := func(b byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32)) }
	log, _ := tlog.NewSigner("aakermonde.example/register", tlog.TypeLog, seed(1))
	node, _ := tlog.NewSigner("aakermonde.example/node/vaart", tlog.TypeCosigner, seed(2))

	tree := tlog.NewTree()
	tree.Append(tlog.LeafHash([]byte("genesis")))
	text := tlog.Checkpoint{Origin: "aakermonde.example/register", Size: tree.Size(), Root: tree.Root()}.Text()
	logLine, _ := log.Line(text, time.Time{})
	nodeLine, _ := node.Line(text, time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	checkpoint := tlog.JoinNote(text, logLine, nodeLine)

	policy, _ := tlog.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness vaart %s\nquorum vaart\n", log.VerifierKey(), node.VerifierKey()))
	seen, err := policy.Check(checkpoint)
	fmt.Println(seen.Checkpoint.Size, seen.Freshest(), err)
	// Output: 1 2026-03-02 12:00:00 +0000 UTC <nil>
}

func ExampleTile_Path() {
	fmt.Println(tlog.Tile{Level: 1, Index: 1234067, Width: 17}.Path())
	fmt.Println(tlog.Tile{Entries: true, Index: 4, Width: tlog.TileWidth}.Path())
	// Output:
	// tile/1/x001/x234/067.p/17
	// tile/entries/004
}

// A log sends its checkpoint to a witness that has never seen it, and gets a cosignature.
func ExampleAddCheckpoint() {
	log, _ := tlog.NewSigner("aakermonde.example/register", tlog.TypeLog, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)))
	text := tlog.Checkpoint{Origin: "aakermonde.example/register", Size: 1, Root: tlog.LeafHash([]byte("genesis"))}.Text()
	line, _ := log.Line(text, time.Time{})
	request := tlog.AddCheckpoint{Checkpoint: tlog.JoinNote(text, line)}
	fmt.Print(string(request.Marshal()[:37]))
	// Output:
	// old 0
	//
	// aakermonde.example/register
	// 1
}
