package sdjwtvc

import (
	"errors"
	"fmt"
)

// ErrClaimMetadata: a credential breaks a rule of its type (4.6).
var ErrClaimMetadata = errors.New("credential does not follow its type")

// CheckType holds the credential to the claim metadata of its type: "it MUST
// validate the processed SD-JWT payload against the claim metadata in the Type
// Metadata after applying any extensions" (4.6). whole says that all disclosures
// are there, as a holder has them; a verifier, who may not have them, counts a
// mandatory claim as missing only where nothing undisclosed could be it.
//
// Errors: ErrPath, ErrClaimMetadata.
func (c *Credential) CheckType(m *ResolvedType, whole bool) error {
	if m.VCT != c.VCT {
		return fmt.Errorf("%w: metadata of another type", ErrClaimMetadata)
	}
	tree, err := c.Token.Tree()
	if err != nil {
		return err
	}
	for _, claim := range m.Claims {
		selected, open, err := claim.Path.Select(tree)
		if err != nil {
			return err
		}
		// 4.6: a Verifier MUST NOT treat absence of a selectively disclosable claim as
		// evidence that the issuer left it out.
		if claim.mandatory() && len(selected) == 0 && (whole || !open) {
			return fmt.Errorf("%w: mandatory claim %s is missing", ErrClaimMetadata, claim.Path.key())
		}
		for _, n := range selected {
			switch {
			case claim.SD == SDAlways && !n.Selective:
				return fmt.Errorf("%w: claim %s must be selectively disclosable", ErrClaimMetadata, claim.Path.key())
			case claim.SD == SDNever && n.Selective:
				return fmt.Errorf("%w: claim %s may not be selectively disclosable", ErrClaimMetadata, claim.Path.key())
			}
		}
	}
	return nil
}

// DisplayFor is the display object for the first of the wanted language tags that
// the type has, by whole tag or by language, else its first one; nil when it has
// none (4.5: "the language tag it considers most appropriate for the user").
func (m *TypeMetadata) DisplayFor(tags ...string) *Display {
	locales := make([]string, len(m.Display))
	for i := range m.Display {
		locales[i] = m.Display[i].Locale
	}
	if i := bestLocale(locales, tags); i >= 0 {
		return &m.Display[i]
	}
	return nil
}

// DisplayFor is the same choice for a claim (4.6.2).
func (c *ClaimMetadata) DisplayFor(tags ...string) *ClaimDisplay {
	locales := make([]string, len(c.Display))
	for i := range c.Display {
		locales[i] = c.Display[i].Locale
	}
	if i := bestLocale(locales, tags); i >= 0 {
		return &c.Display[i]
	}
	return nil
}
