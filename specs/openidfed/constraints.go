package openidfed

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/ijson"
)

// Constraints limit what may stand below the subject of a Subordinate Statement (6.2).
type Constraints struct {
	MaxPathLength *int     // nil: none
	Permitted     []string // naming_constraints; nil: none, empty: no name is permitted
	Excluded      []string
	// AllowedEntityTypes: nil is none; empty leaves federation_entity only, which is
	// always allowed and never listed.
	AllowedEntityTypes []string
}

// MarshalJSON writes the claim.
func (c Constraints) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	if c.MaxPathLength != nil {
		out["max_path_length"] = *c.MaxPathLength
	}
	naming := map[string]any{}
	if c.Permitted != nil {
		naming["permitted"] = c.Permitted
	}
	if c.Excluded != nil {
		naming["excluded"] = c.Excluded
	}
	if len(naming) > 0 {
		out["naming_constraints"] = naming
	}
	if c.AllowedEntityTypes != nil {
		out["allowed_entity_types"] = c.AllowedEntityTypes
	}
	return ijson.Marshal(out)
}

// constraints reads the claim; parameters that are not understood "MUST be ignored".
func (c *claims) constraints() *Constraints {
	raw := c.object("constraints")
	if raw == nil {
		return nil
	}
	out := &Constraints{}
	inner := &claims{members: raw, kind: c.kind}
	if v, ok := raw["max_path_length"]; ok {
		n, number := v.(float64)
		if !number || n < 0 || n != float64(int32(n)) { // 6.2.1: integer, not below zero
			inner.fail("max_path_length", "is no whole number from 0")
		}
		length := int(n)
		out.MaxPathLength = &length
	}
	if naming := inner.object("naming_constraints"); naming != nil {
		names := &claims{members: naming, kind: c.kind}
		out.Permitted, out.Excluded = names.texts("permitted"), names.texts("excluded")
		for _, name := range slices.Concat(out.Permitted, out.Excluded) {
			if name == "" || strings.ContainsAny(name, "/:@*") {
				names.fail("naming_constraints", "holds what is no host or domain")
			}
		}
		if inner.err == nil {
			inner.err = names.err
		}
	}
	out.AllowedEntityTypes = inner.texts("allowed_entity_types")
	if slices.Contains(out.AllowedEntityTypes, FederationEntity) { // 6.2.3
		inner.fail("allowed_entity_types", "lists federation_entity")
	}
	if c.err == nil {
		c.err = inner.err
	}
	return out
}

// check holds the constraints of chain[j] against what stands below it: each statement's
// constraints are "independently applied" (6.2). allowed_entity_types removes and never
// refuses.
func (c *Constraints) check(chain []*Statement, j int) error {
	if c == nil {
		return nil
	}
	// chain[j].iss sets it; chain[j].sub down to chain[2].sub are Intermediates.
	if c.MaxPathLength != nil && j-1 > *c.MaxPathLength {
		return fmt.Errorf("%w: max_path_length %d of %s, %d intermediates", ErrConstraints, *c.MaxPathLength, chain[j].Issuer, j-1)
	}
	if c.Permitted == nil && c.Excluded == nil {
		return nil
	}
	for _, below := range chain[:j+1] {
		host, err := hostOf(below.Subject)
		if err != nil {
			return err
		}
		matches := func(name string) bool { return nameMatches(host, name) }
		if slices.ContainsFunc(c.Excluded, matches) || c.Permitted != nil && !slices.ContainsFunc(c.Permitted, matches) {
			return fmt.Errorf("%w: naming_constraints of %s", ErrConstraints, chain[j].Issuer)
		}
	}
	return nil
}

func hostOf(id string) (string, error) {
	u, err := url.Parse(id)
	if err != nil {
		return "", fmt.Errorf("%w: not a URL", ErrEntityID)
	}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), nil
}

// nameMatches follows RFC 5280 4.2.1.10: ".example.com" is every host below it and not
// "example.com", a name without a period in front is that host.
func nameMatches(host, name string) bool {
	name = strings.ToLower(name)
	if strings.HasPrefix(name, ".") {
		return len(host) > len(name) && strings.HasSuffix(host, name)
	}
	return host == name
}

// allow removes the Entity Types that the constraint does not list (6.2.3).
func (c *Constraints) allow(m Metadata) {
	if c == nil || c.AllowedEntityTypes == nil {
		return
	}
	for t := range m {
		if t != FederationEntity && !slices.Contains(c.AllowedEntityTypes, t) {
			delete(m, t)
		}
	}
}
