package registry

import (
	"crypto/sha256"
	"maps"
	"slices"
	"sort"

	"paspoort.example/paspoort/specs/ijson"
)

// table keeps facts of one kind under keys. A fact is never overwritten: a change is a new
// version with the leaf that brought it, so that every table can be read as of any number of
// leaves (D9). Values are not changed after they were put in.
type table[T any] struct {
	name  string
	rows  map[string][]version[T] // per key in the order of leaves; with kept only those in memory
	small bool                    // few rows, or needed often: in memory in any case
	kept  *kept                   // where the rows are; nil: in memory
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

func newSmallTable[T any](name string) table[T] {
	return table[T]{name: name, rows: map[string][]version[T]{}, small: true}
}

// get is the newest value under key that the first size leaves brought.
func (t *table[T]) get(key string, size uint64) (T, bool) {
	rows := t.row(key)
	n := upTo(rows, size)
	if n == 0 {
		var zero T
		return zero, false
	}
	return rows[n-1].Value, true
}

// history is every value under key that the first size leaves brought, oldest first.
func (t *table[T]) history(key string, size uint64) []T {
	var out []T
	rows := t.row(key)
	for i := range rows {
		if rows[i].Leaf < size {
			out = append(out, rows[i].Value)
		}
	}
	return out
}

// keys lists, sorted, the keys that the first size leaves brought.
func (t *table[T]) keys(size uint64) []string {
	out := t.names(size)
	slices.Sort(out)
	return out
}

// names is keys in no order.
func (t *table[T]) names(size uint64) []string {
	if t.kept != nil {
		return t.keptKeys(size)
	}
	out := make([]string, 0, len(t.rows))
	for key, rows := range t.rows {
		if rows[0].Leaf < size {
			out = append(out, key)
		}
	}
	return out
}

// put adds a version.
func (t *table[T]) put(key string, leaf uint64, value T) {
	t.rows[key] = append(t.row(key), version[T]{Leaf: leaf, Value: value})
}

// fresh is a version that was just put, to be kept.
func (t *table[T]) fresh(key string, index int) keptRow {
	rows := t.rows[key][:index+1]
	raw := t.hash(rows)
	return keptRow{t.name + "/" + key, index, rows[index].Leaf, rows[index].chain, raw}
}

// pop takes back the last put under key. That there is no row stays known, of few: who looks at
// an event before it applies it asks twice.
func (t *table[T]) pop(key string) {
	rows := t.rows[key]
	switch {
	case len(rows) > 1:
		t.rows[key] = rows[:len(rows)-1]
	case t.kept != nil && len(t.rows) < maxCached:
		t.rows[key] = nil
	default:
		delete(t.rows, key)
	}
}

// begin says that there is no row under key, to who knows.
func (t *table[T]) begin(key string) {
	if _, ok := t.rows[key]; t.kept != nil && !ok {
		t.rows[key] = nil
	}
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
			t.hash(rows[:n])
			out[t.name+"/"+key] = rows[n-1].chain
		}
	}
}

// hash brings the chain of a row up to date: each version is hashed once, in canonical form
// behind the hash of the one before. It gives the canonical form of the last version when that
// was hashed now. Values are plain data with exact numbers, so encoding them cannot fail.
func (t *table[T]) hash(rows []version[T]) (last []byte) {
	i := len(rows)
	for i > 0 && !rows[i-1].hashed {
		i--
	}
	for ; i < len(rows); i++ {
		raw, err := ijson.Canonical(fact[T]{rows[i].Leaf, rows[i].Value})
		if err != nil {
			panic("registry: a fact of table " + t.name + " cannot be encoded: " + err.Error())
		}
		rows[i].chain, rows[i].hashed, last = chainOf(rows[:i], raw), true, raw
	}
	return last
}

// chainOf is the hash over a version in canonical form and those before it.
func chainOf[T any](before []version[T], raw []byte) (out [sha256.Size]byte) {
	h := sha256.New()
	if n := len(before); n > 0 {
		h.Write(before[n-1].chain[:])
	}
	h.Write(raw)
	h.Sum(out[:0])
	return out
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
	open(k *kept) error
	shrink()
	lean()
}

// merkle is the root over the rows sorted by name: leaves are SHA-256(0x00 || name || 0x00 ||
// hash), nodes as in RFC 6962 2.1, so that a proof for one row can be given later (D8).
func merkle(rows map[string][sha256.Size]byte) string {
	var root rootStream
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		root.add(rowHash(name, rows[name]))
	}
	return root.hex()
}

func rowHash(name string, chain [sha256.Size]byte) [sha256.Size]byte {
	var buf [256]byte
	leaf := append(append(append(buf[:0], 0), name...), 0)
	return sha256.Sum256(append(leaf, chain[:]...))
}

func nodeHash(left, right [sha256.Size]byte) [sha256.Size]byte {
	var node [1 + 2*sha256.Size]byte
	node[0] = 1
	copy(node[1:], left[:])
	copy(node[1+sha256.Size:], right[:])
	return sha256.Sum256(node[:])
}
