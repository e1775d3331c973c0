package openidfed

import (
	"fmt"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/jose"
)

// TrustAnchor is what a relying party pins: its name and keys, obtained by another way
// than the federation itself.
type TrustAnchor struct {
	EntityID string      `json:"entity_id"`
	Keys     jose.KeySet `json:"jwks"`
}

// Chain is a Trust Chain that was found valid.
type Chain struct {
	Statements []*Statement // from the subject's Entity Configuration upwards
	Anchor     string       // entity identifier of the Trust Anchor
	ExpiresAt  time.Time    // the earliest exp of all (10.4)
	Metadata   Metadata     // of the subject, resolved: superior's metadata, types, policy
}

// Subject is the Entity Configuration the chain is about.
func (c *Chain) Subject() *Statement { return c.Statements[0] }

// AnchorConfiguration is the Entity Configuration of the Trust Anchor, nil where the
// chain came without.
func (c *Chain) AnchorConfiguration() *Statement {
	if last := c.Statements[len(c.Statements)-1]; last.IsConfiguration() {
		return last
	}
	return nil
}

// Tokens are the statements as they were read, the `trust_chain` of 4.3.
func (c *Chain) Tokens() []string {
	out := make([]string, len(c.Statements))
	for i, s := range c.Statements {
		out[i] = s.String()
	}
	return out
}

// ParseChain reads the statements of a chain; see [ValidateChain].
func ParseChain(tokens []string) ([]*Statement, error) {
	if len(tokens) == 0 || len(tokens) > MaxChain {
		return nil, fmt.Errorf("%w: %d statements, at most %d are read", ErrChain, len(tokens), MaxChain)
	}
	out := make([]*Statement, len(tokens))
	for i, token := range tokens {
		s, err := ParseStatement(token)
		if err != nil {
			return nil, fmt.Errorf("%w: statement %d: %w", ErrChain, i, err)
		}
		out[i] = s
	}
	return out, nil
}

// ValidateChain checks a Trust Chain against the pinned anchors (10.2), enforces the
// constraints (6.2) and resolves the metadata of its subject (6.1.4). The Entity
// Configuration of the anchor at the end may be missing (4): then its pinned keys stand
// in for it. Errors wrap [ErrChain] and the reason.
func ValidateChain(chain []*Statement, anchors []TrustAnchor, now time.Time) (*Chain, error) {
	anchor, err := checkShape(chain, anchors)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrChain, err)
	}
	out := &Chain{Statements: chain, Anchor: anchor.EntityID, ExpiresAt: chain[0].ExpiresAt}
	for j, s := range chain {
		if err := checkTimes(fmt.Sprintf("statement %d", j), s.IssuedAt, s.ExpiresAt, now); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrChain, err)
		}
		if s.ExpiresAt.Before(out.ExpiresAt) {
			out.ExpiresAt = s.ExpiresAt
		}
	}
	for j := 1; j < len(chain); j++ {
		if err := chain[j].Constraints.check(chain, j); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrChain, err)
		}
	}
	// Signatures last: they cost most (10.2).
	if err := checkSignatures(chain, anchor); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrChain, err)
	}
	if out.Metadata, err = resolveMetadata(chain); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrChain, err)
	}
	return out, nil
}

// checkShape holds iss and sub against each other and finds the anchor.
func checkShape(chain []*Statement, anchors []TrustAnchor) (TrustAnchor, error) {
	if len(chain) == 0 || len(chain) > MaxChain {
		return TrustAnchor{}, fmt.Errorf("%d statements, at most %d are read", len(chain), MaxChain)
	}
	last := len(chain) - 1
	if !chain[0].IsConfiguration() {
		return TrustAnchor{}, fmt.Errorf("it does not begin with an entity configuration")
	}
	for j := 1; j <= last; j++ {
		if chain[j].IsConfiguration() && j != last {
			return TrustAnchor{}, fmt.Errorf("statement %d is an entity configuration", j)
		}
		if chain[j-1].Issuer != chain[j].Subject {
			return TrustAnchor{}, fmt.Errorf("statement %d is not about the issuer of the one before", j)
		}
		for _, below := range chain[:j] {
			if !chain[j].IsConfiguration() && below.Issuer == chain[j].Issuer {
				return TrustAnchor{}, fmt.Errorf("statement %d makes a loop", j)
			}
		}
	}
	// 3.2, step 6: the superior must be one that the subject itself names.
	if last > 0 && !chain[1].IsConfiguration() && !slices.Contains(chain[0].AuthorityHints, chain[1].Issuer) {
		return TrustAnchor{}, fmt.Errorf("the superior is not in the authority_hints of the subject")
	}
	for _, a := range anchors {
		if a.EntityID == chain[last].Issuer {
			return a, nil
		}
	}
	return TrustAnchor{}, fmt.Errorf("%w: it ends at %s", ErrNoChain, chain[last].Issuer)
}

// checkSignatures: ES[0] with its own keys, ES[j] with those of ES[j+1], and the last
// with a pinned key of the anchor, which "come from configuration, not from the chain".
func checkSignatures(chain []*Statement, anchor TrustAnchor) error {
	if err := chain[0].verify(chain[0].Keys); err != nil {
		return fmt.Errorf("statement 0, own keys: %w", err)
	}
	for j, s := range chain {
		keys := anchor.Keys
		if j+1 < len(chain) {
			keys = chain[j+1].Keys
		}
		if err := s.verify(keys); err != nil {
			return fmt.Errorf("statement %d: %w", j, err)
		}
	}
	if last := chain[len(chain)-1]; last.IsConfiguration() {
		return last.verify(last.Keys) // 3.2, step 11: a key that it lists itself
	}
	return nil
}

// resolveMetadata follows 6.1.4: first what the immediate superior says, then the
// allowed types (6.2.3), then the policies merged from the top down.
func resolveMetadata(chain []*Statement) (Metadata, error) {
	out := chain[0].Metadata.clone()
	var policy Policy
	for j := len(chain) - 1; j > 0; j-- {
		if chain[j].Policy == nil {
			continue
		}
		var err error
		if policy, err = MergePolicies(policy, chain[j].Policy); err != nil {
			return nil, fmt.Errorf("statement %d: %w", j, err)
		}
	}
	if len(chain) > 1 {
		out = out.override(chain[1].Metadata)
	}
	for _, s := range chain[1:] {
		s.Constraints.allow(out)
	}
	if err := policy.apply(out); err != nil {
		return nil, err
	}
	return out, nil
}
