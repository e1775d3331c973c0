package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
)

// The keys of the archive's store. HASH is the hexadecimal SHA-256 of a list's address.
//
//	r/HASH         archiveRow
//	d/HASH/DAY     archiveDay: about the token of a day (UTC, 2026-03-02)
//	t/HASH/DAY     that token; the last of the day is the newest
//	e/HASH         which entries were ever valid, which revoked: two bitmaps
//	p/HASH/CODE    the two tokens that show what a notice says, one a line
const (
	archiveRows   = "r/"
	archiveDays   = "d/"
	archiveTokens = "t/"
	archiveEver   = "e/"
	archiveProofs = "p/"

	// archiveFor is how long days are kept, maxArchiveOf how many bytes of one organisation. The
	// newest token of a list stays whatever its age.
	archiveFor   = 3 * 366 * 24 * time.Hour
	maxArchiveOf = 1 << 30
	// archiveGrace is how much older than the newest a token may be that a cache on the way had
	// kept.
	archiveGrace = time.Hour
)

// archiveRow is what is known of one list.
type archiveRow struct {
	statusarchive.List
	Day  string `json:"day"` // of the newest token
	TTL  int    `json:"ttl,omitzero"`
	ETag string `json:"etag,omitempty"` // at the list's own address
	Bits int    `json:"bits"`
	Size int    `json:"size"`
}

type archiveDay struct {
	Organisation string    `json:"organisation"`
	IssuedAt     time.Time `json:"issued_at"`
	Bytes        int       `json:"bytes"`
}

// Errors of offering a token.
var (
	errNotTheirs = errors.New("the registry does not let its signer sign status lists of that organisation")
	errOlder     = errors.New("a newer token of this list is kept")
)

func archiveKey(prefix, uri string, more ...string) []byte {
	hash := sha256.Sum256([]byte(uri))
	return []byte(prefix + strings.Join(append([]string{hex.EncodeToString(hash[:])}, more...), "/"))
}

// open opens the store when there is something to keep, or something was kept.
func (a *archive) open(create bool) (kv.Store, error) {
	a.opened.Lock()
	defer a.opened.Unlock()
	if a.store != nil {
		return a.store, nil
	}
	store, err := a.config.Open(create)
	if err != nil || store == nil {
		return nil, err
	}
	if err := kv.CheckFormat(store, "archive", archiveFormat); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	a.store = store
	return store, nil
}

// close ends the store.
func (a *archive) close() error {
	a.opened.Lock()
	defer a.opened.Unlock()
	if a.store == nil {
		return nil
	}
	return a.store.Close()
}

// view reads; without a store there is nothing.
func (a *archive) view(fn func(kv.Tx) error) error {
	store, err := a.open(false)
	if err != nil || store == nil {
		return err
	}
	return store.View(fn)
}

// row is what is known of a list; kv.ErrNotFound for one that is not kept.
func (a *archive) row(uri string) (row archiveRow, err error) {
	err = kv.ErrNotFound
	if viewed := a.view(func(tx kv.Tx) error {
		err = kv.GetJSON(tx, archiveKey(archiveRows, uri), archiveFormat, &row)
		return nil
	}); viewed != nil {
		err = viewed
	}
	return row, err
}

