package issuer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"time"

	cryptorand "crypto/rand"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/statuslist"
)

// The life of an entry: it is allocated at a random free index and set valid; the
// next publication shows it; from the one after that on it may be given to a copy.
// So whoever looks at a new copy's status finds it valid, and the moment of issue
// leaves no trace in the lists. Entries never allocated are INVALID. An entry's key
// is never deleted, and that is what keeps its index from being used twice.

// statusBits: VALID, INVALID and SUSPENDED need two bits (Token Status List 7.1).
const statusBits = 2

// fill is the part of a list that is allocated at most: the rest are decoys, and
// finding a free index by drawing stays quick.
const (
	fillNumerator   = 3
	fillDenominator = 4
)

// listMeta is what is kept of a list as a whole.
type listMeta struct {
	Size int `json:"size"`
	Used int `json:"used"`
}

func (i *Issuer) statusURI(list int) string {
	return i.c.URL + "/status/" + strconv.Itoa(list)
}

// takeEntries takes n entries out of the reserve, the longest published first. When
// the reserve is short the rest is allocated on the spot, and a publication is
// asked for at once: that shows only that many copies were issued. So it is when a
// crash came between reserving and publishing.
func (i *Issuer) takeEntries(tx kv.Tx, n int) ([]entry, error) {
	var taken []entry
	var keys [][]byte
	err := tx.Scan([]byte(prefixReserve), func(k, value []byte) error {
		if len(taken) == n {
			return kv.ErrStop
		}
		var e entry
		if err := kv.DecodeJSON(value, valueVersion, &e); err != nil {
			return err
		}
		if !i.isPublished(k, e) {
			i.hurry()
		}
		taken, keys = append(taken, e), append(keys, append([]byte(nil), k...))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if err := tx.Delete(k); err != nil {
			return nil, err
		}
	}
	if missing := n - len(taken); missing > 0 {
		fresh, err := i.allocate(tx, missing)
		if err != nil {
			return nil, err
		}
		taken = append(taken, fresh...)
		i.hurry()
	}
	return taken, nil
}

// isPublished says whether the entry with this key in the reserve is in a list that
// was published: reserving and publishing are done under one time.
func (i *Issuer) isPublished(k []byte, e entry) bool {
	at, _, _ := strings.Cut(string(k[len(prefixReserve):]), "/")
	reserved, err := strconv.ParseInt(at, 10, 64)
	p, ok := (*i.published.Load())[e.List]
	return err == nil && ok && reserved <= p.At.Unix()
}

// allocate sets n free entries, at random indices of the newest list, valid.
func (i *Issuer) allocate(tx kv.Tx, n int) ([]entry, error) {
	list, meta, err := i.newestList(tx)
	if err != nil {
		return nil, err
	}
	out := make([]entry, 0, n)
	for len(out) < n {
		if meta.Used >= meta.Size*fillNumerator/fillDenominator {
			if err := kv.PutJSON(tx, listKey(prefixList, list), valueVersion, meta); err != nil {
				return nil, err
			}
			list, meta = list+1, listMeta{Size: i.c.StatusListSize}
		}
		index, err := cryptorand.Int(i.c.Rand, big.NewInt(int64(meta.Size)))
		if err != nil {
			return nil, fmt.Errorf("issuer: draw a status index: %w", err)
		}
		e := entry{List: list, Index: int(index.Int64())}
		if _, err := tx.Get(entryKey(e)); err == nil {
			continue // taken
		} else if !errors.Is(err, kv.ErrNotFound) {
			return nil, err
		}
		if err := setEntry(tx, e, statuslist.Valid); err != nil {
			return nil, err
		}
		meta.Used++
		out = append(out, e)
	}
	return out, kv.PutJSON(tx, listKey(prefixList, list), valueVersion, meta)
}

// newestList is the list that entries are allocated in; lists are numbered from 1.
func (i *Issuer) newestList(tx kv.Tx) (list int, meta listMeta, err error) {
	list, meta = 1, listMeta{Size: i.c.StatusListSize}
	err = tx.Scan([]byte(prefixList), func(k, value []byte) error {
		if list, err = strconv.Atoi(string(k[len(prefixList):])); err != nil {
			return fmt.Errorf("%w: key of a status list", kv.ErrFormat)
		}
		meta = listMeta{}
		return kv.DecodeJSON(value, valueVersion, &meta)
	})
	return list, meta, err
}

func setEntry(tx kv.Tx, e entry, s statuslist.Status) error {
	return tx.Set(entryKey(e), kv.Value(valueVersion, []byte{byte(s)}))
}

// reserve allocates entries up to StatusReserve, to be published now.
func (i *Issuer) reserve(tx kv.Tx, now time.Time) error {
	have := 0
	if err := tx.Scan([]byte(prefixReserve), func(_, _ []byte) error { have++; return nil }); err != nil {
		return err
	}
	if have >= i.c.StatusReserve {
		return nil
	}
	fresh, err := i.allocate(tx, i.c.StatusReserve-have)
	if err != nil {
		return err
	}
	for _, e := range fresh {
		// The random part of the key decides the order in which entries are given out, so
		// that the copies of one batch stand anywhere.
		var random [8]byte
		if _, err := io.ReadFull(i.c.Rand, random[:]); err != nil {
			return fmt.Errorf("issuer: draw a reserve key: %w", err)
		}
		k := fmt.Appendf(nil, "%s%012d/%s", prefixReserve, now.Unix(), hex.EncodeToString(random[:]))
		if err := kv.PutJSON(tx, k, valueVersion, e); err != nil {
			return err
		}
	}
	return nil
}

// list builds the present state of a list.
func readList(tx kv.Tx, number, size int) (*statuslist.List, error) {
	l, err := statuslist.New(statusBits, size, statuslist.Invalid)
	if err != nil {
		return nil, fmt.Errorf("issuer: status list: %w", err)
	}
	prefix := entryPrefix(number)
	err = tx.Scan(prefix, func(k, value []byte) error {
		index, err := strconv.Atoi(string(k[len(prefix):]))
		if err != nil {
			return fmt.Errorf("%w: key of a status entry", kv.ErrFormat)
		}
		_, body, err := kv.Body(value)
		if err != nil || len(body) != 1 {
			return fmt.Errorf("%w: status entry", kv.ErrFormat)
		}
		return l.Set(index, statuslist.Status(body[0]))
	})
	return l, err
}
