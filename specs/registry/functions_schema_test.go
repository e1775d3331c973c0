package registry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func documentSchema(t testing.TB, raw []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///document.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("mem:///document.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// sample is a document of registrytest as plain JSON.
func sample(t testing.TB, name string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile("registrytest/documents/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// set puts a value at a place such as "essential.0.proof_level"; nil takes away what is there.
func set(doc any, at string, value any) {
	name, rest, more := strings.Cut(at, ".")
	if list, ok := doc.([]any); ok {
		i, err := strconv.Atoi(name)
		if err != nil {
			panic(err)
		}
		if !more {
			list[i] = value
			return
		}
		set(list[i], rest, value)
		return
	}
	object := doc.(map[string]any)
	switch {
	case more:
		set(object[name], rest, value)
	case value == nil:
		delete(object, name)
	default:
		object[name] = value
	}
}

// broken is a place with what must not stand there. beyond: the schema cannot tell.
type broken struct {
	at     string
	value  any
	beyond bool
}

var (
	long    = strings.Repeat("x", 2001)
	many    = func(n int, v any) []any { return append(make([]any, 0, n), repeat(n, v)...) }
	skillOf = func(label string) map[string]any { return map[string]any{"label": map[string]any{"nl": label}} }
)

func repeat(n int, v any) []any {
	var out []any
	for range n {
		out = append(out, v)
	}
	return out
}

var brokenFunctions = []broken{
	{"title", nil, false}, {"title.nl", "", false}, {"title.nl", long, false}, {"title.en", " leeg", true}, {"title.nl", "tekst\u202e", true},
	{"title.de", "Titel", false}, {"summary", nil, false}, {"summary.nl", long, false}, {"tasks", many(13, map[string]any{"nl": "x"}), false},
	{"tasks.0.nl", long[:301], false}, {"schema", "urn:paspoort:function:2", false}, {"occupation.scheme", nil, false}, {"occupation.uri", "geen uri", false},
	{"occupation.code", "", false}, {"sectors", []any{"zorg", "zorg"}, false}, {"sectors", []any{"zorg", "bouw"}, true}, {"sectors.0", "", false},
	{"sectors.0", "twee\nregels", false}, {"hobbels", many(15, "H03"), false},
	{"essential.0.proof_level", 5, false}, {"essential.0.proof_level", -1, false}, {"essential.0.proof_level", 1.5, false}, {"essential.0.proof_level", nil, false},
	{"essential.0.framework", nil, false}, {"essential.0.uri", nil, false}, {"desired.1.version", "1", false}, {"essential.0.uri", "x", false},
	{"essential.0.label", nil, false}, {"essential.0.level", long[:61], false}, {"desired.0.uri", "https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01", true},
	{"learned.0.label.nl", "", false}, {"learned.0.how.nl", long[:301], false}, {"learned.0.proof_level", 1, false},
	{"hours", nil, false}, {"hours.max", 61, false}, {"hours.min", 40, true}, {"hours.min", -1, false}, {"hours.max", 0, false},
	{"workplace", nil, false}, {"workplace", "thuis", false}, {"places", nil, false}, {"places", []any{}, false}, {"places.0.name", nil, false}, {"places.0.postcode", "1234567890123", false},
	{"places.0.street", "Dorpsstraat 1", false}, {"start", nil, false}, {"start", map[string]any{}, false}, {"start.every", "altijd", false}, {"start.dates.0", "2026-13-01", false},
	{"start.dates.0", "2026-02-30", true}, {"start.dates.0", "2026-10-02", true}, {"start.dates.0", "morgen", false}, {"until", "1-1-2027", false},
	{"shifts.0", "altijd", false}, {"shifts", []any{"weekend", "day"}, true}, {"contracts.0", "vast", false}, {"positions", 10001, false}, {"positions", "4", false},
	{"url", "http://linde.example", false}, {"url", "javascript:alert(1)", false}, {"requirements.0.kind", "diploma", false}, {"requirements.0.text", nil, false},
	{"requirements", many(13, map[string]any{"kind": "other", "text": map[string]any{"nl": "x"}}), false},
	{"pay", map[string]any{}, false}, {"pay.per", nil, false}, {"pay.per", "week", false}, {"pay.max_cents", 1, true}, {"pay.min_cents", -1, false}, {"pay.agreement", long[:121], false},
	{"conditions.orientation.hours", 0, false}, {"conditions.orientation.paid", nil, false}, {"conditions.learning_track.months", 61, false},
	{"conditions.learning_track.hours_per_week", 0, false}, {"conditions.learning_track.modules.0", "mod_x", false}, {"conditions.learning_allowance.percent", 101, false},
	{"conditions.learning_allowance.hours_per_week", 41, false}, {"conditions.guidance.days", 0, false}, {"conditions.guidance.hours_per_week", 41, false},
	{"conditions.guidance.who.nl", long[:201], false}, {"conditions.other.0.nl", long[:501], false}, {"conditions.bonus", 1, false},
	{"more.0.title", nil, false}, {"more.0.text.nl", long[:1001], false}, {"salaris", 1, false}, {"essential", many(31, skillOf("x")), false},
}

var brokenModules = []broken{
	{"title", nil, false}, {"summary.nl", "", false}, {"outcomes", nil, false}, {"outcomes", []any{}, false}, {"outcomes", many(8, map[string]any{"nl": "x"}), false},
	{"outcomes.0.nl", long[:301], false}, {"schema", nil, false}, {"skills", nil, false}, {"skills", []any{}, false}, {"skills.0.uri", nil, false},
	{"skills", []any{skillOf("x"), skillOf("x")}, true}, {"level_claimed.level", "9", false}, {"level_claimed.level", "first", false}, {"level_claimed.framework", "MBO", false},
	{"level_claimed.level", nil, false}, {"level_classified.register", nil, false}, {"level_classified.until", "nooit", false}, {"level_classified.framework", "QF-EHEA", false},
	{"hours", nil, false}, {"hours", 0, false}, {"hours", 20001, false}, {"load.contact", 30, true}, {"load.contact", -1, false}, {"ec", 0.3, false}, {"ec", 240.5, false}, {"ec", "2", false},
	{"weeks", 521, false}, {"seats", -1, false}, {"price", nil, false}, {"price.cents", nil, false}, {"price.cents", -1, false}, {"price.vat", "21%", false},
	{"price.text.nl", long[:501], false}, {"price.funding.0.nl", long[:301], false}, {"form", nil, false}, {"form", "klassikaal", false}, {"places", nil, false}, {"times.0", "nacht", false},
	{"languages.0", "Nederlands", false}, {"languages.0", "nl-", false}, {"start", nil, false}, {"until", "2027-1-1", false}, {"url", "vaart.example", false},
	{"entry.skills.0.proof_level", nil, false}, {"entry.modules.0", "fn_aaaaaaaaaaaaaaaaaaaaaaaaaa", false}, {"entry.credentials.0", "", false},
	{"entry.credentials", []any{"urn:b", "urn:a"}, true}, {"entry.diploma", true, false}, {"entry.text.nl", long[:1001], false},
	{"stacking.after.0", "mod_", false}, {"stacking.before.0", "x", false}, {"stacking.programme.title", nil, false}, {"stacking.programme.url", "x", false},
	{"stacking.programme.code.code", nil, false}, {"stacking.text.nl", long[:1001], false}, {"credential", nil, false}, {"credential.type", "", false}, {"credential.kind", "diploma", false},
	{"assessment_forms.0", "gesprek", false}, {"quality.name", nil, false}, {"quality.url", "x", false}, {"quality.text.nl", long[:501], false},
	{"programme.code", nil, false}, {"more.0.text", nil, false}, {"korting", 1, false}, {"credential.proof_level", 4, false},
}

func TestBrokenDocumentsAreRefused(t *testing.T) {
	check := func(name string, raw []byte, list []broken, parse func([]byte) error) {
		schema := documentSchema(t, raw)
		if err := schema.Validate(sample(t, name)); err != nil {
			t.Errorf("the schema refuses the sample %s: %v", name, err)
		}
		for _, b := range list {
			doc := sample(t, name)
			set(doc, b.at, b.value)
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			err = parse(text)
			first, _, _ := strings.Cut(b.at, ".")
			if !errors.Is(err, registry.ErrBody) {
				t.Errorf("%s, %s = %.40v: %v", name, b.at, b.value, err)
			} else if said := err.Error(); !strings.Contains(said, first) && !strings.Contains(said, "does not fit") && !strings.Contains(said, "essential") {
				t.Errorf("%s, %s = %.40v: said of another place: %v", name, b.at, b.value, err)
			}
			// Read back, so that numbers are as the schema's library wants them.
			back, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if refused := schema.Validate(back) != nil; refused == b.beyond {
				t.Errorf("%s, %s = %.40v: the schema refuses it: %v", name, b.at, b.value, refused)
			}
		}
	}
	check("function", registry.FunctionJSONSchema(), brokenFunctions, func(raw []byte) error {
		_, err := registry.ParseDocument[registry.FunctionProfile](raw)
		return err
	})
	check("module", registry.ModuleJSONSchema(), brokenModules, func(raw []byte) error {
		_, err := registry.ParseDocument[registry.Module](raw)
		return err
	})
}

// Types and schemas name the same members, and the samples use them all: nothing can be added
// to one and forgotten in the others.
func TestSchemasAndTypesAgree(t *testing.T) {
	for name, c := range map[string]struct {
		raw []byte
		typ reflect.Type
	}{
		"function": {registry.FunctionJSONSchema(), reflect.TypeFor[registry.FunctionProfile]()},
		"module":   {registry.ModuleJSONSchema(), reflect.TypeFor[registry.Module]()},
	} {
		var schema map[string]any
		if err := json.Unmarshal(c.raw, &schema); err != nil {
			t.Fatal(err)
		}
		fields := map[string]bool{}
		namesOfType(c.typ, "", fields)
		described := map[string]bool{}
		namesOfSchema(schema, schema["$defs"].(map[string]any), "", described)
		used := map[string]bool{}
		namesOfValue(sample(t, name), "", used)
		for at := range fields {
			if !described[at] {
				t.Errorf("%s: %s is not in the schema", name, at)
			}
			if last := at[strings.LastIndex(at, ".")+1:]; !used[at] && last != "framework" && last != "version" && last != "uri" && last != "level" && last != "label" && last != "en" && last != "text" && last != "nl" {
				t.Errorf("%s: %s is not in the sample", name, at)
			}
		}
		for at := range described {
			if !fields[at] {
				t.Errorf("%s: the type has no %s", name, at)
			}
		}
	}
}

func namesOfType(typ reflect.Type, at string, out map[string]bool) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice:
		namesOfType(typ.Elem(), at, out)
	case reflect.Struct:
		for f := range typ.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" { // embedded
				namesOfType(f.Type, at, out)
				continue
			}
			out[at+"."+name] = true
			namesOfType(f.Type, at+"."+name, out)
		}
	}
}

