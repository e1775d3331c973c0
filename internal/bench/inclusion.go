package bench

import (
	"crypto/rand"
	"crypto/sha256"
	"math/bits"

	"paspoort.example/paspoort/specs/tlog"
)

// inclusionLevels is the depth of the tree that proofs are checked in: a million leaves.
const inclusionLevels = 20

// inclusion: the check of the proof that a leaf is in a log of a million. The limit is its hashes:
// one for each level.
func inclusion() (*Case, error) {
	const proofs = 512
	type shown struct {
		index uint64
		leaf  tlog.Hash
		path  []tlog.Hash
		root  tlog.Hash
	}
	all := make([]shown, proofs)
	for i := range all {
		raw := make([]byte, (inclusionLevels+1)*tlog.HashSize+8)
		if _, err := rand.Read(raw); err != nil {
			return nil, err
		}
		s := &all[i]
		for _, b := range raw[:inclusionLevels/8+1] {
			s.index = s.index<<8 | uint64(b)
		}
		s.index >>= bits.Len64(s.index) - min(bits.Len64(s.index), inclusionLevels)
		for level := range inclusionLevels {
			s.path = append(s.path, tlog.Hash(raw[8+level*tlog.HashSize:]))
		}
		s.leaf = tlog.Hash(raw[8+inclusionLevels*tlog.HashSize:])
		s.root = s.leaf
		for level, sibling := range s.path {
			s.root = parent(s.index>>level, s.root, sibling)
		}
	}
	return &Case{
		Ops: 40_000, Round: 1000, CPU: true,
		Subject: func(i int) error {
			s := &all[i%proofs]
			return tlog.VerifyInclusion(s.index, 1<<inclusionLevels, s.leaf, s.path, s.root)
		},
		Limit: func(i int) error {
			s := &all[i%proofs]
			hash := s.leaf
			for level, sibling := range s.path {
				hash = parent(s.index>>level, hash, sibling)
			}
			if hash != s.root {
				return errWrong
			}
			return nil
		},
	}, nil
}

// parent is the hash over two nodes, the first of which stands at index on its level (RFC 6962 2.1).
func parent(index uint64, node, sibling tlog.Hash) tlog.Hash {
	var buf [1 + 2*tlog.HashSize]byte
	buf[0] = 1
	left, right := node, sibling
	if index&1 == 1 {
		left, right = sibling, node
	}
	copy(buf[1:], left[:])
	copy(buf[1+tlog.HashSize:], right[:])
	return sha256.Sum256(buf[:])
}
