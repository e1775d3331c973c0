package verifier

import (
	"errors"
	"fmt"
	"net/http"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/openid4vp"
)

// maxTransactions bounds how often the button of one request can be pressed.
const maxTransactions = 8

// create makes a request with its cross-device transaction and keeps both.
func (v *Verifier) create(ask Ask) (*record, error) {
	if err := ask.check(); err != nil {
		return nil, err
	}
	id, err := v.secret()
	if err != nil {
		return nil, err
	}
	now := v.config.Clock()
	r := &record{
		ID: id, Created: now, Expires: now.Add(v.config.RequestLifetime), Forget: now.Add(v.config.KeepVerdict), State: Waiting,
		Purpose: ask.Purpose, Language: ask.Language, Query: ask.query, Asked: ask.asked(),
		Profile: ask.Profile, Prefix: ask.Prefix, ResponseMode: ask.ResponseMode,
	}
	t, invocation, err := v.begin(r, nil)
	if err != nil {
		return nil, err
	}
	if r.Invocation, err = invocation.Link(walletScheme(ask.Profile)); err != nil {
		return nil, err
	}
	return r, v.config.Store.Update(func(tx kv.Tx) error {
		return errors.Join(putRequest(tx, r), putTransaction(tx, t))
	})
}

// walletScheme is how a wallet on this or another device is called (OpenID4VP 13.1.2, HAIP 5.1).
func walletScheme(profile string) string {
	if profile == "haip" {
		return "haip-vp://"
	}
	return "openid4vp://"
}

// begin makes a transaction for the request; session is the hash of the cookie of the browser that pressed the button, nil
// for the QR code.
func (v *Verifier) begin(r *record, session []byte) (*transaction, *openid4vp.Invocation, error) {
	p, err := profile(r.Profile)
	if err != nil {
		return nil, nil, err
	}
	purpose := map[string]any{"purpose": r.Purpose, "lang": r.Language}
	for name, value := range map[string]string{"organisation": v.config.Organisation, "region": v.config.Region} {
		if value != "" {
			purpose[name] = value
		}
	}
	begun, err := v.server.Begin(openid4vp.Ask{
		Query: r.Query, Profile: p, Prefix: r.Prefix, ResponseMode: r.ResponseMode,
		Lifetime:     r.Expires.Sub(v.config.Clock()),
		VerifierInfo: []openid4vp.VerifierInfo{{Format: openid4vp.PurposeFormat, Data: purpose}},
	})
	var refused *openid4vp.Error
	if errors.As(err, &refused) {
		return nil, nil, web.Errorf(http.StatusBadRequest, string(refused.Code), "%s", refused.Description)
	}
	if err != nil {
		return nil, nil, err
	}
	invocation, err := v.server.Invocation(begun)
	if err != nil {
		return nil, nil, err
	}
	r.Transactions = append(r.Transactions, begun.ID)
	return &transaction{Transaction: *begun, RequestID: r.ID, Session: session}, invocation, nil
}

// open begins a same-device transaction for a browser that holds session, and returns what to call its wallet with.
func (v *Verifier) open(id, session string) (*openid4vp.Invocation, error) {
	var invocation *openid4vp.Invocation
	err := v.config.Store.Update(func(tx kv.Tx) error {
		r, err := getRequest(tx, id)
		if err != nil {
			return err
		}
		if r.state(v.config.Clock()) != Waiting {
			return errClosed
		}
		if len(r.Transactions) >= maxTransactions {
			return fmt.Errorf("%w: the button was pressed too often", errClosed)
		}
		var t *transaction
		if t, invocation, err = v.begin(r, hash(session)); err != nil {
			return err
		}
		return errors.Join(putRequest(tx, r), putTransaction(tx, t))
	})
	return invocation, err
}

// errClosed: the request cannot be answered any more.
var errClosed = errors.New("request is closed")

// find returns a request as the API and the page show it: with its state of now.
func (v *Verifier) find(id string) (*record, error) {
	var r *record
	err := v.config.Store.View(func(tx kv.Tx) (err error) {
		r, err = getRequest(tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	now := v.config.Clock()
	if r.over(now) {
		return nil, errNoRequest // the term is past, swept or not
	}
	r.State = r.state(now)
	if r.State != Done {
		// A verdict that waits for its browser is nobody's business yet.
		r.Verdict = nil
	}
	return r, nil
}

// forget deletes a request and everything that came of it.
func (v *Verifier) forget(id string) error {
	err := v.config.Store.Update(func(tx kv.Tx) error {
		r, err := getRequest(tx, id)
		if err != nil {
			return err
		}
		return r.delete(tx)
	})
	v.contents.forget(v.config.Clock(), []string{id})
	return err
}