// offer keeps a token of a list when it is one and is newer than what is kept. own says that it
// comes from the list's own address: only there is an old one a roll-back.
func (a *archive) offer(ctx context.Context, p *lister, uri, compact, etag string, own bool) (archiveRow, error) {
	token, signer, err := a.check(ctx, p, uri, compact)
	if err != nil {
		return archiveRow{}, err
	}
	a.keep.Lock()
	defer a.keep.Unlock()
	row, err := a.row(uri)
	first := errors.Is(err, kv.ErrNotFound)
	switch {
	case err != nil && !first:
		return row, err
	case first && !own && !p.atHost(uri):
		return row, errNotTheirs // whoever holds that address may be another
	case !first && row.Organisation != p.id:
		return row, fmt.Errorf("status list %s is of another organisation", uri)
	}
	if a.config.Room != nil {
		if err := a.config.Room(); err != nil {
			a.config.Log.Warn("a status list is not kept", "list", uri, "error", err)
			return row, err
		}
	}
	store, err := a.open(true)
	if err != nil {
		return row, err
	}
	digest := statusarchive.Digest(token.List)
	if !first {
		done, err := a.hold(store, &row, token, compact, digest, own)
		if done || err != nil {
			return row, err
		}
	}
	revived, err := a.ever(store, token)
	if err != nil {
		return row, err
	}
	if revived && !first {
		if err := a.notice(store, &row, statusarchive.Revived, token, compact); err != nil {
			return row, err
		}
	}
	a.fill(&row, p, token, signer, digest)
	if own {
		row.ETag = etag
	}
	return row, a.put(store, &row, compact)
}

// check verifies a token as any reader of it does.
func (a *archive) check(ctx context.Context, p *lister, uri, compact string) (token *evidence.StatusToken, signer string, err error) {
	if len(compact) > maxArchiveToken {
		return nil, "", statuslist.ErrTooLarge
	}
	token, err = evidence.ParseStatusToken(compact, statuslist.Limits{Token: maxArchiveToken, Inflated: maxInflated})
	if err != nil {
		return nil, "", err
	}
	if token.Subject != uri {
		return nil, "", statuslist.ErrSubject
	}
	if err := token.CheckTime(a.config.Clock()); err != nil && !errors.Is(err, statuslist.ErrExpired) {
		return nil, "", err
	}
	err = a.config.Reader.Read(ctx, func(v registry.View, _ paspoort.RegistryFacts) error {
		if !v.MaySignStatus(token.Fingerprint, p.id, token.IssuedAt) {
			return errNotTheirs
		}
		c, err := v.Certificate(token.Fingerprint)
		signer = c.Organisation
		return err
	})
	return token, signer, err
}

// hold holds a token against the newest that is kept. done says that it is not to be kept.
func (a *archive) hold(store kv.Store, row *archiveRow, token *evidence.StatusToken, compact, digest string, own bool) (done bool, err error) {
	switch {
	case token.IssuedAt.Equal(row.IssuedAt):
		if digest != row.Digest {
			err = a.notice(store, row, statusarchive.TwoFaced, token, compact)
		}
		return true, errors.Join(err, a.fetched(store, row, own))
	case token.IssuedAt.Before(row.IssuedAt):
		switch grace := max(archiveGrace, time.Duration(row.TTL)*time.Second); {
		case !own:
		case row.IssuedAt.Sub(token.IssuedAt) <= grace:
			return true, nil // a cache on the way kept it
		default:
			err = a.notice(store, row, statusarchive.RolledBack, token, compact)
		}
		return true, errors.Join(errOlder, err)
	case token.List.Bits() != row.Bits || token.List.Size() < row.Size:
		return false, a.notice(store, row, statusarchive.Shrunk, token, compact)
	}
	return false, nil
}

// fetched notes that the newest token is still what is published.
func (a *archive) fetched(store kv.Store, row *archiveRow, own bool) error {
	if !own {
		return nil
	}
	row.Fetched, row.Failing = a.config.Clock().UTC(), time.Time{}
	return a.save(store, row)
}

func (a *archive) save(store kv.Store, row *archiveRow) error {
	return store.Update(func(tx kv.Tx) error { return kv.PutJSON(tx, archiveKey(archiveRows, row.URI), archiveFormat, row) })
}

func (a *archive) fill(row *archiveRow, p *lister, token *evidence.StatusToken, signer, digest string) {
	row.URI, row.Organisation, row.Signer, row.Digest = token.Subject, p.id, "", digest
	if signer != p.id {
		row.Signer = signer
	}
	row.IssuedAt, row.ExpiresAt, row.TTL = token.IssuedAt, token.ExpiresAt, int(token.TTL/time.Second)
	row.Bits, row.Size = token.List.Bits(), token.List.Size()
	row.Fetched, row.Failing = a.config.Clock().UTC(), time.Time{}
}

