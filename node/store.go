package node

import (
	"encoding/binary"
	"errors"
	"fmt"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/tlog"
)

// The keys of a node's store. Numbers are big endian, so that byte order is theirs.
//
//	meta               applied: how far raft's log is in here, with size and root
//	l/<index>          a leaf, as it stands in the log
//	r/...              a row of the state, or which leaves they are of: see rows.go
//	t/<level><index>   a tile, as wide as it is; a partial one is replaced as it grows
//	o/<event id>       what became of an event that made no leaf
//	q/<sequence>       the event id of an outcome, oldest first, to forget by
//	w/<cosigner>       the largest checkpoint seen with a cosignature of that cosigner
//	x/<commitment>     a sealed payload of a one-person firm, with its key
//	e/<commitment>     a payload that was erased, and may still be in the files: see erase.go
//	f/<node>           a checkpoint that a node signed and that is not of this tree: see fork.go
//	g/<node>           the same, after that node came to have this tree: kept as proof
//	h/<size>           a checkpoint at which the nodes handed over: the first beyond size
//	v/<origin hash>    the checkpoint of another region's log that was cosigned last: see witness.go
//	k/<anchor>         the revocation list of an authority of the region: see crl.go
//	c/published        the checkpoint that is served
//	status/...         status lists of issuers, public, that were fetched to check with: see internal/evidence
const (
	storeName   = "node"
	storeFormat = 1
	valueFormat = 1

	prefixRow      = "r/"
	prefixHandover = "h/"
	prefixPayload  = "x/"
	prefixErasing  = "e/"
	prefixFork     = "f/"
	prefixSettled  = "g/"
	prefixWitness  = "v/"
)

var (
	keyMeta      = []byte("meta")
	keyPublished = []byte("c/published")
)

// meta is written in the transaction of the leaves that it counts.
type meta struct {
	Applied  uint64 `json:"applied"` // raft index
	Size     uint64 `json:"size"`    // leaves
	Root     string `json:"root"`    // base64, of Size leaves
	Outcomes uint64 `json:"outcomes"`
	Oldest   uint64 `json:"oldest"` // sequence of the oldest outcome kept

	Restoring bool   `json:"restoring,omitzero"` // leaves were fetched for a snapshot that is not compared yet
	Before    uint64 `json:"before,omitzero"`    // leaves that were here when that began
	Wrong     string `json:"wrong,omitzero"`     // what was wrong with a snapshot: see poison.go
}

func keyLeaf(index uint64) []byte { return binary.BigEndian.AppendUint64([]byte("l/"), index) }

func keyTile(level int, index uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{'t', '/', byte(level)}, index)
}

func keyOutcome(id string) []byte         { return []byte("o/" + id) }
func keySequence(n uint64) []byte         { return binary.BigEndian.AppendUint64([]byte("q/"), n) }
func keyPayload(commitment string) []byte { return []byte(prefixPayload + commitment) }
func keyErasing(commitment string) []byte { return []byte(prefixErasing + commitment) }
func keyWitnessed(cosigner string) []byte { return []byte("w/" + cosigner) }

func loadMeta(tx kv.Tx) (meta, error) {
	var m meta
	err := kv.GetJSON(tx, keyMeta, valueFormat, &m)
	if errors.Is(err, kv.ErrNotFound) {
		return meta{Root: tlog.EmptyRoot().String()}, nil
	}
	return m, err
}

// txTiles reads tiles inside a transaction, cut to the width that is asked: a stored
// partial tile contains all narrower ones.
type txTiles struct{ tx kv.Tx }

func (r txTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		data, err := readTile(r.tx, t)
		if err != nil {
			return nil, err
		}
		out[i] = data
	}
	return out, nil
}

func readTile(tx kv.Tx, t tlog.Tile) ([]byte, error) {
	raw, err := tx.Get(keyTile(t.Level, t.Index))
	if err != nil {
		return nil, fmt.Errorf("tile %s: %w", t.Path(), err)
	}
	_, data, err := kv.Body(raw)
	if err != nil {
		return nil, fmt.Errorf("tile %s: %w", t.Path(), err)
	}
	if len(data) < t.Width*tlog.HashSize {
		return nil, fmt.Errorf("tile %s: %w", t.Path(), kv.ErrNotFound)
	}
	return data[:t.Width*tlog.HashSize], nil
}

func readLeaf(tx kv.Tx, index uint64) ([]byte, error) {
	raw, err := tx.Get(keyLeaf(index))
	if err != nil {
		return nil, fmt.Errorf("leaf %d: %w", index, err)
	}
	_, body, err := kv.Body(raw)
	return body, err
}

func keyHandover(size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(prefixHandover), size)
}
