package paspoort

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed data
var data embed.FS

func file(dir string, t Type) ([]byte, error) {
	b, err := data.ReadFile("data/" + dir + "/" + t.Slug() + ".json")
	if err != nil {
		return nil, fmt.Errorf("%w: %.40q", ErrUnknownType, t)
	}
	return b, nil
}

// ClaimsSchema is the JSON Schema (draft 2020-12) of the claims that an
// administrator hands in.
func ClaimsSchema(t Type) ([]byte, error) { return file("claims", t) }

// CredentialSchema is the JSON Schema of the processed credential in its flat
// form (see Read): with what the holder left out absent.
func CredentialSchema(t Type) ([]byte, error) { return file("credential", t) }

// Sample is a complete, valid and invented set of claims, as JSON.
func Sample(t Type) ([]byte, error) { return file("sample", t) }

// A lazySchema is compiled when it is first needed, and once: the schemas are
// part of the program and never change.
type lazySchema func() (*jsonschema.Schema, error)

var claimsSchemas, credentialSchemas = lazySchemas("claims"), lazySchemas("credential")

func lazySchemas(dir string) map[Type]lazySchema {
	m := map[Type]lazySchema{}
	for _, t := range Types() {
		m[t] = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(dir, t) })
	}
	return m
}

func compile(dir string, t Type) (*jsonschema.Schema, error) {
	raw, err := file(dir, t)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	// Everything is embedded; a reference outside would be a fault of ours.
	c.UseLoader(jsonschema.SchemeURLLoader{})
	id := t.VCT() + ":" + dir
	if err := c.AddResource(id, doc); err != nil {
		return nil, err
	}
	return c.Compile(id)
}

func validate(schemas map[Type]lazySchema, t Type, v map[string]any) error {
	load, ok := schemas[t]
	if !ok {
		return fmt.Errorf("%w: %.40q", ErrUnknownType, t)
	}
	schema, err := load()
	if err != nil {
		return err
	}
	return explain(schema.Validate(v))
}

// CheckClaims says whether claims are valid input for the type. The error wraps
// ErrUnknownType or ErrClaims and names places and rules, never values.
func CheckClaims(t Type, claims map[string]any) error {
	if err := validate(claimsSchemas, t, claims); err != nil {
		return err
	}
	return checkDates(claims)
}

// checkCredential holds a processed credential, in flat form, against its schema.
func checkCredential(t Type, flat map[string]any) error {
	return validate(credentialSchemas, t, flat)
}

// explain turns the library's tree into one sentence with the deepest causes.
// Values stay out: they are personal.
func explain(err error) error {
	if err == nil {
		return nil
	}
	var ve *jsonschema.ValidationError
	if !errors.As(err, &ve) {
		return fmt.Errorf("%w: not a JSON value", ErrClaims)
	}
	var found []string
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, c := range e.Causes {
			walk(c)
		}
		if len(e.Causes) == 0 {
			found = append(found, "at /"+strings.Join(e.InstanceLocation, "/")+": "+rule(e.ErrorKind))
		}
	}
	walk(ve)
	sort.Strings(found)
	if len(found) > 5 {
		found = append(found[:5], "and more")
	}
	return fmt.Errorf("%w: %s", ErrClaims, strings.Join(found, "; "))
}

// rule words what was broken without what was given.
func rule(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Required:
		return "missing " + strings.Join(k.Missing, ", ")
	case *kind.AdditionalProperties:
		return fmt.Sprintf("%d member(s) that this type does not have", len(k.Properties))
	case *kind.Type:
		return "must be " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		return "must be one of the listed values"
	case *kind.Format:
		return "must be a " + k.Want
	case *kind.Pattern:
		return "has characters or a form that is not allowed here"
	case *kind.Const:
		return "must be the fixed value of this type"
	case *kind.Minimum, *kind.Maximum:
		return "lies outside the allowed range"
	case *kind.MinLength, *kind.MaxLength, *kind.MinItems, *kind.MaxItems, *kind.DependentRequired:
		return k.LocalizedString(message.NewPrinter(language.English))
	default:
		return "does not fit the schema"
	}
}
