package dcql

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// Validate checks a query that was built in Go by the rules of section 6, and by the one that binds verifiers only:
// "Verifiers MUST NOT point to the same claim more than once in a single query". The error is [ErrQuery].
func (q *Query) Validate() error {
	if len(q.Credentials) == 0 {
		return fmt.Errorf("%w: credentials is empty", ErrQuery)
	}
	if err := q.validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrQuery, err)
	}
	for i := range q.Credentials {
		if err := q.Credentials[i].distinctClaims(); err != nil {
			return fmt.Errorf("%w: credential query %s: %w", ErrQuery, q.Credentials[i].ID, err)
		}
	}
	return nil
}

func (q *Query) validate() error {
	seen := make(map[string]bool, len(q.Credentials))
	for i := range q.Credentials {
		c := &q.Credentials[i]
		if !validID(c.ID) {
			return fmt.Errorf("credential query %d: id is not made of letters, digits, _ and -", i)
		}
		if seen[c.ID] {
			return fmt.Errorf("credential query %d: id is used twice", i)
		}
		seen[c.ID] = true
		if err := c.validate(); err != nil {
			return fmt.Errorf("credential query %s: %w", c.ID, err)
		}
	}
	for i, set := range q.CredentialSets {
		for _, option := range set.Options {
			for _, id := range option {
				// Section 6.2: "identifiers which reference elements in credentials".
				if !seen[id] {
					return fmt.Errorf("credential_sets[%d] names a credential query that is not there", i)
				}
			}
		}
	}
	return nil
}

func (c *CredentialQuery) validate() error {
	if len(c.ClaimSets) > 0 && len(c.Claims) == 0 {
		return errors.New("claim_sets without claims") // section 6.4.1: MUST NOT be present if claims is absent
	}
	ids := make(map[string]bool, len(c.Claims))
	for i := range c.Claims {
		if err := c.validateClaim(i, ids); err != nil {
			return err
		}
	}
	for i, set := range c.ClaimSets {
		for _, id := range set {
			if !ids[id] {
				return fmt.Errorf("claim_sets[%d] names a claims query that is not there", i)
			}
		}
	}
	for _, a := range c.TrustedAuthorities {
		if a.Type != AuthorityKeyIdentifier {
			continue
		}
		for _, value := range a.Values {
			if _, err := base64.RawURLEncoding.Strict().DecodeString(value); err != nil {
				return errors.New("trusted_authorities: an aki value is not base64url")
			}
		}
	}
	return c.validateMeta()
}

func (c *CredentialQuery) validateClaim(i int, ids map[string]bool) error {
	claim := &c.Claims[i]
	// Section 6.3: id is "REQUIRED if claim_sets is present".
	if claim.ID == "" && len(c.ClaimSets) > 0 {
		return fmt.Errorf("claims[%d] has no id though there are claim_sets", i)
	}
	if claim.ID != "" {
		if !validID(claim.ID) {
			return fmt.Errorf("claims[%d]: id is not made of letters, digits, _ and -", i)
		}
		if ids[claim.ID] {
			return fmt.Errorf("claims[%d]: id is used twice", i)
		}
		ids[claim.ID] = true
	}
	if len(claim.Path) == 0 {
		return fmt.Errorf("claims[%d]: path is empty", i)
	}
	if c.Format != FormatMdoc {
		return nil
	}
	// Section 7.2.1 step 1: exactly two components, both strings.
	if len(claim.Path) != 2 {
		return fmt.Errorf("claims[%d]: a path into an mdoc has two components", i)
	}
	for _, component := range claim.Path {
		if _, ok := component.(string); !ok {
			return fmt.Errorf("claims[%d]: a path into an mdoc has strings only", i)
		}
	}
	return nil
}

// validateMeta refuses constraints of another format: they would silently constrain nothing.
func (c *CredentialQuery) validateMeta() error {
	m := c.Meta
	switch c.Format {
	case FormatSDJWTVC:
		if m.TypeValues != nil || m.DoctypeValue != "" {
			return errors.New("meta has members of another format")
		}
	case FormatVCSDJWT, FormatJWTVC:
		if m.DoctypeValue != "" || m.VCTValues != nil {
			return errors.New("meta has members of another format")
		}
	case FormatMdoc:
		if m.TypeValues != nil || m.VCTValues != nil {
			return errors.New("meta has members of another format")
		}
	}
	return nil
}

func (c *CredentialQuery) distinctClaims() error {
	for i := range c.Claims {
		for j := range i {
			if c.Claims[i].Path.Equal(c.Claims[j].Path) {
				return fmt.Errorf("claims[%d] and claims[%d] point to the same claim", j, i)
			}
		}
	}
	return nil
}

// validID is section 6.1 and 6.3: "a non-empty string consisting of alphanumeric, underscore (_), or hyphen (-)".
func validID(id string) bool {
	for _, r := range []byte(id) {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-':
		default:
			return false
		}
	}
	return id != "" && len(id) <= maxIDLength
}
