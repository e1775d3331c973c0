package registry

import (
	"io"
	"slices"
	"strconv"
	"strings"
)

// What function profiles and modules have in common. All of it stands in the open log and
// stays there: no field is for the name, address or number of a person.

// Prefixes of the ids of function profiles and modules; 26 characters of base32 follow.
const (
	functionPrefix = "fn_"
	modulePrefix   = "mod_"
)

// NewFunctionID draws a function profile's permanent id: 128 random bits.
func NewFunctionID(random io.Reader) (string, error) { return newListingID(functionPrefix, random) }

// NewModuleID draws a module's permanent id: 128 random bits.
func NewModuleID(random io.Reader) (string, error) { return newListingID(modulePrefix, random) }

func newListingID(prefix string, random io.Reader) (string, error) {
	id, err := NewOrganisationID(random)
	return prefix + strings.TrimPrefix(id, organisationPrefix), err
}

func isListingID(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	return ok && isOrganisation(organisationPrefix+rest)
}

// SkillRef names a skill. A skill without a code is fully valid; with one, framework and uri
// come together. The label is frozen: what the framework called it when this was written.
type SkillRef struct {
	Framework string `json:"framework,omitempty"` // e.g. "CompetentNL", "ESCO"
	Label     Text   `json:"label"`
	Level     string `json:"level,omitempty"` // in the words of the framework or the writer
	URI       string `json:"uri,omitempty"`
	Version   string `json:"version,omitempty"` // of the framework
}

// SkillNeed is a skill that is asked for, and how strongly it must be proved.
type SkillNeed struct {
	SkillRef
	// ProofLevel is the lowest level of the proof ladder that is enough: 0 said by the person,
	// 1 confirmed by someone, 2 by an employer, 3 assessed independently, 4 recognised document.
	ProofLevel int `json:"proof_level"`
}

// Classification is an entry of a list that others keep: an occupation, a programme.
type Classification struct {
	Code   string `json:"code"`
	Label  Text   `json:"label,omitzero"`
	Scheme string `json:"scheme"` // e.g. "ESCO", "CompetentNL", "CREBO", "CROHO"
	URI    string `json:"uri,omitempty"`
}

// Place is where work is done or a module is given: a town or district, never the address of
// a person.
type Place struct {
	Name     string `json:"name"`               // as people call it, e.g. "Aakermonde"
	Postcode string `json:"postcode,omitempty"` // whole or its first part, e.g. "1234"
	Region   string `json:"region,omitempty"`   // code of a labour market region, e.g. "AM17"
}

// Starts says when somebody can begin: on fixed dates, again and again, or both.
type Starts struct {
	Dates []string `json:"dates,omitempty"` // days, in order
	Every string   `json:"every,omitempty"` // one of [Paces]
	Text  Text     `json:"text,omitzero"`
}

// Note is what the schema has no field for. It is shown as it stands.
type Note struct {
	Text  Text `json:"text"`
	Title Text `json:"title"`
}

// Paces lists how often one can begin, quickest first.
func Paces() []string { return []string{"any_time", "week", "month", "quarter", "half_year", "year"} }

// Workplaces lists where work can be done.
func Workplaces() []string { return []string{"onsite", "hybrid", "remote"} }

// parts checks the parts of a document and keeps the first thing that is wrong, with its
// place, so that an editor can point at it.
type parts struct{ err error }

func (p *parts) wrong(at, format string, args ...any) {
	if p.err == nil {
		p.err = ErrBody.with(at+": "+format, args...)
	}
}

// line is a text of one line; it may be absent when need is false.
func (p *parts) line(at, s string, limit int, need bool) {
	if s == "" && !need || p.err != nil {
		return
	}
	if err := checkText(at, s, limit); err != nil {
		p.err = err
	} else if strings.Contains(s, "\n") {
		p.wrong(at, "one line only")
	}
}

// text is a text in Dutch, and in English if somebody wrote it.
func (p *parts) text(at string, t Text, limit int, need bool) {
	if t == (Text{}) && !need || p.err != nil {
		return
	}
	if p.err = checkText(at+".nl", t.NL, limit); p.err == nil && t.EN != "" {
		p.err = checkText(at+".en", t.EN, limit)
	}
}

// texts is a list of sentences.
func (p *parts) texts(at string, list []Text, least, most, limit int) {
	p.count(at, len(list), least, most)
	for i, t := range list {
		p.text(index(at, i), t, limit, true)
	}
}

func (p *parts) count(at string, n, least, most int) {
	if n < least || n > most {
		p.wrong(at, "between %d and %d of these", least, most)
	}
}

func (p *parts) number(at string, n, least, most int) {
	if n < least || n > most {
		p.wrong(at, "a whole number between %d and %d", least, most)
	}
}

// word is one of a fixed list.
func (p *parts) word(at, s string, need bool, list ...string) {
	if s == "" && !need {
		return
	}
	if !slices.Contains(list, s) {
		p.wrong(at, "one of %s", strings.Join(list, ", "))
	}
}

// words is a set of words of a fixed list.
func (p *parts) words(at string, got []string, least int, list ...string) {
	p.set(at, got, least, len(list))
	for i, s := range got {
		p.word(index(at, i), s, true, list...)
	}
}

