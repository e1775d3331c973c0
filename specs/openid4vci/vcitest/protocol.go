package vcitest

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"time"

	"paspoort.example/paspoort/specs/openid4vci"
)

// Token implements openid4vci.Issuer.
func (i *Issuer) Token(_ context.Context, r *openid4vci.TokenRequest) (*openid4vci.TokenResponse, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var g *grant
	var err error
	if r.GrantType == openid4vci.GrantRefreshToken {
		g, err = i.redeemRefresh(r)
	} else {
		g, err = i.redeemCode(r)
	}
	if err != nil {
		return nil, err
	}
	a := &access{grant: g, expires: i.options.Now().Add(5 * time.Minute), dpopKey: r.DPoPKey}
	answer := &openid4vci.TokenResponse{
		AccessToken: rand.Text(), TokenType: "Bearer", ExpiresIn: 300, RefreshToken: rand.Text(),
	}
	if r.DPoPKey != "" {
		answer.TokenType = "DPoP"
	}
	for _, d := range r.AuthorizationDetails {
		if d.ConfigurationID != g.configurationID {
			return nil, openid4vci.Refuse(openid4vci.InvalidAuthorizationDetails, "not offered")
		}
		a.identifier = rand.Text()
		d.CredentialIdentifiers = []string{a.identifier}
		answer.AuthorizationDetails = append(answer.AuthorizationDetails, d)
	}
	g.dpopKey = r.DPoPKey
	i.access[answer.AccessToken], i.refresh[answer.RefreshToken] = a, g
	return answer, nil
}

func (i *Issuer) redeemCode(r *openid4vci.TokenRequest) (*grant, error) {
	g, ok := i.grants[r.PreAuthorizedCode]
	switch {
	case !ok:
		return nil, openid4vci.Refuse(openid4vci.InvalidGrant, "the code is wrong, expired or used")
	case (g.txCode != "") != (r.TxCode != nil):
		return nil, openid4vci.Refuse(openid4vci.InvalidRequest, "tx_code is missing or not expected")
	case r.TxCode != nil && subtle.ConstantTimeCompare([]byte(*r.TxCode), []byte(g.txCode)) != 1:
		attempts := i.options.TxAttempts
		if attempts == 0 {
			attempts = 3
		}
		if g.wrong++; g.wrong >= attempts {
			delete(i.grants, g.code)
		}
		return nil, openid4vci.Refuse(openid4vci.InvalidGrant, "the transaction code is wrong")
	}
	delete(i.grants, g.code)
	return g, nil
}

func (i *Issuer) redeemRefresh(r *openid4vci.TokenRequest) (*grant, error) {
	g, ok := i.refresh[r.RefreshToken]
	if !ok || g.dpopKey != r.DPoPKey {
		return nil, openid4vci.Refuse(openid4vci.InvalidGrant, "the refresh token is wrong, expired or used")
	}
	delete(i.refresh, r.RefreshToken)
	return g, nil
}

// Access implements openid4vci.Issuer.
func (i *Issuer) Access(_ context.Context, token string) (*openid4vci.Access, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	a, ok := i.access[token]
	if !ok || !i.options.Now().Before(a.expires) {
		return nil, openid4vci.Refuse(openid4vci.InvalidToken, "the access token is unknown or expired")
	}
	out := &openid4vci.Access{ConfigurationIDs: []string{a.grant.configurationID}, DPoPKey: a.dpopKey, Grant: a.grant}
	if a.identifier != "" {
		out.Identifiers = map[string]string{a.identifier: a.grant.configurationID}
	}
	return out, nil
}

// Issue implements openid4vci.Issuer.
func (i *Issuer) Issue(_ context.Context, _ *openid4vci.Access, r *openid4vci.Issuance) (*openid4vci.CredentialResponse, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.Deferring {
		id := rand.Text()
		i.deferred[id] = r
		return &openid4vci.CredentialResponse{TransactionID: id, Interval: 1}, nil
	}
	return i.issue(r)
}

func (i *Issuer) issue(r *openid4vci.Issuance) (*openid4vci.CredentialResponse, error) {
	render := i.options.Credential
	if render == nil {
		render = copyText
	}
	answer := &openid4vci.CredentialResponse{NotificationID: rand.Text()}
	for n := range max(len(r.Keys), 1) {
		text, err := render(r, n)
		if err != nil {
			return nil, err
		}
		answer.Credentials = append(answer.Credentials, openid4vci.Compact(text))
	}
	i.delivered[answer.NotificationID] = true
	return answer, nil
}

// Deferred implements openid4vci.Deferrer.
func (i *Issuer) Deferred(_ context.Context, _ *openid4vci.Access, id string) (*openid4vci.CredentialResponse, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, ok := i.deferred[id]
	if !ok {
		return nil, openid4vci.Refuse(openid4vci.InvalidTransactionID, "unknown or already redeemed")
	}
	delete(i.deferred, id)
	return i.issue(r)
}

// Nonce implements openid4vci.Nonces.
func (i *Issuer) Nonce(context.Context) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	nonce := rand.Text()
	i.nonces[nonce] = true
	return nonce, nil
}

// Spend implements openid4vci.Nonces.
func (i *Issuer) Spend(_ context.Context, nonces []string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, n := range nonces {
		if !i.nonces[n] {
			return openid4vci.Refuse(openid4vci.InvalidNonce, "fetch a new c_nonce")
		}
	}
	for _, n := range nonces {
		delete(i.nonces, n)
	}
	return nil
}

// Notify implements openid4vci.Notified.
func (i *Issuer) Notify(_ context.Context, _ *openid4vci.Access, n *openid4vci.Notification) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.delivered[n.ID] {
		return openid4vci.Refuse(openid4vci.InvalidNotificationID, "unknown notification_id")
	}
	i.notifications = append(i.notifications, *n)
	return nil
}
