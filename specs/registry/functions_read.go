package registry

import (
	_ "embed"
	"maps"
	"reflect"
	"slices"

	"paspoort.example/paspoort/specs/ijson"
)

// MaxDocument is the most bytes of a function profile or module in canonical form: it fits in
// an event, with what an event needs beside it.
const MaxDocument = MaxEvent - 2<<10

//go:embed schema/function.json
var functionSchema []byte

//go:embed schema/module.json
var moduleSchema []byte

// FunctionJSONSchema is the JSON Schema of a function profile, for editors and other readers.
func FunctionJSONSchema() []byte { return slices.Clone(functionSchema) }

// ModuleJSONSchema is the JSON Schema of a module.
func ModuleJSONSchema() []byte { return slices.Clone(moduleSchema) }

// ParseDocument reads a function profile or module as a person or an editor wrote it. Members
// that are empty may stand there; one that is unknown, or is needed and absent, is pointed at.
// It fails with [ErrBody] or [ErrTooLarge].
func ParseDocument[T Document](raw []byte) (T, error) {
	var none, doc T
	var given map[string]any
	if len(raw) > 4*MaxDocument {
		return none, ErrTooLarge
	}
	if err := ijson.Unmarshal(raw, &given); err != nil {
		return none, ErrBody.with("%v", err)
	}
	if got, _ := given["schema"].(string); got != doc.traits().schema {
		return none, ErrBody.with("schema: write %q here; this file says %.60q", doc.traits().schema, got)
	}
	if err := ijson.Unmarshal(raw, &doc); err != nil {
		return none, ErrBody.with("%v", err)
	}
	canonical, err := ijson.Canonical(doc)
	if err != nil {
		return none, ErrBody.with("%v", err)
	}
	if len(canonical) > MaxDocument {
		return none, ErrTooLarge.with("%d bytes; at most %d fit in an event", len(canonical), MaxDocument)
	}
	var read map[string]any
	if err := ijson.Unmarshal(canonical, &read); err != nil {
		return none, ErrBody.with("%v", err)
	}
	if at := difference("", given, read); at != "" {
		return none, ErrBody.with("%s", at)
	}
	if err := doc.Check(); err != nil {
		return none, err
	}
	return doc, nil
}

// difference says where what was given is not what was read; "" when it is all the same.
func difference(at string, given, read any) string {
	switch given := given.(type) {
	case map[string]any:
		read, ok := read.(map[string]any)
		if !ok {
			return at + ": not what belongs here"
		}
		inside := at + "."
		if at == "" {
			inside = ""
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			value, known := read[name]
			if !known && !isEmpty(given[name]) {
				return inside + name + ": there is no such field here"
			}
			if known {
				if found := difference(inside+name, given[name], value); found != "" {
					return found
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(read)) {
			if _, there := given[name]; !there {
				return inside + name + ": this field is needed"
			}
		}
	case []any:
		read, ok := read.([]any)
		if !ok || len(read) != len(given) {
			return at + ": not what belongs here"
		}
		for i := range given {
			if found := difference(index(at, i), given[i], read[i]); found != "" {
				return found
			}
		}
	default:
		if !reflect.DeepEqual(given, read) {
			return at + ": not what belongs here"
		}
	}
	return ""
}

// isEmpty says whether a JSON value says nothing.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return !slices.ContainsFunc(slices.Collect(maps.Values(v)), func(v any) bool { return !isEmpty(v) })
	case []any:
		return len(v) == 0
	}
	return v == nil || v == "" || v == false || v == float64(0)
}
