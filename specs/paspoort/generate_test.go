package paspoort

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

// The schemas and the Type Metadata are written by this file from the table in
// fields.go: `go test ./specs/paspoort -run TestGenerated -update`. What is
// published under a version never changes, so after a release a difference
// here means a new version, not a new file under the old name.
var update = flag.Bool("update", false, "write the generated files")

type obj = map[string]any

func str(max int) obj {
	// No control characters: labels go to terminals and pages.
	return obj{"type": "string", "minLength": 1, "maxLength": max, "pattern": `^[^\x00-\x1f\x7f]+$`}
}

func enum(values ...string) obj { return obj{"type": "string", "enum": values} }

func object(required []string, props obj) obj {
	return obj{"type": "object", "additionalProperties": false, "required": required, "properties": props}
}

func array(min, max int, items any) obj {
	return obj{"type": "array", "minItems": min, "maxItems": max, "items": items}
}

func ref(def string) obj { return obj{"$ref": "#/$defs/" + def} }

// defs holds the shape of every Kind, and of what those refer to.
var defs = obj{
	"name":           str(100),
	"line":           str(200),
	"text":           obj{"type": "string", "minLength": 1, "maxLength": 2000, "pattern": `^[^\x00-\x09\x0b-\x1f\x7f]+$`},
	"sentences":      array(1, 7, str(300)),
	"tasks":          array(1, 20, str(300)),
	"roles":          array(1, 10, str(100)),
	"date":           obj{"type": "string", "format": "date"},
	"url":            obj{"type": "string", "format": "uri", "pattern": "^https://", "maxLength": 400},
	"uri":            obj{"type": "string", "format": "uri", "maxLength": 400},
	"flag":           obj{"type": "boolean"},
	"hours":          obj{"type": "integer", "minimum": 1, "maximum": 20000},
	"hours_per_week": obj{"type": "number", "minimum": 1, "maximum": 60},
	"ec":             obj{"type": "number", "minimum": 0.5, "maximum": 240},
	"country":        obj{"type": "string", "pattern": "^[A-Z]{2}$"},
	"language":       obj{"type": "string", "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "maxLength": 35},
	"record":         obj{"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"},
	"skills":         array(0, 50, ref("skill")),
	"skill": func() obj {
		o := object([]string{"label"}, obj{"framework": str(60), "version": str(30), "uri": ref("uri"), "label": str(200), "level": str(60)})
		// A code without its framework cannot be read; a skill without any code is fine.
		o["dependentRequired"] = obj{"uri": []string{"framework"}, "framework": []string{"uri"}, "version": []string{"framework"}}
		return o
	}(),
	"concept": func() obj {
		o := object([]string{"label"}, obj{"framework": str(60), "version": str(30), "uri": ref("uri"), "label": str(200)})
		o["dependentRequired"] = obj{"uri": []string{"framework"}, "framework": []string{"uri"}, "version": []string{"framework"}}
		return o
	}(),
	"code":   object([]string{"scheme", "code"}, obj{"scheme": str(60), "code": str(60), "label": str(200)}),
	"period": object([]string{"start"}, obj{"start": ref("date"), "end": ref("date")}),
	"level": object([]string{"framework", "level"}, obj{
		"framework": enum("NLQF", "EQF", "QF-EHEA"), "level": obj{"type": "string", "pattern": `^(instroom|[1-8]|4\+|short|first|second|third)$`}}),
	"level_classified": object([]string{"framework", "level", "register"}, obj{
		"framework": enum("NLQF", "EQF", "QF-EHEA"), "level": obj{"type": "string", "pattern": `^(instroom|[1-8]|4\+|short|first|second|third)$`},
		"register": str(200), "until": ref("date")}),
	"quality_assurance": object([]string{"name"}, obj{"name": str(200), "url": ref("url"), "description": str(500)}),
	"standard":          object([]string{"framework", "name"}, obj{"framework": str(60), "code": str(60), "version": str(30), "name": str(200)}),
	"units":             array(0, 60, ref("unit")),
	"unit": object([]string{"title", "result"}, obj{"code": str(60), "title": str(200),
		"result": enum("shown", "partly_shown", "not_shown"), "reasoning": str(1000)}),
	"work_processes": array(1, 60, ref("work_process")),
	"work_process": object([]string{"title"}, obj{"code": str(60), "title": str(200),
		"independence": enum("with_help", "under_supervision", "independent")}),
	"recognition": object([]string{"by"}, obj{"by": str(200), "number": str(60), "until": ref("date")}),
	"school":      object([]string{"name"}, obj{"name": str(200), "brin": obj{"type": "string", "pattern": "^[0-9]{2}[A-Z]{2}([0-9]{2})?$"}}),
	"amount":      object([]string{"euro"}, obj{"euro": obj{"type": "integer", "minimum": 1, "maximum": 100000}}),
	"methods": array(1, 8, enum("portfolio", "criterion_interview", "practice_observation", "practical_test", "written_test",
		"oral_test", "online_test", "work_sample")),
	"result":          enum("passed", "partly_passed", "not_passed", "participated"),
	"supervision":     enum("none", "supervised", "online_identified", "onsite_identified"),
	"identity_check":  enum("none", "own_account", "known_in_person", "document_seen", "electronic_identity"),
	"kind":            enum("micro_credential", "module", "course"),
	"assessment_form": enum("written_exam", "oral_exam", "practical_exam", "portfolio", "project", "observation", "interview", "attendance"),
	"participation":   enum("onsite", "online", "blended", "workplace"),
	"relation":        enum("supervisor", "colleague", "client", "trainer", "volunteer_coordinator"),
}

// evidenceKinds differ per type: the kind of evidence is what a verifier reads first.
var evidenceKinds = map[Type][]string{
	Opleiding: {"training", "exam"}, Werkervaring: {"work", "volunteer_work"}, Assessment: {"evc", "test", "observation"},
	Praktijkverklaring: {"practice"}, Referentie: {"endorsement"}, Zelfverklaring: {"self"}, Ontwikkelbudget: {"budget"},
}

// addRefs copies the definitions that a schema uses, and those they use.
func addRefs(t *testing.T, into obj, v any) {
	switch v := v.(type) {
	case obj:
		if r, ok := v["$ref"].(string); ok {
			name := r[len("#/$defs/"):]
			if _, done := into[name]; !done {
				d, ok := defs[name]
				if !ok {
					t.Fatalf("no definition %q", name)
				}
				into[name] = d
				addRefs(t, into, d)
			}
		}
		for _, m := range v {
			addRefs(t, into, m)
		}
	}
}

func finish(t *testing.T, id string, title Text, required []string, props obj) []byte {
	d := obj{}
	addRefs(t, d, props)
	return marshal(t, obj{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": id, "title": title.EN,
		"type": "object", "additionalProperties": false, "required": required, "properties": props, "$defs": d})
}

func marshal(t *testing.T, v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func property(ty Type, f Field) obj {
	if f.Name == "evidence" {
		return enum(evidenceKinds[ty]...)
	}
	return ref(f.Kind)
}

func claimsSchema(t *testing.T, ty Type) []byte {
	props, required := obj{}, []string{}
	for _, u := range typeFields[ty] {
		props[u.name] = property(ty, fieldByName[u.name])
		if u.mandatory {
			required = append(required, u.name)
		}
	}
	return finish(t, ty.VCT()+":claims", ty.Name(), required, props)
}

func credentialSchema(t *testing.T, ty Type) []byte {
	str := obj{"type": "string"}
	number := obj{"type": "integer"}
	props := obj{"vct": obj{"const": ty.VCT()}, "iss": str, "iat": number, "nbf": number, "exp": number,
		"vct#integrity": str, "aka_vcts": obj{"type": "array", "items": str}, "jti": str, "fed": str,
		"cnf":    obj{"type": "object"},
		"status": obj{"type": "object"}}
	required := []string{"vct", "iss"}
	for _, f := range ty.Fields() {
		p := property(ty, f)
		if f.Each {
			// A presentation shows the elements that the holder chose, maybe none.
			d := defs[f.Kind].(obj)
			p = array(0, d["maxItems"].(int), d["items"])
		}
		props[f.Name] = p
		if f.SD == SDNever && ty.mandatory(f.Name) {
			required = append(required, f.Name)
		}
	}
	return finish(t, ty.VCT()+":credential", ty.Name(), required, props)
}

func typeMetadata(t *testing.T, ty Type) []byte {
	display := func(name Text, about *Text) (out []obj) {
		for _, lang := range []string{"nl", "en"} {
			d := obj{"locale": lang}
			if about != nil {
				d["name"], d["description"] = name.In(lang), about.In(lang)
				d["rendering"] = obj{"simple": obj{"background_color": "#0b4f6c", "text_color": "#ffffff"}}
			} else {
				d["label"] = name.In(lang)
			}
			out = append(out, d)
		}
		return out
	}
	var claims []obj
	for _, f := range ty.Fields() {
		path := []any{f.Name}
		if f.Each {
			// The array itself is always there; its elements are the disclosures.
			claims = append(claims, obj{"path": path, "sd": SDNever, "display": display(f.Label, nil), "mandatory": ty.mandatory(f.Name)})
			path = []any{f.Name, nil}
		}
		c := obj{"path": path, "sd": f.SD, "display": display(f.Label, nil)}
		if ty.mandatory(f.Name) && !f.Each {
			c["mandatory"] = true
		}
		claims = append(claims, c)
	}
	about := ty.About()
	return marshal(t, obj{"vct": ty.VCT(), "name": ty.Name().EN, "description": about.EN, "display": display(ty.Name(), &about), "claims": claims})
}

func TestGenerated(t *testing.T) {
	for _, ty := range Types() {
		for name, got := range map[string][]byte{
			"data/claims/" + ty.Slug() + ".json":     claimsSchema(t, ty),
			"data/credential/" + ty.Slug() + ".json": credentialSchema(t, ty),
			"data/metadata/" + ty.Slug() + ".json":   typeMetadata(t, ty),
		} {
			if *update {
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs from what fields.go says; run with -update and think about the version", name)
			}
		}
	}
}
