package openid4vci

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/dpop"
	"paspoort.example/paspoort/specs/ijson"
)

// Token is what a wallet keeps of a token response.
type Token struct {
	TokenResponse
	ExpiresAt time.Time // zero: not said
	bound     bool      // sent with the DPoP scheme
}

// LogValue keeps tokens out of logs.
func (t Token) LogValue() slog.Value { return slog.StringValue("[token]") }

// Errors of the token steps that are for the person to solve.
var (
	ErrTxCodeNeeded   = errors.New("openid4vci: this offer needs a transaction code")
	ErrTxCodeUnwanted = errors.New("openid4vci: this offer has no transaction code")
	ErrGrant          = errors.New("openid4vci: the offer has no pre-authorized code")
)

// PreAuthorized exchanges the pre-authorized code of the offer for a token (6.1).
// txCode is the code that the person typed, empty when the offer asks none. A
// wrong code comes back as InvalidGrant.
func (s *Session) PreAuthorized(ctx context.Context, txCode string) (*Token, error) {
	grant := s.Offer.PreAuthorized()
	switch {
	case grant == nil:
		return nil, ErrGrant
	// 6.1: tx_code "MUST be present if a tx_code object was present in the Credential
	// Offer (including if the object was empty)".
	case grant.TxCode != nil && txCode == "":
		return nil, ErrTxCodeNeeded
	case grant.TxCode == nil && txCode != "":
		return nil, ErrTxCodeUnwanted
	}
	r := &TokenRequest{GrantType: GrantPreAuthorizedCode, PreAuthorizedCode: grant.Code}
	if txCode != "" {
		r.TxCode = &txCode
	}
	// DIIP v5: wallets use authorization_details; 6.1.1 has them in the token request
	// too, and the answer then names the datasets by credential identifiers.
	if s.client.Profile == DIIP && slices.Contains(s.Server.AuthorizationDetailsTypes, typeOpenIDCredential) {
		for _, id := range s.Offer.ConfigurationIDs {
			r.AuthorizationDetails = append(r.AuthorizationDetails, NewAuthorizationDetail(s.Issuer, id))
		}
	}
	return s.token(ctx, r)
}

// Refresh exchanges a refresh token (RFC 6749 6), for new copies of a credential.
// The answer may hold a new refresh token, which then replaces the old one.
func (s *Session) Refresh(ctx context.Context, refreshToken string) (*Token, error) {
	return s.token(ctx, &TokenRequest{GrantType: GrantRefreshToken, RefreshToken: refreshToken})
}

func (s *Session) token(ctx context.Context, r *TokenRequest) (*Token, error) {
	if !s.Server.PreAuthorizedAnonymous {
		r.ClientID = s.ClientID
	}
	form, err := r.Form()
	if err != nil {
		return nil, err
	}
	answer, err := s.post(ctx, s.Server.TokenEndpoint, mediaTypeForm, []byte(form.Encode()), nil, MaxMetadata)
	if err != nil {
		return nil, err
	}
	return s.parseToken(answer)
}

func (s *Session) parseToken(answer *reply) (*Token, error) {
	t := &Token{}
	if err := ijson.Unmarshal(answer.body, &t.TokenResponse); err != nil {
		return nil, fmt.Errorf("%w: token response: %w", ErrResponse, err)
	}
	t.bound = strings.EqualFold(t.TokenType, tokenTypeDPoP)
	switch {
	case t.AccessToken == "" || strings.ContainsAny(t.AccessToken, " \r\n"):
		return nil, fmt.Errorf("%w: token response: access_token is missing or malformed", ErrResponse)
	// RFC 6749 7.1: "The client MUST NOT use an access token if it does not
	// understand the token type."
	case !t.bound && !strings.EqualFold(t.TokenType, tokenTypeBearer):
		return nil, fmt.Errorf("%w: token response: unknown token_type", ErrResponse)
	case t.bound && s.DPoPKey == nil:
		return nil, fmt.Errorf("%w: token response: a DPoP token without a DPoP proof", ErrResponse)
	}
	if t.ExpiresIn > 0 {
		t.ExpiresAt = s.client.Now().Add(time.Duration(min(t.ExpiresIn, 1<<31)) * time.Second)
	}
	return t, nil
}

// authorize adds the Authorization header and, with a DPoP key, the proof.
func (s *Session) authorize(r *http.Request, t *Token) error {
	token := ""
	if t != nil {
		token = t.AccessToken
		scheme := tokenTypeBearer
		if t.bound {
			scheme = tokenTypeDPoP
		}
		r.Header.Set("Authorization", scheme+" "+token)
	}
	if s.DPoPKey == nil || len(s.Server.DPoPSigningAlgs) == 0 || t != nil && !t.bound {
		return nil
	}
	proof, err := dpop.Sign(s.DPoPKey, s.client.Rand, dpop.Claims{
		Method: r.Method, URL: r.URL.String(), AccessToken: token,
		Nonce: s.dpopNonces[r.URL.Host], IssuedAt: s.client.Now(),
	})
	if err != nil {
		return fmt.Errorf("openid4vci: %w", err)
	}
	r.Header.Set(headerDPoP, proof)
	return nil
}
