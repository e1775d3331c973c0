package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"paspoort.example/paspoort/specs/ijson"
)

// DigestOf is [State.DigestAt] of a state that rows hold, for as many leaves as were stored or
// fewer. It reads all rows, and needs no memory for them; leaves may be applied meanwhile.
func DigestOf(rows Rows, genesis string, size uint64) (string, error) {
	w := walk{genesis: genesis, size: size, stored: size}
	return w.digest(rows, nil)
}

// digestKept is DigestAt from the rows and from what is not stored yet.
func (s *State) digestKept(size uint64) string {
	w := walk{genesis: s.genesis, size: size, stored: min(size, s.kept.stored)}
	out, err := w.digest(s.kept.rows, s.kept.fresh)
	if err != nil {
		panic(fmt.Errorf("%w: %w", ErrRows, err))
	}
	return out
}

// walk goes over all rows by name and makes the digest of them.
type walk struct {
	genesis string
	size    uint64 // leaves that count
	stored  uint64 // of them in the rows; the others are fresh
	logTime int64  // of the last of them; its event comes before it is needed

	name  string // of the row that is being read
	chain [sha256.Size]byte
	any   bool // a version of it counts

	fresh []string // names of rows with fresh versions, in order
	last  map[string]keptRow
	root  rootStream
}

// logRow is the one row that no table holds.
const logRow = "log"

func (w *walk) digest(rows Rows, fresh []keptRow) (string, error) {
	w.last = map[string]keptRow{logRow: {}}
	for _, r := range fresh {
		if r.leaf >= w.size {
			continue
		}
		w.last[r.name] = r
		if err := w.stamp([]byte(r.name), r.leaf, r.raw); err != nil {
			return "", err
		}
	}
	w.fresh = slices.Sorted(maps.Keys(w.last))
	err := rows.Scan(nil, func(key, value []byte) error {
		if bytes.Equal(key, []byte(keptHead)) {
			return nil
		}
		name, _, err := splitKey(key)
		if err != nil {
			return err
		}
		leaf, err := leafOf(value)
		if err != nil {
			return err
		}
		if string(name) != w.name {
			w.end()
			w.name, w.any = string(name), false
		}
		if leaf < w.stored {
			w.chain, w.any = [sha256.Size]byte(value[:sha256.Size]), true
		}
		return w.stamp(name, leaf, value[sha256.Size:])
	})
	if err != nil {
		return "", err
	}
	w.end()
	w.until("")
	return w.root.hex(), nil
}

// stamp looks for the log time of the last leaf that counts: one leaf, one event.
func (w *walk) stamp(name []byte, leaf uint64, text []byte) error {
	if leaf+1 != w.size || !bytes.HasPrefix(name, []byte("event/")) {
		return nil
	}
	var f fact[int64]
	err := ijson.UnmarshalClosed(text, &f)
	w.logTime = f.Value
	return err
}

// end is the end of a row in the rows.
func (w *walk) end() {
	if w.name == "" {
		return
	}
	w.until(w.name)
	if r, ok := w.last[w.name]; ok {
		w.chain, w.any = r.chain, true
		w.fresh = w.fresh[1:]
	}
	if w.any {
		w.root.add(rowHash(w.name, w.chain))
	}
}

// until adds the rows that are fresh only, up to a name; all when it is empty.
func (w *walk) until(name string) {
	for len(w.fresh) > 0 && (name == "" || w.fresh[0] < name) {
		next := w.fresh[0]
		w.fresh = w.fresh[1:]
		if next == logRow {
			w.root.add(rowHash(logRow, logChain(w.genesis, w.size, w.logTime)))
			continue
		}
		w.root.add(rowHash(next, w.last[next].chain))
	}
}

func logChain(genesis string, size uint64, logTime int64) [sha256.Size]byte {
	return sha256.Sum256([]byte(genesis + "\n" + strconv.FormatUint(size, 10) + "\n" + strconv.FormatInt(logTime, 10)))
}

// rootStream is merkleRoot of hashes that come one by one.
type rootStream struct {
	stack [][sha256.Size]byte // roots of whole trees, large ones first
	count uint64
}

func (r *rootStream) add(h [sha256.Size]byte) {
	for n := r.count; n&1 == 1; n >>= 1 {
		h = nodeHash(r.stack[len(r.stack)-1], h)
		r.stack = r.stack[:len(r.stack)-1]
	}
	r.stack = append(r.stack, h)
	r.count++
}

func (r *rootStream) hex() string {
	if r.count == 0 {
		empty := sha256.Sum256(nil)
		return hex.EncodeToString(empty[:])
	}
	root := r.stack[len(r.stack)-1]
	for _, left := range slices.Backward(r.stack[:len(r.stack)-1]) {
		root = nodeHash(left, root)
	}
	return hex.EncodeToString(root[:])
}