// set is a sorted list without repetition: one set, one text.
func (p *parts) set(at string, list []string, least, most int) {
	p.count(at, len(list), least, most)
	if !isSortedSet(list) {
		p.wrong(at, "in alphabetical order, each once")
	}
}

func (p *parts) names(at string, list []string, most int) {
	p.set(at, list, 0, most)
	for i, s := range list {
		p.line(index(at, i), s, 100, true)
	}
}

func (p *parts) ids(at, prefix string, list []string, most int) {
	p.set(at, list, 0, most)
	for i, s := range list {
		if !isListingID(prefix, s) {
			p.wrong(index(at, i), "an id is %s and 26 characters of base32", prefix)
		}
	}
}

func (p *parts) url(at, s string) {
	if s != "" && !isEvidenceURL(s) {
		p.wrong(at, "a web address that begins with https://")
	}
}

func (p *parts) date(at, s string, need bool) {
	if s == "" && !need {
		return
	}
	if !isDate(s) {
		p.wrong(at, "a day, such as 2026-09-01")
	}
}

func (p *parts) skill(at string, s SkillRef) {
	p.line(at+".framework", s.Framework, 60, false)
	p.line(at+".version", s.Version, 30, false)
	p.line(at+".level", s.Level, 60, false)
	p.text(at+".label", s.Label, 200, true)
	if (s.Framework == "") != (s.URI == "") || s.Version != "" && s.Framework == "" {
		p.wrong(at, "framework and uri come together, a version with them; a skill without a code has neither")
	}
	if s.URI != "" && !isURI(s.URI) {
		p.wrong(at+".uri", "not a URI")
	}
}

// skills checks a list of skills, each named once: by its uri, or by its label without one.
func (p *parts) skills(at string, list []SkillRef, least, most int) {
	p.count(at, len(list), least, most)
	var seen unique
	for i, s := range list {
		p.skill(index(at, i), s)
		seen.add(s.key())
	}
	if seen.twice != "" {
		p.wrong(at, "a skill is named twice")
	}
}

func (s SkillRef) key() string {
	if s.URI != "" {
		return s.URI
	}
	return "label " + s.Label.NL
}

func (p *parts) needs(at string, list []SkillNeed, most int) {
	refs := make([]SkillRef, len(list))
	for i, n := range list {
		refs[i] = n.SkillRef
		p.number(index(at, i)+".proof_level", n.ProofLevel, 0, 4)
	}
	p.skills(at, refs, 0, most)
}

func (p *parts) code(at string, c *Classification) {
	if c == nil {
		return
	}
	p.line(at+".scheme", c.Scheme, 60, true)
	p.line(at+".code", c.Code, 100, true)
	p.text(at+".label", c.Label, 200, false)
	if c.URI != "" && !isURI(c.URI) {
		p.wrong(at+".uri", "not a URI")
	}
}

func (p *parts) places(at string, list []Place, least int) {
	p.count(at, len(list), least, 16)
	for i, place := range list {
		at := index(at, i)
		p.line(at+".name", place.Name, 100, true)
		p.line(at+".postcode", place.Postcode, 12, false)
		p.line(at+".region", place.Region, 40, false)
	}
}

func (p *parts) starts(at string, s Starts) {
	p.count(at+".dates", len(s.Dates), 0, 36)
	if !isSortedSet(s.Dates) {
		p.wrong(at+".dates", "in order, each once")
	}
	for i, d := range s.Dates {
		p.date(index(at+".dates", i), d, true)
	}
	p.word(at+".every", s.Every, false, Paces()...)
	if len(s.Dates) == 0 && s.Every == "" {
		p.wrong(at, "give dates, or how often one can begin")
	}
	p.text(at+".text", s.Text, 500, false)
}

func (p *parts) notes(at string, list []Note) {
	p.count(at, len(list), 0, 16)
	for i, n := range list {
		p.text(index(at, i)+".title", n.Title, 120, true)
		p.text(index(at, i)+".text", n.Text, 1000, true)
	}
}

func index(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }

// isDate accepts a full-date of RFC 3339. Written out, since every replica must agree.
func isDate(s string) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' || strings.Trim(s[:4]+s[5:7]+s[8:], "0123456789") != "" {
		return false
	}
	number := func(s string) (n int) {
		for _, c := range []byte(s) {
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := number(s[:4]), number(s[5:7]), number(s[8:])
	if year < 1970 || month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days = 29
	}
	return day <= days
}

// isURI accepts a scheme and something behind it, in ASCII that shows.
func isURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	return ok && rest != "" && len(s) <= 400 && isPrintableASCII(s) && !strings.ContainsAny(s, `"<>\^{|}`+"`") &&
		scheme != "" && strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == "" && scheme[0] >= 'a'
}

// isLanguage accepts a language tag such as "nl" or "en-GB".
func isLanguage(s string) bool {
	first, rest, more := strings.Cut(s, "-")
	if len(s) > 35 || len(first) < 2 || len(first) > 3 || strings.Trim(first, "abcdefghijklmnopqrstuvwxyz") != "" {
		return false
	}
	for _, part := range strings.Split(rest, "-") {
		if more && (len(part) < 2 || len(part) > 8 || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "") {
			return false
		}
	}
	return true
}
