package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"paspoort.example/paspoort/specs/ijson"
)

// Rows is where a state keeps what it holds outside of memory: a store that whoever runs the
// state brings. A state with a million leaves then takes neither memory for them nor time to
// begin with. What is read from it is held against the hashes that the digest is made of; that
// they are the right ones is the word of whoever wrote them.
type Rows interface {
	// Get is the value under a key; nil when there is none.
	Get(key []byte) ([]byte, error)
	// Scan calls fn for the keys with this prefix, in the order of their bytes. What fn gets
	// is valid during the call only.
	Scan(prefix []byte, fn func(key, value []byte) error) error
}

// Row is a value to be put under a key of [Rows].
type Row struct{ Key, Value []byte }

// ErrRows is what a state panics with, wrapped, when its rows cannot be read or are damaged: no
// answer would be right then, and nothing may be applied.
var ErrRows = errors.New("the rows of the state cannot be read, or are damaged")

// One value is one version of a row, under "table/key", 0x00 and 4 bytes with its number: a fact
// in canonical form behind the hash over it and all versions before it, as table.hash makes it.
const (
	keptHead    = "\x00state" // before all tables
	keptVersion = 1

	// maxCached is how many rows of a table stay in memory because they were looked at.
	maxCached = 4096
)

// kept is what a state knows of its rows.
type kept struct {
	rows Rows

	mu     sync.Mutex // of the rows in memory of tables that are not wholly there
	stored uint64     // leaves whose rows were reported stored; what is in rows beyond them is left over from a crash

	fresh []keptRow // of leaves that were applied since
	bytes int       // of fresh
}

type keptRow struct {
	name  string // "table/key"
	index int
	leaf  uint64
	chain [sha256.Size]byte
	raw   []byte
}

// keptState is the row under keptHead.
type keptState struct {
	Genesis string `json:"genesis"`
	LogTime int64  `json:"log_time"`
	Rules   int    `json:"rules"` // in force
	Size    uint64 `json:"size"`
	Version int    `json:"version"`
}

