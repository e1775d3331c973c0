package openidfed

import (
	"crypto"
	"fmt"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// MarkStatus is what an issuer says of a Trust Mark it is shown (8.4.2).
type MarkStatus string

// The statuses of 8.4.2; others MAY be defined.
const (
	MarkActive  MarkStatus = "active"
	MarkExpired MarkStatus = "expired"
	MarkRevoked MarkStatus = "revoked"
	MarkInvalid MarkStatus = "invalid"
)

// TrustMarkStatus is a Trust Mark Status Response (8.4.2).
type TrustMarkStatus struct {
	Issuer   string
	IssuedAt time.Time
	Mark     string // the Trust Mark that was asked about
	Status   MarkStatus
}

// Sign signs the response with a Federation Entity Key of its issuer.
func (s TrustMarkStatus) Sign(signer crypto.Signer) (string, error) {
	return sign(signer, TypeTrustMarkStatus, map[string]any{
		"iss": s.Issuer, "iat": s.IssuedAt.Unix(), "trust_mark": s.Mark, "status": s.Status,
	})
}

// ParseTrustMarkStatus reads the answer of issuer about a mark, and checks it with the
// issuer's keys.
func ParseTrustMarkStatus(compact, issuer, mark string, keys jose.KeySet, now time.Time) (*TrustMarkStatus, error) {
	signed, c, err := parseTyped(compact, TypeTrustMarkStatus, MaxStatement, ErrResponse)
	if err != nil {
		return nil, err
	}
	s := &TrustMarkStatus{
		Issuer: c.entity("iss"), IssuedAt: c.date("iat", true),
		Mark: c.text("trust_mark"), Status: MarkStatus(c.text("status")),
	}
	switch {
	case c.err != nil:
		return nil, c.err
	case s.Issuer != issuer || s.Mark != mark:
		return nil, fmt.Errorf("%w: the status is of another mark", ErrResponse)
	}
	if err := checkTimes("trust mark status", s.IssuedAt, time.Time{}, now); err != nil {
		return nil, err
	}
	return verified(s, verifyBy(signed, keys))
}

// Reasons why a key was revoked (8.7.3).
const (
	KeyUnspecified = "unspecified"
	KeyCompromised = "compromised"
	KeySuperseded  = "superseded"
)

// HistoricalKey is a Federation Entity Key that is not used any more (8.7.2).
type HistoricalKey struct {
	Key       jose.Key
	IssuedAt  time.Time // zero: not said
	ExpiresAt time.Time // after it "the key MUST NOT be considered valid"
	RevokedAt time.Time // zero: not revoked
	Reason    string    // of the revocation
}

// HistoricalKeys is the answer of the historical keys endpoint.
type HistoricalKeys struct {
	Issuer   string
	IssuedAt time.Time
	Keys     []HistoricalKey
}

// Sign signs the set with a Federation Entity Key that is in use.
func (h HistoricalKeys) Sign(signer crypto.Signer) (string, error) {
	keys := make([]map[string]any, 0, len(h.Keys))
	for _, k := range h.Keys {
		jwk, err := Object(k.Key)
		if err != nil {
			return "", err
		}
		jwk["exp"] = k.ExpiresAt.Unix()
		if !k.IssuedAt.IsZero() {
			jwk["iat"] = k.IssuedAt.Unix()
		}
		if !k.RevokedAt.IsZero() {
			revoked := map[string]any{"revoked_at": k.RevokedAt.Unix()}
			if k.Reason != "" {
				revoked["reason"] = k.Reason
			}
			jwk["revoked"] = revoked
		}
		keys = append(keys, jwk)
	}
	return sign(signer, TypeKeySet, map[string]any{"iss": h.Issuer, "iat": h.IssuedAt.Unix(), "keys": keys})
}

// ParseHistoricalKeys reads the historical keys of issuer and checks them with its keys
// of today.
func ParseHistoricalKeys(compact, issuer string, keys jose.KeySet, now time.Time) (*HistoricalKeys, error) {
	signed, c, err := parseTyped(compact, TypeKeySet, MaxStatement, ErrResponse)
	if err != nil {
		return nil, err
	}
	h := &HistoricalKeys{Issuer: c.entity("iss"), IssuedAt: c.date("iat", true)}
	list, ok := c.members["keys"].([]any)
	if !ok || len(list) > maxEntries {
		c.fail("keys", "is no list")
	}
	for _, e := range list {
		jwk, _ := e.(map[string]any)
		if k, ok := c.historicalKey(jwk); ok {
			h.Keys = append(h.Keys, k)
		}
	}
	switch {
	case c.err != nil:
		return nil, c.err
	case h.Issuer != issuer:
		return nil, fmt.Errorf("%w: the keys are of another entity", ErrResponse)
	}
	if err := checkTimes("historical keys", h.IssuedAt, time.Time{}, now); err != nil {
		return nil, err
	}
	return verified(h, verifyBy(signed, keys))
}

// historicalKey reads one key; one of a kind that is not understood is left out.
func (c *claims) historicalKey(jwk map[string]any) (HistoricalKey, bool) {
	inner := &claims{members: jwk, kind: c.kind}
	inner.text("kid")
	k := HistoricalKey{IssuedAt: inner.date("iat", false), ExpiresAt: inner.date("exp", true)}
	if revoked := inner.object("revoked"); revoked != nil {
		r := &claims{members: revoked, kind: c.kind}
		k.RevokedAt, k.Reason = r.date("revoked_at", true), r.optional("reason")
		if inner.err == nil {
			inner.err = r.err
		}
	}
	if inner.err != nil {
		if c.err == nil {
			c.err = inner.err
		}
		return k, false
	}
	var err error
	k.Key, err = jose.KeyOf(jwk)
	return k, err == nil
}

// Resolved is a resolve response (8.3.2): another entity's word about a subject, with
// the chain that shows it.
type Resolved struct {
	Issuer     string
	Subject    string
	IssuedAt   time.Time
	ExpiresAt  time.Time
	Metadata   Metadata
	TrustChain []string
	TrustMarks []TrustMarkEntry
}

// NewResolved makes the response of issuer from a valid chain and the Trust Marks that
// were found valid. exp "MUST be the minimum of the exp value of the Trust Chain [...],
// as well as any Trust Mark included". types, when given, are those returned.
func NewResolved(issuer string, chain *Chain, marks []*TrustMark, types []string, now time.Time) Resolved {
	r := Resolved{
		Issuer: issuer, Subject: chain.Subject().Subject, IssuedAt: now, ExpiresAt: chain.ExpiresAt,
		Metadata: Metadata{}, TrustChain: chain.Tokens(),
	}
	for t, params := range chain.Metadata {
		if len(types) == 0 || contains(operatorValue("", types).([]any), t) {
			r.Metadata[t] = params
		}
	}
	for _, m := range marks {
		r.TrustMarks = append(r.TrustMarks, TrustMarkEntry{Type: m.Type, Token: m.String()})
		if !m.ExpiresAt.IsZero() && m.ExpiresAt.Before(r.ExpiresAt) {
			r.ExpiresAt = m.ExpiresAt
		}
	}
	return r
}

// Sign signs the response with a Federation Entity Key of its issuer.
func (r Resolved) Sign(signer crypto.Signer) (string, error) {
	payload := map[string]any{
		"iss": r.Issuer, "sub": r.Subject, "iat": r.IssuedAt.Unix(), "exp": r.ExpiresAt.Unix(),
		"metadata": r.Metadata, "trust_chain": r.TrustChain,
	}
	if len(r.TrustMarks) > 0 {
		payload["trust_marks"] = r.TrustMarks
	}
	return sign(signer, TypeResolveResponse, payload)
}

const maxResolved = MaxChain * MaxStatement

// ParseResolved reads a resolve response about subject and checks it with the keys of
// the resolver. The chain inside is only read: [ValidateChain] shows whether it holds.
func ParseResolved(compact, issuer, subject string, keys jose.KeySet, now time.Time) (*Resolved, error) {
	signed, c, err := parseTyped(compact, TypeResolveResponse, maxResolved, ErrResponse)
	if err != nil {
		return nil, err
	}
	r := &Resolved{
		Issuer: c.entity("iss"), Subject: c.entity("sub"), IssuedAt: c.date("iat", true), ExpiresAt: c.date("exp", true),
		Metadata: c.metadata(), TrustChain: c.texts("trust_chain"), TrustMarks: c.trustMarks(),
	}
	switch {
	case c.err != nil:
		return nil, c.err
	case r.Issuer != issuer || r.Subject != subject || r.Metadata == nil || len(r.TrustChain) == 0:
		return nil, fmt.Errorf("%w: the answer is of another resolver, about another entity, or incomplete", ErrResponse)
	}
	if err := checkTimes("resolve response", r.IssuedAt, r.ExpiresAt, now); err != nil {
		return nil, err
	}
	return verified(r, verifyBy(signed, keys))
}

// parseEntities reads a list of entity identifiers, the answer of both list endpoints.
func parseEntities(raw []byte) ([]string, error) {
	var list []any
	if err := (ijson.Limits{Depth: 2, Bytes: maxList}).Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		id, _ := e.(string)
		if err := CheckEntityID(id); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrResponse, err)
		}
		out = append(out, id)
	}
	return out, nil
}
