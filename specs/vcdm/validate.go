package vcdm

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// maxList bounds the elements of one list in a document.
const maxList = 1000

// A checker walks one document and notes problems.
type checker struct {
	vocabulary *Vocabulary
	partial    bool // some members may be there without being disclosed
	problems   Problems
}

func (c *checker) add(code Code, path string) {
	if len(c.problems) < 100 {
		c.problems = append(c.problems, Problem{Code: code, Path: path})
	}
}

// Validate checks a VCDM 2.0 credential, as plain JSON, against sections 4 and 5,
// and, when it is one, against the classes of Open Badges 3.0. now is the time for
// validFrom and validUntil; the zero time leaves them unjudged. A nil vocabulary
// means Standard. The answer is nil or Problems.
func Validate(doc map[string]any, now time.Time, v *Vocabulary) error {
	return validate(doc, now, v, false)
}

// validate also judges what a holder disclosed of a credential: then a member that
// may be hidden is not missed.
func validate(doc map[string]any, now time.Time, v *Vocabulary, partial bool) error {
	if v == nil {
		v = Standard()
	}
	c := &checker{vocabulary: v, partial: partial}
	contexts := c.contexts(doc["@context"])
	types := c.types(doc["type"], "type")
	if !contains(types, "VerifiableCredential") { // 4.5
		c.add(CodeType, "type")
	}
	if _, unknown := v.Expand(contexts, types); len(unknown) > 0 && contexts != nil {
		c.add(CodeTypeUnknown, "type")
	}
	c.id(doc, "")
	c.texts(doc, "name")
	c.texts(doc, "description")
	c.issuer(doc["issuer"])
	c.subjects(doc["credentialSubject"])
	c.validity(doc, now)
	c.typed(doc, "credentialStatus", CodeStatus)
	c.typed(doc, "credentialSchema", CodeSchema, "id")
	c.typed(doc, "refreshService", CodeMember)
	c.typed(doc, "termsOfUse", CodeMember)
	c.typed(doc, "evidence", CodeMember)
	c.related(doc["relatedResource"])
	c.openBadge(doc, contexts, types)
	return c.problems.err()
}

// contexts: "an ordered set where the first item is a URL with the value
// https://www.w3.org/ns/credentials/v2" (4.3).
func (c *checker) contexts(v any) []any {
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > maxList || list[0] != ContextV2 {
		c.add(CodeContext, "@context")
		return nil
	}
	for i, e := range list {
		at := fmt.Sprintf("@context[%d]", i)
		switch e := e.(type) {
		case string:
			if !c.vocabulary.Knows(e) {
				c.add(CodeContextUnknown, at)
			}
		case map[string]any:
			if !plainInline(e) {
				c.add(CodeContextUnknown, at)
			}
		default:
			c.add(CodeContext, at)
		}
	}
	return list
}

// types reads a type: a text or a list of texts.
func (c *checker) types(v any, path string) []string {
	switch v := v.(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		out := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok || s == "" {
				c.add(CodeType, path)
				return nil
			}
			out = append(out, s)
		}
		return out
	}
	c.add(CodeType, path)
	return nil
}

// id: when present, "its value MUST be a URL" (4.4).
func (c *checker) id(object map[string]any, path string) {
	if v, ok := object["id"]; ok && !isURL(v) {
		c.add(CodeID, join(path, "id"))
	}
}

// texts: "a string or a language value object", or several of the latter (4.6,
// 11.1).
func (c *checker) texts(doc map[string]any, name string) {
	v, ok := doc[name]
	if !ok {
		return
	}
	switch v := v.(type) {
	case string:
		return
	case map[string]any, []any:
		for _, e := range listOf(v) {
			m, ok := e.(map[string]any)
			if _, text := m["@value"].(string); !ok || !text {
				c.add(CodeName, name)
			}
		}
	default:
		c.add(CodeName, name)
	}
}

// issuer: "either a URL or an object containing an id property" (4.7).
func (c *checker) issuer(v any) {
	if m, ok := v.(map[string]any); ok {
		v = m["id"]
	}
	if !isURL(v) {
		c.add(CodeIssuer, "issuer")
	}
}

// subjects: "one or more objects", each with at least one claim (4.8).
func (c *checker) subjects(v any) {
	list := listOf(v)
	if len(list) == 0 || len(list) > maxList {
		c.add(CodeSubject, "credentialSubject")
	}
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok || len(m) == 0 && !c.partial {
			c.add(CodeSubject, "credentialSubject")
			continue
		}
		c.id(m, "credentialSubject")
	}
}

// validity checks validFrom and validUntil (4.9).
func (c *checker) validity(doc map[string]any, now time.Time) {
	from, fromOK := c.date(doc, "validFrom")
	until, untilOK := c.date(doc, "validUntil")
	if fromOK && untilOK && until.Before(from) {
		c.add(CodeDate, "validUntil")
		return
	}
	if now.IsZero() {
		return
	}
	if fromOK && now.Before(from) {
		c.add(CodeNotYetValid, "validFrom")
	}
	if untilOK && now.After(until) {
		c.add(CodeExpired, "validUntil")
	}
}

func (c *checker) date(doc map[string]any, name string) (time.Time, bool) {
	v, ok := doc[name]
	if !ok {
		return time.Time{}, false
	}
	at, ok := DateTimeStamp(v)
	if !ok {
		c.add(CodeDate, name)
	}
	return at, ok
}

// typed checks a property whose values are objects with a type, an id that is a
// URL where there is one, and the required members.
func (c *checker) typed(doc map[string]any, name string, code Code, required ...string) {
	v, ok := doc[name]
	if !ok {
		return
	}
	list := listOf(v)
	if len(list) == 0 || len(list) > maxList {
		c.add(code, name)
	}
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			c.add(code, name)
			continue
		}
		if _, ok := m["type"]; !ok {
			c.add(code, name+".type")
		} else {
			c.types(m["type"], name+".type")
		}
		c.id(m, name)
		for _, r := range required {
			if _, ok := m[r]; !ok && !c.partial {
				c.add(code, join(name, r))
			}
		}
	}
}

// related: each has a unique id and at least one digest (5.3).
func (c *checker) related(v any) {
	seen := map[string]bool{}
	for _, e := range listOf(v) {
		m, _ := e.(map[string]any)
		id, _ := m["id"].(string)
		_, sri := m["digestSRI"].(string)
		_, multibase := m["digestMultibase"].(string)
		if !isURL(id) || seen[id] || !sri && !multibase {
			c.add(CodeRelated, "relatedResource")
		}
		seen[id] = true
	}
}

// listOf is v as a list: nothing, the one value, or the elements.
func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}

// isURL says whether v is an absolute URL of the WHATWG or RFC 3986 kind; DIDs and
// URNs are.
func isURL(v any) bool {
	s, ok := v.(string)
	if !ok || strings.ContainsAny(s, " \t\r\n") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "" || u.Path != "")
}

// DateTimeStamp reads an XML Schema dateTimeStamp (4.9): a date and time with a
// zone.
func DateTimeStamp(v any) (time.Time, bool) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	// time.Parse reads a comma for the decimal point, which XML Schema does not know.
	if err != nil || strings.Contains(s, ",") {
		return time.Time{}, false
	}
	return at.UTC(), true
}