// OpenState is the state that rows hold, or the state before the first leaf when they hold none
// or are kept in another way than this version does. Who applies leaves to it stores what
// [State.Fresh] gives, and says so with [State.Stored]. It fails with [ErrNewer] when the state
// follows rules that this program does not know.
func OpenState(genesis string, rows Rows) (*State, error) {
	s := NewState(genesis)
	s.kept = &kept{rows: rows}
	raw, err := rows.Get([]byte(keptHead))
	if err != nil {
		return nil, err
	}
	var head keptState
	if raw != nil {
		if err := ijson.Unmarshal(raw, &head); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRows, err)
		}
	}
	if head.Version == keptVersion {
		if head.Rules > RulesVersion {
			return nil, ErrNewer
		}
		if genesis != "" && head.Genesis != genesis && head.Size > 0 {
			return nil, ErrRegion.with("the rows are of another region")
		}
		s.size, s.logTime, s.kept.stored = head.Size, head.LogTime, head.Size
		if s.size > 0 {
			s.genesis = head.Genesis
		}
	}
	for _, st := range s.stores() {
		if err := st.open(s.kept); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Fresh are the rows that leaves brought since Stored was called last. They may be stored in
// several pieces, in their order: the last one makes the others count. They are large at most as
// FreshBytes says.
func (s *State) Fresh() []Row {
	if s.kept == nil || len(s.kept.fresh) == 0 {
		return nil
	}
	out := make([]Row, 0, len(s.kept.fresh)+1)
	for _, r := range s.kept.fresh {
		value := append(append(make([]byte, 0, len(r.chain)+len(r.raw)), r.chain[:]...), r.raw...)
		out = append(out, Row{rowKey(r.name, r.index), value})
	}
	head, err := ijson.Canonical(keptState{Genesis: s.genesis, LogTime: s.logTime, Rules: s.Rules(), Size: s.size, Version: keptVersion})
	if err != nil {
		panic("registry: " + err.Error()) // four plain values
	}
	return append(out, Row{[]byte(keptHead), head})
}

// FreshBytes is about how large the fresh rows are.
func (s *State) FreshBytes() int {
	if s.kept == nil {
		return 0
	}
	return s.kept.bytes
}

// Stored says that all fresh rows are where Rows finds them.
func (s *State) Stored() {
	if s.kept == nil {
		return
	}
	s.kept.fresh, s.kept.bytes, s.kept.stored = nil, 0, s.size
	for _, st := range s.stores() {
		st.shrink()
	}
}

// Lean has the state forget what it has in memory of rows that are stored: they are read again
// when they are asked for. It does nothing while there are fresh ones. Nobody reads meanwhile.
func (s *State) Lean() {
	if s.kept == nil || len(s.kept.fresh) > 0 {
		return
	}
	clear(s.good)
	for _, st := range s.stores() {
		st.lean()
	}
}

// note makes fresh rows of what a leaf put.
func (k *kept) note(journal []entry) {
	for _, e := range journal {
		r := e.row()
		k.fresh = append(k.fresh, r)
		k.bytes += r.size()
	}
}

// rollback forgets the fresh rows of the leaves from size on.
func (k *kept) rollback(size uint64) {
	if k.stored > size {
		panic("registry: what is stored is not taken back")
	}
	n := len(k.fresh)
	for n > 0 && k.fresh[n-1].leaf >= size {
		n--
		k.bytes -= k.fresh[n].size()
	}
	k.fresh = k.fresh[:n]
}

func (r keptRow) size() int { return len(r.name) + len(r.raw) + 2*sha256.Size }

func rowKey(name string, index int) []byte {
	key := append(append(make([]byte, 0, len(name)+5), name...), 0)
	return binary.BigEndian.AppendUint32(key, uint32(index))
}

// splitKey takes a key apart.
func splitKey(key []byte) (name []byte, index int, err error) {
	n := len(key) - 5
	if n < 0 || key[n] != 0 {
		return nil, 0, fmt.Errorf("%w: a key of no row", ErrRows)
	}
	return key[:n], int(binary.BigEndian.Uint32(key[n+1:])), nil
}

// leafOf is the leaf that brought a version. Its text begins with the member "Leaf".
func leafOf(value []byte) (uint64, error) {
	const begin = `{"Leaf":`
	if len(value) < sha256.Size+len(begin) || string(value[sha256.Size:sha256.Size+len(begin)]) != begin {
		return 0, fmt.Errorf("%w: a value that is no version of a row", ErrRows)
	}
	digits, _, ok := bytes.Cut(value[sha256.Size+len(begin):], []byte{','})
	leaf, err := strconv.ParseUint(string(digits), 10, 64)
	if !ok || err != nil {
		return 0, fmt.Errorf("%w: a version of a row without its leaf", ErrRows)
	}
	return leaf, nil
}

// open makes a table one whose rows are kept. Those of a small one are all read now.
func (t *table[T]) open(k *kept) error {
	if !t.small {
		t.kept = k
		return nil
	}
	last := ""
	return k.rows.Scan([]byte(t.name+"/"), func(key, value []byte) error {
		name, index, err := splitKey(key)
		if err != nil {
			return err
		}
		id := string(name[len(t.name)+1:])
		if index == 0 {
			last = id
		} else if id != last || index != len(t.rows[id]) {
			return nil // behind one that is left over
		}
		v, err := t.decode(t.rows[id], value)
		if err == nil && v.Leaf < k.stored {
			t.rows[id] = append(t.rows[id], v)
		}
		return err
	})
}

// decode reads the version that follows on rows.
func (t *table[T]) decode(rows []version[T], value []byte) (version[T], error) {
	v := version[T]{hashed: true}
	if len(value) < sha256.Size {
		return v, fmt.Errorf("%w: too short", ErrRows)
	}
	text := value[sha256.Size:]
	if v.chain = chainOf(rows, text); !bytes.Equal(v.chain[:], value[:sha256.Size]) {
		return v, fmt.Errorf("%w: a row of table %s is not what was stored", ErrRows, t.name)
	}
	var f fact[T]
	if err := ijson.UnmarshalClosed(text, &f); err != nil {
		return v, fmt.Errorf("%w: table %s: %w", ErrRows, t.name, err)
	}
	v.Leaf, v.Value = f.Leaf, f.Value
	return v, nil
}

// row is all versions of a row.
func (t *table[T]) row(key string) []version[T] {
	if t.kept == nil {
		return t.rows[key]
	}
	t.kept.mu.Lock()
	defer t.kept.mu.Unlock()
	rows, ok := t.rows[key]
	if ok {
		return rows
	}
	for i := 0; ; i++ {
		value, err := t.kept.rows.Get(rowKey(t.name+"/"+key, i))
		if err != nil {
			panic(fmt.Errorf("%w: %w", ErrRows, err))
		}
		if value == nil {
			break
		}
		v, err := t.decode(rows, value)
		if err != nil {
			panic(err)
		}
		if v.Leaf >= t.kept.stored {
			break
		}
		rows = append(rows, v)
	}
	if len(t.rows) < maxCached {
		t.rows[key] = rows // that there is none is worth remembering too
	}
	return rows
}

// shrink forgets the rows in memory when there are many. All of them are stored.
func (t *table[T]) shrink() {
	if t.kept != nil && len(t.rows) >= maxCached {
		clear(t.rows)
	}
}

func (t *table[T]) lean() {
	if t.kept != nil {
		t.rows = map[string][]version[T]{}
	}
}

// keptKeys are the keys of rows that the first size leaves brought: of those that are stored,
// and of those that are in memory only.
func (t *table[T]) keptKeys(size uint64) []string {
	var out []string
	err := t.kept.rows.Scan([]byte(t.name+"/"), func(key, value []byte) error {
		name, index, err := splitKey(key)
		if err != nil || index > 0 {
			return err
		}
		leaf, err := leafOf(value)
		if err == nil && leaf < min(size, t.kept.stored) {
			out = append(out, string(name[len(t.name)+1:]))
		}
		return err
	})
	if err != nil {
		panic(fmt.Errorf("%w: %w", ErrRows, err))
	}
	t.kept.mu.Lock()
	defer t.kept.mu.Unlock()
	for key, rows := range t.rows {
		if len(rows) > 0 && rows[0].Leaf < size && rows[0].Leaf >= t.kept.stored {
			out = append(out, key)
		}
	}
	return out
}