// put keeps a token as that of its day, and what is known of its list.
func (a *archive) put(store kv.Store, row *archiveRow, compact string) error {
	row.Day = row.IssuedAt.UTC().Format(time.DateOnly)
	return store.Update(func(tx kv.Tx) error {
		day := archiveKey(archiveDays, row.URI, row.Day)
		if _, err := tx.Get(day); errors.Is(err, kv.ErrNotFound) {
			row.Days++
		}
		return errors.Join(
			tx.Set(archiveKey(archiveTokens, row.URI, row.Day), kv.Value(archiveFormat, []byte(compact))),
			kv.PutJSON(tx, day, archiveFormat, archiveDay{row.Organisation, row.IssuedAt, len(compact)}),
			kv.PutJSON(tx, archiveKey(archiveRows, row.URI), archiveFormat, row))
	})
}

// ever notes which entries a list ever showed as valid, and which of those as revoked. It says
// whether one that was revoked is not revoked any more. An entry that was never given out is
// INVALID too, so a list alone does not tell.
func (a *archive) ever(store kv.Store, token *evidence.StatusToken) (revived bool, err error) {
	size := (token.List.Size() + 7) / 8
	key := archiveKey(archiveEver, token.Subject)
	var maps []byte
	if err := store.View(func(tx kv.Tx) error {
		value, err := tx.Get(key)
		if err == nil {
			_, maps, err = kv.Body(value)
		}
		return err
	}); err != nil && !errors.Is(err, kv.ErrNotFound) {
		return false, err
	}
	old := len(maps) / 2
	size = max(size, old)
	valid, revoked := make([]byte, size), make([]byte, size)
	copy(valid, maps[:old])
	copy(revoked, maps[old:])
	for i := range token.List.Size() {
		s, err := token.List.Get(i)
		if err != nil {
			return false, err
		}
		bit, at := byte(1)<<(i%8), i/8
		switch {
		case s != statuslist.Invalid:
			revived = revived || revoked[at]&bit != 0
			valid[at] |= bit
			revoked[at] &^= bit // one notice each time
		case valid[at]&bit != 0:
			revoked[at] |= bit
		}
	}
	now := slices.Concat(valid, revoked)
	if slices.Equal(now, maps) {
		return revived, nil
	}
	return revived, store.Update(func(tx kv.Tx) error { return tx.Set(key, kv.Value(archiveFormat, now)) })
}

// notice writes down what a list did, with the newest token that was kept and the one that came.
// The proof of the first time stays.
func (a *archive) notice(store kv.Store, row *archiveRow, code string, token *evidence.StatusToken, compact string) error {
	i := slices.IndexFunc(row.Notices, func(n statusarchive.Notice) bool { return n.Code == code })
	if i >= 0 {
		if row.Notices[i].After.Equal(token.IssuedAt) {
			return nil // the same again
		}
		row.Notices[i].Count++
		return a.save(store, row)
	}
	a.config.Log.Warn("a status list does what an honest one does not", "list", row.URI, "organisation", row.Organisation, "what", code)
	return store.Update(func(tx kv.Tx) error {
		before, err := tx.Get(archiveKey(archiveTokens, row.URI, row.Day))
		if err != nil {
			return err
		}
		_, body, err := kv.Body(before)
		if err != nil {
			return err
		}
		row.Notices = append(row.Notices, statusarchive.Notice{Code: code, Seen: a.config.Clock().UTC(), Count: 1, Before: row.IssuedAt, After: token.IssuedAt})
		return errors.Join(
			tx.Set(archiveKey(archiveProofs, row.URI, code), kv.Value(archiveFormat, fmt.Appendf(nil, "%s\n%s", body, compact))),
			kv.PutJSON(tx, archiveKey(archiveRows, row.URI), archiveFormat, row))
	})
}
