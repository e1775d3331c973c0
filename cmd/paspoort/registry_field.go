package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/paspoort"
)

// A part of a JSON schema, as much of it as is told to people.
type schemaPart struct {
	Type       string
	Properties map[string]schemaPart
	Required   []string
	Items      *schemaPart
	Enum       []any
	Ref        string                `json:"$ref"`
	Defs       map[string]schemaPart `json:"$defs"`
}

// misfit says in which field of a document something stands of the wrong sort, and what belongs
// there by the schema. It is false when every field is of the right sort.
func misfit[T any](raw, schema []byte) (text paspoort.Text, is bool) {
	var doc T
	wrong, is := errors.AsType[*json.UnmarshalTypeError](json.Unmarshal(raw, &doc))
	if !is || wrong.Field == "" {
		return text, false
	}
	var part schemaPart
	_ = json.Unmarshal(schema, &part) // without it the field is still named
	defs := part.Defs
	part, path := part.at(wrong.Field)
	if part.Items != nil && isInList(raw, path) {
		part = part.Items.in(defs)
	}
	want := part.words(defs)
	return words(path+": hier staat "+sortOf(wrong.Value).NL+", hier hoort "+want.NL,
		path+": here stands "+sortOf(wrong.Value).EN+", here belongs "+want.EN), true
}

// in is the part itself, or the one that it refers to.
func (s schemaPart) in(defs map[string]schemaPart) schemaPart {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return defs[name]
	}
	return s
}

// at is the part under a field as encoding/json names it, with the name as it stands in the
// document: what is embedded in Go is in the path of the one and not of the other.
func (s schemaPart) at(field string) (schemaPart, string) {
	part, path := s, []string{}
	for _, name := range strings.Split(field, ".") {
		inside := part
		for inside.Items != nil {
			inside = inside.Items.in(s.Defs)
		}
		next, known := inside.Properties[name]
		if !known {
			continue
		}
		part, path = next.in(s.Defs), append(path, name)
	}
	return part, strings.Join(path, ".")
}

// isInList says whether the value of a field at the top is a list.
func isInList(raw []byte, field string) bool {
	var top map[string]json.RawMessage
	if json.Unmarshal(raw, &top) != nil {
		return false
	}
	return strings.HasPrefix(strings.TrimSpace(string(top[field])), "[")
}

// sortOf is a value's sort as encoding/json names it, which adds the number itself.
func sortOf(value string) paspoort.Text {
	name, _, _ := strings.Cut(value, " ")
	if name == "bool" {
		name = "boolean"
	}
	return schemaPart{Type: name}.words(nil)
}

var sortTexts = map[string]paspoort.Text{
	"string": words("een tekst", "a text"), "number": words("een getal", "a number"), "integer": words("een heel getal", "a whole number"),
	"boolean": words("true of false", "true or false"), "array": words("een lijst [...]", "a list [...]"), "object": words("een object {...}", "an object {...}"),
}

func (s schemaPart) words(defs map[string]schemaPart) paspoort.Text {
	out, ok := sortTexts[s.Type]
	if !ok {
		out = words("iets anders", "something else")
	}
	switch {
	case s.Items != nil:
		inside := s.Items.in(defs).words(defs)
		out = words("een lijst [...] met steeds "+inside.NL, "a list [...], each of it "+inside.EN)
	case len(s.Properties) > 0:
		fields := s.fields()
		out = words("een object {"+fields.NL+"}", "an object {"+fields.EN+"}")
	case len(s.Enum) > 0:
		list := strings.Trim(fmt.Sprint(s.Enum), "[]")
		out = words("een van: "+list, "one of: "+list)
	}
	return out
}

// fields names what an object holds, what it must hold first.
func (s schemaPart) fields() paspoort.Text {
	var out paspoort.Text
	var others []string
	for name := range s.Properties {
		if !slices.Contains(s.Required, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	out = words(strings.Join(s.Required, ", "), strings.Join(s.Required, ", "))
	if len(others) > 0 {
		list := strings.Join(others, ", ")
		out.NL, out.EN = strings.TrimPrefix(out.NL+", en als u wilt "+list, ", en "), strings.TrimPrefix(out.EN+", and if you like "+list, ", and ")
	}
	return out
}
