package issuer

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/openid4vci"
)

// accessLifetime is five minutes: OpenID4VCI 13.10, "Access Tokens with lifetimes
// longer than 5 minutes are, in general, considered long lived", and those MUST be
// sender-constrained.
const accessLifetime = 5 * time.Minute

// txCodeAdvice stands beside the field for the code in a wallet. 4.1.1: it "does not
// support internationalization", so it has both languages.
const txCodeAdvice = "De code die u los van deze link hebt gekregen. / The code that you got apart from this link."

// Offer implements openid4vci.Issuer.
func (i *Issuer) Offer(_ context.Context, link string) (*openid4vci.CredentialOffer, error) {
	r, err := i.openOffer(link)
	if err != nil {
		return nil, err
	}
	code, err := i.newCode(r)
	if err != nil {
		return nil, err
	}
	grant := &openid4vci.PreAuthorizedGrant{Code: code}
	if len(r.TxCode) > 0 {
		grant.TxCode = &openid4vci.TxCode{InputMode: openid4vci.InputText, Description: txCodeAdvice}
		if r.TxNumeric > 0 {
			grant.TxCode.InputMode, grant.TxCode.Length = openid4vci.InputNumeric, r.TxNumeric
		}
	}
	return &openid4vci.CredentialOffer{
		CredentialIssuer: i.c.URL, ConfigurationIDs: []string{r.ConfigurationID},
		Grants: &openid4vci.Grants{PreAuthorized: grant},
	}, nil
}

// openOffer finds an offer that can still be accepted; openid4vci.ErrNotFound for
// every other.
func (i *Issuer) openOffer(link string) (*record, error) {
	r, err := i.byLink(link)
	if err != nil {
		return nil, err
	}
	if r.stateAt(i.c.Clock()) != Offered || r.Redeemed {
		return nil, openid4vci.ErrNotFound
	}
	return r, nil
}

func (i *Issuer) byLink(link string) (r *record, err error) {
	err = i.c.Store.View(func(tx kv.Tx) error {
		r, err = byLink(tx, link)
		return err
	})
	if errors.Is(err, kv.ErrNotFound) || errors.Is(err, kv.ErrKey) {
		return nil, openid4vci.ErrNotFound
	}
	return r, err
}

var (
	errWrongCode    = openid4vci.Refuse(openid4vci.InvalidGrant, "the pre-authorized code is wrong, used or expired")
	errTxMissing    = openid4vci.Refuse(openid4vci.InvalidRequest, "a tx_code is needed")
	errTxUnwanted   = openid4vci.Refuse(openid4vci.InvalidRequest, "no tx_code is expected")
	errWrongRefresh = openid4vci.Refuse(openid4vci.InvalidGrant, "the refresh token is wrong, used or expired")
)

