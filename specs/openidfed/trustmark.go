package openidfed

import (
	"crypto"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// TrustMark says that its subject conforms to the criteria that its type stands for (7).
type TrustMark struct {
	Issuer     string
	Subject    string
	Type       string // trust_mark_type
	IssuedAt   time.Time
	ExpiresAt  time.Time      // zero: it does not expire
	LogoURI    string         // "" when absent, as Ref and Delegation
	Ref        string         // page for people
	Delegation string         // JWT of the owner of the type
	Extra      map[string]any // other claims

	signed *jose.Signed
}

func markClaims() []string {
	return []string{"iss", "sub", "trust_mark_type", "iat", "exp", "logo_uri", "ref", "delegation"}
}

// Sign signs the mark with a Federation Entity Key of its issuer.
func (m TrustMark) Sign(signer crypto.Signer) (string, error) {
	payload := map[string]any{"iss": m.Issuer, "sub": m.Subject, "trust_mark_type": m.Type, "iat": m.IssuedAt.Unix()}
	if !m.ExpiresAt.IsZero() {
		payload["exp"] = m.ExpiresAt.Unix()
	}
	for name, value := range map[string]string{"logo_uri": m.LogoURI, "ref": m.Ref, "delegation": m.Delegation} {
		if value != "" {
			payload[name] = value
		}
	}
	for name, value := range m.Extra {
		if slices.Contains(markClaims(), name) {
			return "", fmt.Errorf("%w: %s is no claim of yours", ErrTrustMark, name)
		}
		payload[name] = value
	}
	compact, err := sign(signer, TypeTrustMark, payload)
	if err != nil {
		return "", err
	}
	_, err = ParseTrustMark(compact)
	return compact, err
}

// ParseTrustMark reads a Trust Mark without judging it. Errors wrap [ErrTrustMark].
func ParseTrustMark(compact string) (*TrustMark, error) {
	signed, c, err := parseTyped(compact, TypeTrustMark, MaxStatement, ErrTrustMark)
	if err != nil {
		return nil, err
	}
	m := &TrustMark{
		Issuer: c.entity("iss"), Subject: c.entity("sub"), Type: c.text("trust_mark_type"),
		IssuedAt: c.date("iat", true), ExpiresAt: c.date("exp", false),
		LogoURI: c.optional("logo_uri"), Ref: c.optional("ref"), Delegation: c.optional("delegation"), signed: signed,
	}
	if c.err != nil {
		return nil, c.err
	}
	for name, value := range c.members {
		if !slices.Contains(markClaims(), name) {
			if m.Extra == nil {
				m.Extra = map[string]any{}
			}
			m.Extra[name] = value
		}
	}
	return m, nil
}

// String is the mark as it was read.
func (m *TrustMark) String() string {
	if m.signed == nil {
		return ""
	}
	return m.signed.String()
}

// Verify checks signature and times, and nothing about trust: see [TrustMark.Validate].
func (m *TrustMark) Verify(issuer jose.KeySet, now time.Time) error {
	if err := checkTimes("trust mark", m.IssuedAt, m.ExpiresAt, now); err != nil {
		return fmt.Errorf("%w: %w", ErrTrustMark, err)
	}
	if m.signed == nil {
		return fmt.Errorf("%w: not signed", ErrTrustMark)
	}
	if err := verifyBy(m.signed, issuer); err != nil {
		return fmt.Errorf("%w: %w", ErrTrustMark, err)
	}
	return nil
}

// Validate follows 7.3: the mark is about subject, signed with one of the keys of its
// issuer, and the Entity Configuration of the Trust Anchor says that this issuer may
// issue this type, by delegation where it says who owns it. The caller has established
// trust in the issuer under the same anchor. Errors wrap [ErrTrustMark].
func (m *TrustMark) Validate(subject string, issuer jose.KeySet, anchor *Statement, now time.Time) error {
	if m.Subject != subject { // step 4
		return fmt.Errorf("%w: it is about another entity", ErrTrustMark)
	}
	if err := anchor.recognises(m); err != nil {
		return err
	}
	if err := m.Verify(issuer, now); err != nil { // steps 5 to 7
		return err
	}
	owner, owned := anchor.TrustMarkOwners[m.Type]
	if owned && m.Delegation == "" { // step 8
		return fmt.Errorf("%w: the delegation of the owner is missing", ErrTrustMark)
	}
	if m.Delegation == "" {
		return nil
	}
	if !owned { // 7.2.2, step 9: the owner's keys are found nowhere else
		return fmt.Errorf("%w: a delegation by an owner whom the anchor does not name", ErrTrustMark)
	}
	return m.checkDelegation(owner, now)
}

// recognises says whether the anchor lets the issuer of the mark issue its type: a type
// that it does not list is none of this federation (3.1.2, trust_mark_issuers).
func (s *Statement) recognises(m *TrustMark) error {
	issuers, listed := s.TrustMarkIssuers[m.Type]
	if !listed {
		return fmt.Errorf("%w: the trust anchor does not know its type", ErrTrustMark)
	}
	if len(issuers) > 0 && !slices.Contains(issuers, m.Issuer) {
		return fmt.Errorf("%w: its issuer may not issue it", ErrTrustMark)
	}
	return nil
}

// checkDelegation follows 7.2.2.
func (m *TrustMark) checkDelegation(owner TrustMarkOwner, now time.Time) error {
	d, err := ParseDelegation(m.Delegation)
	if err != nil {
		return err
	}
	switch {
	case d.Subject != m.Issuer: // step 4
		return fmt.Errorf("%w: delegated to another issuer", ErrTrustMark)
	case d.Issuer != owner.EntityID: // step 5
		return fmt.Errorf("%w: delegated by another than the owner", ErrTrustMark)
	case d.Type != m.Type: // step 8
		return fmt.Errorf("%w: another type was delegated", ErrTrustMark)
	}
	if err := checkTimes("delegation", d.IssuedAt, d.ExpiresAt, now); err != nil { // steps 6, 7
		return fmt.Errorf("%w: %w", ErrTrustMark, err)
	}
	if err := verifyBy(d.signed, owner.Keys); err != nil { // step 9
		return fmt.Errorf("%w: delegation: %w", ErrTrustMark, err)
	}
	return nil
}

// Delegation is the owner's word that another may issue marks of a type (7.2.1).
type Delegation struct {
	Issuer    string // the owner
	Subject   string // who may issue
	Type      string
	IssuedAt  time.Time
	ExpiresAt time.Time // zero: it does not expire
	Ref       string

	signed *jose.Signed
}

// Sign signs the delegation with a key of the owner.
func (d Delegation) Sign(signer crypto.Signer) (string, error) {
	payload := map[string]any{"iss": d.Issuer, "sub": d.Subject, "trust_mark_type": d.Type, "iat": d.IssuedAt.Unix()}
	if !d.ExpiresAt.IsZero() {
		payload["exp"] = d.ExpiresAt.Unix()
	}
	if d.Ref != "" {
		payload["ref"] = d.Ref
	}
	return sign(signer, TypeDelegation, payload)
}

// ParseDelegation reads a delegation without judging it. Errors wrap [ErrTrustMark].
func ParseDelegation(compact string) (*Delegation, error) {
	signed, c, err := parseTyped(compact, TypeDelegation, MaxStatement, ErrTrustMark)
	if err != nil {
		return nil, err
	}
	d := &Delegation{
		Issuer: c.entity("iss"), Subject: c.entity("sub"), Type: c.text("trust_mark_type"),
		IssuedAt: c.date("iat", true), ExpiresAt: c.date("exp", false), Ref: c.optional("ref"), signed: signed,
	}
	return verified(d, c.err)
}

// trustMarks reads the claim; each type must be that of its JWT (3.2, step 20).
func (c *claims) trustMarks() []TrustMarkEntry {
	if !c.has("trust_marks") {
		return nil
	}
	list, ok := c.members["trust_marks"].([]any)
	if !ok || len(list) > maxEntries {
		c.fail("trust_marks", "is no list")
		return nil
	}
	var out []TrustMarkEntry
	for _, e := range list {
		members, _ := e.(map[string]any)
		entry := TrustMarkEntry{}
		entry.Type, _ = members["trust_mark_type"].(string)
		entry.Token, _ = members["trust_mark"].(string)
		var inner struct {
			Type string `json:"trust_mark_type"`
		}
		signed, err := jose.Parse(entry.Token)
		if err != nil || ijson.Unmarshal(signed.Payload, &inner) != nil || inner.Type != entry.Type || entry.Type == "" {
			c.fail("trust_marks", "holds an entry whose mark is of another type")
			return nil
		}
		out = append(out, entry)
	}
	return out
}

// trustMarkIssuers reads the claim (3.2, step 21).
func (c *claims) trustMarkIssuers() map[string][]string {
	raw := c.object("trust_mark_issuers")
	if raw == nil {
		return nil
	}
	out := make(map[string][]string, len(raw))
	for typ, v := range raw {
		issuers, ok := textsOf(v)
		if !ok || slices.ContainsFunc(issuers, func(id string) bool { return CheckEntityID(id) != nil }) {
			c.fail("trust_mark_issuers", "holds what is no list of entities")
		}
		out[typ] = issuers
	}
	return out
}

// trustMarkOwners reads the claim (3.2, step 22).
func (c *claims) trustMarkOwners() map[string]TrustMarkOwner {
	raw := c.object("trust_mark_owners")
	if raw == nil {
		return nil
	}
	out := make(map[string]TrustMarkOwner, len(raw))
	for typ, v := range raw {
		members, _ := v.(map[string]any)
		inner := &claims{members: members, kind: c.kind}
		out[typ] = TrustMarkOwner{EntityID: inner.entity("sub"), Keys: inner.keys("jwks")}
		if c.err == nil {
			c.err = inner.err
		}
	}
	return out
}
