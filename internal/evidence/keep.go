package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"paspoort.example/paspoort/internal/kv"
)

// What this package keeps in a store that a role shares with it:
//
//	region/GENESIS/...      the copy of a region's registry: see regionKeys
//	status/fetched/HASH     keptToken: which token is kept, since when, how large it is
//	status/token/HASH       the token as it was fetched
//
// HASH is the SHA-256 of the list's address, in hexadecimal. A token is public and about an
// issuer's whole list. Which entry of it was looked at, for whom, or how often is not kept.
const (
	prefixFetched = "status/fetched/"
	prefixToken   = "status/token/"
	keptVersion   = 1

	maxKept      = 500                 // tokens
	maxKeptBytes = 128 << 20           // of all tokens
	keptFor      = 90 * 24 * time.Hour // after the last fetch: what was last known
)

// keptToken is what is known of a token without reading it.
type keptToken struct {
	URI     string    `json:"uri"`
	Fetched time.Time `json:"fetched"`
	Bytes   int       `json:"bytes"`
}

// keptTokens are the status tokens on disk, so that a restart while an issuer is down does
// not make unknown what was known. A nil store keeps nothing.
type keptTokens struct{ store kv.Store }

func keptName(uri string) string {
	hash := sha256.Sum256([]byte(uri))
	return hex.EncodeToString(hash[:])
}

// put keeps a token, and lets go of what is too much or too old.
func (k keptTokens) put(uri, compact string, now time.Time) error {
	if k.store == nil || len(compact) > maxKeptBytes {
		return nil
	}
	name := keptName(uri)
	return k.store.Update(func(tx kv.Tx) error {
		if err := k.prune(tx, name, len(compact), now); err != nil {
			return err
		}
		if err := tx.Set([]byte(prefixToken+name), kv.Value(keptVersion, []byte(compact))); err != nil {
			return err
		}
		return kv.PutJSON(tx, []byte(prefixFetched+name), keptVersion, keptToken{URI: uri, Fetched: now, Bytes: len(compact)})
	})
}

// prune makes room for one token of a size: those fetched longest ago go first.
func (k keptTokens) prune(tx kv.Tx, name string, size int, now time.Time) error {
	type known struct {
		keptToken
		name string
	}
	var all []known
	err := tx.Scan([]byte(prefixFetched), func(key, value []byte) error {
		e := known{name: string(key[len(prefixFetched):])}
		if err := kv.DecodeJSON(value, keptVersion, &e.keptToken); err != nil {
			return err
		}
		if e.name != name {
			all, size = append(all, e), size+e.Bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b known) int { return a.Fetched.Compare(b.Fetched) })
	for len(all) > 0 && (len(all) >= maxKept || size > maxKeptBytes || now.Sub(all[0].Fetched) > keptFor) {
		err := errors.Join(tx.Delete([]byte(prefixFetched+all[0].name)), tx.Delete([]byte(prefixToken+all[0].name)))
		if err != nil {
			return err
		}
		size, all = size-all[0].Bytes, all[1:]
	}
	return nil
}

// get reads a token back and verifies it anew. Without one the error wraps kv.ErrNotFound.
func (k keptTokens) get(uri string) (token *StatusToken, fetched time.Time, err error) {
	if k.store == nil {
		return nil, fetched, kv.ErrNotFound
	}
	var about keptToken
	var compact []byte
	err = k.store.View(func(tx kv.Tx) error {
		name := keptName(uri)
		if err := kv.GetJSON(tx, []byte(prefixFetched+name), keptVersion, &about); err != nil {
			return err
		}
		value, err := tx.Get([]byte(prefixToken + name))
		if err != nil {
			return err
		}
		version, body, err := kv.Body(value)
		if err == nil && version != keptVersion {
			err = kv.ErrFormat
		}
		compact = bytes.Clone(body)
		return err
	})
	if err != nil {
		return nil, fetched, err
	}
	token, err = parseStatus(string(compact))
	if err == nil && token.Subject != uri {
		err = kv.ErrFormat
	}
	return token, about.Fetched, err
}