// Token implements openid4vci.Issuer. The whole exchange is one transaction; a
// refusal that counts (a wrong transaction code) is stored too.
func (i *Issuer) Token(_ context.Context, q *openid4vci.TokenRequest) (answer *openid4vci.TokenResponse, err error) {
	var refusal error
	err = i.c.Store.Update(func(tx kv.Tx) error {
		var r *record
		switch q.GrantType {
		case openid4vci.GrantPreAuthorizedCode:
			r, refusal, err = i.redeemCode(tx, q)
		case openid4vci.GrantRefreshToken:
			r, refusal, err = i.redeemRefresh(tx, q)
		default:
			return openid4vci.Refuse(openid4vci.UnsupportedGrantType, "this grant type is not offered")
		}
		if err != nil || refusal != nil {
			return err
		}
		answer, err = i.newTokens(tx, r, q)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// redeemCode judges a pre-authorized code and spends the offer, so that no other
// code of it is good either.
func (i *Issuer) redeemCode(tx kv.Tx, q *openid4vci.TokenRequest) (r *record, refusal, err error) {
	id, ok := i.codeID(q.PreAuthorizedCode)
	if !ok {
		return nil, errWrongCode, nil
	}
	r, err = getRecord(tx, id)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, errWrongCode, nil
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case r.stateAt(i.c.Clock()) != Offered, r.Redeemed:
		return nil, errWrongCode, nil
	case len(r.TxCode) > 0 && q.TxCode == nil:
		return nil, errTxMissing, nil
	case len(r.TxCode) == 0 && q.TxCode != nil:
		return nil, errTxUnwanted, nil
	case len(r.TxCode) > 0:
		got, err := i.txMAC(r.ID, *q.TxCode)
		if err != nil {
			return nil, nil, err
		}
		if !hmac.Equal(got, r.TxCode) {
			return nil, i.wrongTxCode(r), i.countWrongCode(tx, r)
		}
	}
	r.Redeemed, r.TxCode = true, nil
	return r, nil, nil
}

// wrongTxCode says how often it can be tried again.
func (i *Issuer) wrongTxCode(r *record) error {
	left := i.c.TxCodeAttempts - r.WrongCodes - 1
	if left < 1 {
		return openid4vci.Refuse(openid4vci.InvalidGrant, "the tx_code is wrong; the offer is closed")
	}
	return openid4vci.Refuse(openid4vci.InvalidGrant, fmt.Sprintf("the tx_code is wrong; attempts left: %d", left))
}

// countWrongCode closes the offer after too many attempts: a code of six digits is
// safe only because it cannot be tried for ever.
func (i *Issuer) countWrongCode(tx kv.Tx, r *record) error {
	if r.WrongCodes++; r.WrongCodes >= i.c.TxCodeAttempts {
		if err := i.forget(tx, r); err != nil {
			return err
		}
		r.State, r.ChangedAt = Closed, i.c.Clock().UTC()
	}
	return putRecord(tx, r)
}

// redeemRefresh judges a refresh token. Tokens rotate (RFC 9700 4.14.2); the one
// before the last stays good until the last is used, because the answer that held
// the last may have been lost. Any older one means that somebody else has them: then
// none is good any more.
func (i *Issuer) redeemRefresh(tx kv.Tx, q *openid4vci.TokenRequest) (r *record, refusal, err error) {
	sum := hash(q.RefreshToken)
	var kept refresh
	err = kv.GetJSON(tx, hashKey(prefixRefresh, sum), valueVersion, &kept)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, errWrongRefresh, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if r, err = getRecord(tx, kept.ID); err != nil {
		return nil, nil, err
	}
	now := i.c.Clock()
	switch {
	case !now.Before(kept.Until), r.State != Valid && r.State != Suspended && r.State != Offered, r.DPoPKey != q.DPoPKey:
		return nil, errWrongRefresh, nil
	case hmac.Equal(sum[:], r.Refresh):
		r.Previous = r.Refresh
	case !hmac.Equal(sum[:], r.Previous):
		r.Refresh, r.Previous, r.Ended = nil, nil, true
		return nil, errWrongRefresh, putRecord(tx, r)
	}
	return r, nil, nil
}

// newTokens makes an access token and the next refresh token.
func (i *Issuer) newTokens(tx kv.Tx, r *record, q *openid4vci.TokenRequest) (*openid4vci.TokenResponse, error) {
	accessToken, err := i.vault.token(secretBytes)
	if err != nil {
		return nil, err
	}
	refreshToken, err := i.vault.token(secretBytes)
	if err != nil {
		return nil, err
	}
	now := i.c.Clock().UTC()
	if r.KeepUntil.IsZero() {
		r.KeepUntil = now.Add(i.c.RefreshWindow)
	}
	answer := &openid4vci.TokenResponse{
		AccessToken: accessToken, TokenType: "Bearer", ExpiresIn: int64(accessLifetime / time.Second), RefreshToken: refreshToken,
	}
	if q.DPoPKey != "" {
		answer.TokenType = "DPoP"
	}
	// Twice the batch: an answer that was lost can be asked for once more.
	a := access{ID: r.ID, Until: now.Add(accessLifetime), CopiesLeft: 2 * i.c.BatchSize, DPoPKey: q.DPoPKey}
	if err := i.grantDetails(r, q, answer, &a); err != nil {
		return nil, err
	}
	sum := hash(refreshToken)
	r.Refresh, r.DPoPKey = sum[:], q.DPoPKey
	if err := kv.PutJSON(tx, hashKey(prefixRefresh, sum), valueVersion, refresh{ID: r.ID, Until: r.KeepUntil}); err != nil {
		return nil, err
	}
	if err := kv.PutJSON(tx, hashKey(prefixAccess, hash(accessToken)), valueVersion, a); err != nil {
		return nil, err
	}
	return answer, putRecord(tx, r)
}

// grantDetails answers authorization_details with a credential identifier (6.2).
func (i *Issuer) grantDetails(r *record, q *openid4vci.TokenRequest, answer *openid4vci.TokenResponse, a *access) error {
	for _, d := range q.AuthorizationDetails {
		if d.ConfigurationID != r.ConfigurationID {
			return openid4vci.Refuse(openid4vci.InvalidAuthorizationDetails, "the offer is for another credential configuration")
		}
		if a.Identifier == "" {
			identifier, err := i.vault.token(idBytes)
			if err != nil {
				return err
			}
			a.Identifier = identifier
		}
		d.CredentialIdentifiers = []string{a.Identifier}
		answer.AuthorizationDetails = append(answer.AuthorizationDetails, d)
	}
	return nil
}

// grant is what Access passes on to Issue and Notify.
type grant struct {
	id    string
	token [32]byte // hash of the access token
}

// Access implements openid4vci.Issuer.
func (i *Issuer) Access(_ context.Context, token string) (*openid4vci.Access, error) {
	sum := hash(token)
	var a access
	var r *record
	err := i.c.Store.View(func(tx kv.Tx) (err error) {
		if err = kv.GetJSON(tx, hashKey(prefixAccess, sum), valueVersion, &a); err == nil {
			r, err = getRecord(tx, a.ID)
		}
		return err
	})
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		return nil, fmt.Errorf("issuer: look up access token: %w", err)
	}
	if err != nil || !i.c.Clock().Before(a.Until) || r.Ended {
		return nil, openid4vci.Refuse(openid4vci.InvalidToken, "the access token is unknown or expired")
	}
	out := &openid4vci.Access{ConfigurationIDs: []string{r.ConfigurationID}, DPoPKey: a.DPoPKey, Grant: grant{a.ID, sum}}
	if a.Identifier != "" {
		out.Identifiers = map[string]string{a.Identifier: r.ConfigurationID}
	}
	return out, nil
}
