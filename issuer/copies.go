package issuer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// maxCopies bounds the copies of one credential over its whole life.
const maxCopies = 10000

// batch is what a credential request is answered from.
type batch struct {
	dataset paspoort.Dataset
	entries []entry
	format  paspoort.Format
}

// Issue implements openid4vci.Issuer: one copy for each key, all of one dataset.
// Places in the status lists are taken and stored first, so that a crash can waste
// some and never give one out twice.
func (i *Issuer) Issue(_ context.Context, a *openid4vci.Access, r *openid4vci.Issuance) (*openid4vci.CredentialResponse, error) {
	g, ok := a.Grant.(grant)
	if !ok || len(r.Keys) == 0 {
		return nil, errors.New("issuer: an issuance without grant or keys")
	}
	notification, err := i.vault.token(idBytes)
	if err != nil {
		return nil, err
	}
	var b batch
	err = i.c.Store.Update(func(tx kv.Tx) error {
		b, err = i.prepare(tx, g, len(r.Keys))
		if err != nil {
			return err
		}
		return kv.PutJSON(tx, hashKey(prefixDelivered, hash(notification)), valueVersion,
			delivered{ID: g.id, Until: i.c.Clock().Add(i.c.OfferLifetime).UTC()})
	})
	if err != nil {
		return nil, err
	}
	answer := &openid4vci.CredentialResponse{NotificationID: notification}
	now := i.c.Clock()
	for n, holder := range r.Keys {
		credential, err := i.sign(b, b.entries[n], holder, now)
		if err != nil {
			return nil, err
		}
		answer.Credentials = append(answer.Credentials, openid4vci.Compact(credential))
	}
	return answer, nil
}

var (
	errDenied    = openid4vci.Refuse(openid4vci.CredentialRequestDenied, "this credential is not to be had any more")
	errSuspended = openid4vci.Refuse(openid4vci.CredentialRequestDenied, "this credential is suspended: new copies can be had when it is valid again")
	errTooMany   = openid4vci.Refuse(openid4vci.CredentialRequestDenied, "more copies than the access token is for")
)

// prepare judges the state and takes n places in the status lists.
func (i *Issuer) prepare(tx kv.Tx, g grant, n int) (b batch, err error) {
	r, err := getRecord(tx, g.id)
	if err != nil {
		return b, err
	}
	switch r.State {
	case Offered, Valid:
	case Suspended:
		// The places that are given out are published as valid, so a copy made now would
		// look valid until the next publication.
		return b, errSuspended
	default:
		return b, errDenied
	}
	if err := countCopies(tx, g, n); err != nil {
		return b, err
	}
	if len(r.Entries)+n > maxCopies {
		return b, errTooMany
	}
	if b.dataset, err = i.dataset(tx, r.ID); errors.Is(err, kv.ErrNotFound) {
		return b, errDenied
	} else if err != nil {
		return b, err
	}
	if b.entries, err = i.takeEntries(tx, n); err != nil {
		return b, err
	}
	_, b.format = r.parts()
	if r.State == Offered {
		r.State, r.IssuedAt = Valid, i.c.Clock().UTC()
		r.ChangedAt = r.IssuedAt
	}
	r.Entries = append(r.Entries, b.entries...)
	return b, putRecord(tx, r)
}

// countCopies takes n from what the access token is good for.
func countCopies(tx kv.Tx, g grant, n int) error {
	var a access
	if err := kv.GetJSON(tx, hashKey(prefixAccess, g.token), valueVersion, &a); err != nil {
		return err
	}
	if a.CopiesLeft < n {
		return errTooMany
	}
	a.CopiesLeft -= n
	return kv.PutJSON(tx, hashKey(prefixAccess, g.token), valueVersion, a)
}

// sign renders and signs one copy.
func (i *Issuer) sign(b batch, e entry, holder openid4vci.HolderKey, now time.Time) (string, error) {
	c := paspoort.Copy{
		Holder: holder.Public, HolderKeyID: holder.KeyID, IssuedAt: now,
		Status: &paspoort.StatusRef{URI: i.statusURI(e.List), Index: e.Index},
	}
	if i.c.CredentialLifetime > 0 {
		c.ExpiresAt = now.Add(i.c.CredentialLifetime)
	}
	typ, claims, err := paspoort.Render(b.format, i.named(), b.dataset, c)
	if err != nil {
		return "", fmt.Errorf("issuer: render credential: %w", err)
	}
	credential, err := sdjwt.IssueCompact(sdjwt.IssueOptions{
		Signer: i.c.CredentialKey, Claims: claims, Rand: i.c.Rand,
		Header: jose.Header{Type: typ, KeyID: i.credentialKeyID, X5C: rawChain(i.c.CredentialChain)},
	})
	if err != nil {
		return "", fmt.Errorf("issuer: sign credential: %w", err)
	}
	return credential, nil
}

// Notify implements openid4vci.Notified. The description is not kept: it is free
// text from a holder's device.
func (i *Issuer) Notify(_ context.Context, a *openid4vci.Access, n *openid4vci.Notification) error {
	g, ok := a.Grant.(grant)
	if !ok {
		return errors.New("issuer: a notification without grant")
	}
	unknown := openid4vci.Refuse(openid4vci.InvalidNotificationID, "this notification_id is not of this access token")
	return i.c.Store.Update(func(tx kv.Tx) error {
		var d delivered
		err := kv.GetJSON(tx, hashKey(prefixDelivered, hash(n.ID)), valueVersion, &d)
		if errors.Is(err, kv.ErrNotFound) || err == nil && d.ID != g.id {
			return unknown
		}
		if err != nil {
			return err
		}
		r, err := getRecord(tx, d.ID)
		if err != nil {
			return err
		}
		r.Notified = n.Event
		return putRecord(tx, r)
	})
}
