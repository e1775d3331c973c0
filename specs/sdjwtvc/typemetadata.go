package sdjwtvc

import (
	"errors"
	"fmt"
	"regexp"

	"paspoort.example/paspoort/specs/ijson"
)

// ErrTypeMetadata: a Type Metadata document does not follow section 4, or cannot
// be had.
var ErrTypeMetadata = errors.New("unusable type metadata")

// Limits on a Type Metadata document.
const (
	MaxTypeMetadata = 256 << 10 // bytes
	maxClaims       = 1024
)

// TypeMetadata is a Type Metadata document (4.2). Properties that are not
// understood are ignored.
type TypeMetadata struct {
	VCT              string          `json:"vct"`
	Name             string          `json:"name,omitempty"`        // for developers
	Description      string          `json:"description,omitempty"` // for developers
	Extends          string          `json:"extends,omitempty"`
	ExtendsIntegrity string          `json:"extends#integrity,omitempty"`
	Display          []Display       `json:"display,omitempty"`
	Claims           []ClaimMetadata `json:"claims,omitempty"`
}

// Display is how a type is shown in one language (4.5).
type Display struct {
	Locale      string     `json:"locale"`
	Lang        string     `json:"lang,omitempty"` // its name until draft 11; empty once parsed
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	Rendering   *Rendering `json:"rendering,omitempty"`
}

// Rendering holds the rendering methods (4.5.1).
type Rendering struct {
	Simple       *SimpleRendering `json:"simple,omitempty"`
	SVGTemplates []SVGTemplate    `json:"svg_templates,omitempty"`
}

// SimpleRendering is the method "simple" (4.5.1.1).
type SimpleRendering struct {
	Logo            *Image `json:"logo,omitempty"`
	BackgroundImage *Image `json:"background_image,omitempty"`
	BackgroundColor string `json:"background_color,omitempty"`
	TextColor       string `json:"text_color,omitempty"`
}

// An Image is fetched once, at acceptance, and held to its integrity.
type Image struct {
	URI       string `json:"uri"`
	Integrity string `json:"uri#integrity,omitempty"`
	AltText   string `json:"alt_text,omitempty"`
}

// SVGTemplate is one template of the method "svg_templates" (4.5.1.2).
type SVGTemplate struct {
	URI        string         `json:"uri"`
	Integrity  string         `json:"uri#integrity,omitempty"`
	Properties *SVGProperties `json:"properties,omitempty"`
}

// SVGProperties say what a template is best for (4.5.1.2.1).
type SVGProperties struct {
	Orientation string `json:"orientation,omitempty"`  // portrait or landscape
	ColorScheme string `json:"color_scheme,omitempty"` // light or dark
	Contrast    string `json:"contrast,omitempty"`     // normal or high
}

// Values of ClaimMetadata.SD (4.6.4).
const (
	SDAlways  = "always"
	SDAllowed = "allowed" // also when absent
	SDNever   = "never"
)

// ClaimMetadata describes a claim or a set of claims (4.6).
type ClaimMetadata struct {
	Path    Path           `json:"path"`
	Display []ClaimDisplay `json:"display,omitempty"`
	// Mandatory is nil when the document does not say; that means false, but lets an
	// extending type inherit true.
	Mandatory *bool  `json:"mandatory,omitempty"`
	SD        string `json:"sd,omitempty"`
	SVGID     string `json:"svg_id,omitempty"`
}

// ClaimDisplay is how a claim is shown in one language (4.6.2).
type ClaimDisplay struct {
	Locale      string `json:"locale"`
	Lang        string `json:"lang,omitempty"` // its name until draft 11; empty once parsed
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
}

// ParseTypeMetadata reads one document and holds it to section 4: required
// properties, values of the enumerations, unique svg_id. Error: ErrTypeMetadata.
func ParseTypeMetadata(raw []byte) (*TypeMetadata, error) {
	if len(raw) > MaxTypeMetadata {
		return nil, fmt.Errorf("%w: %d bytes", ErrTypeMetadata, len(raw))
	}
	var m TypeMetadata
	if err := ijson.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTypeMetadata, err)
	}
	if m.VCT == "" {
		return nil, fmt.Errorf("%w: no vct", ErrTypeMetadata)
	}
	for i := range m.Display {
		renameLang(&m.Display[i].Locale, &m.Display[i].Lang)
		if err := m.Display[i].check(); err != nil {
			return nil, fmt.Errorf("%w: display %d: %w", ErrTypeMetadata, i, err)
		}
	}
	for i := range m.Claims {
		for j := range m.Claims[i].Display {
			d := &m.Claims[i].Display[j]
			renameLang(&d.Locale, &d.Lang)
		}
	}
	if err := checkClaims(m.Claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTypeMetadata, err)
	}
	return &m, nil
}

// renameLang moves the property of drafts 09 to 11 to its present name.
func renameLang(locale, lang *string) {
	if *locale == "" {
		*locale = *lang
	}
	*lang = ""
}

func (d *Display) check() error {
	if d.Locale == "" || d.Name == "" {
		return errors.New("locale and name are required")
	}
	if d.Rendering == nil {
		return nil
	}
	if s := d.Rendering.Simple; s != nil {
		for _, image := range []*Image{s.Logo, s.BackgroundImage} {
			if image != nil && image.URI == "" {
				return errors.New("image without uri")
			}
		}
	}
	for _, t := range d.Rendering.SVGTemplates {
		if t.URI == "" {
			return errors.New("svg template without uri")
		}
		if t.Properties == nil {
			if len(d.Rendering.SVGTemplates) > 1 {
				return errors.New("properties are required for more than one svg template")
			}
			continue
		}
		if err := t.Properties.check(); err != nil {
			return err
		}
	}
	return nil
}

func (p *SVGProperties) check() error {
	for _, c := range []struct{ value, a, b string }{
		{p.Orientation, "portrait", "landscape"}, {p.ColorScheme, "light", "dark"}, {p.Contrast, "normal", "high"},
	} {
		if c.value != "" && c.value != c.a && c.value != c.b {
			return errors.New("unknown value of an svg property")
		}
	}
	if *p == (SVGProperties{}) {
		return errors.New("svg properties without any property")
	}
	return nil
}

// svgID: "only alphanumeric characters and underscores and MUST NOT start with a
// digit" (4.6).
var svgID = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func checkClaims(claims []ClaimMetadata) error {
	if len(claims) > maxClaims {
		return fmt.Errorf("%d claims", len(claims))
	}
	ids := make(map[string]bool)
	for i, c := range claims {
		if len(c.Path) == 0 {
			return fmt.Errorf("claim %d: no path", i)
		}
		switch c.SD {
		case "", SDAlways, SDAllowed, SDNever:
		default:
			return fmt.Errorf("claim %d: unknown value of sd", i)
		}
		for _, d := range c.Display {
			if d.Locale == "" || d.Label == "" {
				return fmt.Errorf("claim %d: locale and label are required", i)
			}
		}
		if c.SVGID == "" {
			continue
		}
		if !svgID.MatchString(c.SVGID) || ids[c.SVGID] {
			return fmt.Errorf("claim %d: svg_id is malformed or not unique", i)
		}
		ids[c.SVGID] = true
	}
	return nil
}
