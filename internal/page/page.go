// Package page is the page kit: one layout, one style sheet, texts in Dutch, easy
// Dutch (A2) and English, and a way to show every page in every state without starting
// anything.
//
// A role brings a file system with templates/*.html, catalogs/LANG.json or
// catalogs/NAME.LANG.json, and if it needs them assets/*.css, *.js and *.svg; the kit
// brings the frame (skip link, landmarks, language switch), the style, dates and QR
// codes. Pages work without script, hold nothing inline (the content security policy of
// package web forbids it), and show one clear next step.
//
//	//go:embed templates catalogs
//	var files embed.FS
//
//	kit, err := page.New(page.Options{Owner: "Regio Aakermonde", Sources: []fs.FS{files}})
//	region, err := page.NewView(kit, "region", page.Sample[Region]{Name: "empty"})
//	region.Render(w, r, http.StatusOK, Region{...})
//
// A template file defines "title" and "main", and may define "next": the one step
// that follows. Files named *.part.html are parts that all pages may use.
// New fails when a text is missing in a language, so a page that starts can be
// shown. It is not a site generator and keeps no state.
//
// # Signed in
//
// WithFrame puts a session around a page: Options.Member as navigation, a leave button,
// when the session ends, a warning before it does, and what was typed in
// form[data-draft] is kept. See Frame for what the site has to answer.
//
// # Components
//
// testdata/templates/kit.html shows them all; make pages draws them.
//
//	.button .quiet .small     one filled button a page; the others quiet
//	.next .actions            the step that follows, and other things to do
//	.card .cards .facts       boxes, and dl.facts for names with values
//	.message .ok .failed .unknown, .stamp    how something stands, in words and form
//	.field .hint .fault       label, help and what is wrong, each by aria-describedby;
//	                          the input gets aria-invalid
//	.summary                  all that is wrong, at the top, with links (role=alert)
//	fieldset, label.choice    checkboxes and radio buttons as cards
//	.short, textarea.prose    a narrow field, a field for sentences
//	ol.steps                  li.done, li[aria-current=step], the names in a span
//	ul.proofs, li.proof.level-0 to 4    with {{template "mark" LEVEL}}, .proof-what,
//	                          .proof-by and .level (the words); .gone when withdrawn
//	ol.code-block             a code to write over, one li for each group
//	.empty .banner .reminder  nothing here yet; attention now; good to know
//	.print-only .no-print .cut    only on paper; never; left out of it to save pages
//	.hidden .no-read          only for screen readers; not read aloud
package page

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed templates catalogs assets
var own embed.FS

// Options of a Kit.
type Options struct {
	// Owner is who speaks on these pages: the region or the organisation. It stands
	// in the header of each page.
	Owner string
	// Sources hold templates/ and catalogs/; the kit's own come first.
	Sources []fs.FS
	// Nav are the entries of the header.
	Nav []Link
	// Member are the entries for who is signed in (Frame), instead of Nav.
	Member []Link
	// Languages that the pages are in; the first is the default. Nil means Dutch and
	// English.
	Languages []Language
	// ReadAloud gives each page a button that reads it aloud, where the browser can.
	ReadAloud bool
}

// Link is an entry of the navigation: the key of its text and its path.
type Link struct{ Key, Path string }

// Kit holds the parsed pages of one role. Safe for use from many goroutines once
// the views are made.
type Kit struct {
	o         Options
	languages []Language
	catalogs  map[Language]*catalog
	pages     map[string]map[Language]*template.Template
	assets    map[string]*asset
	samples   []Rendering
	fault     View[Fault]
}

// New reads and checks everything. Its error names the file and the key.
func New(o Options) (*Kit, error) {
	k := &Kit{o: o, languages: o.Languages, pages: map[string]map[Language]*template.Template{}}
	if len(k.languages) == 0 {
		k.languages = defaultLanguages
	}
	sources := append([]fs.FS{own}, o.Sources...)
	var err error
	if k.catalogs, err = loadCatalogs(sources, k.languages); err != nil {
		return nil, err
	}
	if k.assets, err = loadAssets(sources); err != nil {
		return nil, err
	}
	used, err := k.parse(sources)
	if err != nil {
		return nil, err
	}
	for _, link := range slices.Concat(o.Nav, o.Member) {
		used.key(link.Key)
	}
	used.prefixes["age"] = true // asked by the function of that name
	if err := checkTexts(k.languages, k.catalogs, used); err != nil {
		return nil, err
	}
	k.fault, err = NewView(k, "fault", faultSamples...)
	return k, err
}

