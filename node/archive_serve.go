package node

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/statusarchive"
)

// handler serves the archive below a prefix.
func (a *archive) handler(prefix string) http.Handler {
	server := &statusarchive.Server{Archive: a, MaxAge: time.Minute, Report: func(err error) {
		a.config.Log.Error("the status archive cannot be read", "error", err)
	}}
	return web.CORS(http.StripPrefix(prefix, server))
}

// Lists implements [statusarchive.Archive].
func (a *archive) Lists(context.Context) ([]statusarchive.List, error) {
	rows, err := a.rows(func(archiveRow) bool { return true })
	out := make([]statusarchive.List, 0, len(rows))
	for _, row := range rows {
		out = append(out, row.List)
	}
	return out, err
}

// ofOrganisation are the lists of one.
func (a *archive) ofOrganisation(id string) ([]statusarchive.List, error) {
	rows, err := a.rows(func(r archiveRow) bool { return r.Organisation == id })
	var out []statusarchive.List
	for _, row := range rows {
		out = append(out, row.List)
	}
	return out, err
}

// Token implements [statusarchive.Archive].
func (a *archive) Token(_ context.Context, uri string, at time.Time) (string, error) {
	token, err := "", statusarchive.ErrNotHeld
	viewed := a.view(func(tx kv.Tx) error {
		day, found := a.dayOf(tx, uri, at)
		if found != nil || day == "" {
			return found
		}
		value, got := tx.Get(archiveKey(archiveTokens, uri, day))
		if got != nil {
			return got
		}
		_, body, got := kv.Body(value)
		token, err = string(body), got
		return got
	})
	if viewed != nil {
		return "", viewed
	}
	return token, err
}

// dayOf is the newest day with a token that was issued by a moment; empty for none.
func (a *archive) dayOf(tx kv.Tx, uri string, at time.Time) (day string, err error) {
	if at.IsZero() {
		var row archiveRow
		err := kv.GetJSON(tx, archiveKey(archiveRows, uri), archiveFormat, &row)
		if errors.Is(err, kv.ErrNotFound) {
			return "", nil
		}
		return row.Day, err
	}
	prefix := archiveKey(archiveDays, uri, "")
	err = tx.Scan(prefix, func(key, value []byte) error {
		var d archiveDay
		if err := kv.DecodeJSON(value, archiveFormat, &d); err != nil {
			return err
		}
		if d.IssuedAt.After(at) {
			return kv.ErrStop
		}
		day = string(key[len(prefix):])
		return nil
	})
	return day, err
}

// Proof implements [statusarchive.Archive].
func (a *archive) Proof(_ context.Context, uri, code string) ([]string, error) {
	if strings.Contains(code, "/") || len(code) > 32 {
		return nil, statusarchive.ErrNotHeld
	}
	tokens, err := []string(nil), statusarchive.ErrNotHeld
	viewed := a.view(func(tx kv.Tx) error {
		value, got := tx.Get(archiveKey(archiveProofs, uri, code))
		if errors.Is(got, kv.ErrNotFound) {
			return nil
		}
		if got != nil {
			return got
		}
		_, body, got := kv.Body(value)
		tokens, err = strings.Split(string(body), "\n"), got
		return got
	})
	return tokens, errors.Join(viewed, err)
}

// StatusToken implements evidence.StatusArchive, for the checks of this node.
func (a *archive) StatusToken(ctx context.Context, uri string) (*evidence.StatusToken, error) {
	compact, err := a.Token(ctx, uri, time.Time{})
	if err != nil {
		return nil, err
	}
	return evidence.ParseStatusToken(compact, evidence.StatusLimits)
}