func namesOfSchema(schema, defs map[string]any, at string, out map[string]bool) {
	if ref, ok := schema["$ref"].(string); ok {
		namesOfSchema(defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any), defs, at, out)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		namesOfSchema(items, defs, at, out)
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, inner := range properties {
		out[at+"."+name] = true
		namesOfSchema(inner.(map[string]any), defs, at+"."+name, out)
	}
}

func namesOfValue(v any, at string, out map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			out[at+"."+name] = true
			namesOfValue(inner, at+"."+name, out)
		}
	case []any:
		for _, inner := range v {
			namesOfValue(inner, at, out)
		}
	}
}

// The largest document fits in an event.
func TestLargestDocumentFits(t *testing.T) {
	r := registrytest.New(t)
	linde := r.Admit("linde", registry.Verifier)
	doc := published[registry.FunctionProfile](t, "function")
	size := func() int {
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		return len(raw)
	}
	doc.More = make([]registry.Note, 16)
	for i := range doc.More {
		doc.More[i] = registry.Note{Title: registry.Text{NL: "x"}, Text: registry.Text{NL: strings.Repeat("x", 1000), EN: "x"}}
	}
	doc.Tasks = nil
	for range 12 {
		doc.Tasks = append(doc.Tasks, registry.Text{NL: strings.Repeat("x", 300), EN: strings.Repeat("x", 300)})
	}
	for i := 0; size() < registry.MaxDocument-10; i++ {
		pad := min(1000, registry.MaxDocument-size())
		doc.More[i].Text.EN = strings.Repeat("x", pad)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registry.ParseDocument[registry.FunctionProfile](raw); err != nil {
		t.Fatalf("%d bytes: %v", len(raw), err)
	}
	r.Do(registry.KindFunction, &registry.FunctionPublication{Document: doc, ID: functionID, Organisation: linde}, registry.OrganisationParty(linde))
	doc.More[15].Text.EN = strings.Repeat("x", 1000)
	if raw, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.ParseDocument[registry.FunctionProfile](raw); !errors.Is(err, registry.ErrTooLarge) {
		t.Errorf("%d bytes: %v", len(raw), err)
	}
}

func TestClosingSaysWhatAndWhy(t *testing.T) {
	r := registrytest.New(t)
	org := registrytest.OrganisationID("linde")
	why := registry.Text{NL: "klaar"}
	for name, body := range map[string]registry.Body{
		"closing: of nothing":      &registry.Closing{Organisation: org, Reason: why},
		"closing: of nobody":       &registry.Closing{ID: functionID, Reason: why},
		"closing: no reason":       &registry.Closing{ID: functionID, Organisation: org},
		"function: id of a module": &registry.FunctionPublication{Document: published[registry.FunctionProfile](t, "function"), ID: moduleID, Organisation: org},
		"function: of nobody":      &registry.FunctionPublication{Document: published[registry.FunctionProfile](t, "function"), ID: functionID},
		"module: says nothing":     &registry.ModulePublication{ID: moduleID, Organisation: org},
	} {
		if _, err := registry.Compose(r.Draft(body), registry.KindFunction, body, r.Party(vakbond)); !errors.Is(err, registry.ErrBody) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What parses says the same when it is written and read again, and fits in an event.
func FuzzParseDocument(f *testing.F) {
	for _, name := range []string{"function", "module"} {
		raw, err := os.ReadFile("registrytest/documents/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if doc, err := registry.ParseDocument[registry.FunctionProfile](raw); err == nil {
			again(t, doc)
		}
		if doc, err := registry.ParseDocument[registry.Module](raw); err == nil {
			again(t, doc)
		}
	})
}

func again[T registry.Document](t *testing.T, doc T) {
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	back, err := registry.ParseDocument[T](raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	first, err1 := json.Marshal(back)
	if err1 != nil || !bytes.Equal(first, raw) {
		t.Errorf("%s became %s", raw, first)
	}
}
