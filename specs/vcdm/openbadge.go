package vcdm

import "fmt"

// A class is what Open Badges 3.0 (appendix B) says of an object: the type it must
// have, members that must be there, and members that are objects of a class
// themselves.
type class struct {
	typ      string // "" where the type is free or absent
	required []string
	members  map[string]string // member to class
}

// classes is the data model of Open Badges 3.0 as far as it is nested.
var classes = map[string]class{
	"AchievementSubject": {typ: "AchievementSubject", required: []string{"achievement"}, members: map[string]string{
		"achievement": "Achievement", "identifier": "IdentityObject", "result": "Result", "source": "Profile", "image": "Image"}},
	"Achievement": {typ: "Achievement", required: []string{"id", "name", "description", "criteria"}, members: map[string]string{
		"alignment": "Alignment", "creator": "Profile", "criteria": "Criteria", "image": "Image", "otherIdentifier": "IdentifierEntry",
		"related": "Related", "resultDescription": "ResultDescription", "endorsement": "EndorsementCredential"}},
	"Alignment":       {typ: "Alignment", required: []string{"targetName", "targetUrl"}},
	"Criteria":        {},
	"Evidence":        {typ: "Evidence"},
	"IdentifierEntry": {typ: "IdentifierEntry", required: []string{"identifier", "identifierType"}},
	"IdentityObject":  {typ: "IdentityObject", required: []string{"hashed", "identityHash", "identityType"}},
	"Image":           {typ: "Image", required: []string{"id"}},
	"Profile": {typ: "Profile", required: []string{"id"}, members: map[string]string{
		"parentOrg": "Profile", "otherIdentifier": "IdentifierEntry", "address": "Address", "image": "Image", "endorsement": "EndorsementCredential"}},
	"Address":        {typ: "Address", members: map[string]string{"geo": "GeoCoordinates"}},
	"GeoCoordinates": {typ: "GeoCoordinates", required: []string{"latitude", "longitude"}},
	"Related":        {typ: "Related", required: []string{"id"}},
	"Result":         {typ: "Result", members: map[string]string{"alignment": "Alignment"}},
	"ResultDescription": {typ: "ResultDescription", required: []string{"id", "name", "resultType"}, members: map[string]string{
		"alignment": "Alignment", "rubricCriterionLevel": "RubricCriterionLevel"}},
	"RubricCriterionLevel": {typ: "RubricCriterionLevel", required: []string{"id", "name"}, members: map[string]string{"alignment": "Alignment"}},
	"EndorsementSubject":   {typ: "EndorsementSubject", required: []string{"id"}},
	"EndorsementCredential": {typ: "EndorsementCredential", required: []string{"id", "issuer", "validFrom", "credentialSubject"}, members: map[string]string{
		"credentialSubject": "EndorsementSubject"}},
}

// openBadge checks a credential that says it is one of Open Badges 3.0.
func (c *checker) openBadge(doc map[string]any, contexts []any, types []string) {
	subject := ""
	switch {
	case contains(types, "OpenBadgeCredential"), contains(types, "AchievementCredential"):
		subject = "AchievementSubject"
	case contains(types, "EndorsementCredential"):
		subject = "EndorsementSubject"
	default:
		// The context alone makes no badge, but a subject of its class does.
		if list := listOf(doc["credentialSubject"]); len(list) == 1 {
			if m, ok := list[0].(map[string]any); ok && contains(c.quiet(m["type"]), "AchievementSubject") {
				c.add(CodeType, "type")
			}
		}
		return
	}
	found := false
	for _, e := range contexts {
		s, _ := e.(string)
		found = found || contains(openBadgesContexts, s)
	}
	if !found {
		c.add(CodeContext, "@context")
	}
	for _, name := range []string{"id", "validFrom"} {
		if _, ok := doc[name]; !ok && !c.partial {
			c.add(CodeMember, name)
		}
	}
	subjects := listOf(doc["credentialSubject"])
	if len(subjects) != 1 {
		c.add(CodeSubject, "credentialSubject")
	}
	for _, s := range subjects {
		c.object(s, subject, "credentialSubject", 0)
		if m, ok := s.(map[string]any); ok && !c.partial && subject == "AchievementSubject" && m["id"] == nil && m["identifier"] == nil {
			c.add(CodeSubject, "credentialSubject")
		}
	}
	if m, ok := doc["issuer"].(map[string]any); ok {
		c.object(m, "Profile", "issuer", 0)
	}
	for i, e := range listOf(doc["evidence"]) {
		c.object(e, "Evidence", fmt.Sprintf("evidence[%d]", i), 0)
	}
}

// quiet reads a type without noting a problem.
func (c *checker) quiet(v any) []string { return (&checker{}).types(v, "") }

// maxClassDepth bounds the nesting of classes, of which Profile and Endorsement can
// hold themselves.
const maxClassDepth = 16

// object checks one object, or where a class allows a reference, a URL.
func (c *checker) object(v any, name, path string, depth int) {
	if depth > maxClassDepth {
		c.add(CodeMember, path)
		return
	}
	m, ok := v.(map[string]any)
	if !ok {
		// A Profile may be given by its id alone.
		if name != "Profile" || !isURL(v) {
			c.add(CodeMember, path)
		}
		return
	}
	k := classes[name]
	// IdentityObject and Image have one type as text; the others a list that holds it.
	_, shown := m["type"]
	if k.typ != "" && (shown || !c.partial) && !contains(c.quiet(m["type"]), k.typ) {
		c.add(CodeType, join(path, "type"))
	}
	if _, ok := m["id"]; ok {
		c.id(m, path)
	}
	for _, r := range k.required {
		if _, ok := m[r]; !ok && !c.partial {
			c.add(CodeMember, join(path, r))
		}
	}
	for member, inner := range k.members {
		for i, e := range listOf(m[member]) {
			at := join(path, member)
			if _, many := m[member].([]any); many {
				at = fmt.Sprintf("%s[%d]", at, i)
			}
			c.object(e, inner, at, depth+1)
		}
	}
}
