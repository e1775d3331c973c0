package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"
)

// catalog holds the texts of one language: plain text, with {name} where a value
// comes. A text that counts has two forms, "one" and "other"; Dutch and English
// need no more (CLDR plural rules).
type catalog struct {
	texts map[string]text
}

type text struct {
	One   string `json:"one"`
	Other string `json:"other"`
	count bool
}

func (t *text) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &t.Other)
	}
	type forms text
	if err := json.Unmarshal(raw, (*forms)(t)); err != nil {
		return err
	}
	t.count = true
	return nil
}

// loadCatalogs joins catalogs/LANG.json and catalogs/NAME.LANG.json of all sources. A
// key stands in one of them.
func loadCatalogs(sources []fs.FS, languages []Language) (map[Language]*catalog, error) {
	out := map[Language]*catalog{}
	for _, lang := range languages {
		c := &catalog{texts: map[string]text{}}
		for _, source := range sources {
			more, err := fs.Glob(source, "catalogs/*."+string(lang)+".json")
			if err != nil {
				return nil, fmt.Errorf("page: %w", err)
			}
			for _, name := range append([]string{"catalogs/" + string(lang) + ".json"}, more...) {
				if err := c.load(source, name); err != nil {
					return nil, err
				}
			}
		}
		out[lang] = c
	}
	return out, nil
}

func (c *catalog) load(source fs.FS, name string) error {
	raw, err := fs.ReadFile(source, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a source may bring only templates; missing keys are found below
	}
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	var texts map[string]text
	if err := json.Unmarshal(raw, &texts); err != nil {
		return fmt.Errorf("page: %s: %w", name, err)
	}
	for key, t := range texts {
		if _, taken := c.texts[key]; taken {
			return fmt.Errorf("page: %s: the key %q stands in two catalogs", name, key)
		}
		c.texts[key] = t
	}
	return nil
}

// say gives a text with its values: name, value, name, value.
func (c *catalog) say(key string, values []any) (string, error) {
	t, ok := c.texts[key]
	if !ok || t.count {
		return "", fmt.Errorf("no text %q", key)
	}
	return fill(t.Other, values)
}

// count gives the form of a text for n, which is also its value {n}.
func (c *catalog) count(key string, n int, values []any) (string, error) {
	t, ok := c.texts[key]
	if !ok || !t.count {
		return "", fmt.Errorf("no counting text %q", key)
	}
	form := t.Other
	if n == 1 {
		form = t.One
	}
	return fill(form, append([]any{"n", n}, values...))
}

func fill(s string, values []any) (string, error) {
	if len(values)%2 != 0 {
		return "", errors.New("values come in pairs of name and value")
	}
	pairs := make([]string, 0, len(values))
	for i := 0; i < len(values); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", values[i]), fmt.Sprint(values[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(s), nil
}

// usage is which texts the templates ask for.
type usage struct {
	keys     map[string]bool // t, tn
	prefixes map[string]bool // tk: prefix + "." + something of the data
}

func newUsage() *usage { return &usage{map[string]bool{}, map[string]bool{}} }

func (u *usage) key(k string) { u.keys[k] = true }

func (u *usage) templates(set *template.Template) error {
	for _, t := range set.Templates() {
		if t.Tree == nil {
			continue
		}
		if err := u.walk(t.Tree.Root); err != nil {
			return err
		}
	}
	return nil
}

// walk visits every node that can hold a call.
func (u *usage) walk(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, child := range n.Nodes {
			if err := u.walk(child); err != nil {
				return err
			}
		}
	case *parse.ActionNode:
		return u.walk(n.Pipe)
	case *parse.PipeNode:
		if n == nil {
			return nil
		}
		for _, cmd := range n.Cmds {
			if err := u.command(cmd); err != nil {
				return err
			}
		}
	case *parse.IfNode:
		return u.branch(&n.BranchNode)
	case *parse.RangeNode:
		return u.branch(&n.BranchNode)
	case *parse.WithNode:
		return u.branch(&n.BranchNode)
	case *parse.TemplateNode:
		return u.walk(n.Pipe)
	}
	return nil
}

func (u *usage) branch(n *parse.BranchNode) error {
	return errors.Join(u.walk(n.Pipe), u.walk(n.List), u.walk(n.ElseList))
}

func (u *usage) command(cmd *parse.CommandNode) error {
	for _, arg := range cmd.Args {
		if err := u.walk(arg); err != nil {
			return err
		}
	}
	name, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok || (name.Ident != "t" && name.Ident != "tn" && name.Ident != "tk") {
		return nil
	}
	var key *parse.StringNode
	if len(cmd.Args) > 1 {
		key, _ = cmd.Args[1].(*parse.StringNode)
	}
	if key == nil {
		return fmt.Errorf("%s needs its key as a constant, so that it can be checked; for a key of the data use tk", name.Ident)
	}
	if name.Ident == "tk" {
		u.prefixes[key.Text] = true
	} else {
		u.keys[key.Text] = true
	}
	return nil
}

var slot = regexp.MustCompile(`\{[a-z]+\}`)

// checkTexts holds the texts that are used against every catalog: none missing,
// none empty, none left over, the same values and the same kind in each language.
func checkTexts(languages []Language, catalogs map[Language]*catalog, used *usage) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("page: "+format, args...)) }
	all := map[string]bool{}
	for _, c := range catalogs {
		for key := range c.texts {
			all[key] = true
		}
	}
	for key := range used.keys {
		all[key] = true
	}
	for prefix := range used.prefixes {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(k string) bool { return strings.HasPrefix(k, prefix+".") }) {
			fault("no text begins with %q", prefix+".")
		}
	}
	first := catalogs[languages[0]]
	for _, key := range slices.Sorted(maps.Keys(all)) {
		for _, lang := range languages {
			t, ok := catalogs[lang].texts[key]
			switch {
			case !ok:
				fault("%s: no text for %q", lang, key)
			case strings.TrimSpace(t.Other) == "" || (t.count && strings.TrimSpace(t.One) == ""):
				fault("%s: the text for %q is empty", lang, key)
			case first.texts[key].count != t.count || !slices.Equal(values(first.texts[key]), values(t)):
				fault("%s: %q has other values or forms than %s", lang, key, languages[0])
			}
		}
		if !used.has(key) {
			fault("%q is used by no template", key)
		}
	}
	return errors.Join(faults...)
}

func (u *usage) has(key string) bool {
	if u.keys[key] {
		return true
	}
	for prefix := range u.prefixes {
		if strings.HasPrefix(key, prefix+".") {
			return true
		}
	}
	return false
}

// values are the names in a text, sorted, each once. {n} may be left out of "one".
func values(t text) []string {
	found := slot.FindAllString(t.Other, -1)
	slices.Sort(found)
	return slices.Compact(found)
}
