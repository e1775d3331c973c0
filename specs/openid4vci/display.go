package openid4vci

import (
	"errors"
	"strings"
)

// CredentialMetadata is credential_metadata of 12.2.4. Its presence is how
// several wallet libraries recognise metadata of version 1.0.
type CredentialMetadata struct {
	Display []Display `json:"display,omitempty"`
	Claims  []Claim   `json:"claims,omitempty"`
}

// Display are the words and looks of an issuer or a credential in one language.
type Display struct {
	Name            string `json:"name,omitempty"`
	Locale          string `json:"locale,omitempty"` // BCP 47
	Logo            *Image `json:"logo,omitempty"`
	Description     string `json:"description,omitempty"`
	BackgroundColor string `json:"background_color,omitempty"` // CSS colour
	BackgroundImage *Image `json:"background_image,omitempty"`
	TextColor       string `json:"text_color,omitempty"` // CSS colour
}

// Image is a logo or background image, by https: or data: URI.
type Image struct {
	URI     string `json:"uri"`
	AltText string `json:"alt_text,omitempty"`
}

// Claim is a claims description object (appendix B). Path has strings, whole
// numbers (float64) and null, as appendix C says.
type Claim struct {
	Path      []any          `json:"path"`
	Mandatory bool           `json:"mandatory,omitempty"`
	Display   []ClaimDisplay `json:"display,omitempty"`
}

// ClaimDisplay is the name of a claim in one language.
type ClaimDisplay struct {
	Name   string `json:"name,omitempty"`
	Locale string `json:"locale,omitempty"` // BCP 47
}

// Localized picks the display for the first of the wanted languages, by language
// and then without one; the first entry when nothing fits, zero when there is none.
func Localized(displays []Display, languages ...string) Display {
	for _, want := range append(languages, "") {
		for _, d := range displays {
			if sameLanguage(d.Locale, want) {
				return d
			}
		}
	}
	if len(displays) == 0 {
		return Display{}
	}
	return displays[0]
}

func sameLanguage(locale, want string) bool {
	a, _, _ := strings.Cut(strings.ToLower(locale), "-")
	b, _, _ := strings.Cut(strings.ToLower(want), "-")
	return a == b
}

// checkLocales: 12.2.4, "There MUST be only one object for each language
// identifier."
func checkLocales(displays []Display) error {
	seen := map[string]bool{}
	for _, d := range displays {
		if d.Locale != "" && seen[strings.ToLower(d.Locale)] {
			return errors.New("display has two objects for one language")
		}
		seen[strings.ToLower(d.Locale)] = true
	}
	return nil
}

// claimNode is one step of the tree that the claim paths span: what is known of
// the value at that place.
type claimNode struct {
	members map[any]*claimNode
	kind    claimKind
	named   bool // a claims description object ends here
}

type claimKind int

const (
	kindUnknown claimKind = iota
	kindObject
	kindArrayAll   // addressed with null
	kindArrayIndex // addressed with a number
)

var errClaims = errors.New("claims has repeated or contradictory paths")

// checkClaims: B.3, "When a repeated or contradictory claim description is
// provided, the processing MUST be aborted."
func checkClaims(claims []Claim) error {
	root := &claimNode{}
	for _, c := range claims {
		if len(c.Path) == 0 {
			return errors.New("a claims description has no path")
		}
		node := root
		for _, step := range c.Path {
			var err error
			if node, err = node.step(step); err != nil {
				return err
			}
		}
		if node.named {
			return errClaims
		}
		node.named = true
	}
	return nil
}

func (n *claimNode) step(step any) (*claimNode, error) {
	var kind claimKind
	switch v := step.(type) {
	case string:
		kind = kindObject
	case nil:
		kind = kindArrayAll
	case int:
		step, kind = float64(v), kindArrayIndex
	case float64:
		kind = kindArrayIndex
	}
	index, isNumber := step.(float64)
	switch {
	case kind == kindUnknown, isNumber && (index < 0 || index != float64(int32(index))):
		return nil, errors.New("a claim path has a step that is no string, null or index")
	case n.kind != kindUnknown && n.kind != kind:
		return nil, errClaims
	}
	n.kind = kind
	if n.members == nil {
		n.members = map[any]*claimNode{}
	}
	if n.members[step] == nil {
		n.members[step] = &claimNode{}
	}
	return n.members[step], nil
}
