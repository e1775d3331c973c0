package wallet

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/ijson"
)

// ErrDamaged: a stored value was changed, moved or cut off.
var ErrDamaged = errors.New("a stored value does not belong here or was changed")

// A box is the store behind the data key. On disk are only keys that are HMACs and
// values that are sealed, padded to multiples of padTo bytes: neither names nor
// kinds nor exact sizes show.
type box struct {
	store   kv.Store
	random  io.Reader
	dataKey []byte // to be sealed for other unlockers
	sealKey []byte // XChaCha20-Poly1305
	nameKey []byte // HMAC-SHA-256
}

const padTo = 512

func newBox(store kv.Store, dataKey []byte, random io.Reader) (*box, error) {
	b := &box{store: store, random: random, dataKey: dataKey}
	var err error
	if b.sealKey, err = hkdf.Key(sha256.New, dataKey, nil, "paspoort/wallet/seal/v1", chacha20poly1305.KeySize); err != nil {
		return nil, err
	}
	b.nameKey, err = hkdf.Key(sha256.New, dataKey, nil, "paspoort/wallet/name/v1", sha256.Size)
	return b, err
}

// key is the stored key of a name. The letter keeps it apart from vaultKey and from
// the mark of the store's format.
func (b *box) key(name string) []byte {
	mac := hmac.New(sha256.New, b.nameKey)
	mac.Write([]byte(name))
	return mac.Sum([]byte{'s'})
}

// record is what is inside a sealed value.
type record struct {
	Name string          `json:"n"`
	Body json.RawMessage `json:"b"`
}

func (b *box) put(tx kv.Tx, name string, v any) error {
	if err := b.list(tx, true, name); err != nil {
		return err
	}
	return b.write(tx, name, v)
}

// putAll stores several values of one folder: the list of names, which grows with every
// name there is, is then written once.
func (b *box) putAll(tx kv.Tx, rows map[string]any) error {
	names := slices.Sorted(maps.Keys(rows))
	if err := b.list(tx, true, names...); err != nil {
		return err
	}
	for _, name := range names {
		if err := b.write(tx, name, rows[name]); err != nil {
			return err
		}
	}
	return nil
}

func (b *box) write(tx kv.Tx, name string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(record{Name: name, Body: body})
	if err != nil {
		return err
	}
	key := b.key(name)
	sealed, err := sealBytes(b.sealKey, pad(plain), key, b.random)
	if err != nil {
		return err
	}
	return tx.Set(key, kv.Value(valueFormat, sealed))
}

// get reads a value; kv.ErrNotFound when there is none.
func (b *box) get(tx kv.Tx, name string, v any) error {
	body, err := b.read(tx, name)
	if err != nil {
		return err
	}
	return decode(body, v)
}

func (b *box) read(tx kv.Tx, name string) ([]byte, error) {
	key := b.key(name)
	raw, err := tx.Get(key)
	if err != nil {
		return nil, err
	}
	r, err := b.open(key, raw)
	if err != nil {
		return nil, err
	}
	if r.Name != name {
		return nil, ErrDamaged
	}
	return r.Body, nil
}

func (b *box) delete(tx kv.Tx, name string) error {
	if err := b.list(tx, false, name); err != nil {
		return err
	}
	return tx.Delete(b.key(name))
}

// folder is what a name stands in: all up to and including the first slash, or "" when
// its names are not kept in a list (see unlisted).
func folder(name string) string {
	at := strings.IndexByte(name, '/') + 1
	if slices.Contains(unlisted, name[:at]) {
		return ""
	}
	return name[:at]
}

// list keeps the names of a folder in one sealed row, because on disk nothing tells which
// rows belong together: with it, reading a kind opens the rows of that kind and no other.
// All names are of one folder.
func (b *box) list(tx kv.Tx, there bool, names ...string) error {
	if len(names) == 0 || folder(names[0]) == "" {
		return nil
	}
	in := folder(names[0])
	var changed []string
	for _, name := range names {
		_, err := tx.Get(b.key(name))
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		if there != (err == nil) {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	listed, err := b.names(tx, in)
	if err != nil {
		return err
	}
	if there {
		listed = append(listed, changed...)
		slices.Sort(listed)
		listed = slices.Compact(listed)
	} else {
		listed = slices.DeleteFunc(listed, func(name string) bool { return slices.Contains(changed, name) })
	}
	return b.put(tx, listPrefix+in, listed)
}

// names are the names in a folder, in order.
func (b *box) names(tx kv.Tx, in string) ([]string, error) {
	var names []string
	err := b.get(tx, listPrefix+in, &names)
	if errors.Is(err, kv.ErrNotFound) {
		err = nil
	}
	return names, err
}

// each calls fn for every value in a folder, in the order of the names.
func (b *box) each(tx kv.Tx, in string, fn func(name string, body []byte) error) error {
	if folder(in) != in {
		return fmt.Errorf("%q has no list of names", in)
	}
	names, err := b.names(tx, in)
	if err != nil {
		return err
	}
	for _, name := range names {
		body, err := b.read(tx, name)
		if errors.Is(err, kv.ErrNotFound) {
			return ErrDamaged // somebody took a row away
		}
		if err != nil {
			return err
		}
		if err := fn(name, body); err != nil {
			return err
		}
	}
	return nil
}

// open unseals one stored value.
func (b *box) open(key, raw []byte) (record, error) {
	version, sealed, err := kv.Body(raw)
	if err != nil {
		return record{}, err
	}
	if version != valueFormat {
		return record{}, fmt.Errorf("%w: value of version %d", kv.ErrFormat, version)
	}
	padded, err := openBytes(b.sealKey, sealed, key)
	if err != nil {
		return record{}, err
	}
	plain, err := unpad(padded)
	if err != nil {
		return record{}, err
	}
	var r record
	return r, decode(plain, &r)
}

func decode(raw []byte, v any) error {
	if err := ijson.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// sealBytes is XChaCha20-Poly1305 with a random nonce in front: 192 bits may be
// drawn at random for as long as a wallet lives.
func sealBytes(key, plain, associated []byte, random io.Reader) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	return aead.Seal(nonce, nonce, plain, associated), nil
}

func openBytes(key, sealed, associated []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, ErrDamaged
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], associated)
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// pad puts the length in front and zeros behind.
func pad(plain []byte) []byte {
	size := (4 + len(plain) + padTo - 1) / padTo * padTo
	out := make([]byte, 4, size)
	binary.BigEndian.PutUint32(out, uint32(len(plain)))
	return append(append(out, plain...), bytes.Repeat([]byte{0}, size-4-len(plain))...)
}

func unpad(padded []byte) ([]byte, error) {
	if len(padded) < 4 {
		return nil, ErrDamaged
	}
	n := binary.BigEndian.Uint32(padded)
	if int(n) > len(padded)-4 {
		return nil, ErrDamaged
	}
	return padded[4 : 4+n], nil
}
