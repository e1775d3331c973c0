package paspoort

import (
	"strings"
	"time"

	"paspoort.example/paspoort/specs/sdjwt"
)

// The claims whose shape in Open Badges 3.0 differs from the flat one, each
// with its way there and back. The mappings are those of edubadges where it
// has one: a skill and a level are an `alignment`, the grade is a `result`,
// the programme code an `otherIdentifier`.

const (
	skillTarget = "ext:Skill"
	levelTarget = "ext:EQFLevel"
)

var alignmentPath = []string{"credentialSubject", "achievement", "alignment"}

// eqfPage is what alignments of levels point to: an alignment needs a targetUrl.
const eqfPage = "https://europass.europa.eu/en/europass-digital-tools/european-qualifications-framework"

func appendTo(root map[string]any, path []string, v any) {
	list, _ := get(root, path...)
	old, _ := list.([]any)
	set(root, path, append(old, v))
}

func elements(root map[string]any, path ...string) (out []map[string]any) {
	v, _ := get(root, path...)
	list, _ := v.([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// rename copies the members that are there under other names.
func rename(in map[string]any, names ...string) map[string]any {
	out := map[string]any{}
	for i := 0; i < len(names); i += 2 {
		if v, ok := in[names[i]]; ok {
			out[names[i+1]] = v
		}
	}
	return out
}

var skillMembers = []string{"label", "targetName", "uri", "targetUrl", "framework", "targetFramework",
	"version", "targetVersion", "level", "skillLevel"}

var skillMembersBack = swapped(skillMembers)

func swapped(names []string) []string {
	out := make([]string, len(names))
	for i := 0; i < len(names); i += 2 {
		out[i], out[i+1] = names[i+1], names[i]
	}
	return out
}

var skillsShape = shaped{
	paths: [][]any{{"credentialSubject", "achievement", "alignment"}, {"credentialSubject", "skills"}},
	encode: func(_ Field, v any, root map[string]any) {
		list, _ := v.([]any)
		for _, e := range list {
			skill, _ := e.(map[string]any)
			if _, coded := skill["uri"]; !coded {
				// An alignment needs a targetUrl; a skill without a code has none and
				// keeps its own shape beside the subject.
				appendTo(root, []string{"credentialSubject", "skills"}, sdjwt.SD{Value: skill})
				continue
			}
			a := rename(skill, skillMembers...)
			a["type"], a["targetType"] = []any{"Alignment"}, skillTarget
			appendTo(root, alignmentPath, sdjwt.SD{Value: a})
		}
	},
	decode: func(root map[string]any) (any, bool) {
		var out []any
		for _, a := range elements(root, alignmentPath...) {
			if a["targetType"] == skillTarget {
				out = append(out, rename(a, skillMembersBack...))
			}
		}
		for _, s := range elements(root, "credentialSubject", "skills") {
			out = append(out, s)
		}
		return out, out != nil
	},
}

func levelShape(name, status string) shaped {
	return shaped{
		paths: [][]any{{"credentialSubject", "achievement", "alignment"}},
		encode: func(_ Field, v any, root map[string]any) {
			level, _ := v.(map[string]any)
			framework, _ := level["framework"].(string)
			code, _ := level["level"].(string)
			a := rename(level, "framework", "targetFramework", "level", "targetCode", "register", "register", "until", "until")
			a["type"], a["targetType"], a["targetUrl"] = []any{"Alignment"}, levelTarget, eqfPage
			a["targetName"], a["levelStatus"] = framework+" "+code, status
			appendTo(root, alignmentPath, a)
		},
		decode: func(root map[string]any) (any, bool) {
			for _, a := range elements(root, alignmentPath...) {
				if a["targetType"] == levelTarget && a["levelStatus"] == status {
					return rename(a, "targetFramework", "framework", "targetCode", "level", "register", "register", "until", "until"), true
				}
			}
			return nil, false
		},
	}
}

// canDoShape: Open Badges has one narrative of the criteria; our sentences hold
// no line breaks, so lines bring them back.
var canDoShape = shaped{
	paths: [][]any{{"credentialSubject", "achievement", "criteria", "narrative"}},
	encode: func(_ Field, v any, root map[string]any) {
		list, _ := v.([]any)
		lines := make([]string, len(list))
		for i, e := range list {
			lines[i], _ = e.(string)
		}
		set(root, []string{"credentialSubject", "achievement", "criteria", "narrative"}, sdjwt.SD{Value: strings.Join(lines, "\n")})
	},
	decode: func(root map[string]any) (any, bool) {
		s, ok := stringAt(root, "credentialSubject", "achievement", "criteria", "narrative")
		if !ok {
			return nil, false
		}
		return anyStrings(strings.Split(s, "\n")), true
	},
}

// resultStatus is the nearest word of the Open Badges status vocabulary.
var resultStatus = map[string]string{"passed": "Completed", "participated": "Completed", "partly_passed": "Provisional", "not_passed": "Failed"}

func firstResult(root map[string]any) map[string]any {
	path := []string{"credentialSubject", "result"}
	if found := elements(root, path...); len(found) > 0 {
		return found[0]
	}
	r := map[string]any{"type": []any{"Result"}}
	set(root, path, []any{r})
	return r
}

var resultShape = shaped{
	paths: [][]any{{"credentialSubject", "result"}},
	encode: func(_ Field, v any, root map[string]any) {
		s, _ := v.(string)
		r := firstResult(root)
		r["status"], r["outcome"] = resultStatus[s], s
	},
	decode: func(root map[string]any) (any, bool) { return resultMember(root, "outcome") },
}

var gradeShape = shaped{
	paths:  [][]any{{"credentialSubject", "result", nil, "value"}},
	encode: func(_ Field, v any, root map[string]any) { firstResult(root)["value"] = sdjwt.SD{Value: v} },
	decode: func(root map[string]any) (any, bool) { return resultMember(root, "value") },
}

func resultMember(root map[string]any, name string) (any, bool) {
	for _, r := range elements(root, "credentialSubject", "result") {
		v, ok := r[name]
		return v, ok
	}
	return nil, false
}

var kindShape = shaped{
	paths: [][]any{{"credentialSubject", "achievement", "achievementType"}},
	encode: func(_ Field, v any, root map[string]any) {
		s, _ := v.(string)
		set(root, []string{"credentialSubject", "achievement", "achievementType"}, sdjwt.SD{Value: achievementKinds[s]})
	},
	decode: func(root map[string]any) (any, bool) {
		s, _ := stringAt(root, "credentialSubject", "achievement", "achievementType")
		for ours, theirs := range achievementKinds {
			if theirs == s {
				return ours, true
			}
		}
		return nil, false
	},
}

var programmeShape = shaped{
	paths: [][]any{{"credentialSubject", "achievement", "otherIdentifier"}},
	encode: func(_ Field, v any, root map[string]any) {
		c, _ := v.(map[string]any)
		scheme, _ := c["scheme"].(string)
		id := rename(c, "code", "identifier", "label", "label")
		id["type"], id["identifierType"] = []any{"IdentifierEntry"}, "ext:"+scheme
		set(root, []string{"credentialSubject", "achievement", "otherIdentifier"}, []any{sdjwt.SD{Value: id}})
	},
	decode: func(root map[string]any) (any, bool) {
		for _, id := range elements(root, "credentialSubject", "achievement", "otherIdentifier") {
			scheme, _ := id["identifierType"].(string)
			c := rename(id, "identifier", "code", "label", "label")
			c["scheme"] = strings.TrimPrefix(scheme, "ext:")
			return c, true
		}
		return nil, false
	},
}

// Open Badges has moments where we have days.
const midnight = "T00:00:00Z"

var periodShape = shaped{
	paths: [][]any{{"credentialSubject", "activityStartDate"}, {"credentialSubject", "activityEndDate"}},
	encode: func(_ Field, v any, root map[string]any) {
		p, _ := v.(map[string]any)
		for from, to := range map[string]string{"start": "activityStartDate", "end": "activityEndDate"} {
			if s, ok := p[from].(string); ok {
				set(root, []string{"credentialSubject", to}, sdjwt.SD{Value: s + midnight})
			}
		}
	},
	decode: func(root map[string]any) (any, bool) {
		p := map[string]any{}
		for from, to := range map[string]string{"activityStartDate": "start", "activityEndDate": "end"} {
			if s, ok := dayAt(root, "credentialSubject", from); ok {
				p[to] = s
			}
		}
		// An end without a start is no period of ours.
		_, ok := p["start"]
		return p, ok
	},
}

var awardedShape = shaped{
	paths: [][]any{{"awardedDate"}},
	encode: func(_ Field, v any, root map[string]any) {
		s, _ := v.(string)
		root["awardedDate"] = sdjwt.SD{Value: s + midnight}
	},
	decode: func(root map[string]any) (any, bool) {
		s, ok := dayAt(root, "awardedDate")
		return s, ok
	},
}

func stringAt(root map[string]any, path ...string) (string, bool) {
	v, _ := get(root, path...)
	s, ok := v.(string)
	return s, ok
}

func dayAt(root map[string]any, path ...string) (string, bool) {
	s, ok := stringAt(root, path...)
	if !ok {
		return "", false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return "", false
	}
	return t.UTC().Format(time.DateOnly), true
}
