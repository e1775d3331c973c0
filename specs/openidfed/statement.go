package openidfed

import (
	"crypto"
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/jose"
)

// Statement is an Entity Statement (3): an Entity Configuration when issuer and subject
// are one, else a Subordinate Statement. Of one that was read nothing may be relied on
// before its signature was checked, which [ValidateChain] does.
type Statement struct {
	Issuer    string      // iss
	Subject   string      // sub
	IssuedAt  time.Time   // iat; whole seconds
	ExpiresAt time.Time   // exp; whole seconds
	Keys      jose.KeySet // jwks: the Federation Entity Keys of the subject

	Metadata Metadata // nil: none

	// Only in Entity Configurations (3.1.2).
	AuthorityHints   []string
	TrustAnchorHints []string
	TrustMarks       []TrustMarkEntry
	TrustMarkIssuers map[string][]string // an empty list: anyone
	TrustMarkOwners  map[string]TrustMarkOwner

	// Only in Subordinate Statements (3.1.3).
	Policy         Policy       // metadata_policy; nil: none
	Constraints    *Constraints // nil: none
	SourceEndpoint string

	// Extra are claims that the standard does not define. None of them is critical:
	// a statement with `crit` is read only when its claims were named as understood.
	Extra map[string]any

	signed *jose.Signed
}

// TrustMarkEntry is one element of trust_marks: the JWT beside its type.
type TrustMarkEntry struct {
	Type  string `json:"trust_mark_type"`
	Token string `json:"trust_mark"`
}

// TrustMarkOwner is who owns a Trust Mark type that others may issue by delegation.
type TrustMarkOwner struct {
	EntityID string      `json:"sub"`
	Keys     jose.KeySet `json:"jwks"`
}

// defined are the claims that the standard specifies for Entity Statements: they are
// never listed in crit and never in Extra.
func defined() []string {
	return append([]string{"iss", "sub", "iat", "exp", "jwks", "metadata", "crit"}, append(onlyConfiguration(), onlySubordinate()...)...)
}

func onlyConfiguration() []string {
	return []string{"authority_hints", "trust_anchor_hints", "trust_marks", "trust_mark_issuers", "trust_mark_owners"}
}

func onlySubordinate() []string {
	return []string{"metadata_policy", "metadata_policy_crit", "constraints", "source_endpoint"}
}

// ParseStatement reads an Entity Statement and checks all of 3.2 that one statement
// shows, but for signature and time. understood names claims of others that the caller
// handles when `crit` lists them. Errors wrap [ErrStatement], [ErrCritical] or [ErrPolicy].
func ParseStatement(compact string, understood ...string) (*Statement, error) {
	signed, c, err := parseTyped(compact, TypeStatement, MaxStatement, ErrStatement)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"trust_chain", "peer_trust_chain"} {
		// 4.3, 4.4: statements MUST NOT contain them.
		if _, chained := signed.Header.Extra[name]; chained {
			return nil, fmt.Errorf("%w: header has %s", ErrStatement, name)
		}
	}
	s := &Statement{
		Issuer: c.entity("iss"), Subject: c.entity("sub"), IssuedAt: c.date("iat", true), ExpiresAt: c.date("exp", true),
		Keys: c.keys("jwks"), Metadata: c.metadata(), signed: signed,
	}
	if s.IsConfiguration() {
		s.readConfiguration(c)
	} else {
		s.readSubordinate(c)
	}
	if c.err != nil {
		return nil, c.err
	}
	if err := checkCritical(c, understood); err != nil {
		return nil, err
	}
	for name, value := range c.members {
		if !slices.Contains(defined(), name) {
			if s.Extra == nil {
				s.Extra = map[string]any{}
			}
			s.Extra[name] = value
		}
	}
	return s, nil
}

// IsConfiguration says whether the statement is an Entity Configuration.
func (s *Statement) IsConfiguration() bool { return s.Issuer == s.Subject }

// String is the statement as it was read or signed; "" for one that is neither.
func (s *Statement) String() string {
	if s.signed == nil {
		return ""
	}
	return s.signed.String()
}

func (s *Statement) readConfiguration(c *claims) {
	for _, name := range onlySubordinate() { // 3.2, steps 17 to 19 and 23
		if c.has(name) {
			c.fail(name, "stands in an entity configuration")
		}
	}
	s.AuthorityHints, s.TrustAnchorHints = c.entities("authority_hints"), c.entities("trust_anchor_hints")
	s.TrustMarks = c.trustMarks()
	s.TrustMarkIssuers = c.trustMarkIssuers()
	s.TrustMarkOwners = c.trustMarkOwners()
}

