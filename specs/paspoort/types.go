package paspoort

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Type is the short name of a credential type, such as "Opleiding". It is
// the word that stands in an admission and in the `type` array of the W3C form.
type Type string

// The credential types. Their names are domain words and stay Dutch.
const (
	Opleiding          Type = "Opleiding"          // a module or micro-credential
	Werkervaring       Type = "Werkervaring"       // work done, as the employer knows it
	Assessment         Type = "Assessment"         // EVC, a test
	Praktijkverklaring Type = "Praktijkverklaring" // work processes mastered in a leerbedrijf
	Referentie         Type = "Referentie"         // an endorsement
	Zelfverklaring     Type = "Zelfverklaring"     // the holder's own words
	Ontwikkelbudget    Type = "Ontwikkelbudget"    // money set aside for learning
)

// Types lists every type, in the order in which people read them.
func Types() []Type {
	return []Type{Opleiding, Werkervaring, Assessment, Praktijkverklaring, Referentie, Zelfverklaring, Ontwikkelbudget}
}

const (
	vctPrefix  = "urn:paspoort:"
	vctVersion = ":1"
)

// ErrUnknownType says that a name is none of ours.
var ErrUnknownType = errors.New("unknown credential type")

// ParseType reads the short name.
func ParseType(name string) (Type, error) {
	t := Type(name)
	if !slices.Contains(Types(), t) {
		return "", fmt.Errorf("%w: %.40q", ErrUnknownType, name)
	}
	return t, nil
}

// Slug is the type in an address: "opleiding".
func (t Type) Slug() string { return strings.ToLower(string(t)) }

var vcts = func() map[Type]string {
	m := map[Type]string{}
	for _, t := range Types() {
		m[t] = vctPrefix + t.Slug() + vctVersion
	}
	return m
}()

// VCT is the versioned name of the type, "urn:paspoort:opleiding:1": the vct
// claim of an SD-JWT VC and the IRI of the type in the W3C form. Once a
// credential carries it, what it means never changes; a change is a new number.
func (t Type) VCT() string { return vcts[t] }

// TypeOf finds the type of a vct; ErrUnknownType when it is none of ours.
func TypeOf(vct string) (Type, error) {
	for _, t := range Types() {
		if t.VCT() == vct {
			return t, nil
		}
	}
	return "", fmt.Errorf("%w: %.80q", ErrUnknownType, vct)
}

// SelfSigned says whether the holder signs this type with the key of a slot,
// rather than an organisation.
func (t Type) SelfSigned() bool { return t == Zelfverklaring }

// A Format is the `format` of OpenID4VCI and OpenID4VP.
type Format string

// The two formats we issue.
const (
	FormatSDJWTVC Format = "dc+sd-jwt" // SD-JWT VC
	FormatVCDM    Format = "vc+sd-jwt" // VCDM 2.0 secured by SD-JWT, as DIIP v5 names it
)

// Formats lists what we issue, preferred first.
func Formats() []Format { return []Format{FormatSDJWTVC, FormatVCDM} }

// ConfigurationID names the pair in issuer metadata, for example
// "Opleiding_dc_sd_jwt"; it is also the scope.
func ConfigurationID(t Type, f Format) string {
	return string(t) + "_" + strings.NewReplacer("+", "_", "-", "_").Replace(string(f))
}

// ParseConfigurationID is the inverse of ConfigurationID.
func ParseConfigurationID(id string) (Type, Format, error) {
	for _, t := range Types() {
		for _, f := range Formats() {
			if ConfigurationID(t, f) == id {
				return t, f, nil
			}
		}
	}
	return "", "", fmt.Errorf("%w: configuration %.80q", ErrUnknownType, id)
}

// A Text is one sentence or label in both languages.
type Text struct {
	NL string `json:"nl"`
	EN string `json:"en"`
}

// In gives the text in a language: English for "en", Dutch for all else.
func (t Text) In(lang string) string {
	if lang == "en" || strings.HasPrefix(lang, "en-") {
		return t.EN
	}
	return t.NL
}

var typeTexts = map[Type]struct{ name, about Text }{
	Opleiding: {Text{"Opleiding", "Training"},
		Text{"Een opleider verklaart dat u deze module heeft gedaan.", "A training provider states that you completed this module."}},
	Werkervaring: {Text{"Werkervaring", "Work experience"},
		Text{"Een werkgever verklaart welk werk u heeft gedaan.", "An employer states which work you have done."}},
	Assessment: {Text{"Beoordeling", "Assessment"},
		Text{"Een beoordelaar heeft gekeken wat u kunt.", "An assessor examined what you can do."}},
	Praktijkverklaring: {Text{"Praktijkverklaring", "Practice statement"},
		Text{"Een leerbedrijf verklaart wat u in de praktijk kunt.", "A work placement company states what you can do in practice."}},
	Referentie: {Text{"Referentie", "Reference"},
		Text{"Iemand vertelt hoe u werkt.", "Someone tells how you work."}},
	Zelfverklaring: {Text{"In mijn eigen woorden", "In my own words"},
		Text{"Wat u zelf over uzelf zegt.", "What you say about yourself."}},
	Ontwikkelbudget: {Text{"Ontwikkelbudget", "Learning budget"},
		Text{"Geld dat voor u klaarstaat om te leren.", "Money set aside for your learning."}},
}

// Name is what people call the type.
func (t Type) Name() Text { return typeTexts[t].name }

// About says in one sentence what the type is.
func (t Type) About() Text { return typeTexts[t].about }
