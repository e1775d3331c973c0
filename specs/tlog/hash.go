package tlog

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

// HashSize is the length in bytes of every hash in a log (SHA-256).
const HashSize = sha256.Size

// MaxProof is the most hashes a proof can need: a tree has at most 2^63 leaves.
// C2SP tlog-witness: "The consistency proof MUST NOT exceed 63 lines."
const MaxProof = 63

// Hash is an RFC 6962 hash of a leaf or a node. It is the type of
// golang.org/x/mod/sumdb/tlog, so that its functions may be used too.
type Hash = tlog.Hash

// ErrProof says that a Merkle proof does not lead to the root it was checked against.
var ErrProof = errors.New("merkle proof does not match")

// EmptyRoot is the root of the tree without leaves (RFC 6962 2.1: the hash of an
// empty string).
func EmptyRoot() Hash { return sha256.Sum256(nil) }

// LeafHash is the hash of an entry: SHA-256(0x00 || entry), RFC 6962 2.1.
func LeafHash(entry []byte) Hash { return tlog.RecordHash(entry) }

// ParseHash reads a hash in strict standard base64, as it stands in checkpoints and
// proofs.
func ParseHash(s string) (Hash, error) {
	var h Hash
	raw, err := strictBase64(s)
	if err != nil || len(raw) != HashSize {
		return h, fmt.Errorf("hash is not the base64 of %d bytes", HashSize)
	}
	copy(h[:], raw)
	return h, nil
}

// VerifyInclusion checks that leaf is entry number index of the tree with size
// leaves and the given root. It fails with [ErrProof].
func VerifyInclusion(index, size uint64, leaf Hash, path []Hash, root Hash) error {
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf[:], hashBytes(path), root[:]); err != nil {
		return fmt.Errorf("inclusion of entry %d in %d: %w: %w", index, size, ErrProof, err)
	}
	return nil
}

// VerifyConsistency checks that the tree of newSize leaves begins with the tree of
// oldSize leaves. It fails with [ErrProof]. From an empty old tree nothing can be
// proven, so its proof is empty and its root must be [EmptyRoot].
func VerifyConsistency(oldSize, newSize uint64, path []Hash, oldRoot, newRoot Hash) error {
	if oldSize == 0 && (len(path) != 0 || oldRoot != EmptyRoot()) {
		return fmt.Errorf("consistency from an empty tree: %w", ErrProof)
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, oldSize, newSize, hashBytes(path), oldRoot[:], newRoot[:]); err != nil {
		return fmt.Errorf("consistency of %d with %d: %w: %w", oldSize, newSize, ErrProof, err)
	}
	return nil
}

func hashBytes(hashes []Hash) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

// strictBase64 decodes standard base64 with padding and refuses every spelling but
// the canonical one: no line breaks, no stray bits in the last character. Two
// spellings of one signature would make two notes of one.
func strictBase64(s string) ([]byte, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, err
	}
	if base64.StdEncoding.EncodedLen(len(raw)) != len(s) { // Strict still skips \r and \n
		return nil, errors.New("base64 with line breaks")
	}
	return raw, nil
}