func (s *Statement) readSubordinate(c *claims) {
	for _, name := range onlyConfiguration() { // 3.2, steps 14, 15 and 20 to 22
		if c.has(name) {
			c.fail(name, "stands in a subordinate statement")
		}
	}
	s.SourceEndpoint = c.optional("source_endpoint")
	s.Constraints = c.constraints()
	if c.has("metadata_policy_crit") && c.err == nil {
		// Only operators beside the standard ones may be listed, and none is known here:
		// "the Subordinate Statement [...] MUST be considered invalid" (3.1.3).
		c.err = fmt.Errorf("%w: a critical operator is not understood", ErrPolicy)
	}
	if raw := c.object("metadata_policy"); raw != nil && c.err == nil {
		s.Policy, c.err = parsePolicy(raw)
	}
}

// checkCritical obeys crit (13.4).
func checkCritical(c *claims, understood []string) error {
	if !c.has("crit") {
		return nil
	}
	list, ok := textsOf(c.members["crit"])
	if !ok || len(list) == 0 {
		return fmt.Errorf("%w: crit is no list of claims", ErrStatement)
	}
	for i, name := range list {
		switch {
		case slices.Contains(defined(), name), slices.Contains(list[:i], name), !c.has(name):
			return fmt.Errorf("%w: crit lists what it may not", ErrStatement)
		case !slices.Contains(understood, name):
			return fmt.Errorf("%w: %q", ErrCritical, name)
		}
	}
	return nil
}

// Verify checks signature and times with the keys of its issuer. Errors wrap
// [ErrSignature], [ErrExpired] or [ErrFuture].
func (s *Statement) Verify(keys jose.KeySet, now time.Time) error {
	if err := checkTimes("entity statement", s.IssuedAt, s.ExpiresAt, now); err != nil {
		return err
	}
	return s.verify(keys)
}

// VerifySelf checks an Entity Configuration with the keys that it lists itself: that says
// whose word it is, and nothing about trust.
func (s *Statement) VerifySelf(now time.Time) error {
	if !s.IsConfiguration() {
		return fmt.Errorf("%w: it is about another entity", ErrStatement)
	}
	return s.Verify(s.Keys, now)
}

func (s *Statement) verify(keys jose.KeySet) error {
	if s.signed == nil {
		return fmt.Errorf("%w: not signed", ErrSignature)
	}
	return verifyBy(s.signed, keys)
}

// Sign signs the statement with a Federation Entity Key of its issuer, whose JWK
// thumbprint is its kid. What would not be read by [ParseStatement], or a configuration
// that is signed with a key it does not list, is refused.
func (s *Statement) Sign(signer crypto.Signer) (string, error) {
	payload := map[string]any{
		"iss": s.Issuer, "sub": s.Subject, "iat": s.IssuedAt.Unix(), "exp": s.ExpiresAt.Unix(), "jwks": s.Keys,
	}
	add := func(name string, value any, present bool) {
		if present {
			payload[name] = value
		}
	}
	add("metadata", s.Metadata, s.Metadata != nil)
	add("authority_hints", s.AuthorityHints, len(s.AuthorityHints) > 0)
	add("trust_anchor_hints", s.TrustAnchorHints, len(s.TrustAnchorHints) > 0)
	add("trust_marks", s.TrustMarks, len(s.TrustMarks) > 0)
	add("trust_mark_issuers", s.TrustMarkIssuers, s.TrustMarkIssuers != nil)
	add("trust_mark_owners", s.TrustMarkOwners, s.TrustMarkOwners != nil)
	add("metadata_policy", s.Policy, s.Policy != nil)
	add("constraints", s.Constraints, s.Constraints != nil)
	add("source_endpoint", s.SourceEndpoint, s.SourceEndpoint != "")
	for name, value := range s.Extra {
		if _, taken := payload[name]; taken || slices.Contains(defined(), name) {
			return "", fmt.Errorf("%w: %s is no claim of yours", ErrStatement, name)
		}
		payload[name] = value
	}
	compact, err := sign(signer, TypeStatement, payload)
	if err != nil {
		return "", err
	}
	read, err := ParseStatement(compact)
	if err != nil {
		return "", err
	}
	if read.IsConfiguration() {
		if err := read.verify(read.Keys); err != nil {
			return "", fmt.Errorf("sign entity configuration: %w", err)
		}
	}
	return compact, nil
}

// sign makes a JWT of one typ whose kid is the thumbprint of the key.
func sign(signer crypto.Signer, typ string, payload any) (string, error) {
	kid, err := jose.Thumbprint(signer.Public())
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	raw, err := ijson.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	compact, err := jose.Sign(signer, jose.Header{Type: typ, KeyID: kid}, raw)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return compact, nil
}

// Keys makes the jwks of an entity from its public Federation Entity Keys: each with its
// thumbprint as kid (3.1.1).
func Keys(public ...crypto.PublicKey) (jose.KeySet, error) {
	var set jose.KeySet
	for _, pub := range public {
		kid, err := jose.Thumbprint(pub)
		if err != nil {
			return jose.KeySet{}, err
		}
		alg, err := jose.AlgorithmFor(pub)
		if err != nil {
			return jose.KeySet{}, err
		}
		set.Keys = append(set.Keys, jose.Key{Public: pub, KeyID: kid, Algorithm: string(alg), Use: "sig"})
	}
	return set, nil
}
