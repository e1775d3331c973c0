package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sort"

	"paspoort.example/paspoort/specs/ijson"
)

// table keeps facts of one kind under keys. A fact is never overwritten: a change is a new
// version with the leaf that brought it, so that every table can be read as of any number of
// leaves (D9). Values are not changed after they were put in.
type table[T any] struct {
	name string
	rows map[string][]version[T] // per key in the order of leaves
}

type version[T any] struct {
	Leaf  uint64
	Value T

	// chain is the hash over this and all earlier versions of the key, made when a digest is
	// asked for first; only State.Digest touches it, under its lock.
	chain  [sha256.Size]byte
	hashed bool
}

func newTable[T any](name string) table[T] {
	return table[T]{name: name, rows: map[string][]version[T]{}}
}

// get is the newest value under key that the first size leaves brought.
func (t *table[T]) get(key string, size uint64) (T, bool) {
	rows := t.rows[key]
	n := sort.Search(len(rows), func(i int) bool { return rows[i].Leaf >= size })
	if n == 0 {
		var zero T
		return zero, false
	}
	return rows[n-1].Value, true
}

// history is every value under key that the first size leaves brought, oldest first.
func (t *table[T]) history(key string, size uint64) []T {
	var out []T
	rows := t.rows[key]
	for i := range rows {
		if rows[i].Leaf < size {
			out = append(out, rows[i].Value)
		}
	}
	return out
}

// keys lists, sorted, the keys that the first size leaves brought.
func (t *table[T]) keys(size uint64) []string {
	out := make([]string, 0, len(t.rows))
	for key, rows := range t.rows {
		if rows[0].Leaf < size {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// put adds a version.
func (t *table[T]) put(key string, leaf uint64, value T) {
	t.rows[key] = append(t.rows[key], version[T]{Leaf: leaf, Value: value})
}

// pop takes back the last put under key.
func (t *table[T]) pop(key string) {
	rows := t.rows[key]
	if len(rows) == 1 {
		delete(t.rows, key)
		return
	}
	t.rows[key] = rows[:len(rows)-1]
}

// rollback forgets what the leaves from size on brought.
func (t *table[T]) rollback(size uint64) {
	for key, rows := range t.rows {
		n := sort.Search(len(rows), func(i int) bool { return rows[i].Leaf >= size })
		switch {
		case n == 0:
			delete(t.rows, key)
		case n < len(rows):
			t.rows[key] = slices.Clip(rows[:n])
		}
	}
}

// digests adds the name of each row and the hash over its versions, as the first size leaves
// made them.
func (t *table[T]) digests(out map[string][sha256.Size]byte, size uint64) {
	for key, rows := range t.rows {
		if n := upTo(rows, size); n > 0 {
			out[t.name+"/"+key] = t.hash(rows[:n])
		}
	}
}

// hash brings the chain of a row up to date: each version is hashed once, in canonical form
// behind the hash of the one before. Values are plain data with exact numbers, so encoding
// them cannot fail.
func (t *table[T]) hash(rows []version[T]) [sha256.Size]byte {
	i := len(rows)
	for i > 0 && !rows[i-1].hashed {
		i--
	}
	for ; i < len(rows); i++ {
		h := sha256.New()
		if i > 0 {
			h.Write(rows[i-1].chain[:])
		}
		raw, err := ijson.Canonical(fact[T]{rows[i].Leaf, rows[i].Value})
		if err != nil {
			panic("registry: a fact of table " + t.name + " cannot be encoded: " + err.Error())
		}
		h.Write(raw)
		h.Sum(rows[i].chain[:0])
		rows[i].hashed = true
	}
	return rows[len(rows)-1].chain
}

// fact is what is hashed of a version.
type fact[T any] struct {
	Leaf  uint64
	Value T
}

// store is what tables of all types have in common.
type store interface {
	rollback(size uint64)
	digests(out map[string][sha256.Size]byte, size uint64)
}

// merkle is the root over the rows sorted by name: leaves are SHA-256(0x00 || name || 0x00 ||
// hash), nodes as in RFC 6962 2.1, so that a proof for one row can be given later (D8).
func merkle(rows map[string][sha256.Size]byte) string {
	names := make([]string, 0, len(rows))
	for name := range rows {
		names = append(names, name)
	}
	slices.Sort(names)
	hashes := make([][sha256.Size]byte, len(names))
	for i, name := range names {
		chain := rows[name]
		leaf := append([]byte{0}, name...)
		leaf = append(leaf, 0)
		hashes[i] = sha256.Sum256(append(leaf, chain[:]...))
	}
	root := merkleRoot(hashes)
	return hex.EncodeToString(root[:])
}

func merkleRoot(hashes [][sha256.Size]byte) [sha256.Size]byte {
	switch len(hashes) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return hashes[0]
	}
	k := 1
	for k*2 < len(hashes) {
		k *= 2
	}
	left, right := merkleRoot(hashes[:k]), merkleRoot(hashes[k:])
	node := append([]byte{1}, left[:]...)
	return sha256.Sum256(append(node, right[:]...))
}