// parse makes one template set per page and language, and collects the texts used.
func (k *Kit) parse(sources []fs.FS) (*usage, error) {
	files, parts, err := readTemplates(sources)
	if err != nil {
		return nil, err
	}
	used := newUsage()
	for _, lang := range k.languages {
		base := template.New("layout").Funcs(k.funcs(lang)).Option("missingkey=error")
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			if _, err := base.Parse(parts[name]); err != nil {
				return nil, fmt.Errorf("page: %s: %w", name, err)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			set, err := parsePage(base, files[name])
			if err != nil {
				return nil, fmt.Errorf("page: %s: %w", name, err)
			}
			if err := used.templates(set); err != nil {
				return nil, fmt.Errorf("page: %s: %w", name, err)
			}
			if k.pages[name] == nil {
				k.pages[name] = map[Language]*template.Template{}
			}
			k.pages[name][lang] = set
		}
	}
	return used, nil
}

func parsePage(base *template.Template, text string) (*template.Template, error) {
	set, err := base.Clone()
	if err != nil {
		return nil, err
	}
	if _, err := set.Parse(text); err != nil {
		return nil, err
	}
	for _, needed := range []string{"title", "main"} {
		if set.Lookup(needed) == nil {
			return nil, fmt.Errorf("it does not define %q", needed)
		}
	}
	return set, nil
}

// readTemplates gives the pages and the parts by name, without folder and ending.
func readTemplates(sources []fs.FS) (pages, parts map[string]string, err error) {
	pages, parts = map[string]string{}, map[string]string{}
	for _, source := range sources {
		names, err := fs.Glob(source, "templates/*.html")
		if err != nil {
			return nil, nil, fmt.Errorf("page: %w", err)
		}
		for _, file := range names {
			body, err := fs.ReadFile(source, file)
			if err != nil {
				return nil, nil, fmt.Errorf("page: %w", err)
			}
			into, name := pages, strings.TrimSuffix(path.Base(file), ".html")
			if strings.HasSuffix(name, ".part") {
				into = parts
			}
			if _, taken := into[name]; taken {
				return nil, nil, fmt.Errorf("page: two templates are called %s", name)
			}
			into[name] = string(body)
		}
	}
	return pages, parts, nil
}

// layout is what the layout template gets.
type layout struct {
	Lang      string
	Easy      bool
	Owner     string
	Nav       []navEntry
	Switch    []switchEntry
	Style     string
	Script    string
	Icon      string
	Path      string
	Frame     Frame
	ReadAloud bool
	Data      any
	HasOwner  bool
}

type navEntry struct {
	Text, Path string
	Current    string // aria-current: "page", or "true" for a page below it
}

type switchEntry struct {
	Lang    string
	Name    string
	Path    string
	Current bool
}

func (k *Kit) execute(name string, lang Language, r *http.Request, data any) ([]byte, error) {
	set, ok := k.pages[name][lang]
	if !ok {
		return nil, fmt.Errorf("page: there is no page %q", name)
	}
	l := layout{
		Lang: lang.Tag(), Easy: lang == EasyDutch, Owner: k.o.Owner, HasOwner: k.o.Owner != "",
		Style: k.assets[styleName].path, Script: k.assets[scriptName].path, Icon: k.assets["icon.svg"].path,
		Path: r.URL.EscapedPath(), Frame: frameOf(r), ReadAloud: k.o.ReadAloud, Data: data, Switch: k.switches(r, lang),
	}
	if _, known := k.catalogs[lang].texts["notice."+l.Frame.Notice]; !known {
		l.Frame.Notice = "" // it may come from an address that somebody typed
	}
	links := k.o.Nav
	if l.Frame.SignedIn && len(k.o.Member) > 0 {
		links = k.o.Member
	}
	for _, link := range links {
		l.Nav = append(l.Nav, navEntry{k.catalogs[lang].texts[link.Key].Other, link.Path, current(link.Path, r.URL.Path)})
	}
	var out bytes.Buffer
	if err := set.ExecuteTemplate(&out, "layout", l); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return out.Bytes(), nil
}

func current(entry, path string) string {
	switch {
	case entry == path:
		return "page"
	case entry != "/" && strings.HasPrefix(path, entry+"/"):
		return "true"
	}
	return ""
}

// ErrNoPage: a view was asked for a page that no source has.
var ErrNoPage = errors.New("page: no such page")
